"""The audit log: read, narrowed down, taken along without a formula in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from hub.access import audit, users
from hub.hub import Hub
from hub.store import Operator
from hub.web.admin import audit as page
from hub.web.admin.audit import harmless


@pytest.fixture
def owner(sign_in: Callable[..., Any], hub: Hub) -> Any:
    browser = sign_in("owner")
    with hub.store.write() as session:
        mara = users.add_user(session, "mara@example.com", "ops", name="=HYPERLINK(0)")
        session.flush()
    with hub.store.write(Operator("ops", user=mara.id)) as session:
        audit.note(session, "connection.added", "con_1", "+61 added the connection, really")
    return browser


def test_the_log_says_in_a_sentence_who_did_what(owner: Any) -> None:
    text = owner.get("/admin/audit").text
    assert "+61 added the connection, really" in text
    assert "connection.added" in text


def test_it_is_narrowed_down_by_action_subject_and_day(owner: Any, hub: Hub) -> None:
    with hub.store.read() as session:
        today = session.wall.date()
    shown = "added the connection"
    assert shown in owner.get("/admin/audit?action=connection.added").text
    assert shown not in owner.get("/admin/audit?action=person.added").text
    assert shown in owner.get("/admin/audit?subject=con_1").text
    assert shown in owner.get(f"/admin/audit?day={today}").text
    assert "Nothing fits" in owner.get("/admin/audit?day=2001-01-01").text
    assert owner.get("/admin/audit?day=someday").status_code == 422


def test_long_logs_come_in_pages(owner: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    monkeypatch.setattr(page, "SHOWN", 2)
    with hub.store.write(Operator("owner")) as session:
        for number in range(4):
            audit.note(session, "setting.changed", "x", f"changed number {number}")
    seen, path = [], "/admin/audit?action=setting.changed"
    while path:
        text = owner.get(path).text
        seen += re.findall(r"changed number \d", text)
        older = re.search(r'href="([^"]+)">Older', text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"changed number {number}" for number in (3, 2, 1, 0)]


def test_the_file_holds_every_row_and_no_formula(owner: Any) -> None:
    answer = owner.get("/admin/audit/export.csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    (row,) = [row for row in rows if row["action"] == "connection.added"]
    assert row["name"] == "'=HYPERLINK(0)"
    assert row["text"] == "'+61 added the connection, really"
    assert not [cell for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r")]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_what_a_spreadsheet_would_calculate_is_text(sign: str) -> None:
    assert harmless(f"{sign}1") == f"'{sign}1"
    assert harmless("plain = text") == "plain = text"


def test_nobody_but_an_owner_reads_it(sign_in: Callable[..., Any]) -> None:
    for role in ("dispatcher", "ops", "accountant"):
        browser = sign_in(role)
        assert browser.get("/admin/audit").status_code == 403
        assert browser.get("/admin/audit/export.csv").status_code == 403
