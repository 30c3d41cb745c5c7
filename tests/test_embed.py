"""The engine inside another application, as docs/embedding.md shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hub.testing.patience import until

PAGE = Path(__file__).resolve().parents[1] / "docs" / "embedding.md"
MOST_LINES = 20


def block(language: str) -> str:
    """Return the first block of a language on the page."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)
    assert found
    return found[1]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the page's application in an empty folder; return its names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_DATABASE_URL", raising=False)
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "greet.yaml").write_text(block("yaml"))
    names: dict[str, Any] = {"__name__": "shop"}
    exec(compile(block("python"), "shop.py", "exec"), names)
    return names


def test_the_page_fits_in_twenty_lines() -> None:
    assert len([line for line in block("python").splitlines() if line.strip()]) <= MOST_LINES


def test_an_order_posted_to_the_application_runs_its_workflow(
    shop: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    engine = shop["engine"]
    engine.start()
    answer = shop["app"].test_client().post("/orders/A-1")
    assert answer.status_code == 202
    said: list[str] = []

    def told() -> bool:
        said.append(capsys.readouterr().out)
        return "Order A-1 came in" in "".join(said)

    until(told)
    engine.stop()


def test_an_event_that_was_accepted_before_the_end_is_dealt_with_after_the_next_start(
    shop: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from hub.embed import Engine

    shop["app"].test_client().post("/orders/A-2")
    shop["engine"].stop()
    again = Engine("var", [shop["engine"].hub.actions["shop.note"]])
    while again.work():
        pass
    again.stop()
    assert "Order A-2 came in" in capsys.readouterr().out
