"""One bucket of an S3-compatible server: objects put, fetched, listed, deleted. It knows neither folders nor the database.

The SDK is loaded with the first request, so a studio without a bucket never loads it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from gptstudio.core.errors import Unavailable
from gptstudio.settings.storage import Storage

SECONDS_TO_CONNECT, SECONDS_TO_ANSWER, TRIES = 5, 60, 3
MISSING = ("404", "NoSuchKey", "NotFound")
DENIED = ("401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken")
ELSEWHERE = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
KNOWS_NO_VERSIONS = ("501", "NotImplemented", "MethodNotAllowed")


class StorageTrouble(Unavailable):
    """The bucket does not take or give what it should; the sentence names it."""


class Missing(Exception):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Object:
    """What a listing says of one; `key` is without the prefix."""

    key: str
    size: int
    changed_at: datetime


def there() -> Storage:
    """The bucket of this studio; only asked where there is one."""
    found: Storage | None = settings.STORAGE
    if found is None:
        raise LookupError("STORAGE_URL is not set")
    return found


@lru_cache(maxsize=4)
def _client_of(storage: Storage, process: int) -> Any:
    """One a process: sockets that a fork has shared would mix up their answers."""
    import boto3
    from botocore.config import Config

    # Checksums of newer kinds only where S3 itself demands them: other servers know few.
    config = Config(
        connect_timeout=SECONDS_TO_CONNECT,
        read_timeout=SECONDS_TO_ANSWER,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        s3={"addressing_style": "path" if storage.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=storage.endpoint or None,
        region_name=storage.region or None,
        aws_access_key_id=storage.access_key or None,
        aws_secret_access_key=storage.secret_key or None,
        config=config,
    )


def _client() -> Any:
    return _client_of(there(), os.getpid())


@contextmanager
def _sentences() -> Iterator[None]:
    """What the SDK says as a sentence; Missing for an object that is not there."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in MISSING:
            raise Missing(str(error)) from error
        raise _refusal(code, str(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _refusal("", str(error)) from error


def _refusal(code: str, said: str) -> StorageTrouble:
    storage = there()
    where = f"{storage.bucket} at {storage.endpoint}" if storage.endpoint else storage.bucket
    if code == "NoSuchBucket":
        return StorageTrouble(f"There is no bucket {where}.", fix="Make it, or correct STORAGE_URL.")
    if code in DENIED:
        return StorageTrouble(
            f"The bucket {where} lets the studio not do this ({said}).",
            fix="Correct STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY, or the rights that they have on it.",
        )
    if code in ELSEWHERE:
        return StorageTrouble(f"The bucket {where} is of another region ({said}).", fix="Correct STORAGE_REGION.")
    return StorageTrouble(
        f"The bucket {where} does not answer as it should ({said}).",
        fix="Try again once it does; whoever runs the studio looks at it and at STORAGE_ENDPOINT_URL.",
    )


def check() -> None:
    """Do with a small object all that the studio will do. StorageTrouble, with a sentence, where something is refused."""
    key = f".check-{secrets.token_hex(8)}"
    with _sentences():
        try:
            _client().head_bucket(Bucket=there().bucket)
        except _client().exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            raise _refusal("NoSuchBucket" if code in MISSING else code, str(error)) from error
    abort_parts(before=datetime.min.replace(tzinfo=UTC))
    put_bytes(key, b"studio")
    get_bytes(key)
    purge(key)


def put_bytes(key: str, content: bytes) -> None:
    """Write a small object, whole or not at all."""
    with _sentences():
        _client().put_object(Bucket=there().bucket, Key=there().prefix + key, Body=content)


def get_bytes(key: str) -> bytes:
    """A small object's bytes. Raises Missing."""
    with _sentences():
        content: bytes = _client().get_object(Bucket=there().bucket, Key=there().prefix + key)["Body"].read()
        return content


def put_file(path: Path, key: str, *, sha256: str) -> None:
    """Write a file to an object, large ones in parts. It is there once it is whole; `sha256` is written beside it."""
    with _sentences():
        _client().upload_file(
            str(path), there().bucket, there().prefix + key, ExtraArgs={"Metadata": {"sha256": sha256}}
        )


def get_file(key: str, path: Path) -> None:
    """Write an object to `path`, in parts. Raises Missing, and OSError where the disk is full."""
    with _sentences():
        _client().download_file(there().bucket, there().prefix + key, str(path))


def sums(key: str) -> tuple[int, str]:
    """An object's size, and the SHA-256 that was written beside it. Raises Missing."""
    with _sentences():
        said = _client().head_object(Bucket=there().bucket, Key=there().prefix + key)
        return int(said["ContentLength"]), str(said.get("Metadata", {}).get("sha256", ""))


def objects(start: str) -> Iterator[Object]:
    """Every object whose key begins so."""
    prefix = there().prefix
    with _sentences():
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=there().bucket, Prefix=prefix + start)
        for page in pages:
            for each in page.get("Contents", []):
                yield Object(each["Key"].removeprefix(prefix), int(each["Size"]), each["LastModified"])


def names(folder: str) -> set[str]:
    """What stands in a folder of the bucket, as a listing of one level shows it; folders end in a slash."""
    start = f"{there().prefix}{folder}/"
    found: set[str] = set()
    with _sentences():
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=there().bucket, Prefix=start, Delimiter="/")
        for page in pages:
            found |= {each["Key"].removeprefix(start) for each in page.get("Contents", [])}
            found |= {each["Prefix"].removeprefix(start) for each in page.get("CommonPrefixes", [])}
    return found


def purge(name: str) -> int:
    """Delete the object of this name, its list (`<name>.json`) and what lies in the folder of this name, with every earlier
    version that the bucket keeps of them. Returns how many.

    The list goes first, as it comes last. One by one: not every server deletes many at once.
    """
    full, removed = there().prefix + name, 0
    with _sentences():
        for key, version in list(_versions(full)):
            if key in (full, f"{full}.json") or key.startswith(f"{full}/"):
                wanted = {"VersionId": version} if version else {}
                _client().delete_object(Bucket=there().bucket, Key=key, **wanted)
                removed += 1
    return removed


def _versions(prefix: str) -> Iterator[tuple[str, str]]:
    """Keys with their versions, deleted ones too; from a server that keeps none, keys alone."""
    client, at = _client(), {"Bucket": there().bucket, "Prefix": prefix}
    try:
        for page in client.get_paginator("list_object_versions").paginate(**at):
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                yield each["Key"], str(each.get("VersionId", ""))
    except client.exceptions.ClientError as error:
        if str(error.response.get("Error", {}).get("Code", "")) not in KNOWS_NO_VERSIONS:
            raise
        for page in client.get_paginator("list_objects_v2").paginate(**at):
            yield from ((each["Key"], "") for each in page.get("Contents", []))


def abort_parts(*, before: datetime) -> None:
    """Forget uploads in parts whose process died: what came of them is kept, and costs, until somebody does."""
    prefix = there().prefix
    with _sentences():
        for page in _client().get_paginator("list_multipart_uploads").paginate(Bucket=there().bucket, Prefix=prefix):
            for each in page.get("Uploads", []):
                if each["Initiated"] < before:
                    _client().abort_multipart_upload(Bucket=there().bucket, Key=each["Key"], UploadId=each["UploadId"])
