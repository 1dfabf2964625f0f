"""One signed POST, over within SECONDS. No redirects, no proxies, and no more of the answer than its head.

It is signed twice with the destination's secret: as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`,
`webhook-signature: v1,<base64>`), where the key is what the secret says in base64 behind `whsec_`; and, as before,
`X-Studio-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA256 over `<seconds>.<body>` with the whole secret as text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import io
import socket
import ssl
import time
from typing import Any

from django.conf import settings

from gptstudio.notify.addresses import Target, looked_up, target_of

SECONDS = 10.0  # for all of a try but the look-up of its name, which is bounded by the resolver
MOST_BYTES = 65_536  # of an answer's head


class _Answer(io.RawIOBase):
    """What a server sends until the deadline, however slowly it comes, and no more than MOST_BYTES of it."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline, self._left = sock, deadline, MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            raise http.client.HTTPException(f"more than {MOST_BYTES:,} bytes")
        self._sock.settimeout(_seconds_to(self._deadline))
        count = self._sock.recv_into(buffer, min(len(buffer), self._left))
        self._left -= count
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What HTTPResponse asks a socket for."""
        return io.BufferedReader(self)


def _seconds_to(deadline: float) -> float:
    """What is left of a try. Raises TimeoutError when nothing is."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"no answer within {SECONDS:g} seconds")
    return left


def secret_of(destination_id: str) -> str:
    """What signs a destination's webhooks: worked out from SECRET_KEY, so it is kept nowhere."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"webhook:{destination_id}".encode(), hashlib.sha256)
    return f"whsec_{key.hexdigest()}"


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def standard_signature(secret: str, body: bytes, *, delivery_id: str, at: int) -> str:
    """The value of `webhook-signature`, by https://www.standardwebhooks.com: HMAC-SHA256 over `<id>.<seconds>.<body>`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))  # 64 hexadecimal signs are base64 of 48 bytes
    digest = hmac.new(key, f"{delivery_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _trust() -> ssl.SSLContext:
    """The system's authorities, and those of WEBHOOK_CA."""
    context = ssl.create_default_context()
    if settings.WEBHOOK_CA:
        context.load_verify_locations(cadata=settings.WEBHOOK_CA)
    return context


def _connection(target: Target, address: str, deadline: float) -> http.client.HTTPConnection:
    """Connected to the number that was checked, under the name that was asked for."""
    made = http.client.HTTPConnection(target.host, target.port)
    made.sock = socket.create_connection((address, target.port), timeout=_seconds_to(deadline))
    if target.scheme == "https":
        made.sock.settimeout(_seconds_to(deadline))
        made.sock = _trust().wrap_socket(made.sock, server_hostname=target.host)
    made.sock.settimeout(_seconds_to(deadline))
    return made


def post(url: str, body: bytes, *, secret: str, event: str, delivery_id: str) -> int:
    """The status of the answer. Raises NotReachable, OSError, HTTPException."""
    target = target_of(url)
    address = looked_up(target)
    deadline = time.monotonic() + SECONDS
    connection = _connection(target, address, deadline)
    try:
        at = int(time.time())
        headers = {
            "Host": target.name,
            "Content-Type": "application/json",
            "User-Agent": f"gptstudio/{settings.VERSION}",
            "X-Studio-Event": event,
            "X-Studio-Delivery": delivery_id,
            "X-Studio-Signature": signature(secret, body, at=at),
            "webhook-id": delivery_id,
            "webhook-timestamp": str(at),
            "webhook-signature": standard_signature(secret, body, delivery_id=delivery_id, at=at),
            "Connection": "close",
        }
        connection.request("POST", target.path, body=body, headers=headers)
        answer: Any = _Answer(connection.sock, deadline)
        with http.client.HTTPResponse(answer, method="POST") as response:
            response.begin()
            return response.status
    finally:
        connection.close()
