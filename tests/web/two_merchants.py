"""A world with one row of every noun for each of two merchants, for the matrix of the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel, select

from hub.access import sessions, tokens, users
from hub.connections.activity import DELIVERY
from hub.driving.words import Report
from hub.events import CustomerFacts, MerchantFacts, OrderFacts, append
from hub.events.catalogue import OrderReceived
from hub.hub import Hub
from hub.outgoing import endpoints
from hub.proofs import handover
from hub.store import (
    ConnectionRow,
    DriverRow,
    EffectRow,
    FlagRow,
    ImportErrorRow,
    ImportRow,
    InboxRow,
    MerchantRow,
    MessageRow,
    OrderRow,
    OutgoingRow,
    PlanRow,
    ProofRow,
    ReoptimisationRow,
    RunRow,
    Session,
    StepRow,
    System,
    VehicleRow,
    WorkflowRow,
    WorkRow,
    new_id,
)
from hub.testing.fixtures import MORNING, World
from hub.testing.road import lay_route, lay_stop
from hub.workflow import consents
from hub.workflow.parts import assemble, load_workflows

MARK = "zq7-of-the-other-merchant"
"""Stands in every text of the other merchant, so that a leak is seen wherever it comes from."""
WORKFLOW = "order-received"


@dataclass
class Side:
    """One merchant: what its texts say, and the id of its row of each noun."""

    merchant: str
    mark: str
    ids: dict[str, str] = field(default_factory=dict)


def two_merchants(hub: Hub, world: World) -> tuple[Side, Side]:
    """Fill the hub for both merchants; return the reader's side and the other's."""
    assemble(hub)
    assert not load_workflows(hub).refused
    own = fill(hub, world, Side(world.merchant, "own"))
    return own, fill(hub, another(hub, world), Side("", MARK))


def another(hub: Hub, world: World) -> World:
    """Add the other merchant, whose orders another driver delivers."""
    with hub.store.write(System()) as session:
        merchant = MerchantRow(name=f"Shop {MARK}", slug="other-shop", phone="+4232300000")
        van = VehicleRow(name="Van 2")
        session.add_all([merchant, van])
        session.flush()
        driver = DriverRow(name="Nino Beck", depot=world.depot, vehicle=van.id)
        session.add(driver)
        session.flush()
        return World(merchant.id, world.depot, driver.id, van.id)


def fill(hub: Hub, world: World, side: Side) -> Side:
    """Write one row of every noun for the merchant of `world`."""
    side.merchant = side.ids["merchant"] = world.merchant
    side.ids |= {"driver": world.driver, "depot": world.depot, "vehicle": world.vehicle}
    with hub.store.write(System()) as session:
        drive(hub, session, world, side)
        come_in(hub, session, side)
        fail(session, side)
        say(session, side)
        listen(hub, session, side)
        session.flush()
    fill_the_rest(hub, side)
    return side


def drive(hub: Hub, session: Session, world: World, side: Side) -> None:
    """Publish a route of two stops and deliver at the first."""
    route = lay_route(session, world)
    made = [lay_stop(session, world, route, number)[0] for number in (1, 2)]
    for stop in made:
        order = session.get_one(OrderRow, stop.order)
        order.name = order.notes = order.invoice = f"{side.mark} {order.ref}"
        order.ref = f"{side.mark}-{order.ref}"
    session.flush()
    said = Report(id=uuid4(), kind="complete", stop=made[0].id, received_by=side.mark)
    handover.report(hub, session, world.driver, said, device="phone")
    session.flush()
    proof = session.exec(select(ProofRow).where(ProofRow.merchant == side.merchant)).one()
    side.ids |= {
        "route": route.id, "stop": made[1].id, "order": made[1].order, "proof": proof.id,
    }  # fmt: skip


def come_in(hub: Hub, session: Session, side: Side) -> None:
    """Add a user who is signed in, a key, a connection, a file and a message."""
    email = f"{side.mark}@example.com"
    user = users.add_user(session, email, "merchant", name=side.mark, merchant=side.merchant)
    session.flush()
    sessions.begin(session, user, how="password", agent=side.mark, address="192.0.2.1")
    tokens.issue_key(session, side.mark, ["orders:read"], side.merchant)
    folder = {"path": f"/tmp/{side.mark}"}
    kept = hub.connections.save(session, "folder", folder, merchant=side.merchant, title=side.mark)
    file = ImportRow(
        merchant=side.merchant, filename=side.mark, sha256="0" * 64, state="done",
        created_at=MORNING, note=side.mark,
    )  # fmt: skip
    session.add(file)
    session.flush()
    session.add(ImportErrorRow(import_=file.id, line=2, field="ref", reason=side.mark))
    session.add(
        MessageRow(
            key=side.mark,
            merchant=side.merchant,
            stop=side.ids["stop"],
            channel=kept.id,
            to="+4232300001",
            text=side.mark,
            created_at=MORNING,
        )
    )
    side.ids |= {"user": user.id, "connection": kept.id, "import": file.id}
    side.ids["session"] = only(session, "session", "user", user.id)
    side.ids["key"] = only(session, "api_key", "merchant", side.merchant)


def fail(session: Session, side: Side) -> None:
    """Let a workflow's run fail at its step, and bury a piece of work."""
    order = OrderFacts(id=side.ids["order"], ref=side.mark, total_minor=100)
    event = append(
        session,
        OrderReceived(
            subject=order.id,
            merchant_id=side.merchant,
            order=order,
            merchant=MerchantFacts(id=side.merchant, name=side.mark),
            customer=CustomerFacts(name=side.mark, phone="+4232345678"),
        ),
    )
    session.flush()
    revision = session.get_one(WorkflowRow, WORKFLOW).revision
    error = {"kind": "rejected", "step": "stop", "message": side.mark}
    run = RunRow(
        workflow=WORKFLOW, revision=revision, event=event, merchant=side.merchant,
        state="failed", error=error, started_at=MORNING, ended_at=MORNING,
    )  # fmt: skip
    session.add(run)
    session.flush()
    step = StepRow(
        run=run.id, path="stop", number=1, state="failed", input={"order": side.mark},
        error=error, started_at=MORNING, ended_at=MORNING,
    )  # fmt: skip
    work = WorkRow(
        kind="geocode", subject=side.ids["order"], state="dead", error=side.mark,
        not_before=MORNING, created_at=MORNING,
    )  # fmt: skip
    session.add_all([step, work])
    session.flush()
    connection = side.ids["connection"]
    session.add(
        EffectRow(key=f"{run.id}:stop:-", run=run.id, step=step.id, item="-", connection=connection)
    )
    side.ids |= {"run": run.id, "work": work.id, "event": event, "step": step.id}


def say(session: Session, side: Side) -> None:
    """Raise a flag, ask for a plan."""
    flag = FlagRow(
        key=side.mark, merchant=side.merchant, kind="look", subject=side.ids["stop"],
        text=side.mark, raised_at=MORNING,
    )  # fmt: skip
    day = MORNING.date() + timedelta(days=30)
    plan = PlanRow(
        depot=side.ids["depot"], service_date=day, state="failed", reason=side.mark,
        created_at=MORNING,
    )  # fmt: skip
    search = ReoptimisationRow(
        depot=side.ids["depot"], service_date=day, state="failed", reason=side.mark,
        created_at=MORNING,
    )  # fmt: skip
    session.add_all([flag, plan, search])
    side.ids |= {"flag": flag.id, "plan": plan.id, "reoptimisation": search.id}


def listen(hub: Hub, session: Session, side: Side) -> None:
    """Add an endpoint with a message on its way to it, and a consent that was begun."""
    url = f"https://hooks.example.com/{side.mark}"
    kept, _ = endpoints.add(session, hub.keys, url, merchant=side.merchant, description=side.mark)
    sent = OutgoingRow(
        endpoint=kept.id, merchant=side.merchant, event=side.ids["event"], type="order.received",
        subject=side.ids["order"], next_at=MORNING, created_at=MORNING, error=side.mark,
    )  # fmt: skip
    row = session.get_one(ConnectionRow, side.ids["connection"])
    begun = consents.begin(hub, session, row, user=side.ids["user"], browser="browser")
    came = InboxRow(
        source=row.id, key=side.mark, kind=DELIVERY, body=side.mark.encode(), status=422,
        received_at=MORNING, answer={"topic": side.mark},
    )  # fmt: skip
    session.add_all([sent, came])
    session.flush()
    side.ids["inbox"] = came.id
    side.ids |= {"endpoint": kept.id, "outgoing": sent.id, "consent": begun.id}


def fill_the_rest(hub: Hub, side: Side) -> None:
    """Write a plain row into every table that has a merchant and none of this one yet.

    So a new table is looked after from its first day; one with rules of its own gets lines above.
    """
    with hub.store.write(System()) as session:
        for table in SQLModel.metadata.sorted_tables:
            if "merchant" not in table.columns or side.merchant == "":
                continue
            found = session.connection().execute(
                table.select().where(table.c.merchant == side.merchant)
            )
            if found.first() is None:
                made = plain_row(table, side)
                session.connection().execute(table.insert().values(made))
                side.ids[table.name] = str(made.get("id", ""))


def plain_row(table: Table, side: Side) -> dict[str, Any]:
    """Return the values of a row that has what it has to have, and the mark in every text."""
    values: dict[str, Any] = {"merchant": side.merchant}
    for column in table.columns:
        if column.name in values or (column.nullable and not column.primary_key):
            continue
        known = next(iter(column.foreign_keys), None)
        if known is not None:
            values[column.name] = side.ids.get(known.column.table.name)
        elif column.primary_key:
            values[column.name] = new_id("row")
        else:
            values[column.name] = plain_value(column.type, side)
    return values


def plain_value(kind: TypeEngine[Any], side: Side) -> Any:
    """Return a value of a type of column."""
    plain = kind.impl if isinstance(kind, TypeDecorator) else kind
    made: list[tuple[type[Any], Any]] = [
        (String, side.mark), (DateTime, MORNING), (Date, MORNING.date()), (Boolean, True),
        (Integer, 1), (Float, 1.0), (LargeBinary, side.mark.encode()), (JSON, {}),
    ]  # fmt: skip
    return next(value for one, value in made if isinstance(plain, one))


def only(session: Session, table: str, column: str, value: str) -> str:
    """Return the id of the one row of a table that has a value."""
    session.flush()
    found = SQLModel.metadata.tables[table]
    query = found.select().where(found.c[column] == value)
    return str(session.connection().execute(query).one().id)


def rows(hub: Hub) -> dict[tuple[str, tuple[Any, ...]], tuple[Any, ...]]:
    """Return all that the database holds: table and key -> row."""
    with hub.store.read() as session:
        connection = session.connection()
        return {
            (table.name, tuple(getattr(row, key.name) for key in table.primary_key)): tuple(row)
            for table in SQLModel.metadata.sorted_tables
            for row in connection.execute(table.select())
        }


__all__ = ["MARK", "Side", "rows", "two_merchants"]
