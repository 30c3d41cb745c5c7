"""The search that runs after every test finds what it has to find."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from hub.access.keys import Keys, make_keys
from hub.connections import Connections, book
from hub.connector import Connector
from hub.errors import Rejected
from hub.hub import Hub
from hub.plugins import Plugin, Plugins
from hub.store import Store
from hub.testing.fixtures import World
from tests import canary
from tests.web.conftest import sign_in as sign_in  # a fixture, shared

SECRET = "a-bird-in-the-mine"


@pytest.fixture
def watch(request: pytest.FixtureRequest) -> Any:
    """Return the watch over this very run."""
    return request.config.pluginmanager.get_plugin("canary")


class Config(BaseModel):
    """One secret."""

    token: SecretStr


def places(watch: Any, request: pytest.FixtureRequest) -> list[str]:
    found: list[str] = watch.canary.found_in(watch.places(request.node, request.node.funcargs))
    return found


@pytest.fixture
def stored() -> None:
    """Store the secret, as a connection would."""
    book.split(Config(token=SECRET))  # type: ignore[arg-type]


@pytest.mark.spills("to be found")
@pytest.mark.usefixtures("stored")
def test_a_secret_in_an_error_a_log_or_a_file_is_found(
    watch: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert places(watch, request) == []
    Rejected(f"the service said {SECRET}")
    logging.getLogger("hub.toy").error("called with %s", SECRET)
    (tmp_path / "hub.log").write_text(f"GET /?token={SECRET}")
    assert places(watch, request) == ["an error Rejected", "the file hub.log", "the log of hub.toy"]


@pytest.mark.spills("to be found")
@pytest.mark.usefixtures("stored", "world")
def test_a_secret_in_redis_the_database_or_a_page_is_found(
    watch: Any, request: pytest.FixtureRequest, hub: Hub, sign_in: Any
) -> None:
    owner = sign_in("owner")
    hub.redis.rpush("rq:queue:toy", SECRET)
    with hub.store.write() as session:
        row = hub.connections.save(session, "folder", {"path": "/srv"}, title=SECRET)
    owner.get("/admin/connections")
    found = places(watch, request)
    assert "Redis rq:queue:toy" in found
    assert "the answer to GET /admin/connections" in found
    places_of_rows = {"the file hub.db", "the file hub.db-wal", f"the table {row.__tablename__}"}
    assert places_of_rows & set(found)


class Quiet(Connector[Config]):
    """Keeps a secret."""

    name = "quiet"
    Config = Config


def plugins_with_quiet() -> Plugins:
    made = Plugins([])
    made.plugins["quiet"] = Plugin("quiet", "", "", connectors={"quiet": Quiet})
    return made


def test_what_is_stored_as_it_should_be_is_not_found(
    watch: Any, request: pytest.FixtureRequest, hub: Hub, world: World
) -> None:
    hub.connections.plugins = plugins_with_quiet()
    with hub.store.write() as session:
        hub.connections.save(session, "quiet", {"token": SECRET}, merchant=world.merchant)
    assert SECRET in watch.canary.secrets
    assert places(watch, request) == []


def test_a_short_value_is_not_looked_for(watch: Any) -> None:
    watch.canary.learn(["yes", SECRET])
    assert watch.canary.secrets == {SECRET}
    watch.canary.begin()


def test_secrets_of_other_processes_are_learnt_from_their_database(
    watch: Any, tmp_path: Path, blank: Path
) -> None:
    directory = tmp_path / "other"
    make_keys(directory / "keys")
    shutil.copyfile(blank, directory / "hub.db")
    store, keys = Store(f"sqlite:///{directory / 'hub.db'}"), (directory / "keys").read_text()
    book_of = Connections(store, plugins_with_quiet(), Keys(keys.split()))
    with store.write() as session:
        book_of.save(session, "quiet", {"token": SECRET})
    store.close()
    watch.canary.begin()
    canary.learn_from_databases(watch.canary, {"tmp_path": tmp_path})
    assert watch.canary.secrets == {SECRET}
