"""What expressions can ask besides CEL's own functions: time, money, distance, text, connections.

Each function is pure and typed. What depends on the moment is handed in with the values as a
`Context`; nothing here reads a clock, a database or the network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hub.contract import CEL_TYPES, PureFunction
from hub.errors import PluginError
from hub.tracking.geometry import metres
from hub.workflow.problem import harmless, suggestion

LONGEST_SPAN = 60 * 24 * 366
"""Minutes; more is a slip of the pen."""
LONGEST_TEXT = 2000
CORNERS = 100
"""How many corners an area may have."""
DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""ISO 4217: how many decimals a currency is written with, where these are not two."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_LETTER = re.compile(r"(^|[\s\-/(])(\w)")


@dataclass(frozen=True)
class Context:
    """What one evaluation knows besides its values."""

    now: datetime | None = None
    """Business time; without it, expressions take the moment at which the event happened."""
    connected: Collection[str] = field(default=frozenset())
    """Names of the connectors that have a connection which can be used."""


@dataclass(frozen=True)
class Function:
    """One function: its parameters, what it returns, and how it is worked out.

    `late` ones take the `Context` as their first argument, which no expression can write.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    """(name, CEL type) of each."""
    result: str
    run: Callable[..., Any]
    late: bool = False

    @property
    def usage(self) -> str:
        """How it is written, e.g. `money(minor: int, currency: string)`."""
        inner = ", ".join(f"{name}: {kind}" for name, kind in self.parameters)
        return f"{self.name}({inner})"


def now(context: Context) -> datetime:
    """Return the business time of the evaluation."""
    if context.now is None:
        raise ValueError("the time of this evaluation is not known")
    at = context.now
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def today(context: Context, tz: str) -> str:
    """Return the local date of `now()`, e.g. 2026-11-23."""
    return local_date(now(context), tz)


def connected(context: Context, name: str) -> bool:
    """Say whether a connection of that connector can be used."""
    return name in context.connected


def next_workday(day: str) -> str:
    """Return the first day from Monday to Friday after a date; holidays are not known."""
    if not _DAY.fullmatch(day):
        raise ValueError(f"{quoted(day)} is no date such as 2026-11-23")
    following = date.fromisoformat(day) + timedelta(days=1)
    weekend = following.weekday() > 4
    return str(following + timedelta(days=7 - following.weekday() if weekend else 0))


def minutes(count: int) -> timedelta:
    """Return a span of time, to be added to a moment."""
    if abs(count) > LONGEST_SPAN:
        raise ValueError(f"{count} minutes are more than a year")
    return timedelta(minutes=count)


def local_time(moment: datetime, tz: str) -> str:
    """Return what a clock on the wall shows, e.g. 08:05."""
    return f"{moment.astimezone(zone(tz)):%H:%M}"


def local_date(moment: datetime, tz: str) -> str:
    """Return the date on a calendar on the wall, e.g. 2026-11-23."""
    return str(moment.astimezone(zone(tz)).date())


def money(minor: int, currency: str) -> str:
    """Return an amount as people write it, e.g. 12.50 CHF.

    Events count every amount in hundredths, those of currencies without hundredths too; so
    100000 JPY are 1000 yen, and written like that.
    """
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{quoted(currency)} is no currency such as CHF")
    whole, part = divmod(abs(minor), 100)
    places = DECIMALS.get(currency, 2)
    decimals = f".{part:02}".ljust(places + 1, "0") if places or part else ""
    return f"{'-' if minor < 0 else ''}{whole}{decimals} {currency}"


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in kilometres, exact to a metre."""
    for lat, lon in ((lat1, lon1), (lat2, lon2)):
        point(lat, lon)
    return round(metres(lat1, lon1, lat2, lon2) / 1000, 3)


def in_area(lat: float, lon: float, corners: Sequence[Any]) -> bool:
    """Say whether a point lies within the corners, given as lat, lon, lat, lon and so on."""
    point(lat, lon)
    if len(corners) % 2 or not 6 <= len(corners) <= 2 * CORNERS:
        raise ValueError(f"an area is 3 to {CORNERS} corners, each as two numbers: lat, lon")
    ring = [point(*pair) for pair in zip(corners[::2], corners[1::2], strict=True)]
    inside = False
    for (lat1, lon1), (lat2, lon2) in zip(ring, ring[1:] + ring[:1], strict=True):
        # A ray to the east crosses the border an odd number of times from inside.
        if (lat1 > lat) != (lat2 > lat):
            inside ^= lon < lon1 + (lat - lat1) * (lon2 - lon1) / (lat2 - lat1)
    return inside


def shorten(text: str, count: int) -> str:
    """Return at most `count` characters; what was cut off is shown by three dots in one sign."""
    if not 1 <= count <= LONGEST_TEXT:
        raise ValueError(f"a text can be shortened to 1 to {LONGEST_TEXT} characters, not {count}")
    return text if len(text) <= count else text[: count - 1].rstrip() + "…"


def title(text: str) -> str:
    """Return a text with a capital at the beginning of each word and small letters after it."""
    return _FIRST_LETTER.sub(lambda found: found[1] + found[2].title(), text.lower())


def digits(text: str) -> str:
    """Return the digits 0 to 9 of a text, in their order."""
    return "".join(letter for letter in text if letter in "0123456789")


def point(lat: Any, lon: Any) -> tuple[float, float]:
    """Return a point on the earth; raise `ValueError` for numbers that are none."""
    try:
        found = float(lat), float(lon)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a latitude and a longitude have to be numbers") from None
    if not (abs(found[0]) <= 90 and abs(found[1]) <= 180 and math.isfinite(sum(found))):
        raise ValueError(f"{found[0]:g}, {found[1]:g} is no latitude and longitude")
    return found


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return a time zone; raise `ValueError` for a name that is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{quoted(name)} is no time zone such as Europe/Vaduz") from None


def quoted(text: str) -> str:
    """Return a text short enough for a message, and harmless in it."""
    return f"'{harmless(text)}'" if len(text) <= 40 else f"'{harmless(text[:40])}...'"


FUNCTIONS = {
    found.name: found
    for found in (
        Function("now", (), "timestamp", now, late=True),
        Function("today", (("tz", "string"),), "string", today, late=True),
        Function("connected", (("name", "string"),), "bool", connected, late=True),
        Function("next_workday", (("date", "string"),), "string", next_workday),
        Function("minutes", (("n", "int"),), "duration", minutes),
        Function("local_time", (("at", "timestamp"), ("tz", "string")), "string", local_time),
        Function("local_date", (("at", "timestamp"), ("tz", "string")), "string", local_date),
        Function("money", (("minor", "int"), ("currency", "string")), "string", money),
        Function(
            "distance_km",
            (("lat1", "double"), ("lon1", "double"), ("lat2", "double"), ("lon2", "double")),
            "double", distance_km,
        ),
        Function(
            "in_area", (("lat", "double"), ("lon", "double"), ("corners", "list(double)")),
            "bool", in_area,
        ),
        Function("shorten", (("text", "string"), ("n", "int")), "string", shorten),
        Function("title", (("text", "string"),), "string", title),
        Function("digits", (("text", "string"),), "string", digits),
    )
}  # fmt: skip
OWN = frozenset(FUNCTIONS)
LATE = frozenset(name for name, found in FUNCTIONS.items() if found.late)
STANDARD = (
    "all", "bool", "bytes", "charAt", "contains", "double", "duration", "dyn", "endsWith",
    "exists", "exists_one", "filter", "format", "getDate", "getDayOfMonth", "getDayOfWeek",
    "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth",
    "getSeconds", "has", "hasValue", "indexOf", "int", "join", "lastIndexOf", "lowerAscii", "map",
    "matches", "optMap", "or", "orValue", "replace", "reverse", "size", "split", "startsWith",
    "string", "substring", "timestamp", "trim", "type", "uint", "upperAscii", "value",
)  # fmt: skip
"""CEL's own functions, for suggestions."""


def misused(name: str, given: str = "") -> str:
    """Return what is wrong with a call that CEL does not accept."""
    if name in FUNCTIONS:
        told = f", not {given}" if given else ""
        return f"{name}() is written {FUNCTIONS[name].usage}{told}"
    if name in STANDARD:
        return f"{name}() does not take what it is given here"
    return f"there is no function {quoted(name)}{suggestion(name[:40], [*FUNCTIONS, *STANDARD])}"


def install(found: PureFunction) -> None:
    """Let the expressions of this process call a plugin's function.

    A process finds its plugins when it starts. Raise `PluginError` for a name of the hub's own.
    """
    if found.name in OWN or found.name in STANDARD:
        raise PluginError(f"the hub has a function of its own named {found.name}")
    run = guarded(found)
    FUNCTIONS[found.name] = Function(found.name, found.parameters, found.result, run)
    extension.cache_clear()


def guarded(found: PureFunction) -> Callable[..., Any]:
    """Return a plugin's function as one that fails in our words and keeps to its type."""
    kinds = {name: kind for kind, name in CEL_TYPES.items()}

    def run(*given: Any) -> Any:
        try:
            value = found.run(*given)
        except Exception as error:  # a plugin's own code may raise anything
            raise ValueError(f"{found.name}: {type(error).__name__}: {error}") from error
        if type(value) is not kinds[found.result]:
            raise ValueError(f"{found.name} returned {quoted(repr(value))}, no {found.result}")
        return value

    return run


@cache
def extension() -> Any:
    """Return the functions as CEL takes them; the late ones without what they do."""
    from cel_expr_python import cel

    return cel.CelExtension("hub", [declared(cel, found) for found in FUNCTIONS.values()])


def declared(cel: Any, function: Function) -> Any:
    """Return the declaration of one function; the late ones are bound for each evaluation."""
    given = {} if function.late else {"impl": function.run}
    overload = cel.Overload(
        f"hub_{function.name}", return_type=kind(cel, function.result),
        parameters=[kind(cel, found) for _, found in function.parameters], **given,
    )  # fmt: skip
    return cel.FunctionDecl(function.name, [overload])


def bound(context: Context) -> list[Any]:
    """Return the late functions for one evaluation."""
    from cel_expr_python import cel

    return [
        cel.Function(
            name, [kind(cel, found) for _, found in FUNCTIONS[name].parameters], False,
            lambda *given, run=FUNCTIONS[name].run: run(context, *given),
            kind(cel, FUNCTIONS[name].result),
        )
        for name in LATE
    ]  # fmt: skip


def kind(cel: Any, name: str) -> Any:
    """Return CEL's type of that name."""
    if name == "list(double)":
        return cel.Type.List(cel.Type.DOUBLE)
    return getattr(cel.Type, name.upper())
