"""A real S3 server in this process (moto's), its buckets, and studios that keep their files there."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from gptstudio.settings.storage import Storage

KEYS = ("a-key", "a-secret")


class Server:
    """What it holds outlives its stops, as a disk would."""

    def __init__(self) -> None:
        self._running: ThreadedMotoServer | None = None
        self._port = 0
        self.start()

    def start(self) -> None:
        self._running = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._running.start()
        self._port = self._running.get_host_and_port()[1]

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
        self._running = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def client(self) -> Any:
        import boto3

        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS, strict=True))
        return boto3.session.Session().client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)


@dataclass
class Bucket:
    """A bucket of the server, and the settings that name it. `settings` are pytest-django's."""

    server: Server
    settings: Any
    name: str
    prefix: str = "studio/"

    @property
    def storage(self) -> Storage:
        return Storage(self.name, self.prefix, self.server.url, "us-east-1", *KEYS, cache_bytes=0)

    def environment(self) -> dict[str, str]:
        """The same for a process of its own."""
        names = ("STORAGE_URL", "STORAGE_ENDPOINT_URL", "STORAGE_ACCESS_KEY", "STORAGE_SECRET_KEY")
        return dict(zip(names, (f"s3://{self.name}/{self.prefix}", self.server.url, *KEYS), strict=True))

    def held(self, start: str = "") -> list[str]:
        """What is in it, with every version that is kept, below the prefix."""
        said = self.server.client().list_object_versions(Bucket=self.name, Prefix=self.prefix + start)
        found = [*said.get("Versions", []), *said.get("DeleteMarkers", [])]
        return sorted(each["Key"].removeprefix(self.prefix) for each in found)

    def bytes_of(self, key: str) -> bytes:
        content: bytes = self.server.client().get_object(Bucket=self.name, Key=self.prefix + key)["Body"].read()
        return content

    def everything(self) -> bytes:
        """The bytes of all versions of all objects, one after another."""
        client = self.server.client()
        versions = client.list_object_versions(Bucket=self.name).get("Versions", [])
        asked = ({"Bucket": self.name, "Key": each["Key"], "VersionId": each["VersionId"]} for each in versions)
        return b"".join(client.get_object(**each)["Body"].read() for each in asked)

    def damage(self, key: str) -> None:
        """Change a byte of an object, and leave what is written beside it."""
        client, at = self.server.client(), {"Bucket": self.name, "Key": self.prefix + key}
        said = client.get_object(**at)
        content = said["Body"].read()
        client.put_object(**at, Body=bytes([content[0] ^ 1]) + content[1:], Metadata=said["Metadata"])

    def on(self, home: Path, *, cache_bytes: int = 0) -> None:
        """From here on this process is a machine with that home."""
        home.mkdir(exist_ok=True)
        self.settings.STUDIO_HOME = home
        self.settings.STORAGE = replace(self.storage, cache_bytes=cache_bytes)


def new_bucket(server: Server, settings: Any) -> Bucket:
    """One that keeps earlier versions of what is deleted, as careful people set it."""
    made = Bucket(server, settings, name=f"studio-{secrets.token_hex(6)}")
    client = server.client()
    client.create_bucket(Bucket=made.name)
    client.put_bucket_versioning(Bucket=made.name, VersioningConfiguration={"Status": "Enabled"})
    return made
