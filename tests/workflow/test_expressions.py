"""Expressions are typed, bounded, and fail by name."""

from datetime import UTC, datetime

import pytest

from hub.events.catalogue import catalogue
from hub.workflow.expressions import BadExpression, Environment, Failed
from hub.workflow.schemas import event_shape

EVENT = {
    "type": "stop.approaching",
    "seq": 7,
    "occurred_at": datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
    "stop": {"id": "stp_1", "eta_minutes": 8, "state": "en_route", "tracking_url": "https://x/t/y"},
    "order": {"id": "ord_1", "ref": "a" * 5000, "total_minor": 12000},
    "customer": {"phone": "+4232345678"},
}


@pytest.fixture
def environment() -> Environment:
    return Environment({"event": event_shape(catalogue()["stop.approaching"])})


def value(environment: Environment, text: str) -> object:
    return environment.compile(text).value(environment.data(event=EVENT))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('event.stop.eta_minutes <= 10 && event.stop.state == "en_route"', True),
        ("has(event.customer.phone) && !has(event.customer.email)", True),
        ("has(event.driver)", False),
        ('event.occurred_at.getHours("Europe/Vaduz")', 8),
        ('event.?driver.?first_name.orValue("Your driver")', "Your driver"),
        ("event.order.total_minor / 100", 120),
        ("[1, 2, 3].filter(n, n > 1)", [2, 3]),
        ('{"a": event.stop.id}', {"a": "stp_1"}),
        ('duration("2m")', 120),
    ],
)
def test_an_expression_gives_a_plain_value(
    environment: Environment, text: str, expected: object
) -> None:
    assert value(environment, text) == expected


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("event.order.totl > 1", 12, "order has no field 'totl'"),
        ("event.stop.idd", 11, "stop has no field 'idd'; did you mean 'id'?"),
        ("1 == evnt.stop.id", 5, "'evnt' is unknown here; did you mean 'event'?"),
        ("event.stop.eta_minutes > 1.5", 23, "no matching overload"),
        ("1 +", 3, "Syntax error"),
        ("event.stop", 0, "name one field"),
        ("  ", 0, "empty"),
        ("event.proof.id", 6, "event has no field 'proof'"),
    ],
)
def test_a_mistake_is_found_when_the_file_is_saved(
    environment: Environment, text: str, offset: int, message: str
) -> None:
    with pytest.raises(BadExpression) as caught:
        environment.compile(text)
    assert message.replace("Syntax error", "mismatched input") in str(caught.value)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "text",
    ["1 / (event.stop.eta_minutes - 8)", "[1][event.stop.eta_minutes]", 'timestamp("soon")'],
)
def test_an_error_at_run_time_is_raised_not_returned_as_a_value(
    environment: Environment, text: str
) -> None:
    with pytest.raises(Failed):
        value(environment, text)


def test_a_condition_that_is_no_truth_fails(environment: Environment) -> None:
    condition = environment.compile("dyn(1)")
    with pytest.raises(Failed, match="neither true nor false"):
        condition.holds(environment.data(event=EVENT))


def test_long_texts_of_an_event_are_cut_before_they_are_joined(environment: Environment) -> None:
    assert value(environment, "size(event.order.ref)") == 500
