import pytest

from ctexp.research.running.failing import died


@pytest.mark.parametrize(
    ("code", "log", "kind", "message", "hint"),
    [
        (-9, "", "Killed", "the handler was killed by SIGKILL", "for want of memory"),
        (-11, "", "Killed", "the handler was killed by SIGSEGV", "a library crashed"),
        (-40, "", "Killed", "the handler was killed by signal 40", ""),
        (0, "", "NoAnswer", "ended with exit code 0 before there was an answer", "os._exit"),
        (
            1,
            "OSError: [Errno 28] No space left on device\n",
            "NoAnswer",
            "ended with exit code 1 before there was an answer",
            "full",
        ),
    ],
)
def test_a_process_without_an_answer_says_how_it_ended(
    code: int, log: str, kind: str, message: str, hint: str
) -> None:
    broken = died(code, log)
    assert broken.kind == kind
    assert message in broken.message
    assert hint in broken.hint
