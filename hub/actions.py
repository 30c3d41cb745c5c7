"""What a workflow step can do: inside the hub, or outward through a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from hub.connector import Connector
    from hub.errors import HubError
    from hub.hub import Hub
    from hub.nouns import Noun, Receipt
    from hub.store import Session


class ActionInput(BaseModel):
    """What stands under `with:`; a field that is not declared is an error at save."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ActionOutput(BaseModel):
    """What later steps read as `steps.<id>.output`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Action:
    """One verb of a workflow, `<package>.<verb>`, with its checked input and output."""

    name: str
    Input: type[ActionInput]
    Output: type[ActionOutput]
    hooks: tuple[str, ...] = field(default=(), kw_only=True)
    """The kinds of connections that it goes through, so that a connection can name the workflows
    that use it. An outward action of a plugin that names none goes through the plugin's own."""
    method: str = field(default="", kw_only=True)
    """The method of a trait that it calls: it goes through the connections that have it."""
    medium: str = field(default="", kw_only=True)
    """Which of the channels it goes through: those that carry this."""


@dataclass(frozen=True)
class Inside(Action):
    """Works in the step's own transaction, so that it happens exactly once."""

    run: Callable[[Hub, Session, Any], ActionOutput]


@dataclass(frozen=True)
class Outward(Action):
    """Calls another system once per item; every call carries a key that stays the same.

    `items` names the connections to call, in the transaction that starts the step. For each one,
    `prepare` makes what is sent (it may read and write on its own, and may be slow), `call` sends
    it without any session, and `done` or `failed` records the end in the transaction that fences
    it. `output` sums up when every item has ended.
    """

    items: Callable[[Hub, Session, Any], list[str]]
    prepare: Callable[[Hub, Any, Call], Noun]
    call: Callable[[Connector[Any], Any], Receipt]
    done: Callable[[Session, Any, Call, Receipt], None]
    failed: Callable[[Session, Any, Call, HubError], None]
    output: Callable[[list[dict[str, Any]]], ActionOutput]
    on_unknown: Literal["resend", "ask"] = "resend"
    """After a lost reply: `resend` where the connector is keyed, else and with `ask` it waits as
    unknown for a person."""


@dataclass(frozen=True)
class Call:
    """One outward call: its stable key, its connection and the merchant it is made for."""

    key: str
    connection: str
    merchant: str | None
