"""What an error means for a step: which kind it is, and whether trying again makes sense."""

from __future__ import annotations

from typing import Any

from hub.errors import (
    Forbidden,
    Missing,
    PluginError,
    Refused,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
)
from hub.workflow.expressions import Failed
from hub.workflow.problem import Invalid


def kind_of(error: Exception) -> str:
    """Return the kind of an error, as `retry.on`, attempts and dead letters name it.

    `retry`, `unknown` and `error` may be tried again; `rejected`, `unauthorized` and `invalid`
    (an expression or file that does not fit) need a person.
    """
    if isinstance(error, Retry):
        return "retry"
    if isinstance(error, Unknown):
        return "unknown"
    if isinstance(error, Unauthorized):
        return "unauthorized"
    if isinstance(error, Failed | Invalid):
        return "invalid"
    if isinstance(error, Rejected | Refused | Missing | Forbidden):
        return "rejected"
    return "error"


def message_of(error: Exception) -> str:
    """Return an error's text, with its class where it was not raised on purpose."""
    text = str(error)[:1000]
    return (
        text
        if kind_of(error) != "error" or isinstance(error, PluginError)
        else (f"{type(error).__name__}: {text}")
    )


def described(step: str, error: Exception) -> dict[str, Any]:
    """Return an error as it is stored, and read as `error` under on_error."""
    return {"step": step, "kind": kind_of(error), "message": message_of(error)}
