"""The files of a new plugin: they load and pass the checks, but for what is its author's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.errors import Refused


@dataclass(frozen=True)
class Part:
    """One capability of a connector, as it is begun."""

    hook: str
    protocol: str
    nouns: tuple[str, ...]
    method: str
    """The method without its body."""
    todo: str
    """What its author has to write."""
    call: str
    """What the test that is red at first calls on the connector."""
    needs: tuple[str, ...] = ()
    """What that test imports from `hub`."""


PARTS = {
    "order-source": Part(
        "order_sources", "OrderSource", ("Cursor", "Order", "RefusedRow"),
        "pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]",
        "Ask for what changed since cursor.value; yield Orders, then the next Cursor",
        "list(made.pull(Cursor()))", ("Cursor",),
    ),
    "routing-engine": Part(
        "routing_engines", "RoutingEngine", ("Plan", "Problem"),
        "plan(self, problem: Problem) -> Plan",
        "Put every stop into one of Plan.routes, or into Plan.unserved with the reason",
        "made.plan(Problem(stops=(), vehicles=(), matrix=Matrix(seconds=(), metres=())))",
        ("Matrix", "Problem"),
    ),
    "travel-times": Part(
        "travel_times", "TravelTimes", ("Legs", "Matrix"),
        "matrix(self, legs: Legs) -> Matrix",
        "Return seconds and metres from every one of legs.points to every other",
        "made.matrix(Legs(points=()))", ("Legs",),
    ),
    "geocoder": Part(
        "geocoders", "Geocoder", ("Address", "Location"),
        "locate(self, address: Address) -> Location | None",
        "Look address.text() up; return its Location, or None for one not known",
        'made.locate(Address(line1="Gasse 1"))', ("Address",),
    ),
    "channel": Part(
        "notification_channels", "Channel", ("Message", "Receipt"),
        "send(self, message: Message) -> Receipt",
        "Send message.text to message.to, with message.key as the idempotency key",
        'made.send(Message(key="run:step:1", to="+41791234567", text="Soon there"))', ("Message",),
    ),
    "pod-sink": Part(
        "pod_sinks", "PodSink", ("Proof", "Receipt"),
        "store(self, proof: Proof) -> Receipt",
        "Keep proof.record and proof.files; the same proof.key again changes nothing",
        "made.store(a_proof())", (),
    ),
}  # fmt: skip
PROJECT = """\
[project]
name = "hub-{name}"
version = "0.1.0"
description = "{title} for Lastmile Hub"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["lastmile-hub"]

[project.optional-dependencies]
test = ["pytest"]

[project.entry-points.hub]
{name} = "hub_{name}"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
only-include = ["hub_{name}.py"]
"""
README = """\
# {title} for Lastmile Hub

    pip install -e '.[test]'
    python -m pytest

Tests that are red say what is left to write. Installed beside a hub, the plugin is found at its
next start; set it up under *Connections*.
"""
MODULE = '''\
"""{title} for Lastmile Hub."""

from __future__ import annotations

{standard}from pydantic import BaseModel, Field, SecretStr

from hub import (
{imports}
)


class Config(BaseModel):
    """Where {title} is, and what opens it."""

    url: Url = Field(default="https://api.example.com", title="Address")
    token: SecretStr = Field(title="API token")


class {klass}(Connector[Config]):
    """Talks to {title}."""

    name = "{name}"
    title = "{title}"
    Config = Config

    def check(self) -> None:
        """Make the cheapest call that proves the settings."""
        self.http.get("/")

{methods}
    @property
    def http(self) -> Http:
        """{title}, with the token in every call."""
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {{token}}")
{hooks}'''
METHOD = '''\
    def {method}:
        """{todo}."""
        raise NotImplementedError("write {klass}.{verb}; its docstring says what it has to do")
'''
HOOK = '''

@hookimpl
def {hook}() -> list[type[{protocol}]]:
    """Offer {title}."""
    return [{klass}]
'''
TESTS = '''\
"""The checks that every connector passes, and what is left to write."""

from __future__ import annotations

{needs}from hub.testing.conformance import {kit}
from hub_{name} import {klass}


class Test{klass}(ConnectorTests):
    connector = {klass}
    config = {{"token": SECRET}}
{tests}'''
TEST = """
    def test_{verb}_is_written(self, peer: ScriptedPeer) -> None:
        made = self.built(peer.url)
        {call}
"""


def files(name: str, kinds: list[str]) -> dict[str, str]:
    """Return the files of a new plugin by their path; `kinds` are keys of `PARTS`."""
    title = name.replace("_", " ").title()
    klass = title.replace(" ", "")
    parts = [PARTS[kind] for kind in kinds]
    nouns = {noun for part in parts for noun in (part.protocol, *part.nouns)}
    imports = [*sorted(nouns | {"Connector", "Http", "Url"}), "hookimpl"]
    needs = sorted({noun for part in parts for noun in part.needs})
    kit = ["SECRET", "ConnectorTests", "ScriptedPeer"]
    kit += ["a_proof"] if any("a_proof" in part.call for part in parts) else []
    words = {"name": name, "title": title, "klass": klass}
    methods = [
        METHOD.format(method=part.method, todo=part.todo, klass=klass, verb=verb(part))
        for part in parts
    ]
    tests = [TEST.format(verb=verb(part), call=part.call) for part in parts]
    return {
        "pyproject.toml": PROJECT.format(**words),
        "README.md": README.format(**words),
        f"hub_{name}.py": MODULE.format(
            **words,
            standard="from collections.abc import Iterator\n\n" if "order-source" in kinds else "",
            imports="\n".join(f"    {one}," for one in imports),
            methods="\n".join(methods),
            hooks="".join(
                HOOK.format(hook=part.hook, protocol=part.protocol, **words) for part in parts
            ),
        ),
        f"tests/test_{name}.py": TESTS.format(
            **words,
            needs=f"from hub import {', '.join(needs)}\n" if needs else "",
            kit=", ".join(kit),
            tests="".join(tests),
        ),
    }


def verb(part: Part) -> str:
    """Return the name of a part's method."""
    return part.method.partition("(")[0]


def write(folder: Path, name: str, kinds: list[str]) -> list[Path]:
    """Write a new plugin into `folder`/`name`; raise `Refused` where that is there already."""
    root = folder / name
    if root.exists():
        raise Refused(f"{root} is there already; choose another name or folder")
    made = []
    for path, text in files(name, kinds).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        made.append(file)
    return made
