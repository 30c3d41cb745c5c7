"""The checks put together: a test class gets those that fit its connector, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.testing.conformance import checks, wire
from hub.testing.conformance.checks import FIRST, Check
from hub.testing.conformance.consent import OAuthTests
from hub.testing.conformance.engine import AnytimeEngineTests, RoutingEngineTests
from hub.testing.conformance.ground import Ground, calls_a_service, can, tells
from hub.testing.conformance.loading import LoadingTests
from hub.testing.conformance.news import ReportSourceTests, StatusSinkTests, SubscriberTests
from hub.testing.conformance.places import GeocoderTests, TravelTimesTests
from hub.testing.conformance.positions import PositionSourceTests
from hub.testing.conformance.reading import has_pages
from hub.testing.conformance.receiver import ReceiverTests, signs
from hub.testing.conformance.secrecy import SecrecyTests
from hub.testing.conformance.sending import ChannelTests, PodSinkTests
from hub.testing.conformance.settings import SettingsTests
from hub.testing.conformance.source import OrderSourceTests
from hub.testing.conformance.wire import WireTests
from hub.testing.conformance.written import WrittenTests


@dataclass(frozen=True)
class Part:
    """The checks of one subject, for whom they are, and the grade that they belong to."""

    tests: type[Ground]
    about: str
    grade: str
    methods: tuple[str, ...] = ()
    """What a connector has for them to apply."""
    ready: Callable[[type[Ground]], bool] = lambda _: True
    """Whether the test class has the samples; until then only the first check applies, for it
    says what to give."""


def told(method: str) -> Callable[[type[Ground]], bool]:
    """Return what says whether a test class tells what is answered to a method."""
    return lambda kit: tells(kit, method) or not calls_a_service(kit)


BRONZE, SILVER = "bronze", "silver"
PARTS = (
    Part(LoadingTests, "every connector", BRONZE),
    Part(SettingsTests, "every connector", BRONZE),
    Part(WireTests, "what calls a service", BRONZE),
    Part(SecrecyTests, "every call", BRONZE),
    Part(WrittenTests, "a new plugin", ""),
    Part(OrderSourceTests, "an order source", SILVER, ("pull",), has_pages("pull")),
    Part(PositionSourceTests, "a position source", SILVER, ("positions",), has_pages("positions")),
    Part(RoutingEngineTests, "a routing engine", SILVER, ("plan",)),
    Part(AnytimeEngineTests, "an engine that can be watched", SILVER, ("search",)),
    Part(TravelTimesTests, "travel times", SILVER, ("matrix",)),
    Part(GeocoderTests, "a geocoder", SILVER, ("locate",)),
    Part(ChannelTests, "a channel", SILVER, ("send",)),
    Part(PodSinkTests, "a sink of proofs", SILVER, ("store",)),
    Part(ReceiverTests, "a receiver", SILVER, ("receive", "unpack"), signs),
    Part(StatusSinkTests, "who is told of deliveries", SILVER, ("tell",), told("tell")),
    Part(
        SubscriberTests, "who sets webhooks up", SILVER, ("subscribe", "unsubscribe"),
        told("subscribe"),
    ),
    Part(
        ReportSourceTests, "a source of reports", SILVER, ("reports",),
        lambda kit: tells(kit, "reports"),
    ),
    Part(OAuthTests, "what is connected by consent", SILVER, ("authorize", "exchange", "refresh")),
)  # fmt: skip
BY_ITSELF = frozenset({"test_a_test_can_stand_in_for_its_service", "test_check_asks_the_service"})
"""Checks of calls that apply also where a connector has no call of its own."""


def read_checks() -> tuple[Check, ...]:
    """Return every check, in the order of the parts."""
    found = []
    for part in PARTS:
        own = [name for name in vars(part.tests) if name.startswith("test_")]
        for name in own:
            code = vars(part.tests)[name]
            marks = getattr(code, "__dict__", {})
            found.append(
                Check(
                    name=name,
                    says=(code.__doc__ or "").strip().partition("\n")[0],
                    about=part.about,
                    grade=part.grade,
                    since=marks.get("hub_since", FIRST),
                    applies=_applies(part, name, marks.get("hub_only"), name == own[0]),
                    code=code,
                )
            )
    return tuple(found)


def _applies(
    part: Part, name: str, only: Callable[[type[Ground]], bool] | None, first: bool
) -> Callable[[type[Any]], bool]:
    def applies(kit: type[Ground]) -> bool:
        """Say whether a check is for the connector of a test class."""
        if part.methods and not can(kit, *part.methods):
            return False
        if part.tests is WireTests and name not in BY_ITSELF and not wire.asks(kit):
            return False
        return (first or part.ready(kit)) and (only is None or only(kit))

    return applies


CHECKS = read_checks()
KIT = frozenset({Ground, *(part.tests for part in PARTS)})


class ConnectorTests(
    LoadingTests, SettingsTests, WireTests, SecrecyTests, WrittenTests, OrderSourceTests,
    PositionSourceTests, RoutingEngineTests, AnytimeEngineTests, TravelTimesTests, GeocoderTests,
    ChannelTests, PodSinkTests, ReceiverTests, StatusSinkTests, SubscriberTests, ReportSourceTests,
    OAuthTests,
):  # fmt: skip
    """Every check that fits one connector, chosen by what its class can do.

    class TestAcme(ConnectorTests):
        connector = Acme
        config = {"token": SECRET}
    """

    hub_checks: dict[str, str] = {}  # noqa: RUF012 - replaced for each class, never changed
    """The checks that were chosen -> why it is exempt, nothing for one that runs."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Choose the checks as soon as the connector is known."""
        super().__init_subclass__(**named)
        if hasattr(cls, "connector"):
            choose(cls)


def choose(kit: type[ConnectorTests]) -> None:
    """Leave in a test class the checks that apply; raise `TypeError` for an exemption in error."""
    names = {check.name for check in CHECKS}
    for name, reason in kit.exempt.items():
        if name not in names:
            raise TypeError(f"{kit.__name__}.exempt names {name}, which is no check")
        if not str(reason).strip():
            raise TypeError(f"{kit.__name__}.exempt[{name!r}] has no reason; say why")
    written_for = kit.hub_api or checks.target(distribution(kit))
    kit.hub_checks = {}
    for check in CHECKS:
        if not check.applies(kit):
            _set(kit, check.name, None)
            continue
        kit.hub_checks[check.name] = kit.exempt.get(check.name, "")
        if check.name in kit.exempt:
            _set(kit, check.name, checks.exempted(check, kit.exempt[check.name]))
        elif checks.is_new(check, written_for):
            _set(kit, check.name, checks.warning(check))
        else:
            _set(kit, check.name, check.code)


def _set(kit: type[ConnectorTests], name: str, code: Any) -> None:
    """Put a check into a test class, unless its author wrote one of that name."""
    for owner in kit.__mro__:
        if owner in KIT:
            break
        chosen = owner.__dict__.get("_hub_set", ())
        if name in owner.__dict__ and name not in chosen:
            return
    setattr(kit, name, code)
    kit._hub_set = {*kit.__dict__.get("_hub_set", ()), name}  # type: ignore[attr-defined]


def distribution(kit: type[ConnectorTests]) -> str:
    """Return the name of the distribution that brings a connector, or nothing."""
    from importlib.metadata import packages_distributions

    top = kit.connector.__module__.partition(".")[0]
    found = packages_distributions().get(top) or [top.replace("_", "-")]
    return found[0]
