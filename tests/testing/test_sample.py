"""The plugin that the documentation shows works as it stands there."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from hub import Connector
from hub.plugins import Plugins
from hub.testing.conformance import SECRET, ConnectorTests

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


def shown() -> type[Connector[Any]]:
    """Return the connector of the page's first example."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    module = sys.modules["hub_ping"] = ModuleType("hub_ping")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    connector: type[Connector[Any]] = module.__dict__["Ping"]
    return connector


class TestSample(ConnectorTests):
    connector = shown()
    config = {"token": SECRET}

    def test_its_plugin_is_installed_and_loads(self) -> None:
        found = Plugins([EntryPoint(name="ping", value="hub_ping", group="hub")])
        assert found.plugins["ping"].error == ""
        assert found.connector("ping") is self.connector

    test_importing_it_is_light = None  # type: ignore[assignment] # a page is no module
    test_importing_it_is_quick = None  # type: ignore[assignment]
    test_importing_it_does_nothing = None  # type: ignore[assignment]
