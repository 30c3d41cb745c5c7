"""The pytest plugin: a real database, a real Redis and a small world to test in."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url

from hub.hub import Hub, open_hub
from hub.settings import Settings
from hub.store import (
    ClockRow,
    DepotRow,
    DriverRow,
    MerchantRow,
    ShiftRow,
    Store,
    VehicleRow,
    migrations,
)
from hub.testing.patience import PATIENCE, until

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday, 08:00 in Vaduz: business time stands here in tests until they move it."""


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Run one real Redis-compatible server for the whole test run."""
    from hub.queue.server import server_binary

    folder = Path(tempfile.mkdtemp(prefix="hub-redis-"))
    socket = folder / "s"
    process = subprocess.Popen(
        [server_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "",
         "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until(socket.exists)
    yield f"unix://{socket}?socket_timeout={PATIENCE:g}"
    process.terminate()
    process.wait(PATIENCE)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def on_server(statement: str, after: str) -> Iterator[None]:
    """Have HUB_TEST_POSTGRES execute one statement now and one at the end."""
    admin = make_url(os.environ["HUB_TEST_POSTGRES"]).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(
        admin, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(statement))
        yield
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(after))
    finally:
        engine.dispose()


@contextmanager
def database(template: str = "template1") -> Iterator[str]:
    """Make a database of its own on HUB_TEST_POSTGRES, as a copy of another; give its address."""
    name = f"hub_{uuid4().hex[:12]}"
    create = f"CREATE DATABASE {name} TEMPLATE {template}"
    with on_server(create, f"DROP DATABASE {name} WITH (FORCE)"):
        url = make_url(os.environ["HUB_TEST_POSTGRES"]).set(database=name)
        yield url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template() -> Iterator[str]:
    """Return the name of a migrated, empty database on HUB_TEST_POSTGRES, for tests to copy."""
    with database() as url:
        fill(url)
        yield str(make_url(url).database)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return a fresh database: SQLite, or one of its own on HUB_TEST_POSTGRES.

    It is empty; a test with a hub finds it migrated on PostgreSQL.
    """
    if not os.environ.get("HUB_TEST_POSTGRES"):
        yield f"sqlite:///{tmp_path / 'hub.db'}"
        return
    of = request.getfixturevalue("template") if "hub" in request.fixturenames else "template1"
    with database(of) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:
    """Return settings that point at the fresh database and a flushed Redis."""
    return Settings(
        directory=tmp_path,
        database_url=database_url,
        redis_url=redis_url,
        files_url=f"file://{tmp_path / 'files'}",
    )


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a migrated, empty SQLite database, made once for all tests to copy."""
    path = tmp_path_factory.mktemp("blank") / "hub.db"
    fill(f"sqlite:///{path}")
    return path


def fill(url: str) -> None:
    """Make the tables of an empty database."""
    store = Store(url, PATIENCE)
    migrations.upgrade(store)
    store.close()


@pytest.fixture
def hub(settings: Settings, blank: Path) -> Iterator[Hub]:
    """Return an open hub on an empty, migrated database; business time stands at MORNING."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        shutil.copyfile(blank, str(url.database))
    store = Store(settings.database_url, PATIENCE)
    if migrations.current(store) != migrations.newest():
        migrations.upgrade(store)
    with store.write() as session:
        session.add(ClockRow(anchor=MORNING, since=time.time(), speed=0))
    store.close()
    made = open_hub(settings, patience=PATIENCE)
    made.redis.flushall()
    yield made
    made.close()


@dataclass(frozen=True)
class World:
    """The ids of a small operator: one merchant, one depot in Vaduz, one driver with a van."""

    merchant: str
    depot: str
    driver: str
    vehicle: str


@pytest.fixture
def world(hub: Hub) -> World:
    """Fill the hub with one of everything that an order needs to be delivered."""
    with hub.store.write() as session:
        merchant = MerchantRow(name="Alpenkraut", slug="alpenkraut")
        depot = DepotRow(name="Vaduz", lat=47.1410, lon=9.5209)
        vehicle = VehicleRow(name="Van 1", capacity=100)
        session.add_all([merchant, depot, vehicle])
        session.flush()
        driver = DriverRow(name="Lea Frick", depot=depot.id, vehicle=vehicle.id)
        session.add(driver)
        session.flush()
        for weekday in range(7):
            session.add(ShiftRow(driver=driver.id, weekday=weekday, starts="08:00", ends="17:00"))
        return World(merchant.id, depot.id, driver.id, vehicle.id)


def set_time(hub: Hub, at: datetime) -> None:
    """Let business time stand at `at`."""
    with hub.store.write() as session:
        row = session.get_one(ClockRow, 1)
        row.anchor, row.since, row.speed, row.ceiling = at, time.time(), 0, None
    hub.store.clock.forget()
