"""An OpenID provider in a process of its own: allauth's, with people of its own. `python -m tests.oidc_provider REDIRECT_URI`.

It prints its address once it answers, and ends with its standard input.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import mkdtemp
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.urls import include, path

CLIENT, SECRET, PASSWORD = "studio", "the studio's own secret", "open sesame"
# (name there, address, whether the provider saw it to be theirs)
PEOPLE = (
    ("dora", "dora@care.example", True),
    ("alice", "alice@care.example", True),
    ("mallory", "alice@care.example", False),
    ("erin", "erin@else.example", False),
    ("nobody", "", False),
)


@contextmanager
def running(studio: str) -> Iterator[str]:
    """A provider that knows the studio at this address; gives its own."""
    started = [sys.executable, "-m", "tests.oidc_provider", f"{studio}/accounts/oidc/oidc/login/callback/"]
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(started, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def openid(url: str) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS with the provider at this address alone."""
    app = {"provider_id": "oidc", "name": "Care ID", "client_id": CLIENT, "secret": SECRET}
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [{**app, "settings": {"server_url": url}}]}}


def _configure() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    settings.configure(
        SECRET_KEY="provider",
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(mkdtemp()) / "provider.sqlite3"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ACCOUNT_UNIQUE_EMAIL=False,
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_RATE_LIMITS=False,
        SESSION_COOKIE_NAME="provider_session",  # browsers keep cookies by host, whatever the port
        CSRF_COOKIE_NAME="provider_csrf",
        IDP_OIDC_PRIVATE_KEY=pem,
        USE_TZ=True,
    )


def _fill(redirect_uri: str) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for name, email, verified in PEOPLE:
        user = User.objects.create_user(name, email, PASSWORD, first_name=name.title(), last_name="Green")
        if email:
            EmailAddress.objects.create(user=user, email=email, verified=verified, primary=True)
    client = Client(id=CLIENT, name="GPT Studio")
    client.set_redirect_uris([redirect_uri])
    client.set_scopes(["openid", "profile", "email"])
    client.set_secret(SECRET)
    client.save(force_insert=True)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Nothing is said of requests."""


def main() -> None:
    _configure()
    django.setup()
    settings.ROOT_URLCONF = (path("accounts/", include("allauth.account.urls")), path("", include("allauth.idp.urls")))
    _fill(sys.argv[1])
    from django.core.wsgi import get_wsgi_application

    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
