"""As much of W&B's service as a sweep needs: what its own client asks is answered, what it tells kept."""

import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "a" * 40
_PROJECT = {"id": "p", "name": "chest", "entity": {"id": "e", "name": "lab"}}


class Stub(ThreadingHTTPServer):
    """The service.

    Args:
        trials: that it hands out, one after another.
        stopping: after so many heartbeats of a run it asks for its end; None for never.

    Attributes:
        sweeps: the configurations of those made.
        runs: what was told of each run: `{"history": [...], "summary": {...}, "name": ..., "exit": ...}`.
    """

    daemon_threads = True

    def __init__(self, trials: list[dict[str, Any]], stopping: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.trials = trials
        self.stopping = stopping
        self.sweeps: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.refuses = False
        self._beats: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, asked: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What GraphQL's operations come to."""
        if asked == "Viewer":
            return {
                "viewer": {
                    "id": "u",
                    "username": "me",
                    "entity": "lab",
                    "flags": "{}",
                    "teams": {"edges": []},
                }
            }
        if asked == "UpsertSweep":
            self.sweeps.append(given["config"])
            return {
                "upsertSweep": {
                    "sweep": {"name": "swp1", "project": _PROJECT},
                    "configValidationWarnings": [],
                }
            }
        if asked == "CreateAgent":
            return {"createAgent": {"agent": {"id": "agent"}}}
        if asked == "Heartbeat":
            commands = self._commands(json.loads(given["runState"]))
            return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}
        if asked == "UpsertBucket":
            self._run(given["name"])["name"] = given["displayName"]
            bucket = {
                "id": "b",
                "name": given["name"],
                "displayName": given["displayName"],
                "project": _PROJECT,
            }
            rest = {"description": None, "config": given["config"] or "{}", "sweepName": given["sweep"]}
            return {
                "upsertBucket": {"bucket": {**bucket, **rest, "historyLineCount": None}, "inserted": True}
            }
        if asked == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.url}/files/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        if asked == "ServerFeaturesQuery":
            return {"serverInfo": {"features": []}}
        return {}

    def stream(self, run: str, told: Mapping[str, Any]) -> None:
        """Keep what is told of a run as it goes."""
        files = told.get("files") or {}
        kept = self._run(run)
        for line in files.get("wandb-history.jsonl", {}).get("content", []):
            kept["history"].append(json.loads(line))
        for line in files.get("wandb-summary.json", {}).get("content", []):
            kept["summary"] = json.loads(line)
        if told.get("complete"):
            kept["exit"] = told["exitcode"]

    def _run(self, name: str) -> dict[str, Any]:
        return self.runs.setdefault(name, {"history": [], "summary": {}, "name": None, "exit": None})

    def _commands(self, state: Mapping[str, bool]) -> list[dict[str, Any]]:
        for run in state:
            self._beats[run] = self._beats.get(run, 0) + 1
            if self._beats[run] == self.stopping:
                return [{"type": "stop", "run_id": run}]
        if state:
            return []
        if not self.trials:
            return [{"type": "exit"}]
        args = {key: {"value": value} for key, value in self.trials.pop(0).items()}
        return [{"type": "run", "run_id": f"w{len(self.trials)}", "args": args, "program": "none"}]


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stub

    def do_POST(self) -> None:
        said = self._said()
        if self.path.startswith("/graphql"):
            if self.server.refuses:
                self._send({"errors": [{"message": "permission denied"}]}, 403)
                return
            told = json.loads(said)
            operation = re.search(r"(?:query|mutation)\s+(\w+)", told["query"])
            asked = operation[1] if operation else ""
            self._send({"data": self.server.answer(asked, told.get("variables") or {})})
            return
        if self.path.endswith("/file_stream"):
            self.server.stream(self.path.split("/")[-2], json.loads(said))
        self._send({"exitcode": None, "limits": {}})

    def do_PUT(self) -> None:
        self._said()
        self._send({})

    def do_GET(self) -> None:
        self._send({})

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def _said(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            said = b""
            while size := int(self.rfile.readline(), 16):
                said += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            said = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(said) if self.headers.get("Content-Encoding") == "gzip" else said

    def _send(self, document: object, code: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def service(trials: list[dict[str, Any]], stopping: int | None = None) -> Iterator[Stub]:
    """Have it answer for a while."""
    stub = Stub(trials, stopping)
    thread = threading.Thread(target=stub.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.shutdown()
        stub.server_close()
