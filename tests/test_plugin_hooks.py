"""Every hook stands in the documents, is used by a plugin, and does what is said there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Blueprint

from hub import allow, hookspecs
from hub.actions import ActionInput, ActionOutput, Inside
from hub.cli import cli
from hub.connections.book import set_plugin
from hub.contract import CAPABILITY
from hub.hookspecs import hookimpl
from hub.hub import Hub
from hub.plugins import HOOKS, Plugins
from hub.web import create_app
from hub.workflow import functions
from hub.workflow.parts import assemble
from hub.workflow.problem import Invalid
from tests.web.conftest import Browser, sign_in
from tests.workflow.conftest import Toys, toys

__all__ = ["sign_in", "toys"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "plugins.md").read_text()
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S))
SPECS = [name for name, spec in vars(hookspecs).items() if hasattr(spec, "hub_spec")]
Add = Callable[..., Plugins]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch, hub: Hub) -> Add:
    """Return a function that installs a plugin `acme` of a source text, or of hooks."""

    def install(source: str = "", **hooks: object) -> Plugins:
        module = ModuleType("made_acme")
        exec(compile(source, "acme.py", "exec"), module.__dict__)
        for name, function in hooks.items():
            setattr(module, name, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        hub.plugins = Plugins([EntryPoint(name="acme", value=module.__name__, group="hub")])
        hub.connections.plugins = hub.plugins
        return hub.plugins

    return install


def block(hook: str) -> str:
    """Return the code that stands under a hook."""
    found = re.search(r"```python\n(.*?)```", SECTIONS[hook], re.S)
    assert found
    return found[1]


def test_every_hook_has_a_heading_and_every_heading_is_a_hook() -> None:
    assert sorted(SECTIONS) == sorted(SPECS) == sorted(HOOKS)


@pytest.mark.parametrize("hook", CAPABILITY)
def test_the_plugins_that_are_named_under_a_hook_bring_it(hook: str) -> None:
    installed = Plugins().plugins
    named = re.findall(r"`(\w+)`", SECTIONS[hook].partition("Brought by")[2])
    assert named
    for name in named:
        if name in installed:
            assert hook in installed[name].hooks
        else:  # one of the distributions beside the core, whose own tests show that it loads
            assert (ROOT / "plugins" / name / "pyproject.toml").is_file()


class Given(ActionInput):
    """Nothing."""


class Made(ActionOutput):
    """Nothing."""


def act(hub: Any, session: Any, given: Given) -> Made:
    return Made()


async def later(hub: Any, session: Any, given: Given) -> Made:
    return Made()


COUNT = """
workflow: many
on: [{event: order.received}]
steps:
  - {id: count, use: acme.count_stops, with: {day: "2026-11-23"}}
  - {id: told, use: toy.write, with: {text: "{{ string(steps.count.output.stops) }} stops"}}
"""


def test_a_plugin_s_action_is_a_step_and_waits_while_the_plugin_is_off(
    add: Add, toys: Toys
) -> None:
    plugins = add(block("workflow_actions"))
    assert plugins.plugins["acme"].error == ""
    assemble(toys.hub)
    toys.save(COUNT)
    switch(toys.hub, "acme", on=False)
    toys.order_comes()
    toys.work()
    assert toys.texts() == []
    switch(toys.hub, "acme", on=True)
    toys.wait()
    assert toys.texts() == ["0 stops"]


def switch(hub: Hub, plugin: str, *, on: bool) -> None:
    with hub.store.write() as session:
        set_plugin(session, hub.plugins, plugin, on)


def test_a_plugin_s_page_is_there_for_whom_it_names_and_while_the_plugin_is_on(
    add: Add, hub: Hub, sign_in: Callable[..., Browser]
) -> None:
    add(block("blueprints"))
    ops, dispatcher = sign_in("ops"), sign_in("dispatcher")
    assert ops.get("/plugins/acme/hello").text == "<h1>Hello</h1>"
    assert dispatcher.get("/plugins/acme/hello").status_code == 403
    nobody = create_app(hub).test_client().get("/plugins/acme/hello")
    assert nobody.status_code == 401
    switch(hub, "acme", on=False)
    assert ops.get("/plugins/acme/hello").status_code == 404
    switch(hub, "acme", on=True)
    assert ops.get("/plugins/acme/hello").status_code == 200


def test_a_plugin_s_command_is_run_under_its_name(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(block("commands"))
    point = EntryPoint(name="acme", value="made_acme", group="hub")
    monkeypatch.setattr(
        "hub.cli.plugins.entry_points",
        lambda **wanted: [point] if wanted["name"] == "acme" else [],
    )
    assert CliRunner().invoke(cli, ["acme", "hello", "Rosa"]).output == "Hello Rosa\n"
    assert "Greet NAME" in CliRunner().invoke(cli, ["acme", "--help"]).output
    assert "No such command 'nothing'" in CliRunner().invoke(cli, ["nothing"]).output


ZONE = """
workflow: zones
on: [{event: order.received, if: 'acme_zone(event.order.ref) == "valley"'}]
steps: [{id: told, use: toy.write, with: {text: "{{ acme_zone(event.order.source) }}"}}]
"""


@pytest.fixture
def forget() -> Iterator[None]:
    """Take functions out again that plugins brought."""
    before = dict(functions.FUNCTIONS)
    yield
    functions.FUNCTIONS.clear()
    functions.FUNCTIONS.update(before)
    functions.extension.cache_clear()


def test_a_plugin_s_function_is_called_by_conditions_and_texts(
    add: Add, toys: Toys, forget: None
) -> None:
    add(block("workflow_functions"))
    assemble(toys.hub)
    toys.save(ZONE)
    toys.order_comes(ref="9490", source="8001")
    toys.order_comes(ref="8001")
    toys.work()
    assert toys.texts() == ["hills"]
    with pytest.raises(Invalid, match=r"acme_zone\(\) is written acme_zone\(postcode: string\)"):
        toys.save(ZONE.replace("event.order.ref", "event.order.lines"))


FAILING = """
from hub import hookimpl
def acme_fall(n: int) -> int:
    return "text" if n == 1 else 1 // 0
@hookimpl
def workflow_functions():
    return [acme_fall]
"""


@pytest.mark.parametrize(("lines", "said"), [
    (1, "acme_fall returned"), (2, "ZeroDivisionError"),
])  # fmt: skip
def test_a_function_that_fails_is_the_expression_s_failure(
    add: Add, toys: Toys, forget: None, lines: int, said: str
) -> None:
    add(FAILING)
    assemble(toys.hub)
    condition = "acme_fall(event.order.lines) > 0"
    text = ZONE.replace('acme_zone(event.order.ref) == "valley"', condition)
    toys.save(text.replace("acme_zone(event.order.source)", "event.order.ref"))
    toys.order_comes(lines=lines)
    toys.work()
    assert said in toys.run().error["message"]


def named(name: str, function: Any) -> Any:
    function.__name__ = name
    return function


def typed(text: str, count: int) -> str:
    return text * count


def untyped(text, count: int) -> str:  # type: ignore[no-untyped-def]
    return str(text) * count


def listed(texts: list[str]) -> str:
    return "".join(texts)


def many(*texts: str) -> str:
    return "".join(texts)


@pytest.mark.parametrize(("brought", "why"), [
    (["acme_zone"], "which is no function"),
    ([later], "which is no function"),
    ([typed], "has to be named acme_<name>"),
    ([named("acme_untyped", untyped)], "every parameter and the result has a type"),
    ([named("acme_listed", listed)], "every parameter and the result has a type"),
    ([named("acme_many", many)], "every parameter and the result has a type"),
])  # fmt: skip
def test_a_function_that_breaks_the_contract_is_refused_by_name(
    add: Add, brought: Any, why: str
) -> None:
    plugin = add(workflow_functions=hookimpl(lambda: brought)).plugins["acme"]
    assert why in plugin.error
    assert plugin.functions == {}


# What the types forbid is brought on purpose: a plugin's author may not check them.
@pytest.mark.parametrize(("brought", "why"), [
    ([act], "which is no Action"),
    ([Inside("other.act", Given, Made, act)], "has to be named acme.<verb>"),
    ([Inside("acme.a.b", Given, Made, act)], "has to be named acme.<verb>"),
    ([Inside("acme.act", dict, Made, act)], "is no ActionInput"),  # type: ignore[arg-type]
    ([Inside("acme.act", Given, Given, act)], "is no ActionOutput"),  # type: ignore[arg-type]
    ([Inside("acme.act", Given, Made, lambda hub: Made())], "too many positional"),  # type: ignore[arg-type, misc, call-arg]
    ([Inside("acme.act", Given, Made, later)], "is a coroutine"),  # type: ignore[arg-type]
    (None, "must return a list"),
])  # fmt: skip
def test_an_action_that_breaks_the_contract_is_refused_by_name(
    add: Add, brought: Any, why: str
) -> None:
    plugin = add(workflow_actions=hookimpl(lambda: brought)).plugins["acme"]
    assert why in plugin.error
    assert plugin.actions == {}


def page(*roles: str) -> Blueprint:
    made = Blueprint("made", __name__)
    view = (lambda: "hello") if not roles else allow(*roles)(lambda: "hello")
    made.add_url_rule("/", "hello", view)
    return made


@pytest.mark.parametrize(("brought", "why"), [
    (lambda: [page()], "made.hello: say who may use it"),
    (lambda: ["page"], "which is no Blueprint"),
    (lambda: 1 / 0, "ZeroDivisionError"),
])  # fmt: skip
def test_pages_that_are_not_sound_are_named_and_the_hub_serves_its_own(
    add: Add, hub: Hub, sign_in: Callable[..., Browser], brought: Any, why: str
) -> None:
    plugin = add(blueprints=hookimpl(brought)).plugins["acme"]
    owner = sign_in("owner")
    assert why in plugin.error
    assert owner.get("/plugins/acme/").status_code == 404
    assert why in owner.get("/admin/plugins").text.replace("&#39;", "'")


def test_a_command_that_is_none_is_told_as_an_error(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(commands=hookimpl(lambda: [print]))
    point = EntryPoint(name="acme", value="made_acme", group="hub")
    monkeypatch.setattr("hub.cli.plugins.entry_points", lambda **_: [point])
    told = CliRunner().invoke(cli, ["acme"]).exception
    assert "which is no click command" in str(told)


def test_a_plugin_named_like_a_part_of_the_hub_cannot_replace_its_actions(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("made_dispatch")
    module.workflow_actions = hookimpl(lambda: [Inside("dispatch.flag", Given, Made, act)])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    point = EntryPoint(name="dispatch", value=module.__name__, group="hub")
    hub.plugins = Plugins([point])
    assemble(hub)
    assert hub.actions["dispatch.flag"].Input is not Given
    assert "actions of its own named dispatch.flag" in hub.plugins.plugins["dispatch"].error


def test_what_a_plugin_brings_is_listed() -> None:
    listed = CliRunner().invoke(cli, ["plugin", "list"]).output
    assert re.search(r"^folder +\S+ +\w+ +pod_sinks$", listed, re.M)
