"""The figures of a day as a table for people."""

from __future__ import annotations

from hub.simulate.report import Tally

WORDS = {
    "orders": "orders came in",
    "stops": "of them became stops",
    "needs_address": "waits for an address",
    "completed": "stops completed",
    "partial": "delivered in part",
    "failed": "failed, with a reason",
    "sms_sent": "text messages sent",
    "proofs": "proofs of delivery made",
    "xero_records": "recorded in accounting",
    "dead_letters": "waits as a dead letter",
    "duplicates": "done twice",
    "events": "events in the log",
    "seconds": "seconds in all",
}


def table(figures: Tally) -> str:
    """Return one line per figure, the number first."""
    values = figures.model_dump()
    return "\n".join(f"{values[name]:>8g}  {words}" for name, words in WORDS.items())
