"""The kit, run on every connector of this folder; `test_faults` reads what it says."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any

import hub_faults  # noqa: F401 - fills the list
import hub_forgeries  # noqa: F401
import hub_goods as good
import hub_greedy
import hub_lapses  # noqa: F401
import hub_news as news
import hub_slow
import hub_ways as ways
from faulty import FAULTS

from hub import Incoming
from hub.testing.conformance import SECRET, ConnectorTests
from hub.testing.peers import Reply, Request


def order(id: int) -> dict[str, Any]:
    told = {"street": f"Gasse {id}", "total": "19.90"}
    return {"id": id, "from": "2026-11-23T08:00:00", "to": "2026-11-23T10:00:00", **told}


def position(id: int) -> dict[str, Any]:
    return {"id": id, "device": "van", "lat": 47.1, "lon": 9.5, "at": f"2026-11-23T08:0{id}:00"}


def items(*given: Any) -> dict[str, Any]:
    return {"items": list(given)}


class Kit(ConnectorTests):
    config = {"token": SECRET}


class SourceKit(Kit):
    answers = {"pull": [items(order(1), order(2)), items(order(3), order(4)), items()]}


class TrackerKit(Kit):
    answers = {"positions": [items(position(1), position(2)), items(position(3)), items()]}


class GeocoderKit(Kit):
    answers = {"locate": [items({"lat": 47.1, "lon": 9.5})], "unknown": [items()]}


class DiskKit(Kit):
    config = {"folder": "{tmp}/proofs"}

    def count(self) -> int:
        return len(list((self.tmp / "proofs").glob("*.json")))


class LocalKit(Kit):
    config = {}


class HookKit(Kit):
    event = {"id": "42"}
    covers = True

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        at = str(int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()))
        told = {"mac": f"{at}.".encode() + body, "bare": b"." + body}
        bare = "bare" if self.connector.name == "timeless" else "mac"
        sign = hmac.new(secret.encode(), told[bare], "sha256").hexdigest()
        headers = {"x-signature": sign, "x-at": at}
        return Incoming(body=body, headers=headers, at=datetime.now(UTC))


class TellerKit(Kit):
    answers = {"tell": [{"ok": True}]}


class ReporterKit(Kit):
    answers = {"reports": [items({"id": 1}, {"id": 2}), items({"id": 3}), items()]}


class SetterKit(HookKit):
    def serve(self, request: Request) -> Reply | None:
        hooks = self.asked.setdefault("hooks", [])
        if request.path == "/hooks" and request.method == "POST":
            hooks.append(request.json()["topic"])
        if request.path == "/hooks" and request.method == "GET":
            return Reply(200, items(*({"topic": topic} for topic in hooks)))
        if request.method == "DELETE":
            hooks.remove(request.path.rpartition("/")[2])
        return Reply(200, {"id": "1"})


class ConsentKit(Kit):
    config = {"token": SECRET, "refresh_token": SECRET}


KITS = {
    good.Source: SourceKit, good.Tracker: TrackerKit, good.Geocoder: GeocoderKit,
    good.Disk: DiskKit, ways.Guide: LocalKit, good.Times: LocalKit, good.Engine: LocalKit,
    news.Teller: TellerKit, news.Setter: SetterKit, news.Reporter: ReporterKit,
    good.Hook: HookKit, good.Consent: ConsentKit, good.Sink: Kit, good.Channel: Kit,
}  # fmt: skip
OTHER = {
    "demanding": {"config": {"token": SECRET, "sender": "Hub"}, "saved": [{"token": SECRET}]},
}
ALL = [*KITS, *FAULTS, hub_slow.Slow, hub_greedy.Greedy]
for one in ALL:
    base = next(kit for kind, kit in KITS.items() if issubclass(one, kind))
    name = f"Test_{one.name}"
    told = {"connector": one, "__module__": __name__, **OTHER.get(one.name, {})}
    globals()[name] = type(name, (base,), told)
del base
