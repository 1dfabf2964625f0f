"""Where files are kept beside this machine: a bucket of an S3-compatible server, or none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from gptstudio.settings import env

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
USUAL_REGION = "us-east-1"  # servers of one's own mostly have no other, and requests are signed for one


@dataclass(frozen=True, slots=True)
class Storage:
    """A bucket, the folder in it (empty, or ending in a slash), and how to reach it. Without keys the SDK looks for some.

    `cache_bytes`: what of it may lie under STUDIO_HOME; 0: no limit.
    """

    bucket: str
    prefix: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str
    cache_bytes: int


def read() -> Storage | None:
    """What STORAGE_URL and the others say; None where it is unset."""
    url = env.text("STORAGE_URL")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"STORAGE_URL is {url!r}, which names no bucket. Write it as s3://bucket/folder.")
    endpoint = env.address("STORAGE_ENDPOINT_URL")
    keys = env.text("STORAGE_ACCESS_KEY"), env.text("STORAGE_SECRET_KEY")
    if any(keys) and not all(keys):
        missing = "STORAGE_SECRET_KEY" if keys[0] else "STORAGE_ACCESS_KEY"
        raise ImproperlyConfigured(
            f"{missing} is not set. Set both of STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY, or none."
        )
    folder = parts.path.strip("/")
    return Storage(
        bucket=parts.netloc,
        prefix=f"{folder}/" if folder else "",
        endpoint=endpoint,
        region=env.text("STORAGE_REGION") or (USUAL_REGION if endpoint else ""),
        access_key=keys[0],
        secret_key=keys[1],
        cache_bytes=env.number("STORAGE_CACHE_GB", 0) * 1024**3,
    )
