"""The connections of a hub: saved with encrypted secrets, built when first used."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlmodel import col, func, or_, select

from hub import logs
from hub.access import audit
from hub.access.keys import Keys, WrongKeys
from hub.connections import grants
from hub.connections.containment import contained, drawn
from hub.connections.fields import fills, kept_fields, secret_fields, split, validated
from hub.connections.pulse import CHECKED_EVERY
from hub.connector import Connector
from hub.deadlines import interrupted
from hub.errors import HubError, Missing, PluginError, Refused
from hub.ledgers import Ledger
from hub.nouns import Grant
from hub.plugins import Plugins, patience
from hub.redaction import cover, covered, secrets_of
from hub.store import ConnectionRow, PluginRow, Session, SettingRow, Store
from hub.store.once import insert_once

T = TypeVar("T")
GENERATION = "connections"
GONE = "removed"
"""State of a connection that was removed for good: its row is but a name in the history."""


class Parked(HubError):
    """Say that a connection is off or expired: its work waits, nothing failed."""


class Renewing(Parked):
    """Say that the access of a connection is being renewed: its work goes on after that."""


class Connections:
    """Build the connector of a connection and keep it until any connection changes."""

    def __init__(self, store: Store, plugins: Plugins, keys: Keys) -> None:
        self.store = store
        self.plugins = plugins
        self.keys = keys
        self._built: dict[str, tuple[int, Connector[Any]]] = {}
        self.spoilt = ""
        """What a connector has left behind that this process had better end for, if anything."""
        self.ledger: Ledger | None = None
        """Where the calls of connectors are counted for all workers."""

    def save(
        self,
        session: Session,
        connector: str,
        settings: dict[str, Any],
        *,
        merchant: str | None = None,
        title: str = "",
        id: str | None = None,
        draft: bool = False,
    ) -> ConnectionRow:
        """Add or change a connection; a secret left empty keeps the one that is stored.

        A new one that is a `draft` is not set up yet: it is off, and nothing runs through it until
        `enable`. One that is changed while it is not set up stays so.
        """
        kind = self.plugins.connector(connector)
        row = self._held(session, id) if id else None
        config = validated(kind, self._merged(kind, row, settings))
        if row is None:
            row = ConnectionRow(
                connector=connector, merchant=merchant, title=title, created_at=session.now,
                enabled=not draft, state="not_set_up" if draft else "healthy",
                source=free_source(session, connector, merchant),
            )  # fmt: skip
            session.add(row)
        row.title = title or row.title or kind.title
        self._store(session, row, config)
        if row.state != "not_set_up":
            row.state = "healthy"
        row.reason, row.failures, row.rests_until, row.troubled_at = "", 0, None, None
        row.check_at, row.hook_at = session.wall + CHECKED_EVERY, None
        session.flush()
        note(session, "changed" if id else "added", row)
        return row

    def enable(self, session: Session, id: str) -> ConnectionRow:
        """Put a connection that was set up into use; its first orders are due at once."""
        row = self._row(session, id)
        row.enabled, row.state, row.reason, row.failures = True, "healthy", "", 0
        row.troubled_at = None
        row.check_at, row.hook_at = session.wall + CHECKED_EVERY, None
        row.paused_at, row.paused_by, row.pull_at = None, "", None
        bump(session)
        note(session, "enabled", row)
        return row

    def grant(self, session: Session, id: str, given: Grant) -> ConnectionRow:
        """Store what a consent or a renewal gave, all of it or nothing.

        Raise `PluginError` for a setting that there is not, `Refused` for one that does not fit.
        """
        given = grants.plain(given)
        row = self.learn(session, id, given.settings)
        grants.note(row, given, session.wall)
        return row

    def learn(self, session: Session, id: str, given: dict[str, Any]) -> ConnectionRow:
        """Store settings that the other system gave; others stay. Raise as `grant` does."""
        row = self._held(session, id)
        kind = self.plugins.connector(row.connector)
        unknown = given.keys() - kind.Config.model_fields.keys()
        if unknown:
            raise PluginError(f"{kind.title} was granted {sorted(unknown)}, which are no settings")
        self._store(session, row, validated(kind, {**self.settings(row), **given}))
        return row

    def ungrant(self, session: Session, id: str) -> ConnectionRow:
        """Forget the secrets that came by consent; its work waits until it is connected again."""
        row = self._held(session, id)
        kind = self.plugins.connector(row.connector)
        secret = secret_fields(kind.Config) & set(row.granted)
        kept = {name: told for name, told in self.settings(row).items() if name not in secret}
        self._store(session, row, validated(kind, kept))
        grants.forget(row)
        if row.state != "not_set_up":
            row.state = "action_needed"
            row.reason = "it was disconnected; connect it to use it again"
        note(session, "disconnected", row)
        return row

    def secrets_of(self, row: ConnectionRow) -> set[str]:
        """Return the names of the secrets that are stored."""
        return set(json.loads(self.keys.unseal(row.secrets))) if row.secrets else set()

    def set_enabled(self, session: Session, id: str, enabled: bool, by: str = "") -> ConnectionRow:
        """Switch a connection on or off; every process knows at its next piece of work.

        `by` is the name of who does. Raise `Refused` for one that is not set up yet.
        """
        row = self._row(session, id)
        if row.state == "not_set_up":
            raise Refused(f"{row.title} is not set up yet; finish that first")
        row.enabled = enabled
        row.paused_at, row.paused_by = (None, "") if enabled else (session.now, by)
        row.hook_at = None
        bump(session)
        note(session, "switched", row, f"switched the connection {row.title} {on_or_off(enabled)}")
        return row

    def expire(self, session: Session, id: str, reason: str) -> None:
        """Mark that the credentials no longer work, so that its work is parked."""
        row = self._row(session, id)
        if row.state == "not_set_up":
            return  # its wizard says what is the matter
        row.state, row.reason = "action_needed", reason[:500]
        row.troubled_at = session.wall
        bump(session)

    def find(
        self, session: Session, hook: str, merchant: str | None, *, usable: bool = True,
        medium: str = "",
    ) -> list[ConnectionRow]:  # fmt: skip
        """Return the connections of one kind that serve `merchant`, its own before the operator's.

        Those without the setting that the kind needs are left out, and with a `medium` those that
        carry another one.

        With `usable`, those that are switched off or not set up are left out; expired ones stay,
        because their work has to wait for them. Removed ones are never found.
        """
        kinds = self.plugins.of_kind(hook)
        names = [name for name, kind in kinds.items() if medium in ("", kind.medium)]
        query = select(ConnectionRow).where(
            col(ConnectionRow.connector).in_(names), col(ConnectionRow.removed_at).is_(None)
        )
        owner = col(ConnectionRow.merchant)
        query = query.where(or_(owner.is_(None), owner == merchant))
        if usable:
            query = query.where(
                col(ConnectionRow.enabled).is_(True), ConnectionRow.state != "not_set_up"
            )
        rows = session.exec(query.order_by(col(ConnectionRow.created_at))).all()
        fit = [row for row in rows if self.serves(row, hook)]
        on = [row for row in fit if not usable or self.is_on(session, row.connector)]
        return sorted(on, key=lambda row: row.merchant is None)

    def serves(self, row: ConnectionRow, hook: str) -> bool:
        """Say whether a connection of a kind has the setting that the kind needs."""
        plugin = self.plugins.owner(row.connector)
        kind = plugin.connectors[row.connector] if plugin else None
        setting = kind.needs.get(hook) if kind else None
        return kind is None or setting is None or fills(kind, setting, row.config.get(setting))

    def is_on(self, session: Session, connector: str) -> bool:
        """Say whether the plugin of a connector is switched on."""
        plugin = self.plugins.owner(connector)
        return plugin is not None and self.is_plugin_on(session, plugin.name)

    def is_plugin_on(self, session: Session, name: str) -> bool:
        """Say whether a plugin is switched on; one that nobody has touched is."""
        row = session.get(PluginRow, name)
        return row is None or row.enabled

    def usable(self, session: Session, id: str) -> Connector[Any]:
        """Return the connector of a connection; raise `Parked` while it is off or expired."""
        row = self._row(session, id)
        if row.state == "not_set_up":
            raise Parked(f"{row.title} is not set up yet; its work waits")
        if row.removed_at is not None and row.state != GONE:
            raise Parked(
                f"{row.title} was removed; its work waits for as long as that can be undone"
            )
        if row.state != GONE and not (row.enabled and self.is_on(session, row.connector)):
            raise Parked(f"{row.title} is switched off; its work waits")
        if row.state == "action_needed":
            raise Parked(f"{row.title} has to be reconnected; its work waits")
        if grants.waits(row, session.wall):
            raise Renewing(f"the access of {row.title} is being renewed; its work waits")
        return self.build(session, row)

    def build(self, session: Session, row: ConnectionRow) -> Connector[Any]:
        """Return the connector of a row, built anew when any connection has changed.

        Raise `Missing` for one that was removed for good.
        """
        now = generation(session)
        known = self._built.get(row.id)
        if known is None or known[0] != now:
            # Read after the generation: a change in between is then built too early, never missed.
            session.refresh(row)
            if row.state == GONE:
                raise Missing(f"the connection {row.title} was removed; set up another one")
            kind = self.plugins.connector(row.connector)
            config = validated(kind, self.settings(row))
            logs.hide(secrets_of(config))
            try:
                known = now, kind(config)
            except Exception as error:
                said = cover(f"{type(error).__name__}: {error}", secrets_of(config))
                raise PluginError(f"{kind.title} cannot be built: {said[:500]}") from error
            self._built[row.id] = known
        return known[1]

    def contained(self, connector: Connector[Any]) -> AbstractContextManager[None]:
        """Return a block around a connector's code that lets only safe errors out of it."""
        return contained(connector, self.spoil, self.ledger)

    def drawn(self, connector: Connector[Any], begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Yield what an iterator of a connector yields, with every step contained."""
        return drawn(connector, begin, self.spoil, self.ledger)

    def spoil(self, why: str) -> None:
        """Note that this process should do no work for other connections any more."""
        self.spoilt = self.spoilt or why

    def warm(self) -> None:
        """Import the slow modules of the connectors in use; for a worker, before it forks.

        What cannot be imported is left alone: the connection's own calls will say why.
        """
        with self.store.read() as session:
            names = set(session.exec(select(ConnectionRow.connector).distinct()))
        owners = {name: self.plugins.owner(name) for name in names}
        kinds = [plugin.connectors[name] for name, plugin in owners.items() if plugin]
        for module in {module for kind in kinds for module in kind.sdk}:
            with suppress(Exception), interrupted(patience()):
                import_module(module)

    def settings(self, row: ConnectionRow) -> dict[str, Any]:
        """Return the settings with their secrets in clear, for building only."""
        secret = json.loads(self.keys.unseal(row.secrets)) if row.secrets else {}
        return {**row.config, **secret}

    def cover(self, row: ConnectionRow, value: Any) -> Any:
        """Return a text, or JSON, with every secret of a connection covered."""
        try:
            secrets = json.loads(self.keys.unseal(row.secrets)).values() if row.secrets else ()
        except WrongKeys:
            secrets = ()  # they cannot stand in anything that this hub has written
        return covered(value, frozenset(secrets))

    def _merged(
        self, kind: type[Connector[Any]], row: ConnectionRow | None, settings: dict[str, Any]
    ) -> dict[str, Any]:
        if row is None:
            return settings
        secret, aside = secret_fields(kind.Config), kept_fields(kind.Config)
        kept = {
            name: value
            for name, value in self.settings(row).items()
            if (name in secret and not settings.get(name))
            or (name in aside and name not in settings)
        }
        return {**settings, **kept}

    def _store(self, session: Session, row: ConnectionRow, config: BaseModel) -> None:
        plain, secret = split(config)
        row.config = plain
        row.secrets = self.keys.seal(json.dumps(secret)) if secret else ""
        bump(session)

    def _held(self, session: Session, id: str) -> ConnectionRow:
        """Return a row that nobody else changes meanwhile: what is merged has to be the latest."""
        row = session.get(ConnectionRow, id, with_for_update=True, populate_existing=True)
        if row is None:
            raise Missing(f"there is no connection {id}")
        return row

    def _row(self, session: Session, id: str) -> ConnectionRow:
        row = session.get(ConnectionRow, id)
        if row is None:
            raise Missing(f"there is no connection {id}")
        return row


def free_source(session: Session, connector: str, merchant: str | None) -> str:
    """Return a source for the orders of a merchant's next shop of one kind: `shopify-2`.

    Empty for the first, whose orders are known under the connector's own name. Removed ones count,
    because their orders are still there.
    """
    query = select(func.count()).where(
        ConnectionRow.connector == connector, col(ConnectionRow.merchant) == merchant
    )
    known = session.exec(query).one() if merchant is not None else 0
    return f"{connector}-{known + 1}" if known else ""


def generation(session: Session) -> int:
    """Return the number that every change of a connection or plugin raises by one."""
    query = select(SettingRow.value).where(SettingRow.name == GENERATION)
    value = session.exec(query).one_or_none()
    return 0 if value is None else int(value["generation"])


def bump(session: Session) -> None:
    """Raise the generation, in the transaction of the change itself; others wait for its end."""
    query = select(SettingRow).where(SettingRow.name == GENERATION).with_for_update()
    held = query.execution_options(populate_existing=True)
    row = session.exec(held).one_or_none()
    if row is None:
        insert_once(session, SettingRow(name=GENERATION, value={"generation": 0}))
        row = session.exec(held).one()
    row.value = {"generation": int(row.value["generation"]) + 1}


def set_plugin(session: Session, plugins: Plugins, name: str, enabled: bool) -> None:
    """Switch a whole plugin on or off."""
    if name not in plugins.plugins:
        raise PluginError(f"no plugin {name} is installed")
    row = session.get(PluginRow, name)
    if row is None:
        session.add(PluginRow(name=name, enabled=enabled))
    else:
        row.enabled = enabled
    bump(session)
    said = f"switched the plugin {name} {on_or_off(enabled)}"
    audit.note(session, "plugin.switched", name, said)


def note(session: Session, verb: str, row: ConnectionRow, said: str = "") -> None:
    """Write down who did something to a connection; its settings stay out."""
    said = said or f"{verb} the connection {row.title} ({row.connector})"
    audit.note(session, f"connection.{verb}", row.id, said, merchant=row.merchant)


def on_or_off(on: bool) -> str:
    """Return the state of a switch in words."""
    return "on" if on else "off"
