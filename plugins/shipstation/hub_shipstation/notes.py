"""What the internal notes of an order say about its delivery, each thing once."""

from __future__ import annotations

from hub import DeliveryStatus

ON_THE_WAY = ("dispatched", "out_for_delivery", "delayed")
AT_THE_DOOR = ("delivered", "partial")


def with_news(notes: str, status: DeliveryStatus) -> str:
    """Return internal notes with a line for what is new; the same where all of it is there.

    A line is known again by the mark in brackets at its end, also after somebody has written
    around it.
    """
    lines = [notes.rstrip()] if notes.strip() else []
    for text, kind in news(status):
        mark = f"[{status.stop or status.order} {kind}]"
        if mark not in notes:
            lines.append(f"{text} {mark}")
    return "\n".join(lines) if len(lines) > 1 or not notes.strip() else notes


def news(status: DeliveryStatus) -> list[tuple[str, str]]:
    """Return what there is to say, each with the kind of news that it is."""
    at = f"{status.at:%Y-%m-%d %H:%M} UTC"
    said = []
    if status.tracking_url and status.status != "cancelled":
        by = f" by {status.carrier}" if status.carrier else ""
        said.append((f"Delivery{by}: {status.tracking_url}", "tracking"))
    if status.status in AT_THE_DOOR:
        said.append((delivered(status, at), "delivered"))
    elif status.status in ("attempted", "failed"):
        tried = "Tried to deliver" if status.status == "attempted" else "Not delivered"
        why = f": {status.reason}" if status.reason else ""
        said.append((f"{tried} {at}{why}", f"{status.status} {status.at:%Y%m%d%H%M}"))
    return said


def delivered(status: DeliveryStatus, at: str) -> str:
    """Return who got what when, and where the proof is."""
    to = f" to {status.received_by}" if status.received_by else ""
    proof = f", proof {status.proof_url}" if status.proof_url else ""
    if status.status == "delivered":
        return f"Delivered {at}{to}{proof}"
    handed = "; ".join(
        f"{line.handed_over} of {line.ordered} {line.name}"
        for line in status.lines
        if line.handed_over < line.ordered
    )
    return f"Delivered in part {at}{to}{': ' + handed if handed else ''}{proof}"


def is_due(status: DeliveryStatus, mark_when: str) -> bool:
    """Say whether an order counts as shipped with this news, or did with what came before it."""
    if status.status in AT_THE_DOOR:
        return True
    return mark_when == "dispatched" and status.status in (*ON_THE_WAY, "attempted")
