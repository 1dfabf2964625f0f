"""The door to Slack: what its signatures say, and how a message is posted. It knows no models and no database.

Shapes by https://docs.slack.dev/authentication/verifying-requests-from-slack and /reference/methods/chat.postMessage.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request

from django.conf import settings

SECONDS = 10.0
WINDOW_SECONDS = 300  # an event that was signed longer ago, or later, is a copy that somebody kept
MOST_LETTERS = 39_000  # Slack cuts at 40,000
MOST_BYTES = 65_536  # of an answer
ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


class NotPosted(Exception):
    """Slack did not take a message. `is_final` where trying again cannot help."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


def is_signed(body: bytes, *, timestamp: str, signature: str, now: float) -> bool:
    """Whether Slack has signed these bytes within the last five minutes."""
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp[:12])) > WINDOW_SECONDS:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = hmac.new(settings.SLACK_SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v0={expected}".encode(), signature.encode())


def plain(text: str) -> str:
    """Slack's text as a person wrote it."""
    for sign, escape in reversed(ESCAPES):
        text = text.replace(escape, sign)
    return text


def _safe(text: str) -> str:
    """A text that mentions nobody: `<!channel>` in an answer would call everybody."""
    for sign, escape in ESCAPES:
        text = text.replace(sign, escape)
    return text[:MOST_LETTERS]


def post_message(*, channel: str, thread: str, text: str) -> None:
    """Say something in a thread. Raises NotPosted."""
    body = {
        "channel": channel,
        "thread_ts": thread,
        "text": _safe(text),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    request = urllib.request.Request(  # noqa: S310 - the operator's address
        f"{settings.SLACK_API_URL.rstrip('/')}/chat.postMessage",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {settings.SLACK_BOT_TOKEN}",
            "Content-Type": "application/json; charset=utf-8",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            said = json.loads(response.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        raise NotPosted(f"Slack answered {error.code}.") from error
    except (OSError, ValueError) as error:
        raise NotPosted(f"Slack gave no answer ({type(error).__name__}).") from error
    if not isinstance(said, dict) or said.get("ok") is not True:
        why = str(said.get("error") if isinstance(said, dict) else "")[:80]
        raise NotPosted(f"Slack refused the message ({why}).", is_final=why not in ("ratelimited", "internal_error"))
