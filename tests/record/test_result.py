import pytest
from pydantic import ValidationError

from ctexp.core.errors import (
    DataError,
    Diverged,
    MemoryExhausted,
    Stopped,
    StorageError,
    TimeBudgetUsed,
)
from ctexp.record.result import End, end_of
from tests.record import samples


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (None, End("finished", None, 0)),
        (Stopped(15), End("interrupted", None, 143)),
        (Stopped(2), End("interrupted", None, 130)),
        (KeyboardInterrupt(), End("interrupted", None, 130)),
        (Diverged("x"), End("diverged", None, 11)),
        (MemoryExhausted("x"), End("oom", None, 10)),
        (MemoryError(), End("oom", None, 10)),
        (TimeBudgetUsed("x"), End("timeout", None, 124)),
        (DataError("x"), End("failed", "DataError", 3)),
        (StorageError("x"), End("failed", "StorageError", 5)),
        (ZeroDivisionError(), End("failed", "ZeroDivisionError", 1)),
    ],
)
def test_every_end_has_its_state_and_exit_code(error: BaseException | None, end: End) -> None:
    assert end_of(error) == end
    samples.result("r", state=end.state, failure=end.failure, exit_code=end.exit_code)


@pytest.mark.parametrize(
    "contradiction",
    [
        {"state": "finished", "exit_code": 3},
        {"state": "interrupted", "exit_code": 0},
        {"state": "failed", "exit_code": 3},
        {"state": "finished", "failure": "DataError"},
    ],
)
def test_a_result_that_contradicts_itself_cannot_be_made(contradiction: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        samples.result("r", **contradiction)
