"""Which engines a problem is given to, in which order, and why: the operator's own, then ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.connector import Connector
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Feature, Problem
from hub.planning.needs import in_words, named, needs
from hub.planning.providers import Provider
from hub.plugins import Plugins

ENGINES = ("pyvrp", "ortools", "vroom")
"""What is built in, the one that finds the best routes in the same time first."""
MENDABLE: frozenset[Feature] = frozenset({"breaks", "several_windows"})
"""What routes made without it often keep after a few repairs, so that it is worth a try."""


@dataclass(frozen=True)
class Entrant:
    """An engine that is about to be asked, and why it."""

    provider: Provider
    lacks: frozenset[Feature] = frozenset()
    """What is asked and it does not keep."""
    because: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.provider.connector.title

    @property
    def why(self) -> str:
        """Why it plans, in words."""
        return f"{self.title}, {self.because}" if self.because else self.title


def lineup(hub: Hub, problem: Problem, engine: str = "") -> list[list[Entrant]]:
    """Return who is asked, round by round; who is in one round is compared by what they find.

    A later round is for when an earlier one has found nothing. `engine` names the only one.
    """
    asked = needs(problem)
    if engine:
        return [[the_one(hub, asked, engine)]]
    rounds: list[list[Entrant]] = []
    ours = installed(hub.plugins, asked)
    for provider in connected(hub):
        own = entrant(provider, asked, "because it is connected")
        rounds.append([own, *keepers(ours)[:1]] if own.lacks else [own])
    return rounds + built_in(problem, ours)


def built_in(problem: Problem, ours: Sequence[Entrant]) -> list[list[Entrant]]:
    """Return our own engines in the order in which they are asked."""
    full = keepers(ours)
    if not full:
        # What breaks a rule is taken out afterwards: the fewer rules an engine misses the better.
        order = sorted(ours, key=lambda one: len(one.lacks))
        return [[said(one, f"which does not know {named(one.lacks)}")] for one in order]
    first = full[0]
    passed = [one for one in ours[: ours.index(first)] if one.lacks]
    if passed:
        lacking = frozenset.union(*(one.lacks for one in passed))
        first = said(first, f"because {in_words(problem, lacking)}")
    mended = [one for one in passed if one.lacks <= MENDABLE][:1]
    rest = [[one] for one in ours if one not in mended and one is not full[0]]
    rest.sort(key=lambda one: len(one[0].lacks))
    return [[first, *mended], *rest]


def keepers(ours: Sequence[Entrant]) -> list[Entrant]:
    """Return those who keep all that is asked."""
    return [one for one in ours if not one.lacks]


def entrant(provider: Provider, asked: frozenset[Feature], because: str = "") -> Entrant:
    """Return an engine as one that may be asked."""
    return Entrant(provider, asked - provider.connector.features, because)


def said(one: Entrant, because: str) -> Entrant:
    """Return an entrant with its reason."""
    return Entrant(one.provider, one.lacks, because)


def the_one(hub: Hub, asked: frozenset[Feature], engine: str) -> Entrant:
    """Return the engine of a name; raise `Refused` naming those there are."""
    known = hub.plugins.of_kind("routing_engines")
    if engine not in known:
        raise Refused(
            f"there is no engine {engine}; there are: {', '.join(sorted(known))}", "engine"
        )
    own = [one for one in connected(hub) if one.connector.name == engine]
    return entrant(own[0] if own else Provider(made(hub.plugins, engine)), asked, "as asked")


def connected(hub: Hub) -> list[Provider]:
    """Return the engines that the operator has connected and that work."""
    with hub.store.read() as session:
        return [
            Provider(hub.connections.build(session, row), row.id)
            for row in hub.connections.find(session, "routing_engines", None)
            if row.merchant is None and row.state == "healthy"
        ]


def installed(plugins: Plugins, asked: frozenset[Feature]) -> list[Entrant]:
    """Return our own engines that are installed here, in their order."""
    there = plugins.of_kind("routing_engines")
    return [entrant(Provider(made(plugins, name)), asked) for name in ENGINES if name in there]


def made(plugins: Plugins, name: str) -> Connector[Any]:
    """Return an engine with its default settings."""
    kind = plugins.connector(name)
    return kind(kind.Config())
