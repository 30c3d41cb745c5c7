"""The functions of expressions: typed, pure, and told the moment with the values."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from hub.workflow.expressions import BadExpression, Environment, Failed
from hub.workflow.functions import FUNCTIONS, LONGEST_TEXT, Context

EARLY = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""00:30 on the 23rd in Vaduz."""
SQUARE = "[47.0, 9.0, 47.0, 10.0, 48.0, 10.0, 48.0, 9.0]"
SHAPE = {"occurred_at": datetime, "name": str, "total": int, "lat": float, "lon": float}
VALUES = {"occurred_at": EARLY, "name": "rosa BECK", "total": 1250, "lat": 47.139, "lon": 9.522}


@pytest.fixture
def environment() -> Environment:
    return Environment({"event": SHAPE})


def value(environment: Environment, text: str, context: Context | None = None) -> object:
    return environment.compile(text).value(environment.data(context, event=VALUES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now() == event.occurred_at", True),
        ('today("Europe/Vaduz")', "2026-11-23"),
        ('today("UTC")', "2026-11-22"),
        ('next_workday("2026-11-23")', "2026-11-24"),
        ('next_workday("2026-11-27")', "2026-11-30"),
        ('next_workday("2026-11-28")', "2026-11-30"),
        ('next_workday("2026-11-29")', "2026-11-30"),
        ('next_workday(today("UTC"))', "2026-11-23"),
        ("minutes(90)", 5400),
        ("minutes(-1)", -60),
        ("now() + minutes(30)", EARLY + timedelta(minutes=30)),
        ('local_time(event.occurred_at, "Europe/Vaduz")', "00:30"),
        ('local_time(timestamp("2026-07-01T06:05:00Z"), "Europe/Vaduz")', "08:05"),
        ('local_date(event.occurred_at, "Europe/Vaduz")', "2026-11-23"),
        ('money(event.total, "CHF")', "12.50 CHF"),
        ('money(5, "EUR")', "0.05 EUR"),
        ('money(-1250, "CHF")', "-12.50 CHF"),
        ('money(100000, "JPY")', "1000 JPY"),
        ('money(100050, "JPY")', "1000.50 JPY"),
        ('money(1250, "KWD")', "12.500 KWD"),
        ("distance_km(47.0, 9.0, 48.0, 9.0)", 111.195),
        ("distance_km(event.lat, event.lon, event.lat, event.lon)", 0.0),
        (f"in_area(event.lat, event.lon, {SQUARE})", True),
        (f"in_area(46.9, 9.5, {SQUARE})", False),
        ("in_area(47.1, 9.1, [47.0, 9.0, 47.0, 10.0, 48.0, 9.0])", True),
        ("in_area(47.9, 9.9, [47.0, 9.0, 47.0, 10.0, 48.0, 9.0])", False),
        ("in_area(47.5, 9.5, dyn([47, 9, 47, 10, 48.0, 9.5]))", True),
        ('shorten("Leave it at the door", 9)', "Leave it…"),
        ('shorten("short", 5)', "short"),
        ('shorten("long", 1)', "…"),
        ("title(event.name)", "Rosa Beck"),
        ('title("jean-luc o\'neil ßa")', "Jean-Luc O'neil Ssa"),
        ('digits("+423 234 56-78")', "4232345678"),
        ('digits("٣ ²")', ""),
        ('connected("twilio")', False),
    ],
)
def test_a_function_gives(environment: Environment, text: str, expected: object) -> None:
    assert value(environment, text) == expected


def test_what_the_moment_knows_is_handed_in_with_the_values(environment: Environment) -> None:
    later = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    context = Context(later, frozenset({"twilio"}))
    assert value(environment, "now()", context) == later
    assert value(environment, 'today("UTC")', context) == "2026-12-01"
    assert value(environment, 'connected("twilio") && !connected("xero")', context) is True


def test_the_same_expression_is_told_another_moment_each_time(environment: Environment) -> None:
    asked = environment.compile('today("UTC")')
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29)]
    found: dict[int, set[str]] = {}

    def ask(day: datetime) -> None:
        for _ in range(50):
            data = environment.data(Context(day), event=VALUES)
            found.setdefault(day.day, set()).add(asked.value(data))

    threads = [threading.Thread(target=ask, args=(day,)) for day in days]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {day.day: {str(day.date())} for day in days}


def test_a_moment_without_a_zone_is_utc(environment: Environment) -> None:
    assert value(environment, "now()", Context(EARLY.replace(tzinfo=None))) == EARLY
    shifted = EARLY.astimezone(timezone(timedelta(hours=5)))
    assert value(environment, "now()", Context(shifted)) == EARLY


def test_without_any_moment_now_is_not_made_up() -> None:
    environment = Environment({"error": {"kind": str}})
    with pytest.raises(Failed, match="the time of this evaluation is not known"):
        environment.compile("now()").value(environment.data())


def test_only_what_calls_a_function_of_the_moment_pays_for_it(environment: Environment) -> None:
    assert environment.compile('connected ("x")').late
    assert not environment.compile('event.name == "now()" || money(1, "CHF") == ""').late


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('today("Europe/Vadus")', "'Europe/Vadus' is no time zone such as Europe/Vaduz"),
        ('today("../../etc/passwd")', "is no time zone"),
        ('today("Europe")', "is no time zone"),
        ('today("")', "is no time zone"),
        (r'today("UTC\000")', "is no time zone"),
        ('local_time(timestamp("0001-01-01T00:00:00Z"), "America/New_York")', "local_time"),
        ('next_workday("23.11.2026")', "'23.11.2026' is no date such as 2026-11-23"),
        ('next_workday("2026-13-01")', "month must be in 1..12"),
        ('next_workday("9999-12-31")', "next_workday"),
        ("minutes(9223372036854775807)", "minutes are more than a year"),
        ('money(1, "chf")', "'chf' is no currency such as CHF"),
        ('money(1, "")', "is no currency"),
        ("distance_km(91.0, 0.0, 0.0, 0.0)", "91, 0 is no latitude and longitude"),
        ("distance_km(0.0/0.0, 0.0, 0.0, 0.0)", "is no latitude and longitude"),
        ("distance_km(0.0, 1.0/0.0, 0.0, 0.0)", "is no latitude and longitude"),
        ("in_area(1.0, 1.0, [1.0, 2.0, 3.0])", "an area is 3 to 100 corners"),
        ('in_area(1.0, 1.0, dyn(["a", "b", "c", "d", "e", "f"]))', "have to be numbers"),
        ('shorten("a", 0)', "1 to 2000 characters, not 0"),
    ],
)
def test_what_a_function_cannot_answer_fails_with_a_reason(
    environment: Environment, text: str, message: str
) -> None:
    with pytest.raises(Failed, match=message.replace("(", r"\(")):
        value(environment, text)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("mony(1, 'CHF')", 0, "there is no function 'mony'; did you mean 'money'?"),
        ("1 == distance(1.0)", 5, "no function 'distance'; did you mean 'distance_km'?"),
        ("event.name.lower()", 11, "there is no function 'lower'"),
        ("event.name.lowerAsci()", 11, "did you mean 'lowerAscii'?"),
        ("money('CHF')", 0, "money() is written money(minor: int, currency: string)"),
        (" money(1.5, 'CHF')", 1, "currency: string), not double, string"),
        ("now('UTC')", 0, "now() is written now()"),
        ("distance_km(47, 9, 48, 9)", 0, "lon2: double), not int, int, int, int"),
        ("event.total.now()", 12, "now() is written now()"),
        ("now == 1", 0, "'now' is unknown here"),
    ],
)
def test_a_function_that_is_not_there_is_refused_when_the_file_is_saved(
    environment: Environment, text: str, offset: int, message: str
) -> None:
    with pytest.raises(BadExpression) as caught:
        environment.compile(text)
    assert message in str(caught.value)
    assert caught.value.offset == offset


def test_a_name_of_a_loop_may_be_that_of_a_function() -> None:
    environment = Environment({"event": SHAPE, "title": {"value": str}})
    data = environment.data(event=VALUES, title={"value": "mr"})
    assert environment.compile("title(title.value)").value(data) == "Mr"


def test_a_text_is_never_made_longer_than_it_may_be(environment: Environment) -> None:
    text = f'shorten(event.name, {LONGEST_TEXT}) + title("ß")'
    assert len(str(value(environment, text))) <= LONGEST_TEXT


def test_every_function_is_in_the_documents() -> None:
    page = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text()
    for name, function in FUNCTIONS.items():
        given = ", ".join(parameter for parameter, _ in function.parameters)
        assert f"| `{name}({given})`" in page, name
