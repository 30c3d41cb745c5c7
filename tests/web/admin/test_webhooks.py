"""The pages of webhooks: add, see what came back, send again, switch, remove; own ones only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.fleet.roster import add_merchant
from hub.outgoing import endpoints
from hub.store import EndpointRow, Operator, System
from tests.outgoing.conftest import Post, Receiver, Wall, verified
from tests.outgoing.conftest import post as post  # fixtures, shared
from tests.outgoing.conftest import receiver as receiver
from tests.outgoing.conftest import wall as wall
from tests.web.conftest import Browser

SignIn = Callable[..., Browser]


def alive(post: Post) -> list[EndpointRow]:
    with post.hub.store.read(Operator("owner")) as session:
        return endpoints.listed(session)


def test_an_endpoint_is_added_and_its_secret_is_shown_this_once(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    owner = sign_in("owner")
    page = owner.get("/admin/webhooks").text
    assert "No webhooks yet" in page
    form = {"url": receiver.url, "description": "Warehouse", "types": ["stop.arrived"]}
    answer = owner.post("/admin/webhooks/new", form)
    secret = re.search(r"whsec_[\w+/=]+", answer.text)
    assert secret
    post.happen()
    post.send()
    assert verified(secret[0], *receiver.requests[0])
    (row,) = alive(post)
    for path in ("", f"/{row.id}", f"/{row.id}/settings"):
        text = owner.get(f"/admin/webhooks{path}").text
        assert "Warehouse" in text
        assert "whsec_" not in text


def test_what_is_refused_is_said_and_what_was_typed_stays(post: Post, sign_in: SignIn) -> None:
    form = {"url": "https://10.0.0.8/", "description": "Shed", "types": ["stop.arrived"]}
    answer = sign_in("owner").post("/admin/webhooks/new", form)
    assert answer.status_code == 422
    assert "10.0.0.8 is a private address" in answer.text
    assert 'value="Shed"' in answer.text
    assert re.search(r'value="stop.arrived" checked', answer.text)


def test_a_merchant_adds_and_sees_its_own_only(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    with post.hub.store.write(System("")) as session:
        other = add_merchant(session, "Bergblick").id
    theirs, operators = post.add(receiver.url, merchant=other), post.add(receiver.url)
    merchant = sign_in("merchant", post.world.merchant)
    merchant.post("/admin/webhooks/new", {"url": receiver.url, "merchant": other})
    own = [row for row in alive(post) if row.merchant == post.world.merchant]
    assert len(own) == 1
    page = merchant.get("/admin/webhooks").text
    assert own[0].id in page
    for id in (theirs, operators):
        assert id not in page
        for path in ("", "/log", "/settings", "/remove", "/replay?first=1&last=2"):
            assert merchant.get(f"/admin/webhooks/{id}{path}").status_code == 404
        for path in ("switch", "test", "rotate", "drop", "remove", "replay", "replay-failed"):
            form = {"after": "0", "until": "9"}
            assert merchant.post(f"/admin/webhooks/{id}/{path}", form).status_code == 404


def test_a_message_of_another_endpoint_is_not_shown_under_ones_own(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    own = post.add(receiver.url, merchant=post.world.merchant)
    operators = post.add(receiver.url)
    post.happen()
    (foreign,) = post.rows(endpoint=operators)
    merchant = sign_in("merchant", post.world.merchant)
    assert merchant.get(f"/admin/webhooks/{own}/log/{foreign.id}").status_code == 404
    path = f"/admin/webhooks/{own}/log/{foreign.id}/replay"
    assert merchant.post(path).status_code == 404


@pytest.mark.parametrize("role", ["dispatcher", "accountant"])
def test_others_do_not_see_webhooks(post: Post, sign_in: SignIn, role: str) -> None:
    assert sign_in(role).get("/admin/webhooks").status_code == 403


def test_the_log_shows_what_came_back_and_filters(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url)
    receiver.answer = lambda _: (500, {}, b"<b>no such table</b> token=s3cret")
    post.happen()
    post.send()
    owner = sign_in("owner")
    page = owner.get(f"/admin/webhooks/{id}").text
    assert "it answered 500" in page
    assert "it answered 500" not in owner.get(f"/admin/webhooks/{id}?state=delivered").text
    assert owner.get(f"/admin/webhooks/{id}?state=nonsense").status_code == 422
    message = owner.get(f"/admin/webhooks/{id}/log/{post.row().id}").text
    assert "&lt;b&gt;no such table" in message
    assert "s3cret" not in message
    assert post.made[0] in message


def test_a_range_is_counted_before_it_is_sent_again(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1", times=3)
    post.send()
    owner = sign_in("owner")
    page = owner.get(f"/admin/webhooks/{id}/replay?first=2&last=3").text
    assert re.search(r">2</span> events, numbers 2 to 3", page)
    assert len(receiver.requests) == 3
    owner.post(f"/admin/webhooks/{id}/replay", {"after": "1", "until": "3"})
    post.send()
    assert [said["data"]["seq"] for said in receiver.messages()[3:]] == [2, 3]
    day = owner.get(
        f"/admin/webhooks/{id}/replay?since=2026-11-23T07:00&till=2026-11-23T09:00"
    ).text
    assert re.search(r">3</span> events, numbers 1 to 3", day)
    for query in ("first=3&last=2", "first=x&last=2", "since=2026-11-23T07:00", "since=x&till=y"):
        assert owner.get(f"/admin/webhooks/{id}/replay?{query}").status_code == 422


def test_one_message_is_sent_again_from_its_page(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url)
    post.happen()
    post.send()
    sign_in("owner").post(f"/admin/webhooks/{id}/log/{post.row().id}/replay")
    post.send()
    assert len(receiver.requests) == 2


def test_a_disabled_one_stands_on_top_and_is_switched_on_again(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url)
    receiver.answer = lambda _: (410, {}, b"")
    post.happen()
    post.send()
    owner = sign_in("owner")
    assert "is sent nothing any more" in owner.get("/admin/webhooks").text
    assert "Webhooks to Shop are switched off" in str(flags(post))
    owner.post(f"/admin/webhooks/{id}/switch", {"enabled": "yes"})
    assert post.endpoint(id).state == "healthy"
    assert flags(post) == []


def flags(post: Post) -> list[str]:
    from hub.dispatch.flags import open_flags

    with post.hub.store.read(Operator("owner")) as session:
        return [flag.text for flag in open_flags(session)]


def test_the_card_alone_answers_a_switch_by_htmx(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url)
    owner = sign_in("owner")
    token = re.search(r'csrf-token" content="([^"]+)', owner.get("/").text)
    assert token
    headers = {"HX-Request": "true", "X-CSRFToken": token[1]}
    answer = owner.client.post(f"/admin/webhooks/{id}/switch", data={}, headers=headers)
    assert answer.text.lstrip().startswith("<article")
    assert not post.endpoint(id).enabled


def test_a_test_rotation_and_removal_by_the_page(
    post: Post, receiver: Receiver, sign_in: SignIn, wall: Wall
) -> None:
    id = post.add(receiver.url)
    owner = sign_in("owner")
    owner.post(f"/admin/webhooks/{id}/test")
    post.send()
    assert receiver.messages()[0]["type"] == "webhook.test"
    secret = re.search(r"whsec_[\w+/=]+", owner.post(f"/admin/webhooks/{id}/rotate").text)
    assert secret
    post.happen()
    post.send()
    assert verified(secret[0], *receiver.requests[-1])
    assert "Its secret and its log go with it" in owner.get(f"/admin/webhooks/{id}/remove").text
    owner.post(f"/admin/webhooks/{id}/remove")
    assert alive(post) == []
    assert owner.get(f"/admin/webhooks/{id}").status_code == 404


def test_a_credential_in_an_address_is_not_shown_on_the_pages(
    post: Post, receiver: Receiver, sign_in: SignIn
) -> None:
    id = post.add(receiver.url + "?token=s3cret")
    owner: Any = sign_in("owner")
    for path in ("", f"/{id}", f"/{id}/remove"):
        assert "s3cret" not in owner.get(f"/admin/webhooks{path}").text
