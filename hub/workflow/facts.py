"""What happened, as expressions read it: the event with its person, the steps so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.store import EventRow, StepRow

MASK = "•••"


def event_facts(row: EventRow, person: Mapping[str, Any], link: str = "") -> dict[str, Any]:
    """Return `event`: its typed facts, the person joined in, the tracking link of its stop.

    What an event says nothing about is left out, so that `has()` is false for it.
    """
    facts: dict[str, Any] = {**row.data}
    for name in ("customer", "driver"):
        if name in person:
            facts[name] = {**facts.get(name, {}), **person[name]}
    if link:
        facts["stop"] = {**facts.get("stop", {}), "tracking_url": link}
    told = {name: values for name, values in facts.items() if any(values.values())}
    return {
        **told,
        "type": row.type,
        "id": row.id,
        "seq": row.seq,
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
    }


def step_facts(rows: Iterable[StepRow]) -> dict[str, Any]:
    """Return `steps`: of each ended step its output, or that it failed or was skipped."""
    facts: dict[str, Any] = {}
    for row in rows:
        if row.state in ("done", "failed", "skipped"):
            facts[row.path] = {
                "output": row.output if row.state == "done" else None,
                "failed": row.state == "failed",
                "skipped": row.state == "skipped",
            }
    return facts


def private_values(person: Mapping[str, Any], link: str = "") -> tuple[str, ...]:
    """Return what must not be kept beside a run: personal values, and links that open a page."""
    found = {
        str(value)
        for group in person.values()
        if isinstance(group, Mapping)
        for value in group.values()
        if len(str(value)) > 1
    }
    if link:
        found |= {link, link.rpartition("/")[2]}
    return tuple(sorted(found, key=len, reverse=True))


def masked(value: Any, private: Iterable[str]) -> Any:
    """Return `value` with every private text in it covered, fit to be stored and shown."""
    if isinstance(value, str):
        for text in private:
            value = value.replace(text, MASK)
        return value
    if isinstance(value, Mapping):
        return {name: masked(item, private) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, private) for item in value]
    return value
