"""Values that stand in for what an action would have given: by the types that it declares."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from hub.workflow.schemas import bare, repeated


def sample(model: type[BaseModel]) -> dict[str, Any]:
    """Return values for every field of a model, as JSON: its defaults, else the plainest value."""
    made = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            made[name] = plainest(name, field.annotation)
        else:
            made[name] = field.get_default(call_default_factory=True)
    return model.model_construct(**made).model_dump(mode="json")


def plainest(name: str, annotation: Any) -> Any:
    """Return the plainest value of a type: its own name for a text, zero, false, nothing."""
    if repeated(annotation) is not None:
        return []
    kind = bare(annotation)
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return sample(kind)
    plain: dict[Any, Any] = {
        str: f"({name})", int: 0, float: 0.0, bool: False, dict: {}, Decimal: Decimal(0),
        datetime: datetime(2000, 1, 1, tzinfo=UTC), date: date(2000, 1, 1),
    }  # fmt: skip
    return plain.get(kind)
