"""Flags: raised once per cause, cleared by somebody."""

from __future__ import annotations

import pytest

from hub.dispatch import register
from hub.dispatch.flags import FlagInput, clear_flag, open_flags, raise_flag
from hub.errors import Missing
from hub.hub import Hub
from hub.store import Merchant, System
from hub.testing.town import Town


def test_the_same_cause_is_one_flag(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        one = raise_flag(session, "k", "late", "Lea is late")
        other = raise_flag(session, "k", "late", "Lea is late")
    assert one.id == other.id
    assert [event.subject for event in town.events("flag.raised")] == [one.id]


def test_clearing_says_who_did_it_and_is_told_once(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        id = raise_flag(session, "k", "late", "Lea is late").id
    for by in ("anna", "beat"):
        with hub.store.write(System()) as session:
            clear_flag(session, id, by)
    with hub.store.read(System()) as session:
        assert open_flags(session) == []
    assert len(town.events("flag.cleared")) == 1


def test_a_workflow_flags_a_stop_for_its_merchant(hub: Hub, town: Town) -> None:
    register(hub)
    action = hub.actions["dispatch.flag"]
    stop = town.stop()
    given = FlagInput(kind="failed", text="Nobody was at home", stop=stop)
    with hub.store.write(System(town.world.merchant)) as session:
        made = action.run(hub, session, given)  # type: ignore[attr-defined]
    with hub.store.read(Merchant(town.world.merchant)) as session:
        (flag,) = open_flags(session)
    assert (flag.id, flag.subject, flag.merchant) == (made.id, stop, town.world.merchant)


def test_two_events_about_one_stop_are_two_flags(hub: Hub, town: Town) -> None:
    register(hub)
    given = FlagInput(kind="failed", text="Nobody was at home", stop=town.stop())
    ids = set()
    for event in ("evt_1", "evt_2", "evt_1"):
        with hub.store.write(System()) as session:
            session.info["cause"] = (event, 0)
            action = hub.actions["dispatch.flag"]
            ids.add(action.run(hub, session, given).id)  # type: ignore[attr-defined]
            session.info.clear()
    assert len(ids) == 2


def test_another_merchants_stop_cannot_be_flagged_nor_its_flags_seen(hub: Hub, town: Town) -> None:
    register(hub)
    given = FlagInput(kind="failed", text="x", stop=town.stop())
    with hub.store.write(System("mer_other")) as session, pytest.raises(Missing):
        hub.actions["dispatch.flag"].run(hub, session, given)  # type: ignore[attr-defined]
    with hub.store.write(System()) as session:
        raise_flag(session, "k", "late", "Lea is late", merchant=town.world.merchant)
    with hub.store.read(Merchant("mer_other")) as session:
        assert open_flags(session) == []


def test_a_long_text_is_cut_rather_than_refused(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        assert raise_flag(session, "k", "late", "x" * 9000).text == "x" * 500
