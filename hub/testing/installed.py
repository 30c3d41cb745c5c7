"""The checks that every plugin has to pass, whatever it brings: subclass, name the plugin.

class TestAcme(PluginTests):
    plugin = "acme"
"""

from __future__ import annotations

from typing import Any, ClassVar

from hub.plugins import Plugins


class PluginTests:
    """What holds for every installed plugin; `plugin` is the name of its entry point."""

    plugin: ClassVar[str]

    def test_it_is_installed_and_loads(self) -> None:
        found = Plugins().plugins.get(self.plugin)
        assert found is not None, (
            f"no installed plugin is named {self.plugin}: install its folder (pip install -e .); "
            f"the name stands in pyproject.toml under [project.entry-points.hub]"
        )
        assert found.error == "", f"{self.plugin} is left out by the hub: {found.error}"
        assert found.hooks, f"{self.plugin} brings nothing: mark a hook with @hookimpl"

    def test_its_pages_and_commands_can_be_mounted(self) -> None:
        plugins = Plugins()
        found = plugins.plugins.get(self.plugin)
        if found is None or found.error:
            return  # told above
        plugins.later(found, "blueprints", mounted)
        plugins.later(found, "commands", called)
        assert found.error == ""


def mounted(made: Any) -> None:
    """Raise `AssertionError` unless pages can be mounted and every view says who may use it."""
    from flask import Blueprint, Flask

    assert isinstance(made, Blueprint), f"blueprints returned {made!r}, which is no Blueprint"
    app = Flask("test", static_folder=None)
    app.register_blueprint(made)
    for endpoint, view in app.view_functions.items():
        assert hasattr(view, "allowed"), f"{endpoint}: say who may use it, with @hub.allow(...)"


def called(made: Any) -> None:
    """Raise `AssertionError` unless it is a command."""
    from click import Command

    assert isinstance(made, Command), f"commands returned {made!r}, which is no click command"
