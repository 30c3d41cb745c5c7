"""How many texts a merchant may send in a day, and to which countries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from hub import phones
from hub.access import audit, get
from hub.dispatch.flags import raise_flag
from hub.errors import Refused
from hub.store import DepotRow, MerchantRow, MessageRow, Session, TextLimitRow

DAILY = 500
MOST = 1_000_000
LONGEST_FOOTER = 160
COUNTED = ("sending", "sent", "delivered", "undelivered", "unknown")
"""States of messages that count: those that were refused or withheld cost nothing."""


@dataclass(frozen=True)
class Limits:
    """What holds for one merchant."""

    daily: int
    countries: tuple[str, ...]
    """None for any: before there is a depot, nobody knows where it delivers."""
    footer: str
    own_countries: bool
    """Whether the countries were chosen, and are not simply those of the depots."""


def limits(session: Session, merchant: str) -> Limits:
    """Return what a merchant may send; without a choice, 500 texts to the depots' countries."""
    row = kept(session, merchant)
    if row is None:
        return Limits(DAILY, home(session), "", False)
    chosen = tuple(row.countries)
    return Limits(row.daily, chosen or home(session), row.footer, bool(chosen))


def kept(session: Session, merchant: str) -> TextLimitRow | None:
    """Return what was chosen for a merchant."""
    query = select(TextLimitRow).where(TextLimitRow.merchant == merchant)
    return session.exec(query).one_or_none()


def change(session: Session, merchant: str, daily: int, countries: str, footer: str) -> Limits:
    """Set what a merchant may send; `countries` is a text such as "CH LI", or empty.

    Raise `Refused` with the field that makes no sense.
    """
    brand = get(session, MerchantRow, merchant)
    wanted = list(dict.fromkeys(countries.replace(",", " ").upper().split()))
    strange = [one for one in wanted if one not in phones.known_countries()]
    if strange:
        raise Refused(f"{strange[0][:20]} is no country; write two letters, as in CH", "countries")
    if not 0 <= daily <= MOST:
        raise Refused(f"choose a number of texts from 0 to {MOST:,}", "daily")
    if len(footer) > LONGEST_FOOTER:
        raise Refused(f"the last words have at most {LONGEST_FOOTER} letters", "footer")
    row = kept(session, merchant) or TextLimitRow(merchant=merchant)
    row.daily, row.countries, row.footer = daily, wanted, " ".join(footer.split())
    session.add(row)
    where = " ".join(wanted) or "the depots' countries"
    said = f"let {brand.name} send {daily} texts a day, to {where}"
    audit.note(session, "texts.limited", merchant, said, merchant=merchant)
    session.flush()
    return limits(session, merchant)


def home(session: Session) -> tuple[str, ...]:
    """Return the countries that the operator's depots are in, as their time zones tell."""
    zones = session.exec(select(DepotRow.timezone).order_by(col(DepotRow.id))).all()
    return phones.countries_of(zones)


def today(session: Session) -> datetime:
    """Return when the day began, in the zone of the first depot."""
    found = session.exec(select(DepotRow.timezone).order_by(col(DepotRow.id))).first()
    zone = ZoneInfo(found or "UTC")
    return datetime.combine(session.now.astimezone(zone).date(), time(), zone)


def sent_today(session: Session, merchant: str, without: str = "") -> int:
    """Return how many texts a merchant has sent today, the message with the key `without` aside."""
    query = select(func.count()).where(
        MessageRow.merchant == merchant,
        MessageRow.medium == "sms",
        col(MessageRow.created_at) >= today(session),
        col(MessageRow.state).in_(COUNTED),
        MessageRow.key != without,
    )
    return session.exec(query).one()


def tell_full(session: Session, brand: MerchantRow, daily: int) -> None:
    """Raise a flag because a merchant may send no more today; once a day."""
    day = today(session).date().isoformat()
    text = (
        f"{brand.name} has sent {daily} texts today, which is all it may; further ones are "
        f"refused. Look at Messages, and raise its limit there if they were meant."
    )
    raise_flag(session, f"texts:{brand.id}:{day}", "text_limit", text, merchant=brand.id)
