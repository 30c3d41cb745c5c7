"""What every check stands on: the connector, built against a service that a test scripts."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

import pytest
from pydantic import BaseModel

from hub.connections.fields import secret_fields
from hub.connector import Connector
from hub.errors import HubError
from hub.http import READS as ASKING
from hub.nouns import (
    Address,
    Cursor,
    DeliveryStatus,
    Grant,
    Hook,
    Incoming,
    Legs,
    Location,
    Message,
    Proof,
    Subscribed,
    Trip,
)
from hub.testing.conformance import samples
from hub.testing.conformance.checks import place
from hub.testing.conformance.scripted import ScriptedPeer, replied
from hub.testing.peers import Reply, Request

READS = ("check", "pull", "positions", "locate", "matrix", "directions", "plan", "reports")
"""Methods that only ask."""
WRITES = ("send", "store", "tell", "subscribe", "unsubscribe")
"""Methods that change something on the other side."""
TOLD = ("tell", "subscribe", "unsubscribe", "reports")
"""Methods that are called once their author says what the service answers."""
TOKENS = ("exchange", "refresh")
VERBS = (*READS, *WRITES, *TOKENS)
MOST = 10_000
"""Things that one reading may yield here; more is endless."""


PEER = pytest.StashKey[ScriptedPeer]()


@dataclass(frozen=True)
class Outcome:
    """What a call came to."""

    value: Any = None
    error: Exception | None = None

    def __str__(self) -> str:
        if self.error is None:
            return f"it returned {str(self.value)[:200]!r}"
        return f"it raised {type(self.error).__name__}: {str(self.error)[:300]}"

    @property
    def is_told(self) -> bool:
        """Whether it ended in the hub's own words, or without a fault."""
        return self.error is None or isinstance(self.error, HubError)


class Ground:
    """What the author of a test class says about a connector, and how the checks call it."""

    connector: ClassVar[type[Connector[Any]]]
    """The class to check."""
    config: ClassVar[dict[str, Any]]
    """Settings that are valid; in a text `{tmp}` is an empty folder, `{here}` the test's own."""
    place: ClassVar[str] = "url"
    """The setting that holds the service's address; a connector without it calls no service."""
    path: ClassVar[str] = ""
    """What follows the host in that address."""
    places: ClassVar[dict[str, str]] = {}
    """Further settings that hold an address, each with what follows the host."""
    answers: ClassVar[Mapping[str, Sequence[Any]]] = {}
    """What the service answers, by the method that asks: JSON, or a `Reply`.

    The first question gets the first answer, another one the next, and what is left gets the
    last; the same question gets the same answer again. Of `pull` and `positions` the last is what
    is answered when nothing is new. `unknown` is for an address that the geocoder does not know.
    """
    message: ClassVar[Message] = samples.MESSAGE
    proof: ClassVar[Proof] = samples.a_proof()
    status: ClassVar[DeliveryStatus] = samples.a_status()
    """News of an order that the service knows."""
    hook: ClassVar[Hook] = samples.HOOK
    address: ClassVar[Address] = samples.ADDRESS
    nowhere: ClassVar[Address] = samples.NOWHERE
    points: ClassVar[tuple[Location, ...]] = samples.POINTS
    broken: ClassVar[dict[str, Any]] = {}
    """Settings of a source that calls no service, under which one record is unreadable."""
    event: ClassVar[Any] = {}
    """What the other system sends to a receiver: JSON, or bytes."""
    exempt: ClassVar[dict[str, str]] = {}
    """Check -> why this connector is let off it; shown with its grade."""
    hub_api: ClassVar[str] = ""
    """The version of the hub it is written for; empty: the lowest that its distribution takes."""
    saved: ClassVar[Sequence[dict[str, Any]]] = ()
    """Settings as earlier releases saved them, beside those in `saved_configs/`."""

    doing: str = ""
    """The method that is being called."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check that asks for a method once for each that the connector has."""
        writing = [verb for verb in WRITES if verb != "unsubscribe"]
        wanted = {"verb": VERBS, "reading": READS, "writing": writing}
        for name, among in wanted.items():
            if name in metafunc.fixturenames:
                own = verbs(metafunc.cls or type(self))
                metafunc.parametrize(name, [verb for verb in own if verb in among])

    @pytest.fixture
    def peer(
        self,
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> ScriptedPeer:
        """Return a service on loopback that the connector may call; it answers as `serve` does.

        All checks of a class share one.
        """
        owner = request.node.getparent(pytest.Class) or request.node
        made: ScriptedPeer | None = owner.stash.get(PEER, None)
        if made is None:
            made = owner.stash[PEER] = ScriptedPeer(tmp_path_factory.mktemp("peer"))
            made.start()
            owner.addfinalizer(made.stop)
        made.requests.clear()
        made.reply = self.serve
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
        return made

    @pytest.fixture(autouse=True)
    def grounded(self, request: pytest.FixtureRequest) -> None:
        """Forget what was asked before, and know where a folder comes from."""
        self.fixtures = request
        self.asked: dict[str, list[str]] = {}

    @property
    def tmp(self) -> Path:
        """A folder of the test's own."""
        found: Path = self.fixtures.getfixturevalue("tmp_path")
        return found

    def serve(self, request: Request) -> Reply | None:
        """Answer as the service does; write it anew where a list of `answers` is not enough."""
        usual = [samples.TOKENS] if self.doing in TOKENS else [{"id": "1"}]
        pages: Sequence[Any] = self.answers.get(self.doing) or usual
        known = self.asked.setdefault(self.doing, [])
        question = self.question(request)
        if question not in known:
            known.append(question)
        return replied(pages[min(known.index(question), len(pages) - 1)])

    def question(self, request: Request) -> str:
        """Return what a request asks, without what differs each time, such as a nonce."""
        query = {name: v for name, v in request.query.items() if not name.startswith("oauth_")}
        return f"{request.method} {request.path} {sorted(query.items())} {request.body!r}"

    def reads(self, request: Request) -> bool:
        """Say whether a request only asks; write it anew for a service where POST asks as well."""
        if request.method in ASKING:
            return True
        try:
            asked = request.json()
        except ValueError:
            return False
        query = asked.get("query") if isinstance(asked, dict) else None
        return isinstance(query, str) and query.lstrip().startswith(("query", "{"))  # GraphQL

    def signed(self, body: bytes, secret: str = samples.SECRET) -> Incoming:
        """Return a request with this body as the other system signs it; a receiver's author
        writes it."""
        raise NotImplementedError

    def count(self) -> int:
        """Return how many records the other side holds; for what is not reached over HTTP."""
        raise NotImplementedError

    def settings(self, url: str = "") -> dict[str, Any]:
        """Return the settings, pointed at `url` where one is given."""
        told = {name: self.filled(value) for name, value in self.config.items()}
        if url:
            told |= {name: url + path for name, path in addresses(type(self)).items()}
        return told

    def filled(self, value: Any) -> Any:
        """Return a setting with the test's folder in it."""
        if not isinstance(value, str):
            return value
        text = value.replace("{here}", str(folder_of(type(self))))
        return text.replace("{tmp}", str(self.tmp)) if "{tmp}" in text else text

    def built(self, url: str = "") -> Connector[Any]:
        """Return the connector, pointed at `url` where one is given."""
        return self.connector(self.connector.Config.model_validate(self.settings(url)))

    def given(self, verb: str) -> tuple[Any, ...]:
        """Return what a method is called with."""
        return {
            "pull": (Cursor(),),
            "positions": (Cursor(),),
            "locate": (self.address,),
            "matrix": (Legs(points=self.points),),
            "directions": (Trip(points=self.points),),
            "plan": (samples.a_problem(),),
            "send": (self.message,),
            "store": (self.proof,),
            "tell": (self.status,),
            "subscribe": (self.hook,),
            "unsubscribe": (self.hook,),
            "reports": (Cursor(),),
            "exchange": (samples.CALLBACK,),
        }.get(verb, ())

    def call(self, verb: str, *given: Any, made: Any = None, url: str = "") -> Any:
        """Call a method to its end; what it yields comes as a list."""
        self.doing = verb
        found = getattr(made or self.built(url), verb)(*(given or self.given(verb)))
        return list(islice(found, MOST)) if isinstance(found, Iterator) else found

    def outcome(self, verb: str, *given: Any, made: Any = None, url: str = "") -> Outcome:
        """Call a method to its end, and say what it came to."""
        try:
            return Outcome(self.call(verb, *given, made=made, url=url))
        except Exception as error:
            return Outcome(error=error)

    def at(self, verb: str) -> str:
        """Return a method's name and where it stands, for the text of a failed check."""
        method = getattr(self.connector, verb, None)
        return f"{self.connector.__qualname__}.{verb}(){place(method)}"

    def secrets(self) -> dict[str, str]:
        """Return every secret setting by name, in clear."""
        found = {}
        config = self.built().config
        for name in secret_fields(type(config)):
            value = getattr(config, name)
            if value is not None and len(value.get_secret_value()) >= 6:
                found[name] = value.get_secret_value()
        return found

    def spelt(self) -> dict[str, str]:
        """Return every spelling in which a secret could come out, with the setting it is of."""
        secrets = self.secrets()
        texts = [value for value in self.settings().values() if isinstance(value, str)]
        found = {}
        for name, secret in secrets.items():
            for spelling in (secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]):
                found[spelling] = name
            for text in texts:
                for pair in (f"{text}:{secret}", f"{secret}:{text}", f"{secret}:"):
                    found[base64.b64encode(pair.encode()).decode().rstrip("=")] = name
        return found


def folder_of(kit: type[Ground]) -> Path:
    """Return the folder that a test class stands in."""
    return Path(inspect.getfile(kit)).parent


def addresses(kit: type[Ground]) -> dict[str, str]:
    """Return the settings that hold an address, each with what follows the host."""
    fields = kit.connector.Config.model_fields
    named = {kit.place: kit.path, **kit.places}
    return {name: path for name, path in named.items() if name in fields}


def calls_a_service(kit: type[Ground]) -> bool:
    """Say whether a connector has a setting for the address of a service."""
    return bool(addresses(kit))


def is_keyed(kit: type[Ground]) -> bool:
    """Say whether a connector promises that the other side drops a repeated key."""
    return kit.connector.keyed


def unwritten(method: Any) -> bool:
    """Say whether a method does nothing but say that it is to be written."""
    code = getattr(method, "__code__", None)
    return code is not None and code.co_names == ("NotImplementedError",)


def can(kit: type[Ground], *methods: str) -> bool:
    """Say whether a connector has these methods, written."""
    own = [getattr(kit.connector, name, None) for name in methods]
    return all(own) and not any(unwritten(method) for method in own)


def verbs(kit: type[Ground]) -> list[str]:
    """Return the methods that a connector has for the hub to call, `check` where it is its own."""
    own = [verb for verb in VERBS[1:] if can(kit, verb) and (verb not in TOLD or tells(kit, verb))]
    has_check = kit.connector.check is not Connector.check
    return ["check", *own] if has_check else own


def tells(kit: type[Ground], *methods: str) -> bool:
    """Say whether a test class says what the service answers to any of these methods."""
    return kit.serve is not Ground.serve or any(name in kit.answers for name in methods)


def said(model: Any) -> str:
    """Return everything that a value tells when it is written down."""
    if isinstance(model, Grant | Subscribed):  # its settings are on their way into the safe
        return f"{model!r} {model}"
    if isinstance(model, BaseModel):
        return f"{model!r} {model} {model.model_dump_json()}"
    if isinstance(model, list | tuple):
        return " ".join(said(one) for one in model)
    return repr(model)
