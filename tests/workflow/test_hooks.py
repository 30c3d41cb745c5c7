"""Another system starts a workflow at its address."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlmodel import select

from hub.errors import Forbidden, Refused
from hub.store import EventRow, System, TokenRow
from hub.web import create_app
from hub.workflow import hooks, revisions
from hub.workflow.problem import Invalid

from .conftest import Toys

STOCK = """
workflow: stock
on:
  - webhook: {inputs: {ref: order.lines.0.number}}
    if: inputs.count > 0
inputs:
  ref: {}
  count: {type: int, default: 1}
  weight: {type: number}
  urgent: {type: bool}
steps:
  - {id: a, use: toy.write, with: {text: "{{ inputs.ref }} {{ inputs.count }}"}}
"""
BODY = {"order": {"lines": [{"number": "A-7"}]}, "count": 2, "ignored": {"x": 1}}


def address(toys: Toys, text: str = STOCK) -> str:
    toys.save(text)
    with toys.hub.store.write() as session:
        return hooks.open_address(toys.hub, session, "stock")


def send(toys: Toys, url: str, body: Any = BODY, **headers: str) -> Any:
    path = url.removeprefix(toys.hub.settings.public_url)
    raw = body if isinstance(body, str) else json.dumps(body)
    client = create_app(toys.hub).test_client()
    answer = client.post(path, data=raw, content_type="application/json", headers=headers)
    toys.tick()
    return answer


def test_its_json_gives_the_inputs_each_at_its_own_place_or_by_its_name(toys: Toys) -> None:
    answer = send(toys, address(toys))
    assert (answer.status_code, answer.json["workflow"]) == (202, "stock")
    assert toys.texts() == ["A-7 2"]
    assert toys.run().inputs == {"ref": "A-7", "count": 2}
    assert toys.run().event == answer.json["event"]


def test_a_condition_may_look_at_the_inputs(toys: Toys) -> None:
    assert send(toys, address(toys), {**BODY, "count": 0}).status_code == 202
    assert toys.texts() == []


@pytest.mark.parametrize("header", ["webhook-id", "Idempotency-Key"])
def test_a_request_that_comes_again_by_its_name_starts_nothing_more(
    toys: Toys, header: str
) -> None:
    url = address(toys)
    answers = [send(toys, url, **{header: "msg_1"}).json for _ in range(2)]
    assert answers[0] == answers[1]
    send(toys, url, **{header: "msg_2"})
    send(toys, url)
    send(toys, url)
    assert toys.texts() == ["A-7 2"] * 4


@pytest.mark.parametrize(("wrong", "said"), [
    ({"count": "two"}, "count: 'two' is no int"),
    ({"count": True}, "count: 'True' is no int"),
    ({"count": 2**63}, f"count: '{2**63}' is no int"),
    ({"weight": "heavy"}, "weight: 'heavy' is no number"),
    ({"urgent": 1}, "urgent: '1' is no bool"),
    ({"order": {"lines": [{"number": ["A"]}]}}, "ref: \"['A']\" is no text"),
    ({"order": {"lines": [{"number": "A" * 2001}]}}, "ref: 2001 characters; 2000 fit"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_named(toys: Toys, wrong: dict[str, Any], said: str) -> None:
    answer = send(toys, address(toys), {**BODY, **wrong})
    assert (answer.status_code, answer.json["detail"]) == (422, said)
    with toys.hub.store.read() as session:
        assert session.exec(select(EventRow)).first() is None


@pytest.mark.parametrize("body", ["[]", "null", "7", '"text"', '{"order": {"lines": []}}'])
def test_what_is_not_there_is_left_to_the_defaults(toys: Toys, body: str) -> None:
    assert send(toys, address(toys), body).status_code == 202
    assert toys.run().inputs == {"count": 1}


@pytest.mark.parametrize(("body", "status"), [("{", 400), ("NaN", 400), ("[" * 100_000, 400)])
def test_what_is_no_json_is_refused(toys: Toys, body: str, status: int) -> None:
    assert send(toys, address(toys), body).status_code == status


def test_a_new_address_ends_the_one_before_and_only_its_digest_is_kept(toys: Toys) -> None:
    old = address(toys)
    with toys.hub.store.write() as session:
        new = hooks.open_address(toys.hub, session, "stock")
        kept = session.exec(select(TokenRow).where(TokenRow.kind == "webhook")).all()
    assert not any(new.rpartition("/")[2] in repr(row) for row in kept)
    assert [send(toys, url).status_code for url in (old, new)] == [401, 202]


def test_an_address_opens_its_own_workflow_and_no_other(toys: Toys) -> None:
    url = address(toys)
    toys.save(STOCK.replace("workflow: stock", "workflow: other"))
    assert send(toys, url.replace("/stock/", "/other/")).status_code == 401
    assert send(toys, url + "x").status_code == 401
    with toys.hub.store.write() as session:
        hooks.close_address(session, "stock")
        assert not hooks.has_address(session, "stock")
    assert send(toys, url).status_code == 401


def test_a_wrong_address_does_not_say_whether_the_workflow_is_there(toys: Toys) -> None:
    address(toys)
    path = "http://127.0.0.1:8000/hooks/workflow/"
    known, unknown = (send(toys, f"{path}{name}/guess").json for name in ("stock", "nothing"))
    assert known["detail"] == unknown["detail"]


def test_a_workflow_that_is_off_refuses(toys: Toys) -> None:
    url = address(toys)
    with toys.hub.store.write(System()) as session:
        revisions.switch(session, "stock", on=False)
    answer = send(toys, url)
    assert (answer.status_code, "switched off" in answer.json["detail"]) == (422, True)


def test_without_a_webhook_there_is_no_address(toys: Toys) -> None:
    with pytest.raises(Refused, match="webhook: true"):
        address(toys, "workflow: stock\non: [{manual: true}]\n" + STOCK[STOCK.index("inputs:\n") :])


@pytest.mark.parametrize(("change", "said"), [
    (("{ref: order", "{reff: order"), "there is no input 'reff'; did you mean 'ref'?"),
    (("inputs:\n  ref", "  - webhook: true\ninputs:\n  ref"), "one webhook at most"),
])  # fmt: skip
def test_a_file_whose_webhook_makes_no_sense_is_refused(
    toys: Toys, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(Invalid, match=said.replace("?", r"\?")):
        toys.save(STOCK.replace(*change))


def test_nobody_makes_something_of_a_token_made_for_another_purpose(toys: Toys) -> None:
    from hub.access import tokens

    address(toys)
    with toys.hub.store.write() as session:
        token = tokens.issue(session, "sign_in", "stock")
        with pytest.raises(Forbidden):
            hooks.receive(toys.hub, session, "stock", token, b"{}", {}, "")
