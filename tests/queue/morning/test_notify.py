"""Somebody is told: by a program, by a webhook, within a bound, and never at the night's expense."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ctexp.core import yaml_file
from ctexp.core.locks import HELD
from ctexp.queue.morning import notify

PATH = "T0pS3cret"  # of an address; whoever knows it may write there


def settings(root: Path, **said: Any) -> Path:
    (root / "conf").mkdir(exist_ok=True)
    (root / "conf" / "local.yaml").write_text(yaml_file.dump({"notify": said}))
    return root


def program(root: Path, text: str) -> str:
    path = root / "told"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return str(path)


class Hook(ThreadingHTTPServer):
    """Keeps what it is sent; answers with `code`, or only after `wait` seconds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Any] = []
        self.code = 200
        self.wait = 0.0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/{PATH}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Hook)
        server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(server.wait)
        self.send_response(server.code)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_program_gets_json_and_the_text_as_a_word_and_no_shell(tmp_path: Path) -> None:
    said = "it's $(touch canary); `touch canary` 🫁\nsecond line"
    told = program(tmp_path, f'printf "%s\\0" "$@" >{tmp_path}/words; cat >{tmp_path}/document')
    settings(tmp_path, command=[told, "a b", "ctexp: {text}", "$HOME"])
    notify.tell("failure", tmp_path, said, job="net-s1", queue="night_20261121-220000")
    line = " ".join(said.split())
    assert (tmp_path / "words").read_text().split("\0")[:-1] == ["a b", f"ctexp: {line}", "$HOME"]
    document = json.loads((tmp_path / "document").read_text())
    assert document == {
        "event": "failure",
        "text": line,
        "job": "net-s1",
        "queue": "night_20261121-220000",
    }
    assert not (tmp_path / "canary").exists()


def test_a_webhook_gets_the_same(tmp_path: Path, hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    settings(tmp_path, webhook=hook.address)
    notify.tell("end", tmp_path, "all done", exit_code=0)
    assert hook.got == [{"event": "end", "text": "all done", "exit_code": 0}]
    assert capsys.readouterr().err == ""


def test_only_what_was_asked_for_is_told(tmp_path: Path, hook: Hook) -> None:
    settings(tmp_path, webhook=hook.address, on=["end"])
    notify.tell("failure", tmp_path, "a job failed")
    notify.tell("end", tmp_path, "over")
    assert [one["event"] for one in hook.got] == ["end"]


def test_nobody_is_told_where_nobody_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notify.tell("end", tmp_path, "over")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [("exit 3", "ended with 3"), (None, "No such file or directory"), ("sleep 60", "not done within 1 s")],
)
def test_a_program_that_fails_is_one_warning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    said: str,
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 1.0)
    settings(tmp_path, command=[program(tmp_path, text) if text else "/nowhere/told"])
    began = time.monotonic()
    notify.tell("end", tmp_path, "over")
    assert time.monotonic() - began < 5
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: nobody was told of this by /")
    assert said in line


def test_what_a_program_leaves_behind_is_ended_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 0.5)
    settings(tmp_path, command=[program(tmp_path, f"sleep 60 & echo $! >{tmp_path}/pid; wait")])
    notify.tell("end", tmp_path, "over")
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 5
    while time.monotonic() < until and Path(f"/proc/{pid}").exists():
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1]


def test_a_webhook_that_hangs_or_refuses_keeps_its_secret(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 0.5)
    settings(tmp_path, webhook=hook.address)
    hook.code = 403
    notify.tell("end", tmp_path, "over")
    hook.wait = 30.0
    began = time.monotonic()
    notify.tell("end", tmp_path, "over")
    assert time.monotonic() - began < 10
    settings(tmp_path, webhook=f"http://127.0.0.1:9/{PATH}")
    notify.tell("end", tmp_path, "over")
    refused, late, gone = capsys.readouterr().err.splitlines()
    assert refused == "warning: nobody was told of this by the webhook at 127.0.0.1: answered 403"
    assert late.startswith("warning: nobody was told of this by the webhook at 127.0.0.1: ")
    assert "refused" in gone
    assert PATH not in refused + late + gone


def test_a_webhook_hears_it_though_the_program_hangs(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "PATIENCE", 1.0)
    settings(tmp_path, webhook=hook.address, command=[program(tmp_path, "sleep 60")])
    notify.tell("end", tmp_path, "over")
    assert len(hook.got) == 1


def test_settings_that_are_wrong_are_one_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings(tmp_path, webhook=f"ftp://example.org/{PATH}")
    notify.tell("end", tmp_path, "over")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: nobody was told: conf/local.yaml: notify.webhook: expected an address")
    assert PATH not in line


def test_a_program_inherits_neither_locks_nor_blocked_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HELD, "7")
    told = program(
        tmp_path, f'echo "[${HELD}]" >{tmp_path}/env; grep SigBlk /proc/self/status >>{tmp_path}/env'
    )
    settings(tmp_path, command=[told])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    try:
        notify.tell("failure", tmp_path, "a job failed")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert (tmp_path / "env").read_text().split() == ["[]", "SigBlk:", "0" * 16]
    assert os.environ[HELD] == "7"
