"""One signed POST. No redirects, no proxies, and no more of the answer than its status.

`X-Studio-Signature: t=<seconds>,v1=<hex>`, where hex is HMAC-SHA256 over `<seconds>.<body>` with the destination's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import time

from django.conf import settings

from gptstudio.notify.addresses import Target, looked_up, target_of

SECONDS = 5.0


def secret_of(destination_id: str) -> str:
    """What signs a destination's webhooks: worked out from SECRET_KEY, so it is kept nowhere."""
    key = hmac.new(settings.SECRET_KEY.encode(), f"webhook:{destination_id}".encode(), hashlib.sha256)
    return f"whsec_{key.hexdigest()}"


def signature(secret: str, body: bytes, *, at: int) -> str:
    """The header's value."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _connection(target: Target) -> http.client.HTTPConnection:
    """Connected to the number that was checked, under the name that was asked for."""
    made = http.client.HTTPConnection(target.host, target.port, timeout=SECONDS)
    made.sock = socket.create_connection((looked_up(target), target.port), timeout=SECONDS)
    if target.scheme == "https":
        made.sock = ssl.create_default_context().wrap_socket(made.sock, server_hostname=target.host)
    return made


def post(url: str, body: bytes, *, secret: str, event: str, delivery_id: str) -> int:
    """The status of the answer. Raises NotReachable, OSError, HTTPException."""
    target = target_of(url)
    connection = _connection(target)
    try:
        headers = {
            "Host": target.name,
            "Content-Type": "application/json",
            "User-Agent": f"gptstudio/{settings.VERSION}",
            "X-Studio-Event": event,
            "X-Studio-Delivery": delivery_id,
            "X-Studio-Signature": signature(secret, body, at=int(time.time())),
            "Connection": "close",
        }
        connection.request("POST", target.path, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
