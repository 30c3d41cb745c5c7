"""Webhooks are set up by themselves, looked after, and taken back when the connection goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, SecretStr
from sqlmodel import update

from hub.access import tokens
from hub.connections import removal
from hub.connector import Connector
from hub.errors import Rejected, Retry, Unauthorized
from hub.nouns import Cursor, Delivery, Hook, Incoming, Order, Subscribed
from hub.plugins import Plugin
from hub.store import ActivityRow, ConnectionRow, System, WorkRow
from hub.workflow import incoming, subscriptions

from .conftest import Toys


class HookyConfig(BaseModel):
    signing: SecretStr = SecretStr("")
    hooks: int = 0


class Hooky(Connector[HookyConfig]):
    """A shop whose webhooks are made by calls."""

    name = "hooky"
    title = "Hooky"
    Config = HookyConfig
    calls: ClassVar[list[tuple[str, Hook]]] = []
    says: ClassVar[list[Subscribed | Exception]] = []
    signings: ClassVar[list[str]] = []

    def check(self) -> None:
        """Nothing to ask."""

    def pull(self, cursor: Cursor) -> Iterator[Order | Cursor]:
        type(self).calls.append(("pull", Hook(url="", secret="")))
        yield Cursor(value="1")

    def receive(self, request: Incoming) -> Delivery:
        return Delivery()

    def unpack(self, request: Incoming) -> Iterator[Order]:
        yield from ()

    def subscribe(self, hook: Hook) -> Subscribed:
        type(self).calls.append(("subscribe", hook))
        type(self).signings.append(self.config.signing.get_secret_value())
        said = type(self).says.pop(0) if type(self).says else Subscribed(detail="2 are there")
        if isinstance(said, Exception):
            raise said
        return said

    def unsubscribe(self, hook: Hook) -> None:
        type(self).calls.append(("unsubscribe", hook))
        type(self).signings.append(self.config.signing.get_secret_value())
        if type(self).says and isinstance(type(self).says[0], Exception):
            raise type(self).says.pop(0)  # type: ignore[misc]


@pytest.fixture
def hooky(toys: Toys) -> type[Hooky]:
    Hooky.calls, Hooky.says, Hooky.signings = [], [], []
    plugin = Plugin(name="hooky", distribution="", version="")
    plugin.connectors["hooky"], plugin.kinds["hooky"] = Hooky, {"order_sources"}
    toys.hub.plugins.plugins["hooky"] = plugin
    toys.hub.settings = toys.hub.settings.model_copy(update={"public_url": "https://hub.example"})
    return Hooky


def connect(toys: Toys, **settings: Any) -> str:
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, "hooky", settings, merchant=toys.merchant).id


def row(toys: Toys, id: str) -> ConnectionRow:
    (found,) = toys.rows(ConnectionRow, id=id)
    return found


def hooks(verb: str = "subscribe") -> list[Hook]:
    return [hook for name, hook in Hooky.calls if name == verb]


def due(toys: Toys, **values: object) -> None:
    """Let the time come at which webhooks are looked at, then do all work."""
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(hook_at=None, **values))
    toys.tick()


def test_a_connection_in_use_gets_its_webhooks(toys: Toys, hooky: type[Hooky]) -> None:
    id = connect(toys)
    toys.tick()
    (hook,) = hooks()
    assert hook.url.startswith(f"https://hub.example/hooks/{id}/")
    assert len(hook.secret) >= 32
    with toys.hub.store.read() as session:
        assert tokens.check(session, "incoming", hook.url.rpartition("/")[2]) == id
    found = row(toys, id)
    assert (found.hook_state, found.hook_note) == ("on", "2 are there")
    assert found.hooked_at is not None
    for secret in (hook.secret, hook.url.rpartition("/")[2]):
        assert secret not in found.model_dump_json()


def test_they_are_looked_at_again_with_the_same_address_and_secret(
    toys: Toys, hooky: type[Hooky]
) -> None:
    id = connect(toys)
    toys.tick()
    toys.tick()
    assert len(hooks()) == 1
    due(toys)
    first, again = hooks()
    assert first == again
    assert len(toys.rows(ActivityRow, connection=id, what="subscribe")) == 1


def test_settings_that_come_of_it_are_kept_encrypted_and_used(
    toys: Toys, hooky: type[Hooky]
) -> None:
    hooky.says = [Subscribed(settings={"signing": SecretStr("signs-everything"), "hooks": 3})]
    id = connect(toys)
    toys.tick()
    found = row(toys, id)
    assert found.config == {"hooks": 3}
    assert "signs-everything" not in found.secrets
    assert toys.hub.connections.settings(found)["signing"] == "signs-everything"
    assert found.granted == []
    due(toys)
    assert hooky.signings == ["", "signs-everything"]


def test_a_setting_that_there_is_not_is_told_and_breaks_nothing(
    toys: Toys, hooky: type[Hooky]
) -> None:
    hooky.says = [Subscribed(settings={"other": "x"})]
    id = connect(toys)
    toys.tick()
    found = row(toys, id)
    assert (found.state, found.hook_state) == ("healthy", "failed")
    assert "no settings" in found.hook_note


def test_orders_are_read_when_webhooks_had_to_be_mended(toys: Toys, hooky: type[Hooky]) -> None:
    connect(toys)
    toys.tick()
    hooky.calls.clear()
    due(toys)
    assert hooks("pull") == []
    hooky.says = [Subscribed(detail="1 was started again", mended=True)]
    due(toys)
    assert len(hooks("pull")) == 1
    due(toys)
    assert len(hooks("pull")) == 1


@pytest.mark.parametrize("error", [Rejected("no permission"), Unauthorized("no"), KeyError("x")])
def test_a_failure_leaves_the_connection_in_use(
    toys: Toys, hooky: type[Hooky], error: Exception
) -> None:
    hooky.says = [error]
    id = connect(toys)
    toys.tick()
    found = row(toys, id)
    assert (found.state, found.hook_state, found.hooked_at) == ("healthy", "failed", None)
    assert found.hook_note
    due(toys)
    assert row(toys, id).hook_state == "on"


def test_a_service_that_is_away_is_tried_again_when_it_asked_for_it(
    toys: Toys, hooky: type[Hooky]
) -> None:
    hooky.says = [Retry("busy", after=40)]
    id = connect(toys)
    began = toys.hub.store.clock.wall()
    toys.tick()
    (work,) = toys.rows(WorkRow, kind="subscribe")
    assert work.state == "ready"
    asked = timedelta(seconds=40)
    assert work.not_before - toys.hub.store.clock.wall() <= asked <= work.not_before - began
    toys.wait()
    assert row(toys, id).hook_state == "on"


def test_a_hub_that_nobody_reaches_says_what_to_do(toys: Toys, hooky: type[Hooky]) -> None:
    toys.hub.settings = toys.hub.settings.model_copy(update={"public_url": "http://127.0.0.1:8000"})
    id = connect(toys)
    toys.tick()
    found = row(toys, id)
    assert (found.hook_state, hooks()) == ("local", [])
    assert "HUB_PUBLIC_URL" in found.hook_note
    assert "every 15 minutes" in found.hook_note


def test_a_hub_that_moved_tells_its_new_address(toys: Toys, hooky: type[Hooky]) -> None:
    connect(toys)
    toys.tick()
    toys.hub.settings = toys.hub.settings.model_copy(update={"public_url": "https://new.example"})
    due(toys)
    assert [hook.url[:19] for hook in hooks()] == ["https://hub.example", "https://new.example"]


def test_a_new_address_is_told_and_the_old_one_works_for_a_day(
    toys: Toys, hooky: type[Hooky]
) -> None:
    id = connect(toys)
    toys.tick()
    with toys.hub.store.write(System()) as session:
        held = session.get_one(ConnectionRow, id)
        subscriptions.renew_address(toys.hub, session, held)
        subscriptions.again(session, held)
    toys.tick()
    first, second = hooks()
    assert (first.url != second.url, first.secret != second.secret) == (True, True)
    with toys.hub.store.read() as session:
        assert len(incoming.addresses(session, row(toys, id))) == 2


def test_one_that_is_switched_off_is_left_alone(toys: Toys, hooky: type[Hooky]) -> None:
    id = connect(toys)
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, False)
    toys.tick()
    assert hooks() == []
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, True)
    toys.tick()
    assert len(hooks()) == 1


def remove(toys: Toys, id: str) -> None:
    with toys.hub.store.write(System()) as session:
        held = session.get_one(ConnectionRow, id)
        subscriptions.leave(toys.hub, session, held)
        removal.remove(session, held)


def test_a_removed_connection_takes_its_webhooks_back(toys: Toys, hooky: type[Hooky]) -> None:
    id = connect(toys, signing="signs-everything")
    toys.tick()
    remove(toys, id)
    toys.tick()
    assert hooks("unsubscribe") == hooks()
    assert hooky.signings[-1] == "signs-everything"
    assert row(toys, id).hook_secret == ""
    with toys.hub.store.read() as session:
        assert incoming.addresses(session, row(toys, id)) == []


def test_one_that_comes_back_before_that_keeps_its_webhooks(toys: Toys, hooky: type[Hooky]) -> None:
    id = connect(toys)
    toys.tick()
    remove(toys, id)
    with toys.hub.store.write(System()) as session:
        removal.restore(session, id)
    with toys.hub.store.write(System()) as session:  # the round comes first
        session.exec(update(WorkRow).where(WorkRow.kind == "unsubscribe").values(state="parked"))
    toys.tick()
    with toys.hub.store.write(System()) as session:
        session.exec(update(WorkRow).where(WorkRow.kind == "unsubscribe").values(state="ready"))
    toys.work()
    assert hooks("unsubscribe") == []
    assert hooks()[0] == hooks()[1]
    assert row(toys, id).hook_state == "on"


def test_taking_back_ends_however_it_fails(toys: Toys, hooky: type[Hooky]) -> None:
    id = connect(toys, signing="signs-everything")
    toys.tick()
    hooky.says = [RuntimeError("signs-everything is unknown")]
    remove(toys, id)
    toys.tick()
    assert row(toys, id).hook_secret == ""
    (log,) = toys.rows(ActivityRow, connection=id, what="unsubscribe")
    assert log.outcome == "error"
    assert "signs-everything" not in log.text


def test_what_somebody_ended_stays_ended_until_it_is_set_up_again(
    toys: Toys, hooky: type[Hooky]
) -> None:
    id = connect(toys)
    toys.tick()
    with toys.hub.store.write(System()) as session:
        subscriptions.end(toys.hub, session, session.get_one(ConnectionRow, id))
    due(toys)
    assert row(toys, id).hook_state == "off"
    assert (len(hooks()), len(hooks("unsubscribe"))) == (1, 1)
    with toys.hub.store.write(System()) as session:
        subscriptions.again(session, session.get_one(ConnectionRow, id))
    toys.tick()
    assert row(toys, id).hook_state == "on"
    assert len(hooks()) == 2
