"""An alert reaches a mail server over SMTP itself, not only Django's outbox."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from email.message import Message
from email.policy import default

import pytest
from django.utils import timezone

from gptstudio.notify import services
from gptstudio.notify.models import Delivery
from gptstudio.notify.services import send_due, tell
from gptstudio.settings import env


class Postbox(socketserver.ThreadingTCPServer):
    """A mail server with as many words as a letter takes. It turns `refused` away."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.letters: list[tuple[str, list[str], Message]] = []
        self.refused = ""


class _Talk(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        box: Postbox = self.server  # type: ignore[assignment]
        sender, to = "", []
        self.say("220 postbox")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(":")
            verb = verb.upper()
            address = rest.strip().strip("<>").partition(">")[0]
            if verb == "MAIL FROM":
                sender, to = address, []
                self.say("250 ok")
            elif verb == "RCPT TO" and address == box.refused:
                self.say("550 nobody of that name")
            elif verb == "RCPT TO":
                to.append(address)
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                box.letters.append((sender, to, email.message_from_bytes(b"".join(lines), policy=default)))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 postbox")


@pytest.fixture
def postbox(settings, monkeypatch) -> Iterator[Postbox]:
    """A running one, which the studio was told of by EMAIL_URL."""
    with Postbox() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{server.server_address[1]}")
        for name, value in env.mail_server("EMAIL_URL").items():
            setattr(settings, name, value)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        yield server
        server.shutdown()
        thread.join()


def test_an_alert_is_in_the_letter_that_the_mail_server_took(workspace, postbox, settings) -> None:
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    title = "More than 20 % of requests fail – “shop”"
    tell(workspace_id=workspace.id, event="alert.began", title=title, data={"seen": "3 of 11 requests"})
    assert (send_due(), send_due()) == (1, 0)
    [(sender, to, letter)] = postbox.letters
    assert (sender, to) == (settings.DEFAULT_FROM_EMAIL, ["ops@care.example"])
    assert letter["Subject"].strip() == f"GPT Studio: {title}" and letter["To"] == "ops@care.example"
    assert "seen: 3 of 11 requests" in letter.get_content()
    assert Delivery.objects.get().state == "sent"


def test_a_letter_that_the_server_does_not_take_is_tried_again(workspace, postbox) -> None:
    postbox.refused = "ops@care.example"
    services.add_destination(workspace_id=workspace.id, kind="email", address="ops@care.example")
    tell(workspace_id=workspace.id, event="alert.began", title="Requests fail", data={})
    assert send_due() == 1 and not postbox.letters
    row = Delivery.objects.get()
    assert (row.state, row.answer) == ("pending", "No answer (SMTPRecipientsRefused).") and row.next_at > timezone.now()
    postbox.refused = ""
    Delivery.objects.update(next_at=timezone.now())
    assert send_due() == 1 and len(postbox.letters) == 1
