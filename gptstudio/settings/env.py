"""Typed readers of the environment. Every variable may also be given as a file: `X_FILE` holds the path.

A bad value stops the start with one sentence that names the variable and the fix.
"""

from __future__ import annotations

import os
import secrets
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

DATABASES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")
NVIDIA_GPUS = Path("/proc/driver/nvidia/gpus")
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable, or the contents of the file that `<name>_FILE` names, or the default."""
    if name in os.environ:
        return os.environ[name].strip()
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read ({why}).") from error
    return default


def required(name: str, why: str) -> str:
    """A variable without which nothing may start."""
    if value := text(name):
        return value
    raise ImproperlyConfigured(f"{name} is not set. {why}")


def flag(name: str, default: bool = False) -> bool:
    """A yes or a no."""
    value = text(name, "1" if default else "0").lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to 1 or 0.")


def one_of(name: str, *choices: str) -> str:
    """One of some words; the first unless another is set."""
    value = text(name, choices[0]).lower()
    if value in choices:
        return value
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to one of {', '.join(choices)}.")


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """A whole number of at least `least` and at most `most`."""
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        found = least - 1
    if found < least or (most is not None and found > most):
        wanted = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number {wanted}.")
    return found


def zone(name: str, default: str) -> str:
    """A time zone that this machine knows."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ImproperlyConfigured(
            f"{name} is {value!r}, which is no time zone. Set it to one like Europe/Berlin."
        ) from error
    return value


def address(name: str, default: str = "", *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    """A server's address; empty where it is unset. The sentence does not repeat it: it may hold a password."""
    value = text(name, default)
    if value and not is_address(value, schemes):
        raise ImproperlyConfigured(f"{name} is no server's address. Write it as {schemes[0]}://host:port.")
    return value


def is_address(value: str, schemes: tuple[str, ...]) -> bool:
    """Whether it names a host behind one of these schemes."""
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def addresses(name: str) -> dict[str, str]:
    """A comma-separated list of `name=address`."""
    found = pairs(name)
    for key, value in found.items():
        if not is_address(value, ("http", "https")):
            raise ImproperlyConfigured(
                f"{name} has no server's address for {key!r}. Write it as {key}=http://host:port."
            )
    return found


def gpus() -> int:
    """How many NVIDIA GPUs this process may use, by the driver's own list; at least 1."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return max(1, sum(bool(each.strip()) for each in text("CUDA_VISIBLE_DEVICES").split(",")))
    return max(1, len(list(NVIDIA_GPUS.glob("*"))))


def database(name: str, default: str) -> dict[str, Any]:
    """A database's address as Django's settings for it. The sentence does not repeat it: it may hold a password."""
    try:
        found: dict[str, Any] = dict(dj_database_url.parse(text(name) or default, conn_max_age=0))
    except (ValueError, KeyError):
        found = {}
    if found.get("ENGINE") not in DATABASES:
        raise ImproperlyConfigured(
            f"{name} is no database's address. Write it as postgres://user:password@host:5432/name, or leave it out."
        )
    return found


def mail_server(name: str) -> dict[str, Any]:
    """A mail server's address as Django's settings for it; none where the variable is unset. The sentence does not repeat
    it: it may hold a password.
    """
    if not text(name):
        return {}
    wrong = ImproperlyConfigured(
        f"{name} is no mail server's address. Write it as smtp://host:25, smtp+tls://user:password@host:587 (STARTTLS) or "
        "smtps://user:password@host:465, with %40 for an @ in the password."
    )
    try:
        parts = urlsplit(text(name))
        port = parts.port or MAIL_PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise wrong from error
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def certificates(name: str) -> str:
    """Certificates of authorities, as PEM; best given as a file by `<name>_FILE`."""
    found = text(name)
    try:
        if found:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{name} holds no certificates. Set {name}_FILE to a file of them, each as -----BEGIN CERTIFICATE-----."
        ) from error
    return found


def origin(host: str, port: int) -> str:
    """`http://host:port`, with the brackets that an IPv6 address needs."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def pairs(name: str) -> dict[str, str]:
    """A comma-separated list of `name=value`."""
    found: dict[str, str] = {}
    for part in names(name):
        key, separator, value = part.partition("=")
        if not separator or not key or not value:
            raise ImproperlyConfigured(f"{name} holds {part!r}. Write it as name=value, with commas between.")
        found[key.strip()] = value.strip()
    return found


def folder(name: str, default: Path) -> Path:
    """A folder that exists and can be written to; made when missing."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name} is {path}, which cannot be made ({error.strerror}).") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} is {path}, which cannot be written to. Choose another folder or its owner.")
    return path


def kept_secret(name: str, path: Path) -> str:
    """A secret from the environment, or one that is made once and kept in `path` (mode 600)."""
    if value := text(name):
        return value
    try:
        return _made_once(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name} is kept in {path}, which cannot be read or made. Set {name}.") from error


def _made_once(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text(encoding="ascii").strip()
        if kept:
            return kept
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC, 0o600)
    value = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return value
