"""Every request of the connector against Xero's own description of its API."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hub_xero import Xero

from hub import Address, Cursor, HandedLine, Incoming, Money, Recipient
from hub.testing.conformance import a_proof
from hub.testing.peers import Request
from hub.testing.peers.xero import ROOT, XeroPeer

PEERS = Path(os.environ.get("HUB_PEERS") or Path(__file__).parents[4] / "shared" / "peers")
SPEC = PEERS / "xero" / "xero_accounting.yaml"
Build = Callable[..., Xero]
pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="Xero's specification is not in ../shared/peers/xero"
)
CHF = "CHF"


@cache
def spec() -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load(SPEC.read_text(), loader)
    return read


def followed(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the description with its reference followed."""
    while "$ref" in part:
        found: Any = spec()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def operation(told: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the description says about a request: its path and its method."""
    path = told.path.removeprefix(ROOT)
    for template, methods in spec()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and told.method.lower() in methods:
            return methods, methods[told.method.lower()]
    raise AssertionError(f"Xero has no {told.method} {path}")


def wrong_query(told: Request) -> Iterator[str]:
    """Yield what is wrong with the query of a request."""
    methods, one = operation(told)
    known = [followed(p) for p in [*methods.get("parameters", []), *one.get("parameters", [])]]
    types = {p["name"]: followed(p["schema"]).get("type") for p in known if p["in"] == "query"}
    for name, value in told.query.items():
        if name not in types:
            yield f"{name} is no parameter of {told.method} {told.path}"
        elif types[name] == "boolean" and value not in ("true", "false"):
            yield f"{name}={value} is no boolean"
        elif types[name] == "integer" and not value.isdecimal():
            yield f"{name}={value} is no whole number"
    key = told.key
    if told.method in ("PUT", "POST") and not 0 < len(key) <= 128:
        yield f"{told.method} {told.path} has no sound Idempotency-Key"


def wrong_body(told: Request) -> Iterator[str]:
    """Yield what is wrong with the JSON of a request."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    _, one = operation(told)
    content = followed(one.get("requestBody", {})).get("content", {})
    if "application/json" not in content:
        return
    registry: Any = Registry().with_resource(
        "urn:xero", Resource(contents=spec(), specification=DRAFT202012)
    )
    schema = json.loads(
        json.dumps(content["application/json"]["schema"]).replace('"#/', '"urn:xero#/')
    )
    body = json.loads(told.body)
    for error in Draft202012Validator(schema, registry=registry).iter_errors(body):
        yield f"{told.method} {told.path} {error.json_path}: {error.message}"
    yield from unknown(content["application/json"]["schema"], body, "$")


def unknown(schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    """Yield the fields that the description does not have, and those only Xero fills in."""
    schema = followed(schema)
    if isinstance(value, list):
        for one in value:
            yield from unknown(schema.get("items", {}), one, f"{place}[]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name)
            if known is None or known.get("readOnly"):
                yield f"{place}.{name} is not for callers"
            else:
                yield from unknown(known, inner, f"{place}.{name}")


LINES = tuple(
    HandedLine(
        name=name, ordered=3, handed_over=given, sku=name.upper(),
        price=Money(amount=Decimal(price), currency=CHF),
    )
    for name, given, price in (("Apples", 2, "4.1255"), ("Pears", 3, "2"))
)  # fmt: skip


def proof(number: int, **told: Any) -> Any:
    named = {"invoice": "", "number": f"#{number}", "outcome": "partial", "lines": LINES}
    who = Recipient(name="Martina Beck", email="beck@example.com", phone="+41795551234")
    where = Address(line1="Städtle 49", postcode="9490", city="Vaduz", country="Liechtenstein")
    one = {"stop": f"stp_{number}", "sha256": f"{number:02}" * 32, "key": f"run_{number}"}
    return a_proof(**{**named, "recipient": who, "address": where, **one, **told})


def everything(accounts: XeroPeer, build: Build) -> None:
    """Do all that the connector can do."""
    build().check()
    sold = {"Description": "Apples", "Quantity": 3, "UnitAmount": 4, "AccountCode": "200"}
    who = accounts.books.put("Contacts", {"ContactID": "c-1", "Name": "Alpenblick Inn"})
    for number in range(2):
        told = {"Type": "ACCREC", "Status": "AUTHORISED", "InvoiceNumber": f"INV-{number}"}
        known = accounts.books.put("Invoices", {**told, "Contact": who, "LineItems": [sold]})
    for orders in ("invoices", "quotes", "purchase_orders"):
        list(build(orders=orders).pull(Cursor()))
    event = {"eventCategory": "INVOICE", "resourceId": known["InvoiceID"], "tenantId": "tenant-1"}
    told = Incoming(body=json.dumps({"events": [event]}).encode(), at=datetime.now(UTC))
    assert len(list(build(orders="invoices").unpack(told))) == 1
    build(credit_notes=True).store(proof(1, invoice="INV-0"))
    build(credit_notes=True).store(proof(1, invoice="INV-0"))
    settings = {"tax_type": "OUTPUT2", "items": True, "line_amount_types": "Exclusive"}
    build(record="draft_invoice", **settings).store(proof(2))
    for number in (3, 4, 4):
        build(record="consolidated_invoice", **settings).store(proof(number))


@pytest.fixture
def told(accounts: XeroPeer, build: Build, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Return every request that the connector can make."""
    found: list[Request] = []
    handle = accounts.handle
    monkeypatch.setattr(accounts, "handle", lambda one: found.append(one) or handle(one))
    everything(accounts, build)
    return found


def test_every_request_is_one_that_xeros_description_has(told: list[Request]) -> None:
    assert [fault for one in told for fault in wrong_query(one)] == []
    assert all(one.headers.get("xero-tenant-id") == "tenant-1" for one in told)


def test_every_body_is_as_xeros_description_says(told: list[Request]) -> None:
    bodies = [one for one in told if one.body and "json" in one.headers["Content-Type"]]
    paths = {(one.method, one.path.split("/")[3]) for one in bodies}
    assert paths == {
        ("PUT", "Invoices"), ("POST", "Invoices"), ("PUT", "CreditNotes"), ("PUT", "Contacts"),
    }  # fmt: skip
    assert [fault for one in bodies for fault in wrong_body(one)] == []


def test_the_checks_find_what_is_wrong() -> None:
    query = {"summarizeErrors": "False", "x": "1"}
    lines = [{"Quantity": "3", "Descripton": "Apples", "LineAmount": 3}]
    body = {"Invoices": [{"Type": "WRONG", "LineItems": lines, "SubTotal": 3}]}
    bad = Request("PUT", f"{ROOT}/Invoices", query, Message(), json.dumps(body).encode())
    assert len(list(wrong_query(bad))) == 3
    found = "\n".join(wrong_body(bad))
    for fault in ("Type: 'WRONG'", "Quantity: '3'", "Descripton is not", "SubTotal is not"):
        assert fault in found, found


def test_prices_keep_four_digits_and_instants_are_whole_seconds_in_utc(
    told: list[Request],
) -> None:
    documents = [one for one in told if one.method == "PUT" and one.path.endswith("s")]
    documents = [one for one in documents if "Contacts" not in one.path]
    assert documents
    assert all(one.query["unitdp"] == "4" for one in documents)
    assert any(b"4.1255" in one.body for one in documents)
    since = [
        one.headers[name] for one in told for name in one.headers if name == "If-Modified-Since"
    ]
    assert len(since) == 3
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", text) for text in since)
