"""Make one call of a connector that is being written, with the settings of its developer."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from hub.connector import Connector
from hub.errors import Refused
from hub.exchange import Exchange, listening
from hub.plugins import Plugin
from hub.redaction import cover, secrets_of

FILE = "dev.toml"
PREFIX = "HUB_DEV_"
MOST = 20
"""Records of a source that are read and shown."""


@dataclass(frozen=True)
class Outcome:
    """What came of one call: lines for people, and what went over the wire."""

    lines: list[str]
    exchanges: list[Exchange]
    secrets: frozenset[str]
    recording: str
    """The file name of the recording, without its ending."""
    failed: bool


def call(plugin: Plugin, method: str, folder: Path) -> Outcome:
    """Call `method` of the plugin's connector that has it; what it raises is part of the outcome.

    Raise `Refused` where nothing can be called: no such method, or settings that are missing.
    """
    kind, recording = connector_with(plugin, method)
    found = read(folder / FILE)
    connector = built(kind, settings(kind, found))
    secrets = secrets_of(connector.config)
    make = CALLS[method]
    given = found.get(method, {})
    exchanges: list[Exchange] = []
    failed = False
    with listening(exchanges.append):
        try:
            shown = [str(line) for line in make(connector, given)]
        except Refused:
            raise
        except Exception as error:
            shown, failed = [f"{type(error).__name__}: {error}"], True
    lines = [cover(line, secrets)[:500] for line in shown]
    return Outcome(lines, exchanges, secrets, recording, failed)


def connector_with(plugin: Plugin, method: str) -> tuple[type[Connector[Any]], str]:
    """Return the plugin's first connector with a method, and how its recording is named."""
    if method not in CALLS:
        raise Refused(f"{method} is none of {', '.join(CALLS)}")
    able = [kind for kind in plugin.connectors.values() if hasattr(kind, method)]
    if not able:
        raise Refused(f"{plugin.name} has no connector with {method}()")
    return able[0], method if len(plugin.connectors) == 1 else f"{able[0].name}-{method}"


def read(path: Path) -> dict[str, Any]:
    """Return what a developer's file says; nothing where there is none."""
    try:
        return tomllib.loads(path.read_text()) if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path}: {error}") from error


def settings(kind: type[Connector[Any]], found: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of `dev.toml`, with those of HUB_DEV_... in the environment above."""
    given = dict(found.get("settings", {}))
    for name in kind.Config.model_fields:
        value = os.environ.get(PREFIX + name.upper())
        if value is not None:
            given[name] = value
    return given


def built(kind: type[Connector[Any]], given: dict[str, Any]) -> Connector[Any]:
    """Return the connector; raise `Refused` saying which setting is missing and where it goes."""
    from pydantic import ValidationError

    try:
        return kind(kind.Config.model_validate(given))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(
            f"the setting {field}: {first['msg']}; write it into {FILE} under [settings], "
            f"or give {PREFIX}{field.upper()}",
            field,
        ) from None


@contextmanager
def wanted(method: str, example: str) -> Iterator[None]:
    """Turn a noun that cannot be made into a sentence that says what to write into `dev.toml`."""
    from pydantic import ValidationError

    try:
        yield
    except (ValidationError, KeyError) as error:
        raise Refused(f"{FILE} has to say with what: [{method}] {example}") from error


def check(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Check the settings."""
    connector.check()
    return ["the settings work"]


def records(method: str) -> Callable[[Any, dict[str, Any]], Iterable[Any]]:
    """Return what reads a source from a cursor and shows the first records."""

    def read_some(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
        from hub.nouns import Cursor

        found = getattr(connector, method)(Cursor(value=str(given.get("cursor", ""))))
        shown = [repr(record) for record in islice(found, MOST)]
        return [*shown, f"{len(shown)} records" + (", perhaps more" if len(shown) == MOST else "")]

    return read_some


def send(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Send a message to the one whom `dev.toml` names."""
    from hub.nouns import Message

    with wanted("send", 'to = "+41791234567"'):
        message = Message.model_validate({"key": "dev:send:1", "text": "A test", **given})
    return [repr(connector.send(message))]


def store(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Store a made-up proof."""
    from hub.testing.conformance import a_proof

    return [repr(connector.store(a_proof(**given)))]


def locate(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Look up the address that `dev.toml` names."""
    from hub.nouns import Address

    example = 'line1 = "Städtle 1", city = "Vaduz"'
    with wanted("locate", example):
        given["line1"], address = given["line1"], Address.model_validate(given)
    return [repr(connector.locate(address))]


def matrix(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Ask for the way between the points that `dev.toml` names."""
    from hub.nouns import Legs, Location

    with wanted("matrix", "points = [[47.14, 9.52], [47.15, 9.53]]"):
        points = tuple(Location(lat=lat, lon=lon) for lat, lon in given["points"])
    return [repr(connector.matrix(Legs(points=points)))]


def refresh(connector: Any, given: dict[str, Any]) -> Iterable[Any]:
    """Renew the tokens; only the names of the settings are shown."""
    grant = connector.refresh()
    return [f"granted: {', '.join(sorted(grant.settings))}; until {grant.expires_at}"]


CALLS: dict[str, Callable[[Any, dict[str, Any]], Iterable[Any]]] = {
    "check": check,
    "pull": records("pull"),
    "positions": records("positions"),
    "send": send,
    "store": store,
    "locate": locate,
    "matrix": matrix,
    "refresh": refresh,
}
