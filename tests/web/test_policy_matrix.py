"""Every route x every role x another merchant's ids: who may not, cannot, and nothing leaks."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hub.hub import Hub
from hub.testing.fixtures import World
from hub.web import create_app, policy_table
from hub.web.admin.tabs import TABS
from tests.web.callers import CALLERS, Caller
from tests.web.two_merchants import MARK, WORKFLOW, Side, rows, two_merchants

NOUNS = {
    "account.id": "session",
    "activity.delivery": "inbox",
    "activity.entry": "activity",
    "api_fleet.change_depot.id": "depot",
    "api_fleet.change_vehicle.id": "vehicle",
    "api_fleet.id": "driver",
    "api_imports.id": "import",
    "api_orders.id": "order",
    "api_plans.id": "plan",
    "api_reoptimisations.id": "route",
    "api_reoptimisations.show.id": "reoptimisation",
    "api_reoptimisations.cancel.id": "reoptimisation",
    "api_reoptimisations.undo.id": "reoptimisation",
    "api_routes.id": "route",
    "api_routes.clear.id": "flag",
    "api_routes.insert.id": "stop",
    "api_routes.unassign.id": "stop",
    "board.restore.id": "flag",
    "board.stop.id": "stop",
    "api_webhooks.id": "endpoint",
    "connections.id": "connection",
    "consent.consent_id": "consent",
    "driver_api.id": "driver",
    "endpoints.id": "endpoint",
    "fields.id": "connection",
    "fleet.id": "driver",
    "fleet_forms.depot.id": "depot",
    "fleet_forms.driver.id": "driver",
    "fleet_forms.save_depot.id": "depot",
    "fleet_forms.save_driver.id": "driver",
    "fleet_forms.save_vehicle.id": "vehicle",
    "fleet_forms.vehicle.id": "vehicle",
    "imports.id": "import",
    "keys.id": "key",
    "letters.id": "run",
    "messages.id": "opt_out",
    "messages.merchant": "merchant",
    "letters.retry_work.id": "work",
    "outgoing.id": "endpoint",
    "outgoing.row": "outgoing",
    "people.id": "user",
    "privacy.id": "privacy",
    "proofs_api.id": "proof",
    "rejects.item": "rejected",
    "runs.id": "run",
    "wizard.id": "connection",
    **{f"{endpoint.split('.')[0]}.id": "connection" for endpoint, _ in TABS},
    "connection": "connection",
}
"""`endpoint.parameter`, `blueprint.parameter` or `parameter` -> noun of `two_merchants.Side.ids`.

The first that is there counts. A new route with a parameter gets its line here."""
WORDS = {
    "connections.connector": "folder",
    "fleet.kind": "drivers",
    "editor.name": WORKFLOW,
    "editor.revision.number": "1",
    "plugins.name": "csv",
    "workflows.name": WORKFLOW,
    "hooks.name": WORKFLOW,
    "assets.name": "no-such-file.css",
    "maps.name": "no-such-map",
    "maps.version": "1",
    "maps.x": "1",
    "maps.y": "1",
    "maps.z": "14",
    "slug": "other-shop",
    "sha256": "0" * 64,
    "token": "no-such-token-but-long-enough",
    "secret": "no-such-secret-but-long-enough",
    "connector": "folder",
}
"""The same for parameters that name nothing of a merchant's: what is put in their place."""
SHARED = frozenset({"driver", "plan", "depot", "vehicle", "reoptimisation"})
"""Nouns that belong to no merchant."""
BODIES: dict[str, Any] = {
    "api_orders.add": lambda other: {"json": {"ref": "X-1", "merchant": other.merchant}},
    "api_webhooks.again": lambda other: {"json": {"after": 0, "until": 1}},
    "api_webhooks.change": lambda other: {"json": {"description": "mine now"}},
    "fleet.switch": lambda _: {"data": {"on": "yes"}},
    "imports.upload": lambda other: {
        "data": {"merchant": other.merchant, "file": (BytesIO(b"ref\n1\n"), "x.csv")}
    },
    "messages.enter": lambda other: {
        "data": {"address": "+41791234567", "medium": "sms", "merchant": other.merchant}
    },
    "keys.make": lambda other: {
        "data": {"name": "x", "scope": ["orders:read"], "merchant": other.merchant}
    },
}
"""Endpoint -> a request that would do something, if only it were for one's own merchant."""


def value(rule: Rule, parameter: str, other: Side) -> tuple[str, str]:
    """Return what stands for a parameter of a route, and the noun it names, empty for none."""
    blueprint = rule.endpoint.rpartition(".")[0]
    for key in (f"{rule.endpoint}.{parameter}", f"{blueprint}.{parameter}", parameter):
        if key in NOUNS:
            assert other.ids.get(NOUNS[key]), (
                f"the world of two merchants has no {NOUNS[key]}; add one in two_merchants.py"
            )
            return other.ids[NOUNS[key]], NOUNS[key]
        if key in WORDS:
            return WORDS[key], ""
    pytest.fail(
        f"{rule.rule} ({rule.endpoint}) has a parameter <{parameter}> that this test does not "
        f"know: add '{blueprint}.{parameter}' to NOUNS with the noun whose id it takes, or to "
        "WORDS where it names nothing of a merchant's"
    )


def routes(app: Flask) -> list[tuple[Rule, str]]:
    """Return every route with every method; plugins' own pages are theirs to test."""
    found = [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("plugin:")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return sorted(found, key=lambda one: (one[0].rule, one[1]))


def address(app: Flask, rule: Rule, other: Side) -> tuple[str, bool]:
    """Return the path of a route about the other merchant, and whether it names what is theirs."""
    given = {name: value(rule, name, other) for name in rule.arguments}
    typed = {name: rule._converters[name].to_python(text) for name, (text, _) in given.items()}
    path = app.url_map.bind("localhost").build(rule.endpoint, typed, method=None)
    return path, any(noun and noun not in SHARED for _, noun in given.values())


def request_of(rule: Rule, method: str, other: Side) -> dict[str, Any]:
    """Return what is sent along: always the other merchant's id, in case somebody believes it."""
    asked = {"query_string": {"merchant": other.merchant}}
    if method == "GET":
        return asked
    if rule.endpoint in BODIES:
        return {**asked, **BODIES[rule.endpoint](other)}
    if rule.rule.startswith("/api/"):
        return {**asked, "json": {"merchant": other.merchant}}
    return {**asked, "data": {"merchant": other.merchant}}


def text_of(answer: TestResponse) -> str:
    """Return what an answer says; a stream that goes on for ever is not waited for."""
    if answer.mimetype == "text/event-stream":
        answer.close()
        return ""
    return answer.get_data(as_text=False).decode("utf-8", "replace")


def touched(before: dict[Any, Any], after: dict[Any, Any], other: Side) -> list[str]:
    """Return which rows of the other merchant changed, are gone, or came to be."""
    found = []
    for key, row in before.items():
        if after.get(key) != row:
            found.append(f"{key[0]} {key[1]} was changed")
    for key in after.keys() - before.keys():
        if other.merchant in after[key]:
            found.append(f"{key[0]} {key[1]} was added for the other merchant")
    return found


def of_other(known: dict[Any, Any], other: Side) -> dict[Any, Any]:
    """Return the rows that have to do with the other merchant."""
    ids = {other.merchant, *(id for noun, id in other.ids.items() if noun not in SHARED)}
    return {
        key: row
        for key, row in known.items()
        if ids & {cell for cell in row if isinstance(cell, str)}
    }


def complaint(caller: Caller, rule: Rule, method: str, answer: TestResponse, named: bool) -> str:
    """Return what is wrong with an answer, nothing where it is as the policy has it."""
    status, permitted = answer.status_code, caller.may(rule.endpoint)
    if status >= 500 and status != 503:
        return f"answered {status}"
    if not permitted:
        to_door = status == 302 and answer.location.startswith("/sign-in")
        wanted = {401} if caller.name == "public" else {403}
        return (
            ""
            if status in wanted or (caller.name == "public" and to_door)
            else (f"is not permitted and was answered {status}")
        )
    if "public" in caller_roles(caller, rule):
        return ""
    if caller.of_merchant and named and status not in (403, 404):
        return f"named the other merchant's and was answered {status}"
    if not caller.of_merchant and status in (401, 403):
        return f"is permitted and was answered {status}"
    return ""


def caller_roles(caller: Caller, rule: Rule) -> frozenset[str]:
    """Return the roles of a route's view."""
    found: frozenset[str] = caller.app.view_functions[rule.endpoint].allowed
    return found


@pytest.mark.parametrize("name", CALLERS)
def test_a_role_can_do_what_the_policy_says_and_nothing_of_another_merchants(
    hub: Hub, world: World, name: str
) -> None:
    own, other = two_merchants(hub, world)
    app = create_app(hub)
    caller = Caller(app, hub, name, own)
    theirs = of_other(rows(hub), other)
    assert len(theirs) > 20, "the other merchant has hardly anything that could be touched"
    wrong, stale = list[str](), False
    for rule, method in routes(app):
        path, named = address(app, rule, other)
        where = f"{name}: {method} {rule.rule} ({path})"
        bound = caller.of_merchant or name in ("public", "driver") or not caller.may(rule.endpoint)
        if bound and stale:
            theirs, stale = of_other(rows(hub), other), False
        answer = caller.send(method, path, **request_of(rule, method, other))
        problem = complaint(caller, rule, method, answer, named)
        if problem:
            wrong.append(f"{where} {problem}")
        if bound and MARK in text_of(answer):
            wrong.append(f"{where} shows what belongs to the other merchant")
        if bound and method != "GET":
            found = [f"{where}: {what}" for what in touched(theirs, rows(hub), other)]
            wrong, stale = wrong + found, bool(found)
        stale = stale or not bound
        if method != "GET" and not caller.headers.get("Authorization"):
            caller.come_in()
    assert wrong == []


def test_a_parameter_that_the_matrix_does_not_know_is_told_with_what_to_add() -> None:
    rule = Rule("/new/<thing>", endpoint="novelty.show")
    with pytest.raises(pytest.fail.Exception, match=r"add 'novelty\.thing' to NOUNS"):
        value(rule, "thing", Side("mer_1", MARK))


def test_the_page_of_the_policy_is_current(hub: Hub) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "policy.md"
    assert page.read_text() == policy_table.render(create_app(hub)), (
        "write it anew: python -m hub.web.policy_table docs/reference/policy.md"
    )
