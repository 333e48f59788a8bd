"""What a run says of its own end: the error, and what to do about it where that is known."""

from pathlib import Path

import pytest

from ctexp.core.errors import DataError, Stopped, StorageError
from ctexp.record import blocks
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.training.ending import Ending
from tests.record import samples


def ended(runs: Path, error: BaseException) -> Result:
    run = samples.begun(RunDir.create(runs, "net"))
    return Ending(
        run=run,
        attempt=samples.attempt(run.id),
        error=error,
        seconds=3.0,
        epochs=1,
        summary=None,
        warnings=(),
        earlier=(),
    ).result()


def test_a_known_failure_from_below_says_what_to_do(tmp_path: Path) -> None:
    result = ended(tmp_path, RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert result.error is not None
    assert result.error.kind == "RuntimeError"
    assert result.error.hint.endswith("resume the run in a new process (docs/errors.md#cuda-memory-access)")
    assert result.error.hint in blocks.results_block(result, "runs/net", "runs/net/train.log")


def test_an_unknown_one_gets_no_advice_but_keeps_its_traceback(tmp_path: Path) -> None:
    result = ended(tmp_path, ZeroDivisionError("division by zero"))
    assert result.error is not None
    assert result.error.hint == ""
    assert result.error.traceback_file == "attempts/1.traceback.txt"


def test_what_an_error_says_itself_counts_more(tmp_path: Path) -> None:
    error = StorageError("runs: no space left while writing history.csv", "free some space there")
    error.__cause__ = OSError(28, "No space left on device")
    result = ended(tmp_path, error)
    assert result.error is not None
    assert result.error.hint == "free some space there"


def test_an_error_of_ours_without_a_hint_is_explained_by_what_caused_it(tmp_path: Path) -> None:
    error = DataError("best.ckpt: cannot be read")
    error.__cause__ = RuntimeError("PytorchStreamReader failed reading zip archive: not a ZIP archive")
    result = ended(tmp_path, error)
    assert result.error is not None
    assert "docs/errors.md#checkpoint-damaged" in result.error.hint


def test_a_stop_is_no_failure_to_explain(tmp_path: Path) -> None:
    result = ended(tmp_path, Stopped(15))
    assert result.error is not None
    assert result.error.hint == f"scripts/inv train --resume {result.run_id}"


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("Unable to allocate 7 TiB")])
def test_no_memory_is_oom_with_advice(tmp_path: Path, error: MemoryError) -> None:
    result = ended(tmp_path, error)
    assert result.state == "oom"
    assert "docs/errors.md#host-out-of-memory" in "\n".join(blocks.next_steps(result))
