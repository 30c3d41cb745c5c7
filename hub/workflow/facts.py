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


def step_facts(
    rows: Iterable[StepRow], path: str = "", events: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return `steps` for the step at `path`: what each ended one gave, or that it did not.

    Of a step in a loop that is over, `outputs` holds what it gave for every item.
    """
    facts: dict[str, Any] = {}
    for row in rows:
        if row.state not in ("done", "failed", "skipped"):
            continue
        block, _, name = row.path.rpartition(".")
        if "[" in block and not path.startswith(f"{block}."):
            gather(facts.setdefault(name, {"outputs": [], "failures": 0}), row)
            continue
        facts[name] = {
            "output": row.output if row.state == "done" else None,
            "failed": row.state == "failed",
            "skipped": row.state == "skipped",
        }
        if "timed_out" in row.output:
            heard = (events or {}).get(row.output.get("event", ""))
            facts[name] |= {"timed_out": row.output["timed_out"], "event": heard}
    return facts


def gather(told: dict[str, Any], row: StepRow) -> None:
    """Add what a step gave for one item of a loop."""
    if row.state == "done":
        told["outputs"].append(row.output)
    elif row.state == "failed":
        told["failures"] += 1


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
