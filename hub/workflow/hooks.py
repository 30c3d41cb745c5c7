"""Start a workflow by a request of another system, at an address that has a secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.access import tokens
from hub.errors import Forbidden, Refused
from hub.events import append
from hub.events.catalogue import WebhookReceived
from hub.events.facts import RequestFacts
from hub.queue import inbox
from hub.store import Session, new_id
from hub.workflow.language import Input, Workflow
from hub.workflow.requests import Plain, startable

if TYPE_CHECKING:
    from hub.hub import Hub

LONGEST = 2000
"""Characters of a text that a run can be given."""


def open_address(hub: Hub, session: Session, name: str) -> str:
    """Make the address that starts a workflow and return it; it cannot be read again.

    The one before ends. Raise `Missing` or `Refused` where no request may start the workflow.
    """
    startable(hub, session, name, "webhook")
    close_address(session, name)
    token = tokens.issue(session, "webhook", name)
    return f"{hub.settings.public_url.rstrip('/')}/hooks/workflow/{name}/{token}"


def close_address(session: Session, name: str) -> None:
    """Let nobody start a workflow by its address any more."""
    tokens.revoke(session, "webhook", name)


def has_address(session: Session, name: str) -> bool:
    """Say whether a workflow has an address at which it can be started."""
    return tokens.open_for(session, "webhook", name)


def receive(
    hub: Hub, session: Session, name: str, token: str, raw: bytes, body: Any, key: str
) -> dict[str, Any]:
    """Take a request in and return the answer; one that was sent before gets the same again.

    `raw` and `body` are its JSON as sent and as read, `key` is the sender's name for it, empty for
    a sender that gives none. Raise `Forbidden` for a wrong address, `Refused` for a value that
    does not fit.
    """
    if tokens.check(session, "webhook", token) != name:
        raise Forbidden(tokens.NOT_VALID)
    row, new = inbox.receive(session, f"hook:{name}", key or new_id("key"), "webhook", raw)
    if not new:
        return dict(row.answer)
    file = startable(hub, session, name, "webhook")
    facts = RequestFacts(workflow=name, by="webhook", inputs=given(file, body))
    event = append(session, WebhookReceived(subject=name, request=facts))
    answer = {"workflow": name, "event": event}
    inbox.answer(session, row, 202, answer)
    return answer


def given(file: Workflow, body: Any) -> dict[str, Plain]:
    """Return the inputs that a request's JSON holds: each at its own place, or by its name."""
    hook = next(trigger.webhook for trigger in file.on if trigger.webhook is not None)
    found = {}
    for name, declared in file.inputs.items():
        value = at(body, hook.inputs.get(name, name))
        if value is not None:
            found[name] = fitted(name, declared, value)
    return found


def at(body: Any, path: str) -> Any:
    """Return what lies at a dotted path, a number for a place in a list; None for nothing."""
    for part in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list) and part.isdecimal() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None
    return body


def fitted(name: str, declared: Input, value: Any) -> Plain:
    """Return a value of JSON as its input has it; raise `Refused` naming the input."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if declared.type == "text" and (isinstance(value, str) or number):
        if len(str(value)) > LONGEST:
            raise Refused(f"{name}: {len(str(value))} characters; {LONGEST} fit", name)
        return str(value)
    if declared.type == "number" and number:
        return float(value)
    if declared.type == "int" and isinstance(value, int) and number and abs(value) < 2**63:
        return value
    if declared.type == "bool" and isinstance(value, bool):
        return value
    raise Refused(f"{name}: {str(value)[:60]!r} is no {declared.type}", name)
