"""The pages of messages in a browser: without barriers, and kept in two clicks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.notify import optouts
from hub.store import MerchantRow, MessageRow, OptOutRow, ReplyRow, StopRow, System
from hub.testing.days import NOW, fill_day
from hub.testing.fixtures import World, set_time

pytestmark = pytest.mark.e2e
PATHS = ("", "/replies", "/opt-outs", "/limits?text=Zo%C3%AB+is+almost+there")
SENT = (
    ("delivered", "+41791234567", "Alpenkraut: Lea is about 8 minutes away.", ""),
    ("sent", "+4237920001", "Alpenkraut: Rosa, your parcel comes between 09:00 and 11:00.", ""),
    ("withheld", "+41791112233", "Alpenkraut: Lea is almost there.",
     "the recipient has opted out (wrote STOP, 22 Nov 2026)"),
    ("undelivered", "+41794445566", "Alpenkraut: sorry, we are late.", "Twilio's error 30005"),
    ("rejected", "+79123456789", "Alpenkraut: Lea is almost there.",
     "the recipient's phone is of RU, and Alpenkraut sends texts to CH DE LI only; correct the "
     "order, or allow the country under Messages"),
    ("unknown", "+41797778899", "Alpenkraut: Lea is about 4 minutes away.",
     "api.twilio.com took the request but its answer never came"),
)  # fmt: skip


def fill(hub: Hub, world: World) -> None:
    """Send, hear back and refuse a few."""
    set_time(hub, NOW)
    fill_day(hub, world)
    with hub.store.write(System()) as session:
        session.add(MerchantRow(name="Bergquell", slug="bergquell"))
        stops = session.exec(select(StopRow)).all()
        for number, (state, to, text, error) in enumerate(SENT):
            session.add(
                MessageRow(
                    key=f"k{number}", merchant=world.merchant, stop=stops[number].id,
                    channel="con_1", to=to, text=text, state=state, error=error,
                    segments=1 + number % 2,
                    created_at=NOW - timedelta(minutes=30 - number),
                    reported_at=NOW if state in ("delivered", "undelivered") else None,
                )
            )  # fmt: skip
        for number, (meaning, text) in enumerate(
            (("", "Bitte beim Nachbarn abgeben, danke!"), ("stop", "STOP"), ("start", "Start"))
        ):
            session.add(
                ReplyRow(
                    merchant=world.merchant, channel="con_1", ref=str(number), text=text,
                    sender=f"+4179123456{number}", meaning=meaning, stop=stops[number].id,
                    received_at=NOW - timedelta(minutes=9 - number),
                )
            )  # fmt: skip
        optouts.add(session, world.merchant, "sms", "+41791112233", "wrote STOP")
        optouts.add(session, world.merchant, "email", "anna@example.com", "asked for it")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(
    desk: Callable[..., Any], hub: Hub, world: World, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    fill(hub, world)
    page = desk("owner", "/admin/messages", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    origin, found = page.url, {}
    for path in PATHS:
        page.goto(origin + path)
        violations = Axe().run(page).response["violations"]
        found[path] = [(v["id"], v["nodes"][0]["html"][:120]) for v in violations]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px at {width} px"
    assert {path: errors for path, errors in found.items() if errors} == {}


def test_somebody_who_calls_is_put_on_the_list_and_taken_off_again(
    desk: Callable[..., Any], hub: Hub, world: World
) -> None:
    fill(hub, world)
    page = desk("owner", "/admin/messages/opt-outs")
    page.get_by_label("Phone or e-mail address").fill("+41 79 999 88 77")
    page.get_by_label("Of").select_option("Alpenkraut")
    page.get_by_role("button", name="Send no more").click()
    page.get_by_role("row", name="+41799998877").wait_for()
    page.get_by_role("button", name="Let messages go to +41799998877 again").click()
    page.get_by_text("Messages go to +41799998877 again.").wait_for()
    with hub.store.read(System()) as session:
        assert len(session.exec(select(OptOutRow)).all()) == 2
