"""An address is read page by page and change by change: nothing lost, and never for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub import Cancelled, Cursor, Order, RefusedRow, Rejected, Retry, Unauthorized
from hub.builtin.generic import Generic
from hub.builtin.generic.feed import earlier, latest
from hub.builtin.generic.settings import Config
from hub.testing.conformance import ScriptedPeer
from hub.testing.peers import Reply
from tests.builtin.generic.erp import FIELDS, TOKEN, ErpPeer, order

SINCE = "/api/orders?size=100&since={since}"


def source(erp: Any, path: str = "/api/orders", **changed: Any) -> Generic:
    """Return a connection to a system."""
    told = {"url": erp.url + path, "records": "data", "fields": FIELDS, "auth": "bearer",
            "token": TOKEN, **changed}  # fmt: skip
    return Generic(Config.model_validate(told))


def drained(made: Generic, cursor: Cursor | None = None) -> tuple[list[Any], Cursor]:
    """Read to the end as the hub does; return what came, and the last cursor."""
    at, found = cursor or Cursor(), []
    for _ in range(200):
        after = at
        for one in made.pull(at):
            if isinstance(one, Cursor):
                after = one
            else:
                found.append(one)
        if after == at:
            return found, at
        at = after
    raise AssertionError("it never ends")


def refs(found: list[Any]) -> list[str]:
    return [one.ref for one in found if isinstance(one, Order)]


WAYS: dict[str, dict[str, Any]] = {
    "all in one": {},
    "page": {"paging": "page"},
    "link": {"paging": "link"},
    "next": {"paging": "next", "next_path": "next"},
    "cursor": {"paging": "cursor", "next_path": "mark", "page_parameter": "after"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("follows", [False, True], ids=["as a whole", "by change"])
def test_every_order_comes_once_in_every_way_of_paging(
    erp: ErpPeer, way: str, follows: bool
) -> None:
    erp.orders = [order(n) for n in range(1, 251)]
    size = 1000 if way == "all in one" else 100
    path = f"/api/orders?size={size}" + ("&since={since}" if follows else "")
    made = source(erp, path, **WAYS[way], **({"changed_path": "changed"} if follows else {}))
    found, _ = drained(made)
    assert refs(found)[:250] == [f"A-{n:05}" for n in range(1, 251)]
    again = set(refs(found)[250:])
    assert len(again) <= (61 if follows else 0), "only the overlap is read again"


@pytest.mark.parametrize("way", WAYS)
def test_a_reading_that_broke_off_anywhere_loses_nothing(erp: ErpPeer, way: str) -> None:
    erp.orders = [order(n) for n in range(1, 331)]
    size = 1000 if way == "all in one" else 150
    made = source(
        erp, f"/api/orders?size={size}&since={{since}}", **WAYS[way],
        changed_path="changed", overlap=0,
    )  # fmt: skip
    wanted = {f"A-{n:05}" for n in range(1, 331)}
    for cut in (1, 99, 100, 101, 150, 160, 251, 300, 330):
        kept: list[Any] = []
        safe, at, count = Cursor(), Cursor(), 0
        while count < cut:
            before = at
            for one in made.pull(at):
                if isinstance(one, Cursor):
                    safe = at = one
                    continue
                kept.append(one)
                count += 1
                if count == cut:
                    break
            if at == before:
                break
        rest, _ = drained(made, safe)
        assert wanted == set(refs(kept + rest)), cut


def test_only_what_changed_is_asked_for_with_an_overlap(erp: ErpPeer) -> None:
    erp.orders = [order(n) for n in (10, 200, 3000)]
    made = source(erp, SINCE, changed_path="changed")
    _, cursor = drained(made)
    erp.requests.clear()
    erp.orders.append(order(3010))
    found, _ = drained(made, cursor)
    assert erp.requests[0].query["since"] == "2026-11-22T00:49:00Z"
    assert refs(found)[:2] == ["A-03000", "A-03010"]


def test_without_a_time_in_the_records_the_hub_counts_from_when_it_read(
    erp: ErpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(["2026-11-22T12:00:00Z", "2026-11-22T12:15:00Z"])
    monkeypatch.setattr("hub.builtin.generic.feed.now", lambda: next(times))
    monkeypatch.setattr("hub.builtin.generic.feed.REST", 0)
    erp.orders = [order(1)]
    made = source(erp, SINCE, start="2020-01-01T00:00:00Z")
    [first, cursor] = made.pull(Cursor())
    assert isinstance(first, Order)
    assert isinstance(cursor, Cursor)
    list(made.pull(cursor))
    assert [one.query["since"] for one in erp.requests] == [
        "2020-01-01T00:00:00Z", "2026-11-22T11:59:00Z",
    ]  # fmt: skip


def test_what_has_not_changed_is_not_sent_again(
    erp: ErpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.builtin.generic.feed.REST", 0)
    erp.orders = [order(1)]
    made = source(erp)
    found, cursor = drained(made)
    assert refs(found) == ["A-00001"]
    assert list(made.pull(cursor)) == [cursor]
    assert erp.requests[-1].headers["If-None-Match"]
    erp.orders.append(order(2))
    assert refs(drained(made, cursor)[0]) == ["A-00001", "A-00002"]


def test_a_source_that_changes_with_every_answer_is_not_read_without_end(
    scripted: ScriptedPeer,
) -> None:
    count = iter(range(1000))
    scripted.reply = lambda _: replied({"data": [order(1)], "sent": next(count)})
    assert refs(drained(source(scripted))[0]) == ["A-00001"]
    assert len(scripted.requests) == 1


def test_one_bad_record_of_a_hundred_is_refused_with_its_field(erp: ErpPeer) -> None:
    erp.orders = [order(n) for n in range(1, 101)]
    erp.orders[41] = order(42, customer={"phone": "1"})
    found, _ = drained(source(erp))
    assert len(refs(found)) == 99
    [row] = [one for one in found if isinstance(one, RefusedRow)]
    assert (row.field, row.ref) == ("recipient.name", "A-00042")
    assert row.reason.startswith("recipient.name: the record has no customer.fullName")


def test_an_order_that_was_called_off_is_told(erp: ErpPeer) -> None:
    erp.orders = [order(1, status="VOID")]
    found, _ = drained(source(erp))
    assert found == [Cancelled(ref="A-00001", reason="its status is VOID")]


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a system that says what a test tells it to say."""
    made = ScriptedPeer(tmp_path / "scripted")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def replied(data: Any, **headers: str) -> Reply:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return Reply(200, content=content, headers=headers)


@pytest.mark.parametrize(("body", "said"), [
    (b"<!doctype html><html>Sign in</html>", "a page came instead of JSON"),
    (b" ", "nothing came"),
    (b'{"data": [', "not valid JSON"),
    (b'{"items": [{"a": 1}]}', "no list of records at data; lists are at items"),
    (b'{"data": {"a": 1}}', "no list of records at data"),
    (b"[" * 100_000, "not valid JSON"),
])  # fmt: skip
def test_what_is_not_expected_is_said_in_words(
    scripted: ScriptedPeer, body: bytes, said: str
) -> None:
    scripted.reply = lambda _: replied(body)
    made = source(scripted)
    calls: list[Callable[[], Any]] = [made.check, made.records, lambda: list(made.pull(Cursor()))]
    for call in calls:
        with pytest.raises(Rejected, match=said):
            call()


def test_more_records_than_anybody_means_are_refused(scripted: ScriptedPeer) -> None:
    scripted.reply = lambda _: replied({"data": [{}] * 10_001})
    with pytest.raises(Rejected, match="more than 10,000 records"):
        list(source(scripted).pull(Cursor()))


def test_the_token_never_goes_to_another_host(scripted: ScriptedPeer) -> None:
    for link in (
        "https://evil.example/x",
        "//evil.example/x",
        f"https://127.0.0.1:{scripted.port}",
    ):
        scripted.reply = lambda _, link=link: replied({"data": [order(1)], "next": link})  # type: ignore[misc]
        made = source(scripted, paging="next", next_path="next")
        with pytest.raises(Rejected, match="the next page lies on"):
            list(made.pull(Cursor()))


def test_pages_that_never_end_are_noticed(scripted: ScriptedPeer) -> None:
    scripted.reply = lambda _: replied({"data": [order(1)], "next": "/api/orders?x=1"})
    with pytest.raises(Rejected, match="the same page again"):
        drained(source(scripted, paging="next", next_path="next"))
    with pytest.raises(Rejected, match="ignores page"):
        drained(source(scripted, paging="page"))


@pytest.mark.parametrize(("auth", "header", "value"), [
    ("basic", "Authorization", "Basic aHViOnB3LXRoYXQtaXMtbG9uZw=="),
    ("bearer", "Authorization", f"Bearer {TOKEN}"), ("header", "X-Erp", TOKEN),
])  # fmt: skip
def test_the_hub_signs_in_as_it_is_told(
    scripted: ScriptedPeer, auth: str, header: str, value: str
) -> None:
    scripted.reply = lambda _: replied({"data": []})
    source(scripted, auth=auth, user="hub", password="pw-that-is-long", header="X-Erp").check()
    assert scripted.requests[0].headers[header] == value


@pytest.mark.parametrize(("status", "error"), [
    (401, Unauthorized), (403, Unauthorized), (404, Rejected), (429, Retry), (503, Retry),
    (302, Rejected), (304, Rejected),
])  # fmt: skip
def test_refusals_come_out_in_our_words(
    scripted: ScriptedPeer, status: int, error: type[Exception]
) -> None:
    headers = {"Retry-After": "9", "Location": "http://169.254.169.254/"}
    scripted.reply = lambda _: Reply(status, {"message": "no"}, headers)
    with pytest.raises(error) as caught:
        list(source(scripted).pull(Cursor()))
    assert len(scripted.requests) == 1
    assert getattr(caught.value, "after", 9) in (9, None)


@pytest.mark.parametrize("url", [
    "http://169.254.169.254/latest/meta-data", "https://10.0.0.1/x", "http://localhost:1/x",
    "https://[::1]/x", "https://0x7f000001/", "https://2130706433/", "sftp://127.0.0.1/orders",
])  # fmt: skip
def test_addresses_inside_are_never_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES", raising=False)
    told: dict[str, Any] = {"url": url, "fields": FIELDS, "user": "u", "password": "pw"}
    try:
        made = Generic(Config.model_validate(told))
    except ValidationError:
        return  # http to a host of the network is refused when it is written
    for call in (made.check, lambda: list(made.pull(Cursor()))):
        with pytest.raises(Rejected, match="private address"):
            call()


def test_news_go_to_no_address_inside_either(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    from hub.nouns import DeliveryStatus

    monkeypatch.delenv("HUB_ALLOW_ADDRESSES", raising=False)
    made = Generic(Config.model_validate(
        {"news_url": "https://10.0.0.1/news", "news_auth": "bearer", "news_secret": "s" * 20}
    ))  # fmt: skip
    news = DeliveryStatus(key="k", order="1", status="delivered", at=datetime.now(UTC))
    with pytest.raises(Rejected, match="private address"):
        made.tell(news)


def test_the_last_slash_of_an_address_stays(scripted: ScriptedPeer) -> None:
    scripted.reply = lambda _: replied({"data": []})
    source(scripted, "/api/orders/").check()
    assert scripted.requests[0].path == "/api/orders/"


def test_nobody_is_called_where_only_webhooks_come() -> None:
    made = Generic(Config())
    made.check()
    assert made.records() == []
    assert list(made.pull(Cursor())) == [Cursor()]


def test_an_unmapped_source_says_what_to_do(erp: ErpPeer) -> None:
    erp.orders = [order(1)]
    made = source(erp, fields={})
    made.check()
    assert made.records()[0]["customer"]["fullName"] == "Anna Beck 1"
    with pytest.raises(Rejected, match="no fields are mapped yet") as caught:
        list(made.pull(Cursor()))
    assert caught.value.field == "fields"


def test_a_table_of_the_hubs_own_columns_needs_no_mapping(scripted: ScriptedPeer) -> None:
    scripted.reply = lambda _: replied("ref;name;address;city\n1;Anna;Städtle 1;Vaduz\n".encode())
    made = source(scripted, format="csv", fields={})
    made.check()
    assert refs(drained(made)[0]) == ["1"]


def test_a_table_of_unknown_columns_says_what_to_do(scripted: ScriptedPeer) -> None:
    scripted.reply = lambda _: replied(b"Auftrag;Kunde\nA1;Beck\n")
    with pytest.raises(Rejected, match="map them on the page Mapping") as caught:
        list(source(scripted, format="csv", fields={}).pull(Cursor()))
    assert caught.value.field == "fields"


def test_a_table_of_other_columns_is_mapped_and_its_rows_are_articles(
    scripted: ScriptedPeer,
) -> None:
    text = (
        "Auftrag;Kunde;Strasse;Artikel;Menge\nA1;Beck;Städtle 1;Tee;2\nA1;Beck;Städtle 1;Salz;1\n"
        "A2;Frei;Landstr. 2;Tee;x\nA3;Vogt;Landstr. 3;Tee;5\nA1;Beck;Städtle 1;Mehl;1\n"
    )
    scripted.reply = lambda _: replied(text.encode("cp1252"))
    rules = {
        "ref": "Auftrag", "recipient.name": "Kunde", "address.line1": "Strasse",
        "line.name": "Artikel", "line.quantity": "Menge",
    }  # fmt: skip
    made = source(
        scripted, format="csv", fields={"rules": {name: {"path": p} for name, p in rules.items()}}
    )
    found, _ = drained(made)
    assert refs(found) == ["A1", "A3"]
    assert [(line.name, line.quantity) for line in found[0].lines] == [("Tee", 2), ("Salz", 1)]
    assert found[0].address.line1 == "Städtle 1"
    assert [(one.field, one.line) for one in found if isinstance(one, RefusedRow)] == [
        ("line.quantity", 4), ("", 6),
    ]  # fmt: skip
    assert made.records()[0]["rows"][0]["Artikel"] == "Tee"


def test_lines_of_json_are_read_one_by_one(scripted: ScriptedPeer) -> None:
    body = f"{json.dumps(order(1))}\n\n{{half\n{json.dumps(order(2))}\n"
    scripted.reply = lambda _: replied(body.encode())
    found, _ = drained(source(scripted, format="lines"))
    assert refs(found) == ["A-00001", "A-00002"]
    assert [one.reason for one in found if isinstance(one, RefusedRow)] == [
        "line 3 is not valid JSON"
    ]


@pytest.mark.parametrize(("told", "wanted"), [
    (["2", "10", "9"], "10"), (["2026-11-22T10:00:00Z", "2026-11-22T10:00:00+02:00"],
                               "2026-11-22T10:00:00Z"), ([], ""), (["b", "a"], "b"),
])  # fmt: skip
def test_the_latest_change_is_found_however_it_is_written(told: list[str], wanted: str) -> None:
    assert latest(told) == wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("2026-11-22T10:00:00Z", "2026-11-22T09:59:00Z"),
    ("2026-11-22 10:00:00", "2026-11-22 09:59:00"),
    ("1795392000", "1795391940"), ("1795392000000", "1795391940000"), ("4711", "4711"), ("x", "x"),
])  # fmt: skip
def test_the_overlap_is_taken_off_in_the_systems_own_writing(text: str, wanted: str) -> None:
    assert earlier(text, 60) == wanted


@pytest.mark.parametrize("changed", [
    {"url": "ftp://x"}, {"url": "https://u:p@x.example"}, {"url": "sftp://x/../y", "user": "u"},
    {"url": "sftp://x/y"}, {"auth": "bearer", "token": ""}, {"auth": "basic", "user": ""},
    {"paging": "next"}, {"header": "a b"}, {"header": "Host"}, {"hook_auth": "hmac"},
    {"hook_auth": "secret", "hook_secret": "short"}, {"pattern": "../*"},
    {"news_url": "https://x.example", "news_secret": "no"}, {"news_statuses": ["eaten"]},
    {"fields": {"rules": {"nothing": {"path": "a"}}}},
    {"fields": {"rules": {"ref": {"path": "a", "how": "eval"}}}},
], ids=str)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changed: dict[str, Any]) -> None:
    given = {"url": "https://erp.example.com/orders", "auth": "bearer", "token": TOKEN}
    Config.model_validate(given)
    with pytest.raises(ValidationError):
        Config.model_validate({**given, **changed})
