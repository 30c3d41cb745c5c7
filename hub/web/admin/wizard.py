"""Set a connection up in three steps, each with its own address: connect, test, look and enable.

The row is there from the first step on, so that a set-up can be left and gone on with; nothing runs
through it before the last one.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access import get
from hub.builtin.generic.fields import Fields
from hub.connections import undo
from hub.connections.fields import fills
from hub.connections.grants import by_consent
from hub.connector import Connector
from hub.errors import Refused
from hub.orders.mapping import Mapping
from hub.store import ConnectionRow, Merchant, MerchantRow, Session
from hub.web.admin import fieldmap, forms
from hub.web.admin.connections import (
    KEEPERS,
    changed,
    form_fields,
    known_merchants,
    said_title,
)
from hub.web.admin.fieldmap import fields_of, shape_of
from hub.web.admin.kinds import abilities, hook_of, offered, steps_for
from hub.web.admin.mapping import known_depots, sent_rules
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow
from hub.workflow import checks, previews, pulls
from hub.workflow.usage import uses

blueprint = Blueprint("wizard", __name__, url_prefix="/admin/connections")


@blueprint.get("/new/<connector>")
@allow(*KEEPERS)
def new(connector: str) -> str:
    """Show the empty form of a connector."""
    return connect_page(offered(connector))


@blueprint.post("/new/<connector>")
@allow(*KEEPERS)
def add(connector: str) -> Response | tuple[str, int]:
    """Add a connection that is not set up yet, and go on to its test."""
    return connect(offered(connector), None)


@blueprint.get("/<id>/setup/connect")
@allow(*KEEPERS)
def again(id: str) -> Response | str:
    """Show the first step of a set-up that was begun."""
    row = begun(id)
    return row if isinstance(row, Response) else connect_page(offered(row.connector), row)


@blueprint.post("/<id>/setup/connect")
@allow(*KEEPERS)
def amend(id: str) -> Response | tuple[str, int]:
    """Change what the first step was given; what the test showed does not count any more."""
    row = begun(id)
    return row if isinstance(row, Response) else connect(offered(row.connector), row)


@blueprint.get("/<id>/setup/test")
@allow(*KEEPERS)
def test(id: str) -> Response | str:
    """Show how the real call went, or that it is still being made."""
    row = begun(id)
    if isinstance(row, Response):
        return row
    with read() as session:
        preview = previews.find(session, id, "test")
    found = previews.found(hub(), preview)
    mappable = shape_of(row.connector) is not None
    order = fieldmap.chosen_order(fields_of(row), found) if mappable else None
    if order is not None:
        found["order"] = order.model_dump(mode="json", exclude_unset=True)
    return step_page("test", row, preview=preview, found=found, rules=Mapping.of(row))


@blueprint.post("/<id>/setup/test")
@allow(*KEEPERS)
def try_it(id: str) -> Response:
    """Ask a worker for the real call."""
    with write() as session:
        previews.request(session, get(session, ConnectionRow, id).id, "test")
    return redirect(f"/admin/connections/{id}/setup/test")


@blueprint.get("/<id>/setup/map")
@allow(*KEEPERS)
def fields(id: str) -> Response | str:
    """Show which field comes from where, for a source that has to be told."""
    row = begun(id)
    if isinstance(row, Response):
        return row
    if shape_of(row.connector) is None:
        return redirect(f"/admin/connections/{id}/setup/test")
    return step_map(row, fields_of(row))


@blueprint.get("/<id>/setup/review")
@allow(*KEEPERS)
def review(id: str) -> Response | str:
    """Show what would come in, or what will go out, once the connection is enabled."""
    row = begun(id)
    if isinstance(row, Response):
        return row
    with read() as session:
        if not tested(session, id):
            return redirect(f"/admin/connections/{id}/setup/test")
        preview = previews.find(session, id, "dry_run")
        used, depots = uses(hub(), session, row), known_depots(session)
    return step_page(
        "review", row, preview=preview, found=previews.found(hub(), preview), uses=used,
        rules=Mapping.of(row), depots=depots, steps=steps_for(row),
    )  # fmt: skip


@blueprint.post("/<id>/setup/review")
@allow(*KEEPERS)
def look(id: str) -> Response:
    """Keep what every order gets, and ask a worker what would then be imported."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        if "mapping" in request.form:
            row.mapping = sent_rules(session).model_dump(exclude_defaults=True)
        if pulls.hands_over(hub(), row):
            previews.request(session, id, "dry_run")
    return redirect(f"/admin/connections/{id}/setup/review")


@blueprint.post("/<id>/setup/enable")
@allow(*KEEPERS)
def enable(id: str) -> Response:
    """Put the connection into use; raise `Refused` before its test went well."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        if row.state == "not_set_up":
            if not tested(session, id):
                raise Refused(f"{row.title} has not been tested with these settings yet")
            hub().connections.enable(session, id)
            changed(session, row)
            checks.request(session, id)
            if is_shop(row):
                pulls.request(session, id)
    more = " Its first orders are being read." if is_shop(row) else ""
    flash(f"{row.title} is in use.{more}", "good")
    return redirect(f"/admin/connections/{id}")


def begun(id: str) -> ConnectionRow | Response:
    """Return a connection that is not set up yet, or the way to the page of one that is."""
    with read() as session:
        row = get(session, ConnectionRow, id)
    return row if row.state == "not_set_up" else redirect(f"/admin/connections/{id}")


def tested(session: Session, id: str) -> bool:
    """Say whether the settings that a connection has now went through a test."""
    row = previews.find(session, id, "test")
    return row is not None and row.state == "done"


def is_shop(row: ConnectionRow) -> bool:
    """Say whether orders are read from a connection by themselves."""
    return row.merchant is not None and pulls.hands_over(hub(), row)


def connect(kind: type[Connector[Any]], row: ConnectionRow | None) -> Response | tuple[str, int]:
    """Store what the first step says; show it again with the field at fault marked otherwise."""
    try:
        given = forms.settings(kind.Config, request.form)
        with write() as session:
            saved = hub().connections.save(
                session,
                kind.name,
                given,
                merchant=row.merchant if row else said_owner(session, kind),
                title=said_title(),
                id=row.id if row else None,
                draft=True,
            )
            previews.forget(session, saved.id)
            changed(session, saved)
            if not by_consent(kind):
                previews.request(session, saved.id, "test")
    except Refused as error:
        return connect_page(kind, row, error), 422
    where = "connect#consent" if by_consent(kind) else "test"
    return redirect(f"/admin/connections/{saved.id}/setup/{where}")


def said_owner(session: Session, kind: type[Connector[Any]]) -> str | None:
    """Return the merchant that a new connection belongs to, `None` for the operator.

    Whatever a merchant's form says, it sets up its own; orders always belong to somebody.
    """
    reader = principal()
    if isinstance(reader, Merchant):
        return reader.id
    said = request.form.get("merchant", "")
    if not said and sells(kind):
        raise Refused("Choose whose orders these are", "merchant")
    return get(session, MerchantRow, said).id if said else None


def sells(kind: type[Connector[Any]]) -> bool:
    """Say whether a connector is about to hand over orders, as far as the form says that yet."""
    if not pulls.is_source(hub(), kind.name):
        return False
    setting = kind.needs.get("order_sources")
    return setting is None or fills(kind, setting, request.form.get(f"{forms.PREFIX}{setting}"))


def connect_page(
    kind: type[Connector[Any]], row: ConnectionRow | None = None, error: Refused | None = None
) -> str:
    """Return the first step: name, owner, settings, and the way to a consent page."""
    with read() as session:
        merchants = known_merchants(session)
    there = row is not None and "consent.start" in current_app.view_functions
    return render_template(
        "admin/setup/connect.html",
        kind=kind,
        row=row,
        hook=hook_of(kind.name),
        abilities=abilities(kind),
        fields=form_fields(kind, row, error),
        error=error,
        title=request.form.get("title", row.title if row else ""),
        merchants=merchants,
        merchant=request.form.get("merchant", row.merchant if row else ""),
        source=sells(kind),
        own=isinstance(principal(), Merchant),
        by_consent=by_consent(kind),
        mappable=shape_of(kind.name) is not None,
        consent=url_for("consent.start", id=row.id) if row is not None and there else "",
    )


def step_map(
    row: ConnectionRow, own: Fields, guessed: frozenset[str] = frozenset(), *, tried: bool = False
) -> str:
    """Return the step in which fields are mapped, with those that are kept or only tried."""
    with read() as session:
        preview = previews.find(session, row.id, "test")
        until = undo.until(row, session.wall)
    return step_page(
        "map",
        row,
        preview=preview,
        map=fieldmap.view(row, own, previews.found(hub(), preview), guessed),
        map_tried=tried,
        undo_until=until,
        open=True,
    )


def step_page(step: str, row: ConnectionRow, **shown: Any) -> str:
    """Return the page of the second or third step."""
    kind = hub().plugins.connector(row.connector)
    return render_template(
        f"admin/setup/{step}.html",
        row=row,
        kind=kind,
        hook=hook_of(kind.name),
        source=pulls.hands_over(hub(), row),
        mappable=shape_of(kind.name) is not None,
        **shown,
    )
