"""A model hub on a local port: just the few addresses that fetching a repository asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Repositories by id, each a folder; `gated` ones ask for terms, `asked` is every address in order."""

    def __init__(self) -> None:
        self.repos: dict[str, Path] = {}
        self.gated: set[str] = set()
        self.asked: list[str] = []
        hub = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_words: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                hub.answer(self)

            do_HEAD = do_GET

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.asked.append(path)
        if path.startswith("/api/models/") and "/tree/" in path:
            self._tree(request, path.removeprefix("/api/models/").partition("/tree/")[0])
        elif path.startswith("/api/models/"):
            repo, _, revision = path.removeprefix("/api/models/").partition("/revision/")
            self._info(request, repo, revision or "main")
        else:
            repo, _, rest = path.lstrip("/").partition("/resolve/")
            self._file(request, repo, rest.partition("/")[2])

    def _info(self, request: BaseHTTPRequestHandler, repo: str, revision: str) -> None:
        if repo not in self.repos:
            self._send(request, 401, b"{}", {"x-error-code": "RepoNotFound"})
        elif revision not in ("main", COMMIT):
            self._send(request, 404, b"{}", {"x-error-code": "RevisionNotFound"})
        else:
            siblings = [{"rfilename": name, "size": size} for name, size in self._files(repo).items()]
            body = {"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}
            body |= {"cardData": {"license": "apache-2.0"}, "downloads": 0, "likes": 0}
            self._send(request, 200, json.dumps(body).encode(), {"content-type": "application/json"})

    def _files(self, repo: str) -> dict[str, int]:
        folder = self.repos[repo]
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {str(path.relative_to(folder)): path.stat().st_size for path in files}

    def _tree(self, request: BaseHTTPRequestHandler, repo: str) -> None:
        files = [
            {"type": "file", "path": name, "size": size, "oid": "0" * 40} for name, size in self._files(repo).items()
        ]
        self._send(request, 200, json.dumps(files).encode(), {"content-type": "application/json"})

    def _file(self, request: BaseHTTPRequestHandler, repo: str, name: str) -> None:
        if repo in self.gated:
            self._send(request, 403, b"{}", {"x-error-code": "GatedRepo"})
            return
        content = (self.repos[repo] / name).read_bytes()
        etag = hashlib.sha256(content).hexdigest()
        self._send(request, 200, content, {"etag": f'"{etag}"', "x-repo-commit": COMMIT})

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
