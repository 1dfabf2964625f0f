"""Three people: Alice is the workspace's admin, Bob an editor, Charlie a stranger with a workspace of his own."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

HOME = tempfile.mkdtemp(prefix="studio-tests-")
os.environ["STUDIO_HOME"] = HOME  # before settings load: tests never touch ./var
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# As curation sets them for itself: processes of tests share the cores, and threads of small products wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# In CI the same examples every time, so that a red run is about the change; nothing here measures time.
patient = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("ci", derandomize=True, **patient)
hypothesis.settings.register_profile("usual", **patient)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "usual")


# The second set-up need not even load these.
WITHOUT_DATABASE = [
    Path(__file__).parent / folder
    for folder in ("architecture", "datasets_app/curation", "training_app/engine", "serving_app/engine")
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="Only tests that touch a database.")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules of tests, and what they load, stay: nobody looks among them for garbage, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--database-only") and collection_path in WITHOUT_DATABASE else None


@pytest.hookimpl(trylast=True)  # after the plugin that shuffles
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files come first: no process is left with one of them when all else is done."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("journey", "long", "browser")])
    if astray := [item.nodeid for item in items if _touches_database(item) and _is_without(item.path)]:
        raise pytest.UsageError(f"The second set-up never sees these, which touch a database: {astray}")
    if not config.getoption("--database-only"):
        return
    kept, dropped = [], []
    for item in items:
        left_out = any(item.get_closest_marker(name) for name in ("journey", "browser", "once"))
        (kept if _touches_database(item) and not left_out else dropped).append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = kept


def _touches_database(item: pytest.Item) -> bool:
    wanted = {"db", "transactional_db", "django_db_setup"}
    return bool(wanted & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"))


def _is_without(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in WITHOUT_DATABASE)


FIXED_TABLES = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Tests with real transactions empty the tables by DELETE, and leave what migrations made.

    Django truncates, which on PostgreSQL costs more than most tests do, and makes permissions and content types anew.
    """
    from django.core.management.commands import flush
    from django.db import connection

    def deletes(_style, _connection, **_options) -> list[str]:
        tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
        return [f"delete from {connection.ops.quote_name(table)}" for table in sorted(tables - FIXED_TABLES)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", deletes)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_arguments: None)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, named by REAL_DATA_DIR."""
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        if os.environ.get("CI") == "true":
            pytest.fail("REAL_DATA_DIR is not set, and CI=true")
        pytest.skip("REAL_DATA_DIR is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def servers(worker_id: str) -> tuple[str, str]:
    """PostgreSQL and Redis for whole studios. In Redis each process of tests has a database to itself: a studio's worker
    takes whatever stands in the queue there.
    """
    postgres, redis = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if not postgres or not redis:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL and Redis cannot be had here, and CI=true (see tests/with_servers.py)")
        pytest.skip("PostgreSQL and Redis cannot be had here (see tests/with_servers.py)")
    at = urlsplit(redis)
    own = int(at.path.strip("/") or 0) + (0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw")))
    return postgres, at._replace(path=f"/{own}").geturl()


@pytest.fixture(scope="session")
def provider(live_server) -> Iterator[str]:
    """The address of an OpenID provider that knows the live server."""
    from tests.oidc_provider import running

    with running(live_server.url) as address:
        yield address


@pytest.fixture
def studio_home(settings, tmp_path) -> Iterator[Path]:
    """A home of its own for tests that write files."""
    settings.STUDIO_HOME = tmp_path
    yield tmp_path


@pytest.fixture(scope="session")
def s3_server():
    """An S3 server in this process."""
    from tests.s3 import Server

    server = Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server, settings, studio_home):
    """An empty bucket, and this process a machine that keeps its files there."""
    from tests.s3 import new_bucket

    made = new_bucket(s3_server, settings)
    made.on(studio_home)
    yield made
    if not s3_server.is_running:
        s3_server.start()


@pytest.fixture
def alice(db):
    """Admin of the workspace Care."""
    from gptstudio.accounts import services

    return services.create_user(email="alice@care.example", name="Alice", password="correct horse battery")


@pytest.fixture
def workspace(alice):
    """The workspace Care, where two people are needed for a release."""
    from gptstudio.accounts import services

    return services.create_workspace(owner=alice, name="Care")


@pytest.fixture
def bob(workspace):
    """Editor in Care."""
    from gptstudio.accounts import services
    from gptstudio.accounts.policies import system

    user = services.create_user(email="bob@care.example", name="Bob", password="correct horse battery")
    services.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="editor")
    return user


@pytest.fixture
def charlie(db):
    """A stranger: admin of another workspace."""
    from gptstudio.accounts import services

    user = services.create_user(email="charlie@else.example", name="Charlie", password="correct horse battery")
    services.create_workspace(owner=user, name="Elsewhere")
    return user


def _acting(user, workspace_id):
    from gptstudio.accounts import selectors

    return selectors.actor_of_member(selectors.membership(user, workspace_id))


@pytest.fixture
def as_alice(alice, workspace):
    """Alice, acting in Care."""
    return _acting(alice, workspace.id)


@pytest.fixture
def as_bob(bob, workspace):
    """Bob, acting in Care."""
    return _acting(bob, workspace.id)


@pytest.fixture
def as_charlie(charlie):
    """Charlie, acting in his own workspace."""
    return _acting(charlie, None)


@pytest.fixture
def starter(db, studio_home):
    """The starter model, registered in the test's own home."""
    from training_app.services import ensure_starter

    return ensure_starter()
