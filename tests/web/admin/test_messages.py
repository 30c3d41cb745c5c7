"""The pages of messages: filters, replies, the list of opt-outs, limits; and the API."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.notify import optouts
from hub.store import AuditRow, MerchantRow, MessageRow, OptOutRow, ReplyRow, System, TextLimitRow
from hub.testing.fixtures import MORNING, World

PAGE = "/admin/messages"


@pytest.fixture
def owner(sign_in: Any) -> Any:
    return sign_in("owner")


def text(hub: Hub, merchant: str, to: str = "+41791234567", **more: Any) -> str:
    told = {"text": f"To {to}", "state": "sent", "channel": "con_gone", **more}
    with hub.store.write(System()) as session:
        row = MessageRow(
            key=f"{merchant}:{to}", merchant=merchant, to=to, created_at=MORNING, **told
        )
        session.add(row)
        session.flush()
        return row.id


def other(hub: Hub) -> str:
    with hub.store.write(System()) as session:
        row = MerchantRow(name="Bergquell", slug="bergquell")
        session.add(row)
        session.flush()
        return row.id


def all_of(hub: Hub, table: type[Any]) -> list[Any]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(table)))


def test_messages_are_narrowed_by_state_medium_and_merchant(
    owner: Any, hub: Hub, world: World
) -> None:
    text(hub, world.merchant, segments=3)
    text(hub, world.merchant, "+41791234568", state="withheld", error="opted out (wrote STOP)")
    text(hub, other(hub), "anna@example.com", medium="email", subject="Your parcel")
    page = owner.get(PAGE).text
    for words in "3 parts", "opted out (wrote STOP)", "Your parcel", "Bergquell":
        assert words in page
    assert "anna@" not in owner.get(f"{PAGE}?state=withheld").text
    assert "+41791234568" in owner.get(f"{PAGE}?state=withheld").text
    assert "anna@" in owner.get(f"{PAGE}?medium=email").text
    assert "anna@" not in owner.get(f"{PAGE}?merchant={world.merchant}").text
    assert "No such message" in owner.get(f"{PAGE}?state=unknown").text
    assert owner.get(f"{PAGE}?state=lost").status_code == 422


def test_older_messages_are_a_page_further(
    owner: Any, hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.admin.messages.SHOWN", 2)
    ids = [text(hub, world.merchant, f"+4179123456{number}") for number in range(3)]
    page = owner.get(PAGE).text
    assert ids[0] not in page
    assert f"before={ids[1]}" in page
    assert ids[0] in owner.get(f"{PAGE}?before={ids[1]}").text


def test_empty_pages_say_what_will_come(owner: Any) -> None:
    for path, words in (
        ("", "No messages yet"), ("/replies", "Nobody has written back"),
        ("/opt-outs", "Nobody has opted out"), ("/limits", "No merchants yet"),
    ):  # fmt: skip
        assert words in owner.get(PAGE + path).text


def test_replies_show_what_came_of_them(owner: Any, hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        for number, meaning in enumerate(("stop", "", "start")):
            session.add(
                ReplyRow(
                    merchant=world.merchant, channel="con_1", ref=str(number), sender="+4179",
                    text=f"<b>{number}</b>", meaning=meaning, received_at=MORNING,
                )
            )  # fmt: skip
    page = owner.get(f"{PAGE}/replies").text
    for words in "Opted out", "told to the workflows", "Wants messages again", "&lt;b&gt;1":
        assert words in page


def test_an_address_is_put_on_the_list_and_taken_off_and_both_are_audited(
    owner: Any, hub: Hub, world: World
) -> None:
    form = {"address": "079 123 45 67", "medium": "sms", "merchant": world.merchant}
    assert owner.post(f"{PAGE}/opt-outs", form).status_code == 422, "several countries have it"
    form["address"] = "+41 79 123 45 67"
    assert owner.post(f"{PAGE}/opt-outs", form).status_code == 302
    (entry,) = all_of(hub, OptOutRow)
    assert (entry.address, entry.reason) == ("+41791234567", "asked for it")
    assert "+41791234567" in owner.get(f"{PAGE}/opt-outs?q=1234").text
    assert "No such address" in owner.get(f"{PAGE}/opt-outs?q=999").text
    assert owner.post(f"{PAGE}/opt-outs/{entry.id}/remove").status_code == 302
    assert all_of(hub, OptOutRow) == []
    texts = [row.text for row in all_of(hub, AuditRow) if row.action.startswith("optout.")]
    assert texts == [
        "put a phone on the opt-outs of Alpenkraut",
        "took a phone off the opt-outs of Alpenkraut (asked for it)",
    ]


@pytest.mark.parametrize(
    ("address", "medium"), [("call me", "sms"), ("", "sms"), ("anna", "email"), ("a b@c", "email")]
)
def test_what_is_no_address_is_refused_and_stays_in_the_form(
    owner: Any, hub: Hub, world: World, address: str, medium: str
) -> None:
    form = {"address": address, "medium": medium, "merchant": world.merchant}
    answer = owner.post(f"{PAGE}/opt-outs", form)
    assert answer.status_code == 422
    assert f'value="{address}"' in answer.text
    assert all_of(hub, OptOutRow) == []


def test_a_merchant_sees_and_keeps_its_own_only(sign_in: Any, hub: Hub, world: World) -> None:
    theirs = other(hub)
    text(hub, theirs, "+41790000001")
    text(hub, world.merchant, "+41790000002")
    with hub.store.write(System()) as session:
        optouts.add(session, theirs, "sms", "+41790000003", "wrote STOP")
    (entry,) = all_of(hub, OptOutRow)
    browser = sign_in("merchant", world.merchant)
    page = browser.get(PAGE).text
    assert "+41790000002" in page
    assert "+41790000001" not in page
    assert "+41790000003" not in browser.get(f"{PAGE}/opt-outs").text
    assert browser.post(f"{PAGE}/opt-outs/{entry.id}/remove").status_code == 404
    form = {"address": "b@example.com", "medium": "email", "merchant": theirs}
    assert browser.post(f"{PAGE}/opt-outs", form).status_code == 302
    assert {row.merchant for row in all_of(hub, OptOutRow) if row.medium == "email"} == {
        world.merchant
    }
    assert browser.get(f"{PAGE}/limits").status_code == 403
    assert "Limits" not in page


def test_limits_are_changed_and_a_mistake_is_told_beside_its_field(
    owner: Any, hub: Hub, world: World
) -> None:
    path = f"{PAGE}/limits/{world.merchant}"
    good = {"daily": "40", "countries": "ch li", "footer": "Reply STOP to opt out"}
    assert owner.post(path, good).status_code == 302
    (row,) = all_of(hub, TextLimitRow)
    assert (row.daily, row.countries, row.footer) == (40, ["CH", "LI"], good["footer"])
    assert "0 of 40 sent today" in owner.get(f"{PAGE}/limits").text
    for wrong in ({"daily": "many"}, {"countries": "Narnia"}, {"footer": "x" * 161}):
        answer = owner.post(path, {**good, **wrong})
        assert answer.status_code == 422
        assert next(iter(wrong.values())) in answer.text
    assert len(all_of(hub, TextLimitRow)) == 1


def test_an_accountant_may_look_but_not_change(sign_in: Any, hub: Hub, world: World) -> None:
    browser = sign_in("accountant")
    assert "Put somebody on the list" not in browser.get(f"{PAGE}/opt-outs").text
    assert browser.post(f"{PAGE}/opt-outs", {"address": "+41791234567"}).status_code == 403


def test_a_text_is_counted(owner: Any) -> None:
    page = owner.get(f"{PAGE}/limits?text=Zo%C3%AB").text
    assert "1 part, UCS-2 because of ë, 67 left" in page


def test_the_api_lists_messages_newest_first(owner: Any, hub: Hub, world: World) -> None:
    ids = [text(hub, world.merchant, f"+4179123456{number}") for number in range(3)]
    first = owner.get("/api/v1/messages?limit=2").json
    assert [row["id"] for row in first["messages"]] == [ids[2], ids[1]]
    rest = owner.get(f"/api/v1/messages?limit=2&cursor={first['next']}").json
    assert [row["id"] for row in rest["messages"]] == [ids[0]]
    assert rest["next"] is None
    assert owner.get("/api/v1/messages?state=lost").status_code == 422
    assert owner.get("/api/v1/messages?limit=0").status_code == 422
