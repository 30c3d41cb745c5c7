"""Checks of what changes something on the other side: a channel's texts and a sink's proofs."""

from __future__ import annotations

from typing import Any

from hub.nouns import Receipt
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, calls_a_service, is_keyed
from hub.testing.conformance.scripted import ScriptedPeer
from hub.testing.peers import Request

NAMES = ("idempot", "webhook-id", "request-id", "dedup")
"""Parts of the names of headers by which services know a request again."""


def mark(request: Request, key: str) -> str:
    """Return by what a service knows a write again; nothing where it cannot."""
    for name, value in request.headers.items():
        if value and (any(part in name.lower() for part in NAMES) or key in value):
            return f"{request.method} {request.path} {name}: {value}"
    if request.method == "PUT" or key in request.path or key in request.query.values():
        return f"{request.method} {request.path} {sorted(request.query.items())}"
    return f"{request.method} {request.path} {key}" if key.encode() in request.body else ""


def marks(kit: Ground, requests: list[Request], key: str) -> list[str]:
    """Return the marks of the requests that change something."""
    return [mark(one, key) for one in requests if not kit.reads(one)]


class ChannelTests(Ground):
    """What holds for `send`."""

    def test_sending_returns_a_receipt(self, peer: ScriptedPeer) -> None:
        """A message that was taken is a `Receipt`."""
        receipted(self, "send", peer.url if calls_a_service(type(self)) else "")

    @only(lambda kit: calls_a_service(kit) and is_keyed(kit))
    def test_sending_carries_the_key(self, peer: ScriptedPeer) -> None:
        """A keyed channel sends `message.key`, the same for the same message only."""
        made, other = self.built(peer.url), self.message.model_copy(update={"key": "run_2:ste_9"})
        sent = []
        for message in (self.message, self.message, other):
            peer.requests.clear()
            receipted(self, "send", peer.url, message, made=made)
            sent.append(marks(self, peer.requests, message.key))
        where = self.at("send")
        demand(
            all(sent[0]) and sent[0],
            f"{where} sends nothing by which a repeated message is known; send message.key, as in "
            'headers={"Idempotency-Key": message.key}, or say keyed = False',
        )
        demand(
            sent[0] == sent[1],
            f"{where} sends another key when the same message is sent again: {sent[0]}, then "
            f"{sent[1]}; make it of message.key alone",
        )
        demand(
            not set(sent[0]) & set(sent[2]),
            f"{where} sends the same key with another message, so that one would be dropped; make "
            "it of message.key",
        )

    @only(lambda kit: not calls_a_service(kit) and is_keyed(kit))
    def test_the_same_key_twice_is_one_message(self) -> None:
        """A keyed channel that is not reached over HTTP sends a repeated message once."""
        once(self, "send", "message")


class PodSinkTests(Ground):
    """What holds for `store`."""

    def test_storing_returns_a_receipt(self, peer: ScriptedPeer) -> None:
        """A proof that was taken is a `Receipt`."""
        receipted(self, "store", peer.url if calls_a_service(type(self)) else "")

    @only(calls_a_service)
    def test_stored_twice_is_one_record(self, peer: ScriptedPeer) -> None:
        """Storing a proof again looks it up first, or sends what the service knows again."""
        made = self.built(peer.url)
        stored = []
        for _ in range(2):
            peer.requests.clear()
            receipted(self, "store", peer.url, made=made)
            stored.append(marks(self, peer.requests, self.proof.key))
        demand(
            stored[0],
            f"{self.at('store')} changes nothing in the service; give {type(self).__name__} a "
            "proof and answers with which it stores something",
        )
        new = [one for one in stored[1] if not one or one not in stored[0]]
        demand(
            not new,
            f"{self.at('store')} writes again when the same proof is stored again ({new[:2]}), "
            "and nothing tells the service so; send a key made of proof.key, PUT it to an address "
            "made of proof.id, or look first whether it is there",
        )

    @only(lambda kit: not calls_a_service(kit) and is_keyed(kit))
    def test_storing_again_keeps_one_record(self) -> None:
        """A keyed sink that is not reached over HTTP keeps a proof that is stored again once."""
        once(self, "store", "proof")


def receipted(kit: Ground, verb: str, url: str, *given: Any, made: Any = None) -> None:
    """Call a method that has to end with a receipt."""
    found = kit.outcome(verb, *given, made=made, url=url)
    demand(
        isinstance(found.value, Receipt),
        f"{kit.at(verb)} has to return a Receipt for what was taken, but {found}; if the service "
        f'answers in another way, write answers = {{"{verb}": [...]}} in {type(kit).__name__}',
        found.error,
    )


def once(kit: Ground, verb: str, what: str) -> None:
    """Do the same twice, and see that the other side counts it once."""
    demand(
        type(kit).count is not Ground.count,
        f"write count() in {type(kit).__name__}: how many records the other side holds, so that "
        f"{kit.at(verb)} can be checked to keep the same {what} once",
    )
    made, before = kit.built(), kit.count()
    receipted(kit, verb, "", made=made)
    first = kit.count() - before
    receipted(kit, verb, "", made=made)
    second = kit.count() - before
    demand(first >= 1, f"{kit.at(verb)} keeps nothing: count() says {first} after one {what}")
    demand(
        second == first,
        f"{kit.at(verb)} keeps the same {what} again: count() says {first}, then {second}; look "
        f"for {what}.key, or for a name made of it, before writing",
    )
