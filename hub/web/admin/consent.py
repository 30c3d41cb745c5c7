"""How a connection is authenticated: connect by consent, come back from it, connect anew, end it.

The consent page lies at another origin, and a browser lets no form of ours lead there
(form-action), over redirects neither. So the button leads to a page of ours that goes on by itself
and leaves no trace in the history; it also waits for the worker that makes the address, because no
connector is called in the web process.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from sqlmodel import select
from werkzeug.wrappers import Response as AnyResponse

from hub.access import get
from hub.connections import consent, grants
from hub.connections.fields import secret_fields
from hub.connector import Connector
from hub.errors import Missing, Refused
from hub.store import ConnectionRow, ConsentRow, Merchant, Operator, Session, WorkRow
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow
from hub.web.problems import Problem
from hub.workflow import consents, renewals, subscriptions

blueprint = Blueprint("consent", __name__, url_prefix="/admin/connections")
KEEPERS = ("owner", "ops", "merchant")
MARK = "consent"
"""Name in the browser's session of what binds a consent to it."""
SOON = timedelta(minutes=10)
"""How long the outcome of a consent is told on the page."""


@blueprint.get("/<id>/connection")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show how one connection is authenticated, and until when."""
    with read() as opened:
        row = get(opened, ConnectionRow, id)
        return render_tab("admin/connection/consent.html", row, **shown(opened, row))


@blueprint.get("/<id>/connection/state")
@allow(*KEEPERS)
def state(id: str) -> str:
    """Show the same without what stands around it, while a worker does its part."""
    with read() as opened:
        row = get(opened, ConnectionRow, id)
        return render_template("admin/connection/_consent.html", row=row, **shown(opened, row))


@blueprint.post("/<id>/consent")
@allow(*KEEPERS)
def start(id: str) -> AnyResponse:
    """Begin a consent."""
    with write() as opened:
        row = get(opened, ConnectionRow, id)
        if not grants.by_consent(kind_of(row)):
            raise Refused(f"{row.title} is not connected by consent; see its settings")
        made = consents.begin(hub(), opened, row, user=reader(), browser=browser())
    return redirect(url_for("consent.leave", id=id, consent_id=made.id), 303)


@blueprint.get("/<id>/consent/<consent_id>")
@allow(*KEEPERS)
def leave(id: str, consent_id: str) -> str:
    """Show that the way leads to another site; the page goes on by itself."""
    with read() as opened:
        row = get(opened, ConnectionRow, id)
        made = own(opened, row, consent_id)
    return render_tab("admin/connection/leave.html", row, **leaving(row, made))


@blueprint.get("/<id>/consent/<consent_id>/go")
@allow(*KEEPERS)
def go(id: str, consent_id: str) -> AnyResponse | str:
    """Lead to the consent page as soon as a worker has made its address."""
    with read() as opened:
        row = get(opened, ConnectionRow, id)
        made = own(opened, row, consent_id)
        over = made.expires_at <= opened.wall
    if made.state == "open" and not over:
        return quiet(redirect(consent.opened(hub().keys, made)["address"], 302))
    if made.state in ("asked", "failed") and not over:
        return render_tab("admin/connection/leave.html", row, **leaving(row, made))
    return redirect(url_for("consent.page", id=id))


@blueprint.get("/callback")
@allow("public")
def callback() -> AnyResponse:
    """Take somebody back from a consent page; the code is shown to its service by a worker.

    Open to everybody, so that nobody is sent to the sign-in page with a code in the address.
    """
    if g.principal is None or g.via != "session" or MARK not in session:
        raise Problem(400, consent.NOT_OURS)
    try:
        with write() as opened:
            made = consent.redeem(
                opened, hub().keys, request.args.to_dict(), user=reader(), browser=session[MARK]
            )
            connection = get(opened, ConnectionRow, made.connection).id
            if made.state == "returned":
                consents.request(opened, made)
    except Refused as error:
        raise Problem(400, str(error)) from None
    return quiet(redirect(url_for("consent.page", id=connection), 303))


@blueprint.post("/<id>/consent/<consent_id>/answer")
@allow(*KEEPERS)
def answer(id: str, consent_id: str) -> AnyResponse:
    """Take the other account that a consent opened, or leave everything as it was."""
    with write() as opened:
        row = get(opened, ConnectionRow, id)
        made = own(opened, row, consent_id, held=True)
        if made.state != "question" or made.expires_at <= opened.wall:
            raise Refused("this was answered already, or too late; see the connection")
        if request.form.get("keep") == "yes":
            consents.take(hub(), opened, made, consent.held(hub().keys, made))
        else:
            consents.drop(opened, made)
            flash(f"{made.account} was not taken. Everything is as it was before.")
    return redirect(url_for("consent.page", id=id), 303)


@blueprint.post("/<id>/disconnect")
@allow(*KEEPERS)
def disconnect(id: str) -> AnyResponse:
    """Forget what came by consent."""
    with write() as opened:
        row = get(opened, ConnectionRow, id)
        if row.renewed_at is None:
            raise Refused(f"{row.title} was not connected by consent, so there is nothing to end")
        subscriptions.leave(hub(), opened, row)
        consents.tell(opened, hub().connections.ungrant(opened, row.id))
    flash("Disconnected. Its tokens are deleted here; its work waits.", "good")
    return redirect(url_for("consent.page", id=id), 303)


def shown(opened: Session, row: ConnectionRow) -> dict[str, Any]:
    """Return what the page shows of a connection."""
    kind, wall = kind_of(row), opened.wall
    by = grants.by_consent(kind)
    made = consent.latest(opened, row.id, reader()) if by else None
    if made is not None and not is_news(made, wall):
        made = None
    wanted = grants.needed(kind, row.config)
    return {
        "kind": kind,
        "by_consent": by,
        "connected": row.renewed_at is not None,
        "consent": made,
        "busy": made is not None and made.state in ("returned", "exchanging"),
        "scopes": [(one, one in row.scopes) for one in dict.fromkeys([*wanted, *row.scopes])],
        "missing": [one for one in wanted if one not in row.scopes],
        "ends": span(row.expires_at, wall),
        "renewed": span(row.renewed_at, wall),
        "renewal": failing(opened, row),
        "secrets": titles(kind, hub().connections.secrets_of(row)),
        "callback_url": consents.callback_url(hub()),
        "doubts": doubts(),
    }


def is_news(made: ConsentRow, wall: datetime) -> bool:
    """Say whether a consent is worth showing: under way, or ended a moment ago."""
    if made.state in consent.ENDED:
        return made.ended_at is not None and wall - made.ended_at < SOON
    return made.expires_at > wall


def failing(opened: Session, row: ConnectionRow) -> str:
    """Return why the last renewal failed, while it is being tried again."""
    query = select(WorkRow.error).where(
        WorkRow.kind == renewals.KIND, WorkRow.subject == row.id, WorkRow.state == "ready"
    )
    return opened.exec(query).first() or ""


def titles(kind: type[Connector[Any]], stored: set[str]) -> list[str]:
    """Return what people call the secrets of a connector that are stored."""
    fields = kind.Config.model_fields
    return [
        fields[name].title or name for name in fields if name in stored & secret_fields(kind.Config)
    ]


def doubts() -> list[str]:
    """Return why a service may refuse to send people back to this hub."""
    public = urlsplit(hub().settings.public_url)
    found = []
    if public.scheme != "https" and public.hostname not in ("localhost", "127.0.0.1", "::1"):
        found.append(
            f"Many services send people back to https addresses only, and this hub's is "
            f"{public.scheme}. Put it behind https and set HUB_PUBLIC_URL."
        )
    if request.host.lower() != public.netloc.lower():
        found.append(
            f"You are on {request.host}, but services send people back to {public.netloc}. "
            f"Open the hub there to connect, or set HUB_PUBLIC_URL."
        )
    return found


def span(at: datetime | None, wall: datetime) -> str:
    """Return `in 12 min` or `3 h ago`; nothing for no instant."""
    if at is None:
        return ""
    seconds = abs((at - wall).total_seconds())
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size or (unit == "min" and seconds >= size):
            number = f"{int(seconds // size)} {unit}"
            return f"in {number}" if at > wall else f"{number} ago"
    return "in less than a minute" if at > wall else "just now"


def leaving(row: ConnectionRow, made: ConsentRow) -> dict[str, Any]:
    """Return what the page shows that leads to a consent page."""
    return {
        "consent": made,
        "title": kind_of(row).title,
        "onward": url_for("consent.go", id=row.id, consent_id=made.id),
    }


def own(opened: Session, row: ConnectionRow, id: str, *, held: bool = False) -> ConsentRow:
    """Return a consent of a connection that the reader began; raise `Missing` otherwise."""
    made = get(opened, ConsentRow, id)
    if held:
        opened.refresh(made, with_for_update=True)
    if made.connection != row.id or made.user != reader():
        raise Missing(f"there is no consent {id[:60]}")
    return made


def kind_of(row: ConnectionRow) -> type[Connector[Any]]:
    """Return the connector class of a connection."""
    return hub().plugins.connector(row.connector)


def reader() -> str:
    """Return the id of the user who asks."""
    found = principal()
    return found.user if isinstance(found, Operator | Merchant) else ""


def browser() -> str:
    """Return what marks the reader's browser, made when it is first needed."""
    if MARK not in session:
        session[MARK] = secrets.token_urlsafe(16)
    return str(session[MARK])


def quiet(response: AnyResponse) -> AnyResponse:
    """Return an answer whose address, or the one it leads to, is told to nobody."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
