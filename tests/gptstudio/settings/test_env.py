"""Readers of the environment: a bad value stops the start with a sentence that names the variable."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gptstudio.settings import env

ROOT = Path(__file__).resolve().parents[3]


def test_a_value_is_read_and_trimmed(monkeypatch) -> None:
    monkeypatch.setenv("COLOUR", " blue\n")
    assert env.text("COLOUR", "red") == "blue"
    assert env.text("SHADE", "red") == "red"


def test_a_value_may_lie_in_a_file(monkeypatch, tmp_path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("COLOUR_FILE", str(tmp_path / "secret"))
    assert env.text("COLOUR") == "from a file"
    monkeypatch.setenv("COLOUR", "said")
    assert env.text("COLOUR") == "said"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_named(monkeypatch, tmp_path, content) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("COLOUR_FILE", str(path))
    with pytest.raises(ImproperlyConfigured, match="COLOUR_FILE names .*secret, which cannot be read"):
        env.text("COLOUR")


@pytest.mark.parametrize("value", ["", "many", "--5", "²", "1.5", "0"])
def test_a_bad_number_is_named(monkeypatch, value) -> None:
    monkeypatch.setenv("SLOTS", value)
    with pytest.raises(ImproperlyConfigured, match="SLOTS is .* a whole number of at least 1"):
        env.number("SLOTS", 4, least=1)


def test_a_good_number_is_read(monkeypatch) -> None:
    monkeypatch.setenv("SLOTS", "3")
    assert (env.number("SLOTS", 4, least=1), env.number("OTHERS", 4)) == (3, 4)


@pytest.mark.parametrize(("value", "found"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_flag_is_a_yes_or_a_no(monkeypatch, value, found) -> None:
    monkeypatch.setenv("OPEN", value)
    assert env.flag("OPEN", default=not found) is found


def test_a_flag_that_is_neither_is_named(monkeypatch) -> None:
    monkeypatch.setenv("OPEN", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="OPEN is 'perhaps'. Set it to 1 or 0."):
        env.flag("OPEN")


def test_pairs_are_read_and_a_bad_one_is_named(monkeypatch) -> None:
    monkeypatch.setenv("ENGINES", "a=http://x:1/?q=2, b=http://y")
    assert env.pairs("ENGINES") == {"a": "http://x:1/?q=2", "b": "http://y"}
    monkeypatch.setenv("ENGINES", "a=http://x,nonsense")
    with pytest.raises(ImproperlyConfigured, match="ENGINES holds 'nonsense'"):
        env.pairs("ENGINES")


def test_a_variable_that_must_be_there_says_why(monkeypatch) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(ImproperlyConfigured, match="TOKEN is not set. Both sides share it."):
        env.required("TOKEN", "Both sides share it.")


def test_a_home_is_made_where_it_is_missing(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME_OF_IT", str(tmp_path / "a" / "b"))
    assert env.folder("HOME_OF_IT", tmp_path) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_a_home_that_cannot_be_made_is_named(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME_OF_IT", str(tmp_path / "file" / "home"))
    with pytest.raises(ImproperlyConfigured, match="HOME_OF_IT is .*, which cannot be made"):
        env.folder("HOME_OF_IT", tmp_path)


def test_a_home_that_cannot_be_written_to_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME_OF_IT", str(tmp_path))
    monkeypatch.setattr(env.os, "access", lambda *_: False)  # root may write anywhere, so the answer is given here
    with pytest.raises(ImproperlyConfigured, match="HOME_OF_IT is .*, which cannot be written to"):
        env.folder("HOME_OF_IT", tmp_path)


def test_a_secret_is_made_once_and_kept_from_others(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    made = env.kept_secret("TOKEN", tmp_path / "token")
    assert len(made) >= 50
    assert env.kept_secret("TOKEN", tmp_path / "token") == made
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_a_secret_that_was_never_finished_is_made_again(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    (tmp_path / "token").touch()
    assert len(env.kept_secret("TOKEN", tmp_path / "token")) >= 50


def test_a_given_secret_is_used_and_not_written_down(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("TOKEN", "given")
    assert env.kept_secret("TOKEN", tmp_path / "token") == "given"
    assert not (tmp_path / "token").exists()


def test_a_secret_that_cannot_be_kept_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(ImproperlyConfigured, match="Set TOKEN"):
        env.kept_secret("TOKEN", tmp_path / "missing" / "token")


def start(settings: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "ENGINE_TOKEN")}
    code = f"import {settings}"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_does_not_start_without_a_shared_secret(tmp_path) -> None:
    ended = start("gptstudio.settings.production", STUDIO_HOME=str(tmp_path))
    assert ended.returncode != 0
    assert ended.stderr.splitlines()[-1].endswith("Every machine must share one: put 50 random characters into it.")


def test_production_starts_with_its_secrets(tmp_path) -> None:
    secrets = {"SECRET_KEY": "s" * 50, "ENGINE_TOKEN": "t" * 50}
    assert start("gptstudio.settings.production", STUDIO_HOME=str(tmp_path), **secrets).returncode == 0


@pytest.mark.parametrize(
    ("environment", "secure", "redirected"),
    [
        ({}, True, True),
        ({"PUBLIC_URL": "https://studio.example"}, True, True),
        ({"PUBLIC_URL": "https://studio.example", "SSL_REDIRECT": "0"}, True, False),
        ({"PUBLIC_URL": "http://localhost:8000"}, False, False),
        ({"PUBLIC_URL": "http://localhost:8000", "SSL_REDIRECT": "0"}, False, False),
    ],
)
def test_cookies_are_secure_unless_people_reach_the_studio_over_plain_http(
    tmp_path, environment, secure, redirected
) -> None:
    code = (
        "from gptstudio.settings import production as p; "
        "print(p.SESSION_COOKIE_SECURE, p.CSRF_COOKIE_SECURE, p.SECURE_SSL_REDIRECT)"
    )
    given = {"SECRET_KEY": "s" * 50, "ENGINE_TOKEN": "t" * 50, "STUDIO_HOME": str(tmp_path), **environment}
    clean = {name: value for name, value in os.environ.items() if name not in ("PUBLIC_URL", "SSL_REDIRECT")}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**clean, **given}, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == [str(secure), str(secure), str(redirected)]


@pytest.mark.parametrize("url", ["foo", "mysql://u:secret@h/n", "postgres://u:secret@h:port/n"])
def test_what_is_no_databases_address_is_named_but_not_repeated(monkeypatch, url) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is no database's address") as refused:
        env.database("DATABASE_URL", "sqlite://")
    assert "secret" not in str(refused.value)


def test_an_address_of_the_sixth_version_is_written_with_brackets() -> None:
    assert env.origin("::1", 8000) == "http://[::1]:8000"
    assert env.origin("127.0.0.1", 80) == "http://127.0.0.1:80"


def test_a_number_may_have_a_most(monkeypatch) -> None:
    monkeypatch.setenv("PORT", "65536")
    with pytest.raises(ImproperlyConfigured, match="from 1 to 65535"):
        env.number("PORT", 8000, least=1, most=65_535)


def test_tests_never_touch_the_home_of_a_real_studio() -> None:
    from gptstudio.settings import base

    assert base.STUDIO_HOME != ROOT / "var"
    assert base.STUDIO_HOME.name.startswith("studio-tests-")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail.example", ("mail.example", 25, "", "", False, False)),
        ("smtp+tls://ops%40care:a%3Ab@mail.example", ("mail.example", 587, "ops@care", "a:b", True, False)),
        ("smtps://ops:secret@mail.example:2465/", ("mail.example", 2465, "ops", "secret", False, True)),
    ],
)
def test_a_mail_server_is_read_from_its_address(monkeypatch, url, found) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    assert tuple(env.mail_server("EMAIL_URL").values()) == found


def test_without_an_address_there_is_no_mail_server(monkeypatch) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)
    assert env.mail_server("EMAIL_URL") == {}


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://a:x", "smtp://a/b", "smtp://a?b=c"]
)
def test_what_is_no_mail_servers_address_is_told_without_repeating_it(monkeypatch, url) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is no mail server's address") as refused:
        env.mail_server("EMAIL_URL")
    assert f" {url}" not in str(refused.value).replace("smtp://host:25", "")


def test_what_holds_no_certificates_is_told(monkeypatch, tmp_path) -> None:
    for content in ("nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "é"):
        (tmp_path / "ca.pem").write_text(content, encoding="utf-8")
        monkeypatch.setenv("WEBHOOK_CA_FILE", str(tmp_path / "ca.pem"))
        with pytest.raises(ImproperlyConfigured, match="WEBHOOK_CA holds no certificates"):
            env.certificates("WEBHOOK_CA")


def test_gpus_are_counted_as_the_driver_and_the_variable_say(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(env, "NVIDIA_GPUS", tmp_path)
    assert env.gpus() == 1
    for name in ("0000:17:00.0", "0000:65:00.0", "0000:ca:00.0"):
        (tmp_path / name).mkdir()
    assert env.gpus() == 3
    for visible, count in (("0,2", 2), ("GPU-1b", 1), ("", 1)):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert env.gpus() == count


@pytest.mark.parametrize("value", ["Mars/Olympus", "../../etc/passwd", "x" * 300, "Europe"])
def test_what_is_no_time_zone_is_named(monkeypatch, value) -> None:
    monkeypatch.setenv("TIME_ZONE", value)
    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE is .* which is no time zone"):
        env.zone("TIME_ZONE", "UTC")


@pytest.mark.parametrize(
    "value", ["redis", "redis://", "http://:secret@host", "redis://host:port", "redis://host:0", "//host"]
)
def test_an_address_without_host_or_of_another_scheme_is_named_and_not_repeated(monkeypatch, value) -> None:
    monkeypatch.setenv("REDIS_URL", value)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL is no server's address") as refused:
        env.address("REDIS_URL", schemes=("redis", "rediss"))
    assert "secret" not in str(refused.value)


def test_an_address_is_read_and_may_be_left_out(monkeypatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://:secret@redis.example:6380/0")
    assert env.address("REDIS_URL", schemes=("redis", "rediss")) == "rediss://:secret@redis.example:6380/0"
    monkeypatch.setenv("REDIS_URL", "")
    assert env.address("REDIS_URL", schemes=("redis", "rediss")) == ""


def test_engines_need_addresses(monkeypatch) -> None:
    monkeypatch.setenv("ENGINE_URLS", "cpu=http://engine:8001,vllm=https://[::1]:8000")
    assert env.addresses("ENGINE_URLS") == {"cpu": "http://engine:8001", "vllm": "https://[::1]:8000"}
    monkeypatch.setenv("ENGINE_URLS", "cpu=http://engine:8001,vllm=vllm:8000")
    with pytest.raises(ImproperlyConfigured, match="no server's address for 'vllm'"):
        env.addresses("ENGINE_URLS")


def test_what_an_address_asks_of_the_database_server_is_kept_beside_the_pool(tmp_path) -> None:
    code = "from gptstudio.settings import base; print(sorted(base.DATABASES['default']['OPTIONS']))"
    given = {
        "STUDIO_HOME": str(tmp_path),
        "DATABASE_URL": "postgres://u:p@host/n?sslmode=verify-full&sslrootcert=/ca.pem",
    }
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **given}, capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "['pool', 'sslmode', 'sslrootcert']"
