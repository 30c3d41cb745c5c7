"""Have the other system's webhooks set up by themselves: at once, again and again, and taken back.

The address of a connection is stored as a hash everywhere else. Here it is kept encrypted with a
secret beside it, because the other system is told both whenever its webhooks have to be made anew.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from sqlmodel import col

from hub.access import tokens
from hub.capabilities import Subscriber
from hub.connections import activity
from hub.connections.book import Parked
from hub.connections.fields import validated
from hub.connections.grants import bare
from hub.connections.pulse import is_in_use
from hub.connector import Connector
from hub.deadlines import deadline
from hub.errors import HubError, PluginError, Retry, Unauthorized
from hub.nouns import Hook, Subscribed
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, defer, enqueue, finish, renew
from hub.redaction import covered
from hub.store import ConnectionRow, Session
from hub.store.database import Busy
from hub.workflow import checks, incoming, pulls
from hub.workflow.checks import LONGEST, NO_ANSWER, SILENT, begin_due, wait_for_renewal
from hub.workflow.failures import kind_of, message_of

if TYPE_CHECKING:
    from hub.hub import Hub

KIND, LEAVE = "subscribe", "unsubscribe"
EVERY, SOON = timedelta(hours=1), timedelta(minutes=15)
"""When webhooks are looked at again that were in order, and that were not."""
TRIES = 5
HERE = ("", "127.0.0.1", "localhost", "::1")
LEAVING = "settings"
"""Name, beside the address, of the settings with which webhooks are taken back."""
LOCAL = (
    "Nobody outside can reach this hub at {url}, so no webhooks were set up. Set HUB_PUBLIC_URL to "
    "its public https address and start it again. Until then orders are read every 15 minutes."
)
OFF = "They were ended here, and nothing more is taken in until they are set up again."


def is_subscriber(hub: Hub, connector: str) -> bool:
    """Say whether a connector sets its webhooks up by itself."""
    plugin = hub.plugins.owner(connector)
    kind = plugin.connectors[connector] if plugin is not None else None
    return kind is not None and hasattr(kind, "subscribe") and hasattr(kind, "receive")


def go_round(hub: Hub) -> None:
    """Have the webhooks looked at whose time has come; called by the leading dispatcher."""
    names = [
        name
        for plugin in hub.plugins.plugins.values()
        for name in plugin.connectors
        if is_subscriber(hub, name)
    ]
    if not names:
        return

    def begin(session: Session, row: ConnectionRow) -> None:
        row.hook_at = session.wall + SOON
        enqueue(session, KIND, row.id, queue="outward")

    begin_due(
        hub, "hook_at", begin,
        col(ConnectionRow.connector).in_(names),
        col(ConnectionRow.state) != "action_needed",
        col(ConnectionRow.hook_state) != "off",
    )  # fmt: skip


def renew_address(hub: Hub, session: Session, row: ConnectionRow) -> None:
    """Make a new address and secret; the webhooks follow, the old ones work for another day."""
    kept = {
        "url": incoming.open_address(hub, session, row),
        "secret": secrets.token_urlsafe(32),
    }
    row.hook_secret = hub.keys.seal(json.dumps(kept))


def again(session: Session, row: ConnectionRow) -> None:
    """Have the webhooks of a connection set up now, also where somebody had ended them."""
    row.hook_at, row.hook_state = None, "" if row.hook_state == "off" else row.hook_state
    enqueue(session, KIND, row.id, queue="outward")


def end(hub: Hub, session: Session, row: ConnectionRow) -> None:
    """Take nothing more in, and have a worker take the webhooks back."""
    leave(hub, session, row)
    row.hook_state, row.hook_note = "off", OFF


def leave(hub: Hub, session: Session, row: ConnectionRow) -> None:
    """Have a worker take the webhooks back, with the settings that the connection has now.

    To be called before its secrets go. What is set up again meanwhile is not taken back.
    """
    kept = opened(hub, row)
    if not kept or not is_subscriber(hub, row.connector):
        return
    kept[LEAVING] = hub.connections.settings(row)
    row.hook_secret = hub.keys.seal(json.dumps(kept))
    row.hook_state, row.hook_note, row.hooked_at = "", "", None
    enqueue(session, LEAVE, row.id, queue="outward")


def opened(hub: Hub, row: ConnectionRow) -> dict[str, Any]:
    """Return the address and the secret that the other system was told; nothing before that."""
    return json.loads(hub.keys.unseal(row.hook_secret)) if row.hook_secret else {}


@dataclass(frozen=True)
class Try:
    """One try at setting webhooks up."""

    claim: Claim
    row: ConnectionRow
    hook: Hook


def run(hub: Hub, claim: Claim) -> None:
    """Have the connector set its webhooks up, and write down how that ended."""
    try:
        made = prepare(hub, claim)
    except Parked:
        made = None
    if made is None:
        with hub.store.write() as session:
            finish(session, claim)
        return
    if claim.hung or claim.losses >= SILENT:
        fall(hub, made, HubError(NO_ANSWER))
        return
    try:
        with hub.store.read() as session:
            connector = hub.connections.usable(session, made.row.id)
        reach("before_call")
        with deadline(LONGEST), hub.connections.contained(connector):
            said = cast(Subscriber, connector).subscribe(made.hook)
        if not isinstance(said, Subscribed):
            raise PluginError(f"subscribe() returned {type(said).__name__}, which is no Subscribed")
        reach("after_call")
        keep(hub, made, said)
    except (LeaseLost, Busy):
        raise
    except Parked:
        wait_for_renewal(hub, claim)
    except Exception as error:  # a connector may raise anything; it is told on its page
        fall(hub, made, error)


def prepare(hub: Hub, claim: Claim) -> Try | None:
    """Return what to set up, with an address that is open; None where there is nothing to do.

    Raise `Parked` for a connection that is switched off.
    """
    url = hub.settings.public_url
    with hub.store.write() as session:
        renew(session, claim)
        row = session.get(ConnectionRow, claim.subject, with_for_update=True)
        wanted = row is not None and is_in_use(row) and row.enabled and row.hook_state != "off"
        if row is None or not wanted or not is_subscriber(hub, row.connector):
            return None
        if row.state == "action_needed":
            raise Parked(f"{row.title} has to be reconnected")
        if urlsplit(url).hostname in HERE or not urlsplit(url).hostname:
            row.hook_state, row.hook_note = "local", LOCAL.format(url=url)
            row.hook_at = session.wall + EVERY
            return None
        kept = opened(hub, row)
        if not is_open(session, row, kept, url):
            renew_address(hub, session, row)
            kept = opened(hub, row)
        elif LEAVING in kept:
            del kept[LEAVING]
            row.hook_secret = hub.keys.seal(json.dumps(kept))
        return Try(claim, row, Hook(url=kept["url"], secret=kept["secret"]))


def is_open(session: Session, row: ConnectionRow, kept: dict[str, Any], public_url: str) -> bool:
    """Say whether what is sent to a kept address arrives here and is taken."""
    url = str(kept.get("url", ""))
    if not url.startswith(f"{public_url.rstrip('/')}/"):
        return False
    token = tokens.digest(url.rpartition("/")[2])
    return token in {one.sha256 for one in incoming.addresses(session, row)[:1]}


def keep(hub: Hub, made: Try, said: Subscribed) -> None:
    """Write down that the webhooks are in order, with the settings that came of it."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, made.row.id, with_for_update=True)
        if row.hook_secret != made.row.hook_secret:  # ended, or given a new address meanwhile
            defer(session, made.claim, session.wall)
            return
        settings, known = bare(said.settings), hub.connections.settings(row)
        if any(known.get(name) != value for name, value in settings.items()):
            hub.connections.learn(session, row.id, settings)
        detail = hidden(hub, row, said.detail or "They are set up.")[:500]
        news = said.mended or row.hook_state != "on" or row.hook_note != detail
        row.hook_state, row.hook_note = "on", detail
        row.hooked_at, row.hook_at = session.wall, session.wall + EVERY
        if said.mended and pulls.is_source(hub, row.connector) and row.merchant is not None:
            pulls.request(session, row.id)
        if news:
            activity.note(session, row, "out", KIND, "ok", about=made.claim.id, text=row.hook_note)
        reach("before_commit")
        finish(session, made.claim)


def fall(hub: Hub, made: Try, error: Exception) -> None:
    """Write down why webhooks could not be set up; the connection works on without them."""
    claim = made.claim
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, made.row.id, with_for_update=True)
        text = hidden(hub, row, message_of(error))[:500]
        news = row.hook_state != "failed" or row.hook_note != text
        if row.hook_state != "off":
            row.hook_state, row.hook_note = "failed", text
        row.hook_at = session.wall + SOON
        if news:
            activity.note(session, row, "out", KIND, kind_of(error), about=claim.id, text=text)
        if isinstance(error, Unauthorized):
            checks.request(session, row.id)  # it finds out whether the credentials are at fault
        if isinstance(error, Retry) and claim.tries < TRIES:
            after = timedelta(seconds=min(error.after or 30.0 * claim.tries, 3600))
            defer(session, claim, session.wall + after, text)
            return
        finish(session, claim)


def hidden(hub: Hub, row: ConnectionRow, text: str) -> str:
    """Return a text without the secrets of a connection, its address among them."""
    kept = opened(hub, row)
    url = str(kept.get("url", ""))
    more = [url, url.rpartition("/")[2], str(kept.get("secret", ""))]
    return str(covered(hub.connections.cover(row, text), [one for one in more if one]))


def run_leave(hub: Hub, claim: Claim) -> None:
    """Take the webhooks back as far as that can be done, then forget the address."""
    with hub.store.read() as session:
        row = session.get(ConnectionRow, claim.subject)
    kept = opened(hub, row) if row is not None else {}
    if row is None or LEAVING not in kept:  # gone, or set up again meanwhile
        with hub.store.write() as session:
            finish(session, claim)
        return
    error = HubError(NO_ANSWER) if claim.hung or claim.losses >= SILENT else part(hub, row, kept)
    if isinstance(error, Retry) and claim.tries < TRIES:
        with hub.store.write() as session:
            after = timedelta(seconds=min(error.after or 30.0, 3600))
            defer(session, claim, session.wall + after, "the other system is away")
        return
    forget(hub, claim, row, str(covered(message_of(error), secret_texts(kept))) if error else "")


def part(hub: Hub, row: ConnectionRow, kept: dict[str, Any]) -> Exception | None:
    """Have the connector take its webhooks back, with kept settings; return what went wrong."""
    try:
        kind = hub.plugins.connector(row.connector)
        connector: Connector[Any] = kind(validated(kind, kept[LEAVING]))
        with deadline(LONGEST), hub.connections.contained(connector):
            cast(Subscriber, connector).unsubscribe(Hook(url=kept["url"], secret=kept["secret"]))
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # a connector may raise anything; what is left dies by refusal
        return error
    return None


def secret_texts(kept: dict[str, Any]) -> list[str]:
    """Return the texts in what is kept that nobody may read."""
    told = [kept.get("url", ""), kept.get("secret", ""), *kept.get(LEAVING, {}).values()]
    return [one for one in told if isinstance(one, str) and one]


def forget(hub: Hub, claim: Claim, row: ConnectionRow, failure: str) -> None:
    """Drop the address that was taken back, unless the webhooks were set up again meanwhile."""
    with hub.store.write() as session:
        held = session.get_one(ConnectionRow, row.id, with_for_update=True)
        if held.hook_secret == row.hook_secret:
            incoming.close_address(session, held)
            held.hook_secret = ""
            text = f"not taken back: {failure}" if failure else "taken back"
            outcome = "error" if failure else "ok"
            activity.note(session, held, "out", LEAVE, outcome, about=claim.id, text=text)
        finish(session, claim)
