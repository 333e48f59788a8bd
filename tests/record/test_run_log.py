import io
import logging
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctexp.record.run_log import RunLog

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z( .*)?")


def said(path: Path) -> list[str]:
    """The lines of a log without their times, each of which must be there."""
    lines = path.read_text().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    return [line[25:] for line in lines]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


def test_all_that_a_program_says_is_in_its_log(log: Path) -> None:
    program = """if True:
        import logging, pathlib, sys, warnings
        from ctexp.record.run_log import RunLog
        # It takes hold of stderr long before the run, as Lightning's does when it is imported.
        early = logging.getLogger("early")
        early.propagate = False
        early.setLevel(logging.INFO)
        early.addHandler(logging.StreamHandler())
        with RunLog(pathlib.Path(sys.argv[1])):
            print("a result")
            print("a note", file=sys.stderr)
            early.info("GPU available")
            logging.warning("no handler of its own")
            late = logging.getLogger("late")
            late.addHandler(logging.StreamHandler())
            late.error("made during the run")
            warnings.warn("mind the gap")
            sys.stdout.writelines(["two\\n", "lines\\n"])
        early.info("after")
        late.error("after")
        print("after")
    """
    done = subprocess.run(
        [sys.executable, "-c", program, str(log)], capture_output=True, text=True, check=True
    )
    lines = said(log)
    warning = [line for line in lines if "mind the gap" in line]  # Python 3.13 shows its source, too
    assert warning
    assert [line for line in lines if line not in warning] == [
        "a result",
        "a note",
        "GPU available",
        "WARNING:root:no handler of its own",
        "made during the run",
        "ERROR:late:made during the run",
        "two",
        "lines",
    ]
    assert done.stdout == "a result\ntwo\nlines\nafter\n"
    assert [line for line in done.stderr.splitlines() if "after" not in line] == [
        line for line in lines if line not in {"a result", "two", "lines"}
    ]
    assert done.stderr.count("after") == 3


def test_the_streams_are_given_back_as_they_were(log: Path) -> None:
    before = (sys.stdout, sys.stderr)
    handler = logging.StreamHandler()
    logging.getLogger("held").addHandler(handler)
    try:
        with RunLog(log):
            kept = sys.stdout
            assert handler.stream is sys.stderr
        assert handler.stream is before[1]
    finally:
        logging.getLogger("held").removeHandler(handler)
    assert (sys.stdout, sys.stderr) == before
    print("after", file=kept)
    assert said(log) == []


def test_a_terminal_stays_a_terminal(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "latin-1"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    with RunLog(log):
        assert sys.stdout.isatty()
        assert sys.stdout.encoding == "latin-1"


def test_every_line_is_on_disk_at_once(log: Path) -> None:
    with RunLog(log):
        print("one")
        print("unfinished", end="")
        assert said(log) == ["one"]
    assert said(log) == ["one", "unfinished"]


def test_a_second_attempt_adds_to_the_log_even_after_a_torn_line(log: Path) -> None:
    with RunLog(log):
        print("first")
    log.write_bytes(log.read_bytes() + b"2026-11-21T05:04:17.123Z torn")
    with RunLog(log):
        print("second")
    assert said(log) == ["first", "torn", "second"]


def test_a_traceback_goes_to_the_log_alone(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunLog(log) as run_log:
        run_log.note("Traceback:\n  line 1\n")
    assert said(log) == ["Traceback:", "  line 1"]
    assert capsys.readouterr() == ("", "")


def test_bytes_that_are_no_text_do_not_stop_the_log(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with RunLog(log):
        print("caf\udce9")
    assert said(log) == [r"caf\udce9"]


def test_threads_do_not_tear_each_others_lines(log: Path) -> None:
    with RunLog(log):
        threads = [
            threading.Thread(target=lambda n=n: [sys.stdout.write(f"{n} " * 30 + "\n") for _ in range(50)])
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(said(log)) == sorted((f"{n} " * 30).rstrip() for n in range(4) for _ in range(50))


def test_a_full_disk_ends_the_log_and_not_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.log").symlink_to("/dev/full")
    with RunLog(tmp_path / "train.log") as run_log:
        print("one")
        print("two")
    assert run_log.problem is not None
    assert "no space left" in run_log.problem
    out, err = capsys.readouterr()
    assert out == "one\ntwo\n"
    assert err.count("train.log is incomplete") == 1
