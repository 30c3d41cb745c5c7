"""The plugin that the documentation shows works as it stands there."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from hub.plugins import Plugins
from hub.testing.conformance import SECRET, ChannelTests, ConnectorTests

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """Return what the loader makes of the page's first example."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    module = ModuleType("hub_ping")
    monkeypatch.setitem(sys.modules, "hub_ping", module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return Plugins([EntryPoint(name="ping", value="hub_ping", group="hub")])


class TestSample(ConnectorTests, ChannelTests):
    config = {"token": SECRET}  # noqa: RUF012 - as the page writes it

    @pytest.fixture(autouse=True)
    def pointed(self, plugins: Plugins) -> None:
        """Check the connector that the page shows."""
        type(self).connector = plugins.connector("ping")

    def test_its_plugin_is_installed_and_loads(self, plugins: Plugins) -> None:  # type: ignore[override]
        assert plugins.plugins["ping"].error == ""

    test_importing_it_is_light = None  # type: ignore[assignment] # a page is no module
