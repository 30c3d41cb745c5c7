"""Make the address of a consent page, and turn what comes back into tokens, in a worker.

A code is shown to its service once. Where the answer is lost, a person begins anew: a service may
end every token of a code that it sees twice (RFC 6749, 4.1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from hub.capabilities import OAuth
from hub.connections import consent, grants
from hub.connections.book import note
from hub.connector import Connector
from hub.deadlines import deadline
from hub.errors import HubError, PluginError, Retry
from hub.events import append
from hub.events.catalogue import ConnectionChanged
from hub.events.facts import ConnectionFacts
from hub.http import secure
from hub.nouns import Callback, Connect, Grant
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, defer, enqueue, finish, renew
from hub.redaction import cover, redact
from hub.store import ConnectionRow, ConsentRow, Session
from hub.store.database import Busy
from hub.workflow import checks, previews
from hub.workflow.checks import LONGEST
from hub.workflow.parking import release

if TYPE_CHECKING:
    from hub.hub import Hub

KIND, LAPSE = "consent", "consent_lapse"
NO_ANSWER = "it gave no answer until its worker was ended"


def request(session: Session, row: ConsentRow) -> None:
    """Have a worker do what comes next in a consent."""
    enqueue(session, KIND, row.id, queue="outward")


def begin(hub: Hub, session: Session, row: ConnectionRow, *, user: str, browser: str) -> ConsentRow:
    """Begin a consent, and see to it that what it carries is not kept longer than it may live."""
    made = consent.begin(session, hub.keys, row, user=user, browser=browser)
    request(session, made)
    enqueue(session, LAPSE, made.id, at=made.expires_at)
    return made


def callback_url(hub: Hub) -> str:
    """Return the address to which services send people back."""
    return hub.settings.public_url.rstrip("/") + consent.CALLBACK


def run(hub: Hub, claim: Claim) -> None:
    """Do what comes next in one consent."""
    with hub.store.read() as session:
        row = session.get(ConsentRow, claim.subject)
    if row is not None and row.state == "asked":
        open_page(hub, claim, row)
    elif row is not None and row.state in ("returned", "exchanging"):
        exchange(hub, claim, row)
    else:
        with hub.store.write() as session:
            finish(session, claim)


def lapse(hub: Hub, claim: Claim) -> None:
    """End a consent from which nobody came back in time."""
    with hub.store.write() as session:
        row = session.get(ConsentRow, claim.subject, with_for_update=True)
        if row is None or row.state in consent.ENDED:
            finish(session, claim)
        elif row.expires_at > session.wall:
            defer(session, claim, row.expires_at)
        else:
            asked = row.state == "question"
            said = "nobody said which account is meant" if asked else "nobody came back in time"
            consent.fail(session, row, said)
            finish(session, claim)


def open_page(hub: Hub, claim: Claim, row: ConsentRow) -> None:
    """Ask the connector for the address of its consent page."""
    carried = consent.opened(hub.keys, row)
    state, verifier = carried["state"], carried["verifier"]
    try:
        if claim.lost:
            raise PluginError(NO_ANSWER)
        asked = Connect(
            redirect_url=callback_url(hub), state=state, challenge=consent.challenge(verifier)
        )
        connector = oauth_of(hub, row)
        with deadline(LONGEST), hub.connections.contained(connector):
            address = sound(connector, cast(OAuth, connector).authorize(asked), state)
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # a plugin may raise anything; it is told to who pressed the button
        give_up(hub, claim, row.id, words(error, (state, verifier)))
        return
    with hub.store.write() as session:
        found = session.get_one(ConsentRow, row.id, with_for_update=True)
        if found.state == "asked":
            consent.seal(hub.keys, found, {**carried, "address": address})
            found.state = "open"
        finish(session, claim)


def sound(connector: Any, address: object, state: str) -> str:
    """Return the address of a consent page; raise `PluginError` for one to be feared."""
    if not isinstance(address, str):
        raise PluginError(f"{connector!r}.authorize() returned no address")
    try:
        secure(address)
        carried = parse_qs(urlsplit(address).query)
    except ValueError as error:
        raise PluginError(f"{connector!r}.authorize() returned no sound address: {error}") from None
    if carried.get("state") != [state]:
        raise PluginError(f"{connector!r}.authorize() does not hand the state on")
    return address


def oauth_of(hub: Hub, row: ConsentRow) -> Connector[Any]:
    """Return the connector of a consent."""
    with hub.store.read() as session:
        connection = session.get_one(ConnectionRow, row.connection)
        connector: Connector[Any] = hub.connections.build(session, connection)
    if not grants.by_consent(type(connector)):
        raise PluginError(f"{connector!r} is not connected by consent")
    return connector


def exchange(hub: Hub, claim: Claim, row: ConsentRow) -> None:
    """Show the code to the service, once, and store what it gives for it."""
    if row.state == "exchanging":
        give_up(hub, claim, row.id, NO_ANSWER)
        return
    carried = consent.opened(hub.keys, row)
    query = carried["query"]
    hidden = (carried["state"], carried["verifier"], query["code"])
    with hub.store.write() as session:
        renew(session, claim)
        session.get_one(ConsentRow, row.id, with_for_update=True).state = "exchanging"
    reach("before_call")
    try:
        connector = oauth_of(hub, row)
        back = Callback(
            code=query["code"], verifier=carried["verifier"], query=query,
            redirect_url=callback_url(hub),
        )  # fmt: skip
        with deadline(LONGEST), hub.connections.contained(connector):
            grant = cast(OAuth, connector).exchange(back)
        if not isinstance(grant, Grant):
            raise PluginError(f"exchange() returned {type(grant).__name__}, which is no Grant")
        reach("after_call")
        insist(partial(settle, hub, claim, row, grants.plain(grant)))
    except (LeaseLost, Busy):
        raise
    except Retry as error:
        again(hub, claim, row, error, hidden)
    except Exception as error:  # as above
        give_up(hub, claim, row.id, words(error, hidden))


def again(hub: Hub, claim: Claim, row: ConsentRow, error: Retry, hidden: Iterable[str]) -> None:
    """Show the code later once more: the service said that it did not take it."""
    with hub.store.write() as session:
        at = session.wall + timedelta(seconds=max(error.after or 0, 2.0 ** min(claim.tries, 6)))
        if at < row.expires_at:
            session.get_one(ConsentRow, row.id, with_for_update=True).state = "returned"
            defer(session, claim, at, words(error, hidden))
            return
    give_up(hub, claim, row.id, words(error, hidden))


def insist(store: Callable[[], None]) -> None:
    """Store what will not be given a second time, also where the database is busy for long."""
    for _ in range(3):
        try:
            return store()
        except Busy:
            continue
    return store()


def settle(hub: Hub, claim: Claim, row: ConsentRow, grant: Grant) -> None:
    """Store a grant, or ask first where it opens another account than the one before."""
    with hub.store.write() as session:
        connection = session.get_one(ConnectionRow, row.connection, with_for_update=True)
        found = session.get_one(ConsentRow, row.id, with_for_update=True)
        if connection.account and grant.account and connection.account != grant.account:
            consent.hold(session, hub.keys, found, grant)
        else:
            take(hub, session, found, grant)
        reach("before_commit")
        finish(session, claim)


def take(hub: Hub, session: Session, row: ConsentRow, grant: Grant) -> None:
    """Use a grant from now on: what waited for the connection goes on."""
    connection = hub.connections.grant(session, row.connection, grant)
    if connection.state == "not_set_up":
        previews.request(session, connection.id, "test")
    else:
        connection.state = "healthy"
    connection.reason, connection.troubled_at, connection.hook_at = "", None, None
    connection.failures, connection.rests_until, connection.doubted_at = 0, None, None
    consent.end(session, row, "done")
    note(session, "connected", connection, f"connected {connection.title} by consent")
    checks.request(session, connection.id)
    tell(session, connection)


def drop(session: Session, row: ConsentRow) -> None:
    """Throw the grant of another account away; the connection stays as it was."""
    consent.end(session, row, "dropped")


def tell(session: Session, row: ConnectionRow) -> None:
    """Tell that a connection changed, and let its waiting work go on if it is on."""
    if row.enabled and row.state != "action_needed":
        release(session, row.id)
    facts = ConnectionFacts(id=row.id, connector=row.connector, title=row.title)
    append(session, ConnectionChanged(subject=row.id, merchant_id=row.merchant, connection=facts))


def give_up(hub: Hub, claim: Claim, id: str, reason: str) -> None:
    """End a consent in words; the connection stays as it was."""
    with hub.store.write() as session:
        row = session.get_one(ConsentRow, id, with_for_update=True)
        if row.state not in consent.ENDED:
            consent.fail(session, row, reason)
        finish(session, claim)


def words(error: Exception, hidden: Iterable[str]) -> str:
    """Return what an error says to people, with nothing secret in it."""
    said = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
    return cover(redact(said), hidden)[:500]
