"""A stand-in for W&B's service: it answers what the official client asks, and keeps what it is sent."""

import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Arrived:
    """What has arrived.

    Attributes:
        runs: what was last said of each run, by its name: the variables of `upsertBucket`.
        history: the rows of each run, in their order.
        summary: the last summary of each run.
        ended: exit codes of runs that were said to be complete.
        files: the content of files, by address.
    """

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = defaultdict(dict)
        self.history: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.summary: dict[str, dict[str, Any]] = {}
        self.ended: dict[str, int] = {}
        self.files: dict[str, bytes] = {}

    def graphql(self, query: str, said: dict[str, Any], address: str) -> dict[str, Any]:
        """The answer to a question; an empty one to what need not be known."""
        if "upsertBucket" in query:
            known = {key: value for key, value in said.items() if value is not None}
            self.runs[said["name"]] |= known
            entity = {"id": "e", "name": "somebody"}
            project = {"id": "p", "name": said["project"], "entity": entity}
            bucket = {"id": "r", "name": said["name"], "displayName": said["name"], "config": "{}"}
            bucket |= {"description": "", "sweepName": None, "historyLineCount": 0, "project": project}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        if "viewer" in query:
            name = {"id": "u", "entity": "somebody", "username": "somebody", "flags": "{}"}
            return {"viewer": name | {"teams": {"edges": []}}}
        if "createArtifact" in query:
            artifact = {"id": "a", "state": "COMMITTED", "artifactSequence": {"latestArtifact": None}}
            return {"createArtifact": {"artifact": artifact}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{address}/storage/{name}"} for name in said["files"]]
            return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}
        return {}

    def stream(self, run: str, sent: dict[str, Any]) -> None:
        """Pieces of files that grow."""
        for name, piece in (sent.get("files") or {}).items():
            if name == "wandb-history.jsonl":
                self.history[run] += map(json.loads, piece["content"])
            elif name == "wandb-summary.json":
                self.summary[run] = json.loads(piece["content"][-1])
        if sent.get("complete"):
            self.ended[run] = sent["exitcode"]


@contextmanager
def service() -> Iterator[tuple[str, Arrived]]:
    """The address of a service that is up, and what has arrived there."""
    arrived = Arrived()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            said: dict[str, Any] = {}
            if self.path == "/graphql":
                asked = json.loads(body)
                said = {"data": arrived.graphql(asked["query"], asked.get("variables") or {}, address)}
            elif self.path.endswith("/file_stream"):
                arrived.stream(self.path.split("/")[-2], json.loads(body))
            else:
                arrived.files[self.path] = body
            text = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield address, arrived
        finally:
            server.shutdown()
