"""On whose behalf something is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["owner", "dispatcher", "ops", "accountant", "merchant", "driver"]


@dataclass(frozen=True)
class Operator:
    """A member of the operator's staff: sees every merchant."""

    role: Role
    user: str = ""


@dataclass(frozen=True)
class Merchant:
    """A merchant's user or API key: sees what belongs to that merchant."""

    id: str
    user: str = ""


@dataclass(frozen=True)
class Driver:
    """A driver's phone: sees its own routes and their stops."""

    id: str


@dataclass(frozen=True)
class System:
    """The hub itself, for one merchant (a workflow step) or, with None, for everything."""

    merchant: str | None = None


@dataclass(frozen=True)
class Nobody:
    """No one yet: may look up who is asking and what belongs to no merchant, nothing scoped."""


Principal = Operator | Merchant | Driver | System | Nobody
