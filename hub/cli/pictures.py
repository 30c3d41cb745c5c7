"""Orders of a source in a few lines: one as it would come in, and what would become of all."""

from __future__ import annotations

from typing import Any


def an_order(found: dict[str, Any]) -> str:
    """Return the sample of a test in lines for people."""
    order = found.get("order")
    if not order:
        if found.get("refused"):
            return f"No order could be read; the first one says: {found['refused']}"
        return "There is no order to show yet; new ones come in by themselves."
    who, where = order.get("recipient") or {}, order.get("address") or {}
    city = f"{where.get('postcode') or ''} {where.get('city') or ''}".strip()
    place = [where.get("line1"), where.get("line2"), city, where.get("country")]
    lines = [f"{one.get('quantity', 1)} x {one['name']}" for one in order.get("lines") or []]
    number = order.get("number") or ""
    rows = (
        ("Number", f"{number} ({order['ref']})" if number else order["ref"]),
        ("Recipient", who.get("name")),
        ("Address", ", ".join(filter(None, place))),
        ("Phone", who.get("phone")),
        ("Articles", ", ".join(lines)),
        ("Notes", order.get("notes")),
    )
    shown = [f"  {name:<10} {value or '-'}" for name, value in rows]
    return "\n".join(["One order, as it would come in:", *shown])


def a_dry_run(would: dict[str, Any]) -> str:
    """Return what would become of a source's orders in lines for people."""
    off = f", {would['called_off']} called off" if would.get("called_off") else ""
    more = f", out of the first {would['read']}" if would["more"] else ""
    lines = [
        f"What would come in: {would['new']} new, {would['changed']} changed, "
        f"{would['unchanged']} unchanged, {would['refused']} refused{off}{more}. "
        f"Nothing was taken in."
    ]
    if would["unplaced"]:
        lines.append(f"  {would['unplaced']} would wait for the place of their address")
    for reason, times in would["reasons"]:
        lines.append(f"  refused: {reason}" + (f" ({times} times)" if times > 1 else ""))
    for one in would["orders"]:
        where = one["address"] or "no address"
        lines.append(
            f"  {one['verdict']:<8} {one['ref']}  {one['name'] or '-'}, {where}, {one['day']}"
        )
    return "\n".join(lines)
