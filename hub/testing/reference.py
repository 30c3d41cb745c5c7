"""The hook reference, made from the specs themselves: `python -m hub.testing.reference > FILE`."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from hub import actions, errors, hookspecs, nouns
from hub.connector import Connector
from hub.contract import CAPABILITY, TRAITS, methods
from hub.plugins import Plugins

HEAD = """\
# Hook reference

Made from the code by `python -m hub.testing.reference`; a test checks that it is current. What each
hook is for, with examples, stands in [plugins.md](../plugins.md); how a connector is written, from
its beginning, in [first-connector.md](../first-connector.md).

A hook is a function of the plugin's module that is marked `@hookimpl`. It takes nothing and returns
a list, and is called once in each process that needs it. A plugin imports from `hub` alone, and its
tests from `hub.testing`.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, "## Hooks\n"]
    parts += [hook(name, spec) for name, spec in specs()]
    parts += ["## Traits\n", "A connector of any kind may have these besides, each as a whole.\n"]
    parts += [protocol(trait, 3) for trait in TRAITS]
    parts += ["## The connector\n", connector()]
    parts += ["## Steps of workflows\n"]
    parts += [record(kind) for kind in (actions.Inside, actions.Outward, actions.Call)]
    parts += ["## Errors\n", table_of_errors()]
    parts += ["## Nouns\n", f"{first_paragraphs(nouns.__doc__)}\n"]
    parts += [record(noun) for noun in all_nouns()]
    return "\n".join(parts)


def specs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every hook with its spec, in the order of the file."""
    for name, spec in vars(hookspecs).items():
        if hasattr(spec, "hub_spec"):
            yield name, spec


def hook(name: str, spec: Callable[..., Any]) -> str:
    """Return the section of one hook."""
    text = f"### `{name}() -> {source_of(spec).returns}`\n\n{clean(spec.__doc__)}\n"
    if name in CAPABILITY:
        text += "\n" + protocol(CAPABILITY[name], 0)
    found = brought_by(name)
    return text + (f"\nBrought by {found}.\n" if found else "")


def brought_by(hook_name: str) -> str:
    """Return the hub's own plugins that use a hook."""
    return ", ".join(
        f"`{plugin.name}`"
        for plugin in installed().plugins.values()
        if hook_name in plugin.hooks and plugin.distribution in OWN
    )


OWN = frozenset(
    {"lastmile-hub", "hub-shopify", "hub-woocommerce", "hub-shipstation", "hub-xero", "hub-sms"}
)


@cache
def installed() -> Plugins:
    """Return the plugins that are installed here."""
    return Plugins()


def protocol(kind: type[Any], level: int) -> str:
    """Return what a protocol asks for, under a heading where `level` is not 0."""
    head = f"{'#' * level} `{kind.__name__}`\n\n" if level else f"`{kind.__name__}`: "
    text = f"{head}{clean(kind.__doc__)}\n"
    for name, method in methods(kind).items():
        said = clean(method.__doc__)
        text += f"\n- `{signature(name, method)}`" + (f"\n{indented(said)}" if said else "")
    return text + "\n"


def signature(name: str, method: Callable[..., Any]) -> str:
    """Return a method as it is called on a connector."""
    found = source_of(method)
    given = [f"{a.arg}: {ast.unparse(a.annotation)}" for a in found.arguments if a.annotation]
    return f"{name}({', '.join(given)}) -> {found.returns}"


class Source:
    """A function as it is written: its arguments and what it returns."""

    def __init__(self, node: ast.FunctionDef) -> None:
        self.arguments = [one for one in node.args.args if one.arg != "self"]
        self.returns = ast.unparse(node.returns) if node.returns else "None"


def source_of(function: Callable[..., Any]) -> Source:
    """Return a function's source, read."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    node = next(one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))
    return Source(node)


def connector() -> str:
    """Return what a connector class has."""
    text = f"`Connector`: {clean(Connector.__doc__)}\n\n{fields(Connector)}"
    return text + f"\n- `check() -> None`\n{indented(clean(Connector.check.__doc__))}\n"


def record(kind: type[Any]) -> str:
    """Return the section of a class that holds values."""
    return f"### `{kind.__name__}`\n\n{clean(kind.__doc__)}\n\n{fields(kind)}"


def fields(kind: type[Any]) -> str:
    """Return the table of a class's fields, inherited ones first."""
    rows = {}
    for parent in reversed(kind.__mro__):
        if parent.__module__.startswith("hub."):
            rows.update({name: (typed, said) for name, typed, said in fields_of(parent)})
    if not rows:
        return "It has no fields.\n"
    lines = ["| field | type | |", "|---|---|---|"]
    for name, (typed, said) in rows.items():
        lines.append(f"| `{name}` | `{escaped(typed)}` | {escaped(said)} |")
    return "\n".join(lines) + "\n"


def fields_of(kind: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each field that a class declares: name, type with its default, what it means."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for number, node in enumerate(tree.body):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        after = tree.body[number + 1] if number + 1 < len(tree.body) else None
        said = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            said = " ".join(str(after.value.value).split())
        value = f" = {ast.unparse(node.value)}" if node.value else ""
        yield node.target.id, ast.unparse(node.annotation) + value, said


def all_nouns() -> list[type[nouns.Noun]]:
    """Return every noun, by name."""
    named = (getattr(nouns, name) for name in nouns.__all__)
    kinds = [one for one in named if inspect.isclass(one) and issubclass(one, nouns.Noun)]
    return [kind for kind in kinds if kind is not nouns.Noun]


def members(module: ModuleType) -> list[type[Any]]:
    """Return the classes that a module defines, in its order."""
    return [
        found
        for found in vars(module).values()
        if inspect.isclass(found) and found.__module__ == module.__name__
    ]


def table_of_errors() -> str:
    """Return what each error means."""
    lines = ["| error | |", "|---|---|"]
    for kind in members(errors):
        lines.append(f"| `{kind.__name__}` | {escaped(' '.join(clean(kind.__doc__).split()))} |")
    return "\n".join(lines) + "\n"


def clean(text: str | None) -> str:
    """Return a docstring without its indentation."""
    return inspect.cleandoc(text or "").strip()


def first_paragraphs(text: str | None) -> str:
    """Return a module's docstring without its first line."""
    return clean(text).partition("\n\n")[2]


def indented(text: str) -> str:
    """Return text as it belongs to a point of a list."""
    return textwrap.indent(text, "  ")


def escaped(text: str) -> str:
    """Return text that can stand in a cell."""
    return text.replace("|", "\\|")


def main() -> None:
    """Print the page."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
