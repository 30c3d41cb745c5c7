"""Mail an invitation through the operator's connection for e-mail, when an owner asks for it.

The link is made in the worker that mails it, so that it lies nowhere in clear; one that was shown
before opens the same invitation. What became of the mail stands in the history.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hub.access import audit, tokens
from hub.connections import activity
from hub.connections.containment import bounded
from hub.connector import Connector
from hub.deadlines import deadline
from hub.errors import Retry, Unauthorized
from hub.notify import letter
from hub.nouns import Message
from hub.queue.work import Claim, defer, enqueue, finish
from hub.store import ConnectionRow, MerchantRow, Session, SettingRow, UserRow
from hub.workflow.failures import kind_of, message_of
from hub.workflow.parking import expire

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "invitation"
LONGEST = 60.0
"""Seconds that one mail may take."""
TRIES = 5
LATER = timedelta(minutes=2)
NOBODY_KNOWS = "nobody can tell whether it went out, because its worker died meanwhile"


def channel(hub: Hub, session: Session) -> ConnectionRow | None:
    """Return the operator's connection for e-mail, or None where there is none to be used."""
    found = hub.connections.find(session, "notification_channels", None, medium="email")
    return next((row for row in found if row.state != "action_needed"), None)


def request(session: Session, user: str) -> None:
    """Ask for the mail to somebody who is invited."""
    enqueue(session, KIND, user, queue="outward")


def work(hub: Hub, claim: Claim) -> None:
    """Mail one invitation. One whose end is not known is never mailed again by itself."""
    if claim.lost:
        end(hub, claim, None, "unknown", NOBODY_KNOWS)
        return
    with hub.store.write() as session:
        began, user = session.wall, session.get(UserRow, claim.subject)
        if user is None or user.invited_at is None or user.disabled_at is not None:
            finish(session, claim)
            return
        row = channel(hub, session)
        connector = hub.connections.usable(session, row.id) if row else None
        message = written(hub, session, user)
    if row is None or connector is None:
        end(hub, claim, None, "failed", "the operator has no connection for e-mail that works")
        return
    try:
        send(hub, connector, message)
    except Exception as error:  # a connector may raise anything; it is told in the history
        failed(hub, claim, row.id, error)
    else:
        end(hub, claim, row.id, "ok", "", began)


def send(hub: Hub, connector: Connector[Any], message: Message) -> None:
    """Hand the mail to the channel."""
    with deadline(LONGEST), hub.connections.contained(connector):
        bounded(connector, connector.send(message))  # type: ignore[attr-defined]


def written(hub: Hub, session: Session, user: UserRow) -> Message:
    """Return the mail, with a link of its own."""
    setting = session.get(SettingRow, "operator")
    operator = str(setting.value.get("name") or "") if setting else ""
    operator = operator or "Lastmile Hub"
    merchant = session.get(MerchantRow, user.merchant) if user.merchant else None
    token = tokens.issue(session, "welcome", user.id)
    whom = f"for {merchant.name}" if merchant is not None else f"as {user.role}"
    made = letter.Letter(
        sender=letter.Sender(name=operator),
        subject=f"You are invited to {operator}",
        text=f"{operator} invites you {whom}.\n\nThe link below works once and for seven days. "
        "You choose your name and a password there. If you did not expect this, do nothing.",
        button=letter.Button(
            label="Accept the invitation",
            url=f"{hub.settings.public_url.rstrip('/')}/welcome/{token}",
        ),
    )
    return Message(
        key=f"invitation:{user.id}:{tokens.digest(token)[:16]}",
        to=user.email,
        subject=made.subject,
        text=letter.text(made),
        html=letter.html(made),
        sender=operator,
        kind=KIND,
    )


def failed(hub: Hub, claim: Claim, connection: str, error: Exception) -> None:
    """Try again later where nothing was sent and that may help, else say why it did not go."""
    with hub.store.write() as session:
        row = session.get(ConnectionRow, connection)
        text = hub.connections.cover(row, message_of(error)) if row else message_of(error)
        if isinstance(error, Unauthorized):
            expire(hub, session, connection, text)
        if isinstance(error, Retry) and claim.tries < TRIES:
            defer(session, claim, session.wall + LATER, text)
            return
    end(hub, claim, connection, kind_of(error), text)


def end(
    hub: Hub, claim: Claim, connection: str | None, outcome: str, why: str, began: Any = None
) -> None:
    """Write down what became of a mail, for the history and in the log of its connection."""
    with hub.store.write() as session:
        user = session.get(UserRow, claim.subject)
        if user is None:  # the invitation was taken back meanwhile
            finish(session, claim)
            return
        done = f"mailed the invitation of {user.email}"
        said = done if outcome == "ok" else f"did not mail the invitation of {user.email}: {why}"
        if outcome == "unknown":
            said = f"tried to mail the invitation of {user.email}: {why}"
        audit.note(session, "person.mailed", user.id, said, merchant=user.merchant)
        row = session.get(ConnectionRow, connection) if connection else None
        if row is not None:
            text = f"invitation: {why}" if why else "invitation"
            activity.note(
                session, row, "out", "send", outcome, began=began, about=claim.id, text=text
            )
        finish(session, claim)
