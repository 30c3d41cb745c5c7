"""The page that ends mails: looking changes nothing, one POST does, and it can be undone."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.hub import Hub
from hub.notify import unsubscribe
from hub.store import EventRow, MerchantRow, MessageRow, OptOutRow, System, TokenRow
from hub.testing.fixtures import MORNING, World
from hub.web import create_app
from hub.web.track import unsubscribe as pages

PAGE = {"Accept": "text/html"}
CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser; what the bundle's files are called does not matter here."""
    monkeypatch.setattr("hub.web.assets.Bundle.file", lambda _bundle, name: name)
    return create_app(hub).test_client()


@pytest.fixture
def link(hub: Hub, world: World) -> str:
    """The link in a mail to Beck."""
    with hub.store.write(System()) as session:
        session.add(
            MessageRow(
                key="k", merchant=world.merchant, channel="con_1", medium="email",
                to="beck@kunde.example", text="Soon", state="sent", created_at=MORNING,
            )
        )  # fmt: skip
        url = unsubscribe.link(hub, session, world.merchant, "Beck@kunde.example")
    return url.removeprefix(hub.settings.public_url.rstrip("/"))


def outs(hub: Hub) -> list[tuple[str, str]]:
    with hub.store.read(System()) as session:
        return [(one.address, one.reason) for one in session.exec(select(OptOutRow))]


def events(hub: Hub) -> list[EventRow]:
    with hub.store.read(System()) as session:
        query = select(EventRow).where(EventRow.type == "recipient.opted_out")
        return list(session.exec(query))


def test_the_page_says_whose_mails_they_are_in_that_brand(client: FlaskClient, link: str) -> None:
    answer = client.get(link, headers=PAGE)
    assert answer.status_code == 200
    assert "Stop e-mails from Alpenkraut?" in answer.text
    assert "/brand/alpenkraut.css" in answer.text
    assert f'<form class="track-call" method="post" action="{link}">' in answer.text
    assert "kunde.example" not in answer.text, "whoever opens it learns no address"
    assert "<script" not in answer.text
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("verb", ["get", "head", "options"])
def test_who_only_looks_changes_nothing(
    hub: Hub, client: FlaskClient, link: str, verb: str
) -> None:
    for path in (link, f"{link}?List-Unsubscribe=One-Click", f"{link}/undo"):
        getattr(client, verb)(path, headers=PAGE)
    assert outs(hub) == []


def test_a_mail_program_ends_the_mails_by_one_request(
    hub: Hub, client: FlaskClient, link: str
) -> None:
    for _ in range(2):
        answer = client.post(link, data=CLICK)
        assert (answer.status_code, answer.mimetype) == (200, "text/plain")
        assert "Location" not in answer.headers
    assert outs(hub) == [("beck@kunde.example", "the link in a mail")]
    (event,) = events(hub)
    assert "kunde" not in str(event.data)


def test_as_multipart_form_data_it_counts_as_well(hub: Hub, client: FlaskClient, link: str) -> None:
    answer = client.post(link, data=CLICK, content_type="multipart/form-data")
    assert answer.status_code == 200
    assert len(outs(hub)) == 1


def test_a_person_presses_the_button_and_can_undo_it(
    hub: Hub, client: FlaskClient, link: str
) -> None:
    answer = client.post(link, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, link)
    done = client.get(link, headers=PAGE).text
    assert "No more e-mails from Alpenkraut" in done
    assert f'action="{link}/undo"' in done
    back = client.post(f"{link}/undo", headers=PAGE)
    assert (back.status_code, back.headers["Location"]) == (303, link)
    assert outs(hub) == []
    assert "Stop e-mails from Alpenkraut?" in client.get(link, headers=PAGE).text


def test_it_ends_one_merchant_s_mails_to_one_address(
    hub: Hub, client: FlaskClient, link: str, world: World
) -> None:
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        others = unsubscribe.link(hub, session, other.id, "beck@kunde.example")
        leas = unsubscribe.link(hub, session, world.merchant, "lea@kunde.example")
    client.post(link, data=CLICK)
    with hub.store.read() as session:
        for url, out in ((others, False), (leas, False)):
            found = unsubscribe.opened(hub, session, url.rpartition("/")[2])
            assert unsubscribe.is_out(session, found) is out


@pytest.mark.parametrize("end", ["", "/undo"])
def test_links_that_open_nothing_get_the_same_page(
    hub: Hub, client: FlaskClient, link: str, end: str
) -> None:
    with hub.store.write() as session:
        tracking = TokenRow(
            sha256="ab" * 32, kind="tracking", subject="stp_1", created_at=session.wall
        )
        session.add(tracking)
    bodies = {
        client.post(f"/u/{token}{end}", data=CLICK).text
        for token in (
            "0123456789abcdefghijkl",
            "x",
            "x" * 5000,
            ("B" if link[3] == "A" else "A") + link[4:],
            "%00",
        )
    }
    assert len(bodies) == 1
    assert "This link does not work" in bodies.pop()
    assert client.get("/u/0123456789abcdefghijkl", headers=PAGE).status_code == 404
    assert outs(hub) == []


def test_trying_one_link_after_the_other_is_slowed_down_and_using_a_right_one_is_not(
    hub: Hub, client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST", 3)
    for _ in range(5):
        assert client.post(link, data=CLICK).status_code == 200
    for _ in range(3):
        assert client.get("/u/nothing", headers=PAGE).status_code == 404
    assert client.get("/u/nothing", headers=PAGE).status_code == 429
    assert client.get(link, headers=PAGE).status_code == 429
    assert (
        client.get(link, headers=PAGE, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200
    )


def test_without_redis_the_page_still_works(
    hub: Hub, client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as Away

    def away(*_: object, **__: object) -> None:
        raise Away

    monkeypatch.setattr(hub.redis, "get", away)
    monkeypatch.setattr(hub.redis, "pipeline", away)
    assert client.post(link, data=CLICK).status_code == 200
    assert client.get("/u/nothing", headers=PAGE).status_code == 404
