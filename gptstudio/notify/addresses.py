"""Which addresses a webhook may go to. A name is looked up once, and the connection goes to what was checked.

Otherwise whoever may name a URL could reach what only the studio's machine reaches: engines, databases, a cloud's metadata.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from gptstudio.core.errors import Invalid

PORTS = {"http": 80, "https": 443}
LONGEST = 500
# IPv6 addresses that a network's gateway turns into IPv4 (NAT64): RFC 6052's hold the number at their end, those of RFC 8215
# hold it where each network likes.
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
TRANSLATED_LOCALLY = ipaddress.ip_network("64:ff9b:1::/48")


class NotReachable(Exception):
    """The name cannot be looked up, or leads to where webhooks may not go."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of a webhook's URL. Raises Invalid for what is none."""
    wrong = Invalid("This is no address for a webhook.", fix="Write it as https://example.org/hook.", param="address")
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in PORTS or not parts.hostname or parts.username or parts.password:
        raise wrong
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)


def is_allowed(address: str) -> bool:
    """Whether a number is on the open internet, or private ones are allowed by WEBHOOK_PRIVATE_ADDRESSES."""
    if settings.WEBHOOK_PRIVATE_ADDRESSES:
        return True
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if found in TRANSLATED:
        inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if inner is not None:
        return is_allowed(str(inner))
    return found not in TRANSLATED_LOCALLY and found.is_global and not found.is_multicast


def looked_up(target: Target) -> str:
    """The number to connect to. Raises NotReachable; one forbidden number among several forbids the name."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReachable(f"{target.host} cannot be looked up.") from error
    numbers = [str(each[4][0]) for each in found]
    if not all(map(is_allowed, numbers)):
        raise NotReachable(f"{target.host} is not on the open internet; WEBHOOK_PRIVATE_ADDRESSES=1 allows it.")
    return numbers[0]
