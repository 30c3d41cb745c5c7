"""Guesses which path of a record belongs to which field, by the names that systems use."""

from __future__ import annotations

from typing import Any

from hub.builtin.generic.fields import ROWS, TARGETS, Rule, Target, fold
from hub.builtin.generic.records import MISSING, find, flat

ADDRESSES = ("ship", "deliver", "liefer", "recipient", "empf", "destination", "ziel", "drop")
"""Parts of paths that speak of where something goes; they count before others."""
OTHERS = ("bill", "invoice", "rechnung", "sender", "absender", "payment", "warehouse", "lager")
"""Parts of paths that speak of somebody else."""
PEOPLE = {
    "recipient.name": ("customer", "kunde", "recipient", "empfaenger", "empfänger", "contact",
                       "shipping", "shipto", "delivery", "lieferadresse", "lieferung"),
}  # fmt: skip
PAIRS = (
    ("recipient.name", ("firstname", "vorname"), ("lastname", "surname", "nachname", "familyname")),
    ("address.line1", ("street", "strasse", "straße", "streetname"),
     ("housenumber", "housenr", "hausnummer", "hausnr", "streetnumber")),
)  # fmt: skip
"""Fields that are often written in two: what stands first and what behind it."""


def suggest(samples: list[Any], known: dict[str, Rule], table: bool) -> dict[str, Rule]:
    """Return rules for fields that have none yet, as far as names tell; `table`: from columns."""
    records = [one for one in samples if isinstance(one, dict)]
    if not records:
        return {}
    lines = list_path(records, known, table)
    paths = [path for path, _ in flat(records[0]) if not within(path, lines)]
    found: dict[str, Rule] = {}
    taken = {part for rule in known.values() for part, _ in rule.parts}
    for target in TARGETS:
        if target.name in known or target.is_of_line or target.name == "lines":
            continue
        path = joined(target, paths) or best(target, paths, taken)
        if path:
            found[target.name] = rule_of(target, path, records)
            taken |= {part for part, _ in found[target.name].parts if not shared(target)}
    if lines and not table and "lines" not in known:
        found["lines"] = Rule(path=lines if usual(lines, records) else f"{lines}?")
    articles = articles_of(records[0], lines, table)
    own = [path for path, _ in flat(articles[0])] if articles else []
    mine: set[str] = set() if not table else {p for r in found.values() for p, _ in r.parts}
    for target in TARGETS:
        if target.is_of_line and target.name not in known:
            path = best(target, own, mine)
            if path:
                found[target.name] = rule_of(target, path, articles)
                mine.add(path)
    return found


def shared(target: Target) -> bool:
    """Say whether a path may serve another field as well: both ends of a window in one text."""
    return target.name.startswith("window.")


def list_path(records: list[Any], known: dict[str, Rule], table: bool) -> str:
    """Return where a record's articles are."""
    if "lines" in known:
        return known["lines"].parts[0][0] if known["lines"].parts else ""
    if table:
        return ROWS
    target = next(one for one in TARGETS if one.name == "lines")
    lists = [path for path in every_list(records[0]) if path]
    return best(target, lists, set()) or (lists[0] if len(lists) == 1 else "")


def every_list(record: Any, path: str = "") -> list[str]:
    """Return the paths of lists of objects in a record."""
    if isinstance(record, list):
        return [path] if record and isinstance(record[0], dict) else []
    if isinstance(record, dict):
        inner = [(f"{path}.{name}" if path else name, one) for name, one in record.items()]
        return [found for at, one in inner for found in every_list(one, at)]
    return []


def articles_of(record: Any, lines: str, table: bool) -> list[Any]:
    """Return the articles of a record."""
    found = find(record, lines) if lines else MISSING
    told = found if isinstance(found, list) else []
    return [one for one in told if isinstance(one, dict)]


def within(path: str, folder: str) -> bool:
    """Say whether a path lies in another."""
    return bool(folder) and (path == folder or path.startswith(f"{folder}."))


def joined(target: Target, paths: list[str]) -> str:
    """Return two paths that make a field together, nothing where they are not both there."""
    for name, firsts, seconds in PAIRS:
        if name != target.name:
            continue
        for path in sorted(paths, key=lambda one: -weight(one, target)):
            above, _, last = path.rpartition(".")
            if fold(last) not in firsts:
                continue
            for other in paths:
                place, _, end = other.rpartition(".")
                if place == above and fold(end) in seconds and weight(path, target) >= 0:
                    return f"{path} + {other}"
    return ""


def best(target: Target, paths: list[str], taken: set[str]) -> str:
    """Return the path whose name fits best: the earlier guess first, then the likelier place."""
    names = [fold(name) for name in target.guesses.split()]
    scored = []
    for number, path in enumerate(paths):
        last = fold(path.rpartition(".")[2])
        if path in taken or last not in names or weight(path, target) < 0:
            continue
        rank = names.index(last)
        scored.append((-weight(path, target), rank, path.count("."), number, path))
    return min(scored)[-1] if scored else ""


def weight(path: str, target: Target) -> int:
    """Return how likely a path speaks of where an order goes; below 0 it speaks of others."""
    above = path.rpartition(".")[0].casefold()
    if target.name.startswith(("address.", "recipient.", "location.")):
        if any(part in path.casefold() for part in OTHERS):
            return -1
        return int(any(part in path.casefold() for part in ADDRESSES))
    if target.name in ("ref", "status", "number"):
        return 1 if not above else -1 if above.count(".") else 0
    return 0


def rule_of(target: Target, path: str, records: list[Any]) -> Rule:
    """Return the rule for a path; what a record may well lack has its ?."""
    parts = path.split(" + ")
    sure = target.needed and all(usual(part, records) for part in parts)
    told = " + ".join(part if sure else f"{part}?" for part in parts)
    if target.name in ("window.start", "window.end") and is_range(records, parts[0]):
        return Rule(path=told, how="before" if target.name.endswith("start") else "after")
    return Rule(path=told)


def is_range(records: list[Any], path: str) -> bool:
    """Say whether a text holds both ends of a window."""
    from hub.builtin.generic.reading import side

    told = find(records[0], path)
    return isinstance(told, str) and bool(side(told, "after"))


def usual(path: str, records: list[Any]) -> bool:
    """Say whether a path is there in most records of a sample; those without it are in error."""
    there = sum(find(record, path) is not MISSING for record in records)
    return there * 2 > len(records)
