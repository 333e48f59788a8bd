"""Pretrained weights are found and hashed by a real child; the hub is a small server of this test."""

import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.planning.checking.checked import CheckedJob
from ctexp.planning.schedule import weights
from ctexp.planning.schedule.weights import check_weights
from tests.planning.schedule.jobs import checked, plan

CONTENT = b"weights of a network" * 1000
RESNET = ["model=resnet18", "model.pretrained=true"]


class Hub(BaseHTTPRequestHandler):
    """Answers as Hugging Face's hub does, for the files of one network."""

    def do_HEAD(self) -> None:
        found = self.path.startswith("/timm/resnet18") and self.path.endswith("model.safetensors")
        self.send_response(200 if found else 404)
        self.send_header("ETag", f'"{sha256(CONTENT).hexdigest()}"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("X-Error-Code", "" if found else "EntryNotFound")
        self.send_header("Content-Length", str(len(CONTENT) if found else 0))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    yield server
    server.shutdown()
    server.server_close()


def jobs(project: Path) -> list[CheckedJob]:
    (project / "mine.pth").write_bytes(b"mine")
    return checked(
        plan(
            {
                "plain": {},
                "hub": {"overrides": RESNET, "seeds": [1, 2]},
                "again": {"overrides": [*RESNET, "optimizer.lr=0.001"]},
                "file": {"overrides": [*RESNET, "model.weights=mine.pth"]},
                "gone": {"overrides": [*RESNET, "model.weights=gone.pth"]},
            },
            common=["data=phantom", "logger=none", "model=tiny_cnn"],
        )
    )


@pytest.mark.slow
def test_what_is_not_on_disk_is_a_problem_where_nothing_may_be_fetched(
    hub: ThreadingHTTPServer, tmp_path: Path
) -> None:
    assert hub.server_port  # it could be had
    found = check_weights(jobs(tmp_path), tmp_path, tmp_path / "runs", fetch=False)
    there, lost = found.problems
    assert there.startswith(
        "hub, again: model.pretrained=true: weights of resnet18 (hub:timm/resnet18.a1_in1k)"
    )
    assert "not in the local cache" in there
    assert lost.startswith("gone: model.weights=gone.pth: no such file")
    assert [one.source for one in found.found] == ["file:mine.pth"]


@pytest.mark.slow
def test_weights_are_fetched_once_and_known_from_then_on(
    hub: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, runs = jobs(tmp_path), tmp_path / "runs"
    fetched = check_weights(of, tmp_path, runs, fetch=True)
    (lost,) = fetched.problems
    assert lost.startswith("gone: model.weights=gone.pth: no such file")
    assert fetched.lacking == {"gone"}
    published, mine = fetched.found
    assert published.source == "hub:timm/resnet18.a1_in1k/model.safetensors"
    assert published.sha256 == sha256(CONTENT).hexdigest()
    assert mine.sha256 == sha256(b"mine").hexdigest()

    hub.shutdown()
    known = [one for one in of if one.job.experiment != "gone"]
    monkeypatch.setattr(sys, "executable", "/no/such/python")  # nobody is asked any more
    assert check_weights(known, tmp_path, runs, fetch=False) == weights.Weights(fetched.found)
    (tmp_path / "mine.pth").write_bytes(b"others")  # which has to be hashed
    with pytest.raises(FileNotFoundError):
        check_weights(known, tmp_path, runs, fetch=False)
    kept = files.read_json(runs / "weights.json")
    damages: list[dict[str, object]] = [{"path": None}, {"path": "a\0"}, {"name": []}]
    for damage in damages:  # likewise
        files.write_json(runs / "weights.json", kept | {"found": [one | damage for one in kept["found"]]})
        with pytest.raises(FileNotFoundError):
            check_weights(known, tmp_path, runs, fetch=False)


def test_random_weights_ask_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    plain = jobs(tmp_path)[:1]
    assert check_weights(plain, tmp_path, tmp_path / "runs", fetch=True) == weights.Weights(())


def test_fallbacks_and_bases_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = jobs(tmp_path)
    other, plain = of[-1].composed, of[0]
    one = CheckedJob(**vars(plain) | {"fallbacks": {"oom": other}, "bases": {"x": plain.composed}})
    monkeypatch.setattr(sys, "executable", "/bin/false")
    found = check_weights([one], tmp_path, tmp_path / "runs", fetch=True)
    assert found.problems == ("plain: looking for its weights ended with 1",)
    assert not (tmp_path / "runs").exists()
