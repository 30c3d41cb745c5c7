"""What every noun is: a frozen value."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Noun(BaseModel):
    """A value that nobody changes; unknown fields are refused so that a typo is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Json = dict[str, Any]
