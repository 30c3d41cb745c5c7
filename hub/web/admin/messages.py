"""Messages: what was sent to recipients and what came back, who wants no more, what may be sent."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access import get
from hub.errors import Refused
from hub.notify import limits, optouts, sheets
from hub.notify.segments import segments
from hub.store import Merchant, MerchantRow, Session
from hub.tracking.links import tracking_url
from hub.web.context import hub, principal, read, write
from hub.web.frame import Entry
from hub.web.policy import allow, allowed, permitted

blueprint = Blueprint("messages", __name__, url_prefix="/admin/messages")
READERS = ("owner", "dispatcher", "ops", "accountant", "merchant")
KEEPERS = ("owner", "dispatcher", "ops", "merchant")
"""Who may put addresses on the list and take them off."""
SETTERS = ("owner", "ops")
"""Who may say what a merchant may send: it is the operator's bill."""
SHOWN = 100
TABS = (
    ("messages.page", "Sent"),
    ("messages.written_back", "Replies"),
    ("messages.opted_out", "Opted out"),
    ("messages.limits_page", "Limits"),
)


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show the newest messages, narrowed down to what was asked for."""
    wanted = asked()
    with read() as session:
        rows = sheets.messages(session, wanted, SHOWN + 1)
        more = rows[SHOWN - 1].id if len(rows) > SHOWN else ""
        refs = sheets.order_refs(session, {row.stop for row in rows if row.stop})
        named = names(session)
    return rendered(
        "admin/messages/sent.html",
        rows=rows[:SHOWN],
        more=more,
        refs=refs,
        links={stop: tracking_url(hub(), stop) for stop in refs},
        wanted=wanted,
        states=sheets.STATES,
        media=sheets.MEDIA,
        narrow=any((wanted.state, wanted.medium, wanted.merchant)),
        **named,
    )


@blueprint.get("/replies")
@allow(*READERS)
def written_back() -> str:
    """Show what recipients wrote back, newest first."""
    before = request.args.get("before", "")[:60]
    with read() as session:
        rows = sheets.replies(session, before.replace("\0", ""), SHOWN + 1)
        more = rows[SHOWN - 1].id if len(rows) > SHOWN else ""
        refs = sheets.order_refs(session, {row.stop for row in rows if row.stop})
        named = names(session)
    links = {stop: tracking_url(hub(), stop) for stop in refs}
    told = {"rows": rows[:SHOWN], "more": more, "refs": refs, "links": links}
    return rendered("admin/messages/replies.html", **told, **named)


@blueprint.get("/opt-outs")
@allow(*READERS)
def opted_out() -> str:
    """Show who wants no more messages."""
    return opt_outs()


@blueprint.post("/opt-outs")
@allow(*KEEPERS)
def enter() -> Response | tuple[str, int]:
    """Put an address on the list."""
    form = request.form
    try:
        with write() as session:
            merchant = owner_of(session, form.get("merchant", ""))
            medium: optouts.Medium = "email" if form.get("medium") == "email" else "sms"
            new = optouts.enter(session, merchant, medium, form.get("address", "")[:320])
    except Refused as error:
        return opt_outs(error), 422
    said = "It is on the list; nothing is sent there any more." if new else "It was on the list."
    flash(said, "good" if new else "warn")
    return redirect(url_for("messages.opted_out"))


@blueprint.post("/opt-outs/<id>/remove")
@allow(*KEEPERS)
def lift(id: str) -> Response:
    """Take an address off the list."""
    with write() as session:
        row = optouts.lift(session, id)
    flash(f"Messages go to {row.address} again.", "good")
    return redirect(url_for("messages.opted_out"))


@blueprint.get("/limits")
@allow(*SETTERS)
def limits_page() -> str:
    """Show what each merchant may send and has sent today, and count a text."""
    return limits_shown()


@blueprint.post("/limits/<merchant>")
@allow(*SETTERS)
def change(merchant: str) -> Response | tuple[str, int]:
    """Change what a merchant may send."""
    form = request.form
    try:
        daily = form.get("daily", "").strip()
        if not daily.isdecimal() or len(daily) > 7:
            raise Refused("write the texts of a day as a whole number of at least 0", "daily")
        with write() as session:
            countries, footer = form.get("countries", ""), form.get("footer", "")
            limits.change(session, merchant, int(daily), countries[:2000], footer)
            name = get(session, MerchantRow, merchant).name
    except Refused as error:
        return limits_shown(error, merchant), 422
    flash(f"The limits of {name} are saved and hold from the next text on.", "good")
    return redirect(url_for("messages.limits_page"))


def asked() -> sheets.Wanted:
    """Return what the address of the page asks for; raise `Refused` for a state that is none."""
    names = ("state", "medium", "merchant", "before")
    told = {name: request.args.get(name, "").replace("\0", "")[:60] for name in names}
    for name, known in (("state", sheets.STATES), ("medium", sheets.MEDIA)):
        if told[name] and told[name] not in known:
            raise Refused(f"there is no {name} {told[name]}; one of {', '.join(known)}", name)
    return sheets.Wanted(**told)


def opt_outs(error: Refused | None = None) -> str:
    """Return the page of the list."""
    search = request.args.get("q", "").replace("\0", "").strip()[:100]
    with read() as session:
        rows = optouts.listed(session, search)
        named = names(session)
    writes = permitted(allowed(current_app, "messages.enter"))
    told = {"rows": rows, "search": search, "writes": writes, "error": error}
    return rendered("admin/messages/opt_outs.html", **told, **named, form=request.form)


def limits_shown(error: Refused | None = None, at: str = "") -> str:
    """Return the page of the limits, with what was typed where it was refused."""
    text = request.args.get("text", "")[:2048].replace("\r\n", "\n")
    with read() as session:
        merchants = sheets.merchant_names(session)
        rows = [
            (id, name, limits.limits(session, id), limits.sent_today(session, id))
            for id, name in merchants.items()
        ]
        depots = limits.home(session)
    told = {"rows": rows, "depots": depots, "text": text, "error": error, "at": at}
    counted = segments(text) if text else None
    return rendered("admin/messages/limits.html", **told, counted=counted, form=request.form)


def names(session: Session) -> dict[str, Any]:
    """Return the titles of channels, and the merchants where the reader sees more than one."""
    own = isinstance(principal(), Merchant)
    merchants = {} if own else sheets.merchant_names(session)
    return {"channels": sheets.channel_titles(session), "merchants": merchants}


def owner_of(session: Session, merchant: str) -> str:
    """Return the merchant on whose list an address goes."""
    reader = principal()
    if isinstance(reader, Merchant):
        return reader.id
    if not merchant:
        raise Refused("choose the merchant whose messages are meant", "merchant")
    return get(session, MerchantRow, merchant).id


def rendered(template: str, **shown: Any) -> str:
    """Return one page of the messages, with the tabs that the reader may open."""
    tabs = [
        Entry(url_for(endpoint), label)
        for endpoint, label in TABS
        if permitted(allowed(current_app, endpoint))
    ]
    return render_template(template, tabs=tabs, **shown)
