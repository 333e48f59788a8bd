import os
import signal

import pytest

from ctexp.core.stopping import Requests


@pytest.mark.parametrize(("later", "insisted"), [(0.5, False), (1.5, True)])
def test_one_ctrl_c_that_comes_twice_is_one_request_and_a_later_signal_insists(
    later: float, insisted: bool
) -> None:
    now = [100.0]
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Requests() as requests:
        requests._clock = lambda: now[0]
        assert (requests.why, requests.signum) == ("", None)
        os.kill(os.getpid(), signal.SIGINT)
        now[0] += later
        os.kill(os.getpid(), signal.SIGTERM)
        assert (requests.why, requests.signum) == ("stopped by SIGINT", signal.SIGINT)
        assert requests.insisted is insisted
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
