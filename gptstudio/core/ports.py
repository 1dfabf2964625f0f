"""Whether a port can be listened on, asked before anything starts, with a sentence for each way in which it cannot."""

from __future__ import annotations

import errno
import socket

from gptstudio.core.errors import Conflict, Invalid

FIRST_FREE_TO_ALL = 1024


def check_port(host: str, port: int, *, variable: str) -> None:
    """Raise Conflict when the port is taken, Invalid when host or port cannot be had on this machine."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _no_such_host(host) from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _refusal(error, host, port, variable) from error


def _no_such_host(host: str) -> Invalid:
    return Invalid(f"HOST is {host!r}, which is no address of this machine.", fix="Set it to 127.0.0.1, or 0.0.0.0.")


def _refusal(error: OSError, host: str, port: int, variable: str) -> Conflict | Invalid:
    if error.errno == errno.EADDRINUSE:
        return Conflict(f"Port {port} on {host} is taken.", fix=f"Set {variable} to another.")
    if error.errno == errno.EACCES:
        return Invalid(
            f"Port {port} is for the system's administrator.", fix=f"Set {variable} to {FIRST_FREE_TO_ALL} or more."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return _no_such_host(host)
    return Invalid(
        f"{host}:{port} cannot be listened on ({error.strerror}).", fix=f"Set HOST or {variable} to another."
    )
