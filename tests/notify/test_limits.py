"""What keeps texts from being sent: opt-outs, the limit of a day, countries."""

from __future__ import annotations

import pytest
from sqlmodel import select, update

from hub.errors import Refused, Rejected
from hub.hub import Hub
from hub.notify import limits, optouts
from hub.store import AuditRow, DepotRow, FlagRow, MerchantRow, Operator, System
from hub.testing.fixtures import World
from hub.testing.peers.sms import SmsPeer

from .conftest import connect, rows, run, wanted

BY = Operator("owner", user="cli")


def allow(hub: Hub, merchant: str, daily: int = 500, countries: str = "", footer: str = "") -> None:
    with hub.store.write(BY) as session:
        limits.change(session, merchant, daily, countries, footer)


def flags(hub: Hub) -> list[FlagRow]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(FlagRow)))


def test_who_has_opted_out_gets_nothing_and_no_step_fails(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with hub.store.write(System()) as session:
        optouts.add(session, world.merchant, "sms", "+4237920001", "wrote STOP")
    output = run(hub, world.merchant, wanted(stop, to="+423 792 00 01"))
    assert gateway.sent == []
    assert output.ref == ""
    assert output.state == "opted_out"
    (row,) = rows(hub)
    assert (row.state, row.to) == ("withheld", "+4237920001")
    assert row.error == "the recipient has opted out (wrote STOP, 23 Nov 2026)"


def test_an_opt_out_of_one_merchant_leaves_the_others_alone(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        optouts.add(session, other.id, "sms", "+4237920001", "wrote STOP")
    run(hub, world.merchant, wanted(stop))
    assert len(gateway.sent) == 1


def test_a_merchant_sends_as_many_texts_a_day_as_it_may_and_is_flagged_once(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    allow(hub, world.merchant, daily=2)
    for number in range(2):
        run(hub, world.merchant, wanted(stop), key=f"run:{number}:-")
    for number in range(2, 5):
        with pytest.raises(Rejected, match="sent 2 texts today"):
            run(hub, world.merchant, wanted(stop), key=f"run:{number}:-")
    assert len(gateway.sent) == 2
    assert [flag.kind for flag in flags(hub)] == ["text_limit"]
    assert sorted(row.state for row in rows(hub)) == ["rejected"] * 3 + ["sent"] * 2


def test_a_text_that_is_sent_again_under_its_key_counts_once(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    allow(hub, world.merchant, daily=1)
    run(hub, world.merchant, wanted(stop))
    run(hub, world.merchant, wanted(stop))
    assert len(gateway.sent) == 1


def test_the_next_day_begins_anew_in_the_depots_zone(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    with hub.store.read(System()) as session:
        assert limits.today(session).isoformat() == "2026-11-23T00:00:00+01:00"


def test_a_number_abroad_is_rejected_until_its_country_is_allowed(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    abroad = wanted(stop, to="+7 912 345 67 89")
    with pytest.raises(Rejected, match=r"is of RU, and Alpenkraut sends texts to CH DE LI only"):
        run(hub, world.merchant, abroad)
    assert gateway.sent == []
    allow(hub, world.merchant, countries="ch, ru")
    run(hub, world.merchant, abroad)
    assert gateway.sent[0].sent["to"] == "+79123456789"


def test_before_there_is_a_depot_texts_go_anywhere_unless_countries_were_chosen(
    hub: Hub, world: World, gateway: SmsPeer
) -> None:
    with hub.store.write(System()) as session:
        merchant = MerchantRow(name="Fresh", slug="fresh")
        session.add(merchant)
        session.flush()
        session.exec(update(DepotRow).values(timezone="UTC"))
    connect(hub, gateway, None)
    run(hub, merchant.id, wanted("", to="+7 912 345 67 89"))
    allow(hub, merchant.id, countries="CH")
    with pytest.raises(Rejected, match="sends texts to CH only"):
        run(hub, merchant.id, wanted("", to="+7 912 345 67 89"), key="run:2:-")


def test_a_text_ends_with_the_merchants_last_words_and_its_parts_are_counted(
    hub: Hub, world: World, stop: str, gateway: SmsPeer
) -> None:
    connect(hub, gateway, None)
    allow(hub, world.merchant, footer="Reply STOP to opt out")
    run(hub, world.merchant, wanted(stop, text="a" * 150))
    assert gateway.sent[0].sent["text"] == "a" * 150 + "\nReply STOP to opt out"
    assert rows(hub)[0].segments == 2


@pytest.mark.parametrize(
    ("daily", "countries", "footer", "field"),
    [(-1, "", "", "daily"), (5, "Narnia", "", "countries"), (5, "", "x" * 161, "footer")],
)
def test_a_limit_that_makes_no_sense_is_refused(
    hub: Hub, world: World, daily: int, countries: str, footer: str, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        allow(hub, world.merchant, daily, countries, footer)
    assert caught.value.field == field


def test_who_changed_a_limit_is_in_the_audit_log(hub: Hub, world: World) -> None:
    allow(hub, world.merchant, 40, "LI")
    with hub.store.read(System()) as session:
        texts = [row.text for row in session.exec(select(AuditRow))]
    assert texts == ["let Alpenkraut send 40 texts a day, to LI"]
