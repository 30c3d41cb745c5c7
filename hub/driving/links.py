"""A driver's way in: a one-time link or QR code, and the phone that it signs in."""

from __future__ import annotations

from hub.access import tokens
from hub.errors import Forbidden, Missing
from hub.hub import Hub
from hub.store import DriverRow, Session


def driver_link(hub: Hub, session: Session, driver_id: str) -> str:
    """Return a new link that signs one phone in as the driver, within 24 hours."""
    driver = session.get(DriverRow, driver_id)
    if driver is None:
        raise Missing(f"there is no driver {driver_id}")
    if not driver.active:
        raise Forbidden(f"{driver.name} is not active; switch the driver on first")
    token = tokens.issue(session, "driver_link", driver.id)
    return f"{hub.settings.public_url.rstrip('/')}/driver/start/{token}"


def qr_code(url: str) -> str:
    """Return `url` as a QR code: an SVG that a page can hold, dark on light whatever its theme."""
    import segno

    code = segno.make(url, error="m", micro=False)
    return str(
        code.svg_inline(scale=6, border=3, dark="#111", light="#fff", omitsize=True, svgclass="qr")
    )


def welcome(session: Session, link: str) -> DriverRow:
    """Return whom a link would sign in, without using it up; raise `Forbidden` if nobody."""
    return active(session, tokens.check(session, "driver_link", link))


def enrol(session: Session, link: str) -> tuple[str, DriverRow]:
    """Use up a link; return the device token of the phone and its driver."""
    driver = active(session, tokens.spend(session, "driver_link", link))
    return tokens.issue(session, "driver_device", driver.id), driver


def sign_out(session: Session, driver_id: str) -> None:
    """End every link and every phone of a driver, for instance when a phone is lost."""
    if session.get(DriverRow, driver_id) is None:
        raise Missing(f"there is no driver {driver_id}")
    tokens.revoke(session, "driver_link", driver_id)
    tokens.revoke(session, "driver_device", driver_id)


def switch_off(session: Session, driver_id: str) -> DriverRow:
    """Plan a driver no more, and end every link and phone; published routes stay as they are."""
    sign_out(session, driver_id)
    driver = session.get_one(DriverRow, driver_id)
    driver.active = False
    return driver


def switch_on(session: Session, driver_id: str) -> DriverRow:
    """Plan a driver again; the phone needs a new link."""
    driver = session.get(DriverRow, driver_id)
    if driver is None:
        raise Missing(f"there is no driver {driver_id}")
    driver.active = True
    return driver


def phone_of(session: Session, device: str) -> str:
    """Return the driver whose phone holds the token `device`; raise `Forbidden` with what to do."""
    id = tokens.made_for(session, "driver_device", device)
    driver = session.get(DriverRow, id) if id else None
    if driver is not None and not driver.active:
        raise Forbidden(
            f"{driver.name} is switched off; ask the dispatcher to switch the driver on "
            "and to send a new link"
        )
    try:
        return tokens.check(session, "driver_device", device)
    except Forbidden:
        raise Forbidden(
            "this phone is not signed in any more; ask the dispatcher for a new link"
        ) from None


def active(session: Session, driver_id: str) -> DriverRow:
    """Return an active driver; raise `Forbidden` in the words of a dead link otherwise."""
    driver = session.get(DriverRow, driver_id)
    if driver is None or not driver.active:
        raise Forbidden("this link is not valid; ask for a new one")
    return driver
