"""A large upload in parts over a slow connection, with a SIGKILL for the web process in the middle of a part.

`python bench/slow_upload.py` sends 96 MB, with FULL=1 2 GB → bench/results/slow_upload.json. Rows are made as they are
sent, so that neither side holds the file. Ends with 1 where the file did not arrive byte for byte, something half-made
was left, or the web process grew by more than MOST_GROWTH_MB.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from kills import victims
from studio import Studio

RESULTS = Path(__file__).parent / "results" / "slow_upload.json"
FULL = os.environ.get("FULL") == "1"
SIZE = (2 << 30) if FULL else (96 << 20)
PART = 32 << 20
PIECE = 1 << 18
RATE = 40 << 20  # bytes a second: 2 GB then take about a minute
MOST_GROWTH_MB = 150
EDGE = "studio-bench-edge"


def piece_at(offset: int) -> bytes:
    """PIECE bytes of the file, the same each time: rows of a question and an answer."""
    line = f"How do I send back order {offset:012d}?,Use the form under your orders.\n".encode()
    return (line * (PIECE // len(line) + 1))[: PIECE - 1] + b"\n"


def part_body(start: int, end: int) -> Iterator[bytes]:
    """A form with `data`, no faster than RATE."""
    yield f'--{EDGE}\r\nContent-Disposition: form-data; name="data"; filename="part"\r\n\r\n'.encode()
    began = time.monotonic()
    for offset in range(start, end, PIECE):
        yield piece_at(offset)
        time.sleep(max(0.0, began + (offset - start) / RATE - time.monotonic()))
    yield f"\r\n--{EDGE}--\r\n".encode()


class Client:
    """The few calls of /v1/uploads."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.headers = studio, {"Authorization": f"Bearer {studio.key}"}

    def call(self, path: str, body: dict[str, object]) -> dict[str, object]:
        """POST JSON; the answer."""
        headers = {**self.headers, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.studio.url}/v1{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=900) as answer:
            return dict(json.load(answer))

    def send_part(self, upload: str, start: int, end: int) -> str:
        """The id of the part. OSError or HTTPException where the line breaks."""
        edges = sum(map(len, part_body(0, 0)))
        line = http.client.HTTPConnection("127.0.0.1", self.studio.port, timeout=120)
        headers = {
            **self.headers,
            "Content-Type": f"multipart/form-data; boundary={EDGE}",
            "Content-Length": str(end - start + edges),
        }
        try:
            line.request("POST", f"/v1/uploads/{upload}/parts", part_body(start, end), headers)
            answer = line.getresponse()
            if answer.status != 200:
                raise http.client.HTTPException(f"{answer.status}: {answer.read()[:200]!r}")
            return str(json.load(answer)["id"])
        finally:
            line.close()


class WebMemory:
    """The largest resident size that any web process of the studio reached, in MB; and what it began with."""

    def __init__(self, studio: Studio) -> None:
        self._supervisor = studio.running.pid
        self.before, self.peak = self.now(), 0.0
        self._stop = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def now(self) -> float:
        """The resident size at this moment."""
        sizes = [0.0]
        for pid in victims(self._supervisor, "gptstudio.server"):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            sizes += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
        return max(sizes)

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, self.now())

    def end(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._watching.join()


def send_all(studio: Studio, client: Client, upload: str) -> tuple[list[str], int, int]:
    """Every part, one sent again where the line broke: their ids, kills, breaks."""
    starts, parts, kills, breaks = list(range(0, SIZE, PART)), list[str](), 0, 0
    while len(parts) < len(starts):
        start = starts[len(parts)]
        if len(parts) == len(starts) // 2 and not kills:
            kills = len(victims(studio.running.pid, "gptstudio.server"))
            timer = threading.Timer(PART / RATE / 2, kill_web, [studio])  # half of the part is there
            timer.start()
        try:
            parts.append(client.send_part(upload, start, min(SIZE, start + PART)))
        except (OSError, http.client.HTTPException) as error:
            breaks += 1
            print(f"part {len(parts)} broke ({error}); waiting for the studio", flush=True)
            if breaks > 20:
                raise
            time.sleep(1)
            studio.wait_until_ready()
    return parts, kills, breaks


def kill_web(studio: Studio) -> None:
    """SIGKILL for the web process."""
    for pid in victims(studio.running.pid, "gptstudio.server"):
        os.kill(pid, signal.SIGKILL)


def main() -> int:
    """One upload; what it took."""
    md5 = hashlib.md5(usedforsecurity=False)
    for offset in range(0, SIZE, PIECE):
        md5.update(piece_at(offset))
    with Studio() as studio:
        client, memory = Client(studio), WebMemory(studio)
        began = time.monotonic()
        asked = {"filename": "large.csv", "bytes": SIZE, "mime_type": "text/csv", "purpose": "fine-tune"}
        upload = str(client.call("/uploads", asked)["id"])
        parts, kills, breaks = send_all(studio, client, upload)
        sent = time.monotonic()
        done = client.call(f"/uploads/{upload}/complete", {"part_ids": parts, "md5": md5.hexdigest()})
        ended = time.monotonic()
        memory.end()
        file = done["file"]
        arrived = isinstance(file, dict) and file["bytes"] == SIZE
        left = [str(path) for path in studio.home.glob("parts/**/*") if path.is_file()]
    outcome = {
        "megabytes": SIZE >> 20,
        "part_megabytes": PART >> 20,
        "rate_megabytes": RATE >> 20,
        "seconds_sending": round(sent - began, 1),
        "seconds_completing": round(ended - sent, 1),
        "web_killed": kills,
        "parts_sent_again": breaks,
        "arrived_whole": arrived,
        "left_behind": len(left),
        "web_before_mb": round(memory.before),
        "web_peak_mb": round(memory.peak),
    }
    print(json.dumps(outcome))
    RESULTS.write_text(json.dumps(outcome, indent=1) + "\n")
    small = memory.peak - memory.before <= MOST_GROWTH_MB
    return int(not (arrived and kills and breaks and not left and small))


if __name__ == "__main__":
    sys.exit(main())
