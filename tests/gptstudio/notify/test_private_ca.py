"""Webhooks over TLS to a server whose certificate an authority of one's own has signed."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gptstudio.notify import services
from gptstudio.notify.models import Delivery
from gptstudio.settings import env


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def signed(name: str, key, *, by: str, with_key, is_authority: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(by)).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    if not is_authority:
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = made.add_extension(here, critical=False)
    return made.sign(with_key, hashes.SHA256())


@dataclass
class Guarded:
    """A server under TLS; `authority` is the file of who vouches for it."""

    url: str
    authority: Path
    got: list[bytes] = field(default_factory=list)


@pytest.fixture
def guarded(settings, tmp_path) -> Iterator[Guarded]:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = signed("Care's own", root, by="Care's own", with_key=root, is_authority=True)
    mine = signed("hooks", own, by="Care's own", with_key=root, is_authority=False)
    pem = serialization.Encoding.PEM
    (tmp_path / "authority.pem").write_bytes(authority.public_bytes(pem))
    secret = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(secret + mine.public_bytes(pem))

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        found = Guarded(f"https://127.0.0.1:{server.server_port}/hook", tmp_path / "authority.pem")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def answer_of(workspace, url: str) -> str:
    services.add_destination(workspace_id=workspace.id, kind="webhook", address=url)
    services.tell(workspace_id=workspace.id, event="alert.began", title="Requests fail", data={})
    assert services.send_due() == 1
    return Delivery.objects.get().answer


def test_who_vouches_for_it_is_named_by_a_file_and_the_webhook_is_taken(
    workspace, guarded, settings, monkeypatch
) -> None:
    monkeypatch.setenv("WEBHOOK_CA_FILE", str(guarded.authority))
    settings.WEBHOOK_CA = env.certificates("WEBHOOK_CA")
    assert answer_of(workspace, guarded.url) == "Answered 204."
    assert b"Requests fail" in guarded.got[0]


def test_without_it_the_server_is_not_trusted_and_told_nothing(workspace, guarded) -> None:
    answer = answer_of(workspace, guarded.url)
    assert answer.startswith("Its certificate is not trusted (") and "WEBHOOK_CA_FILE" in answer
    assert guarded.got == []


def test_a_name_that_the_certificate_lacks_is_not_trusted_either(workspace, guarded, settings) -> None:
    settings.WEBHOOK_CA = guarded.authority.read_text()
    assert "certificate is not valid for 'localhost'" in answer_of(
        workspace, guarded.url.replace("127.0.0.1", "localhost")
    )
