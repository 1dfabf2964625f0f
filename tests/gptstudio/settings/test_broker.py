"""Redis over TLS: a certificate that nobody vouches for is refused, by the look before the start and by the queue itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from gptstudio.core.broker import check_broker
from gptstudio.core.errors import Unavailable
from gptstudio.settings import broker


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that vouches for itself, its key beside it."""
    folder = tmp_path_factory.mktemp("tls")
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=redis -addext"
    outs = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "redis.pem")]
    subprocess.run(["openssl", *asked.split(), "subjectAltName=IP:127.0.0.1", *outs], check=True, capture_output=True)
    return folder / "redis.pem"


@pytest.fixture(scope="module")
def url(certificate: Path) -> Iterator[str]:
    if shutil.which("redis-server") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server cannot be had here, and CI=true")
        pytest.skip("redis-server cannot be had here")
    port = free_port()
    asked = f"--port 0 --tls-port {port} --tls-auth-clients no --save --bind 127.0.0.1".split()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(certificate.with_name("key.pem"))]
    files += ["--tls-ca-cert-file", str(certificate), "--dir", str(certificate.parent)]
    with subprocess.Popen(["redis-server", *asked, *files], stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield f"rediss://127.0.0.1:{port}/0"
        server.terminate()


def connect(found: dict[str, Any]) -> None:
    app = Celery(broker=found["CELERY_BROKER_URL"], set_as_current=False)
    app.conf.broker_use_ssl = found["CELERY_BROKER_USE_SSL"]
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0).default_channel.client.ping()


def test_redis_behind_tls_is_believed_only_where_somebody_vouches_for_it(
    url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.REDIS_URL, settings.REDIS_TLS = url, broker.tls(url)
    with pytest.raises(Unavailable, match="certificate"):
        check_broker()
    with pytest.raises(OperationalError, match="certificate"):
        connect(broker.celery(url, settings.REDIS_TLS, tmp_path))
    monkeypatch.setenv("REDIS_CA_FILE", str(certificate))
    settings.REDIS_TLS = broker.tls(url)
    check_broker()
    connect(broker.celery(url, settings.REDIS_TLS, tmp_path))


def test_without_redis_there_is_a_folder_and_no_tls(tmp_path: Path) -> None:
    found = broker.celery("", broker.tls(""), tmp_path)
    assert (found["CELERY_BROKER_URL"], found["CELERY_BROKER_USE_SSL"]) == ("filesystem://", None)
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["data_folder_in"].startswith(str(tmp_path))
    assert broker.celery("redis://host:6379/0", {}, tmp_path)["CELERY_BROKER_USE_SSL"] is None
