"""Bronze, silver, gold: what a plugin's own run of the kit came to, computed and kept with it."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hub import __version__
from hub.plugins import Plugin

GRADES = ("bronze", "silver", "gold")
NOT_GRADED = "not graded"
OWN = "lastmile-hub"
"""The distribution whose plugins the hub's documents describe."""
HEADINGS = ("Set up", "Limits")
Outcome = Literal["passed", "failed", "exempt"]


class Run(BaseModel):
    """What the checks of one connector came to."""

    model_config = ConfigDict(frozen=True)

    connector: str
    outcomes: dict[str, Outcome]
    """Check -> what became of it; one that did not run counts as failed."""
    grades: dict[str, str]
    """Check -> the grade that it belongs to, empty for none."""
    reasons: dict[str, str] = {}
    """Exempt check -> why; failed check -> what it said."""
    kept: int = 0
    """How many earlier releases' settings the tests keep."""


class Grade(BaseModel):
    """The grade of a plugin, as it lies beside its module."""

    model_config = ConfigDict(frozen=True)

    plugin: str
    version: str
    """Of the plugin that was graded."""
    kit: str
    """Version of the hub whose checks were run."""
    grade: str
    """`bronze`, `silver`, `gold`, or nothing where it is not even bronze."""
    checks: int
    """How many checks hold, over all its connectors."""
    exempt: dict[str, str] = {}
    """`connector: check` -> why it is let off it."""
    missing: dict[str, str] = {}
    """What stands between it and the next grade -> what to do."""


@dataclass(frozen=True)
class Rule:
    """What one grade asks for besides the checks that belong to it."""

    name: str
    grade: str
    says: str
    """What holds, in one sentence."""
    lacks: Callable[[Plugin, list[Run]], str]
    """Return what is to do, nothing where it holds."""


def exemptions(plugin: Plugin, runs: list[Run]) -> str:
    """Return which checks are passed over."""
    names = sorted({n for run in runs for n, how in run.outcomes.items() if how == "exempt"})
    return f"exempt from {', '.join(names)}" if names else ""


def unkept(plugin: Plugin, runs: list[Run]) -> str:
    """Return the connectors whose earlier settings are not kept."""
    names = sorted(run.connector for run in runs if not run.kept)
    text = "keep the settings of a release with hub plugin grade ... --write: "
    return text + ", ".join(names) if names else ""


def undescribed(plugin: Plugin, runs: list[Run]) -> str:
    """Return the settings without a word of help."""
    names = [
        f"{connector}.{name}"
        for connector, kind in sorted(plugin.connectors.items())
        for name, field in kind.Config.model_fields.items()
        if not field.description
    ]
    return f"write Field(description=...) for {', '.join(names)}" if names else ""


def unexplained(plugin: Plugin, runs: list[Run]) -> str:
    """Return the headings that the README of its distribution lacks."""
    if plugin.distribution == OWN:
        return ""
    text = readme(plugin)
    missing = [one for one in HEADINGS if not re.search(rf"^#+ {one}\b", text, re.M | re.I)]
    return f"write ## {' and ## '.join(missing)} into README.md" if missing else ""


def untyped(plugin: Plugin, runs: list[Run]) -> str:
    """Return the functions that do not say what they take and return."""
    found = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in sources(plugin)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_typed(node)
    ]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"write the types of {', '.join(found[:3])}{more}" if found else ""


RULES = (
    Rule("no exemption", "gold", "No check is passed over.", exemptions),
    Rule(
        "settings kept", "gold",
        "The settings of an earlier release are kept in the tests and still fit.", unkept,
    ),
    Rule("settings described", "gold", "Every setting says where its value is found.", undescribed),
    Rule("readme", "gold", "Its README has the headings Set up and Limits.", unexplained),
    Rule("types", "gold", "Every function says what it takes and returns.", untyped),
)  # fmt: skip


def compute(plugin: Plugin, runs: Iterable[Run]) -> Grade:
    """Return the grade of a plugin: the highest of which this one and all below hold."""
    told = sorted(runs, key=lambda run: run.connector)
    reached, missing = "", {}
    for grade in GRADES:
        missing = lacking(plugin, told, grade)
        if missing:
            break
        reached = grade
    return Grade(
        plugin=plugin.name,
        version=plugin.version,
        kit=__version__,
        grade=reached,
        checks=sum(how == "passed" for run in told for how in run.outcomes.values()),
        exempt={
            f"{run.connector}: {name}": run.reasons.get(name, "")
            for run in told
            for name, how in sorted(run.outcomes.items())
            if how == "exempt"
        },
        missing=missing,
    )


def lacking(plugin: Plugin, runs: list[Run], grade: str) -> dict[str, str]:
    """Return what a plugin lacks for one grade -> what to do."""
    if not runs:
        return {"tests": "write a class of ConnectorTests for a connector of the plugin"}
    untested = sorted(set(plugin.connectors) - {run.connector for run in runs})
    found = {f"tests of {name}": "write a class of ConnectorTests for it" for name in untested}
    for run in runs:
        for name, how in sorted(run.outcomes.items()):
            if how == "failed" and run.grades.get(name) == grade:
                found[f"{run.connector}: {name}"] = run.reasons.get(name, "it did not run")
    for rule in RULES:
        todo = rule.lacks(plugin, runs) if rule.grade == grade else ""
        if todo:
            found[rule.name] = todo
    return found


def read(plugin: Plugin) -> Grade | None:
    """Return the grade that lies with a plugin, where it is of this very version."""
    path = place(plugin)
    if path is None or plugin.error:
        return None
    try:
        found = Grade.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    fits = (found.plugin, found.version) == (plugin.name, plugin.version)
    return found if fits and found.grade in GRADES else None


def shown(plugin: Plugin) -> str:
    """Return the grade of a plugin in a word."""
    found = read(plugin)
    return found.grade if found else NOT_GRADED


def write(plugin: Plugin, grade: Grade) -> Path:
    """Put a grade beside the plugin's module, from where it goes into its wheel."""
    path = place(plugin)
    if path is None:
        raise OSError(f"the module of {plugin.name} is no file")
    told: dict[str, Any] = grade.model_dump(mode="json")
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def module_file(plugin: Plugin) -> Path | None:
    """Return the file of a plugin's module, once it is loaded."""
    file = getattr(sys.modules.get(plugin.module), "__file__", None)
    return Path(file) if file else None


def place(plugin: Plugin) -> Path | None:
    """Return where a plugin's grade lies: in its package, or beside its only module."""
    file = module_file(plugin)
    if file is None:
        return None
    whole = file.name == "__init__.py"
    return file.with_name("grade.json") if whole else file.with_suffix(".grade.json")


def sources(plugin: Plugin) -> Iterator[Path]:
    """Yield the files of a plugin's code."""
    file = module_file(plugin)
    if file is not None and file.name == "__init__.py":
        yield from sorted(file.parent.rglob("*.py"))
    elif file is not None:
        yield file


def root(plugin: Plugin) -> Path | None:
    """Return the folder that holds a plugin's package or module."""
    file = module_file(plugin)
    if file is None:
        return None
    return file.parent.parent if file.name == "__init__.py" else file.parent


def readme(plugin: Plugin) -> str:
    """Return the README of a plugin: of its source where that is here, else as it was installed."""
    folder = root(plugin)
    file = folder / "README.md" if folder else None
    if file is not None and file.is_file():
        return file.read_text(encoding="utf-8")
    try:
        told = metadata(plugin.distribution)
    except (PackageNotFoundError, ValueError):
        return ""
    return str(told.get("Description") or told.get_payload() or "")  # type: ignore[attr-defined]


def is_typed(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a function says what it takes and returns."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    given += [one for one in (node.args.vararg, node.args.kwarg) if one]
    bare = [one for one in given if one.annotation is None and one.arg not in ("self", "cls")]
    return not bare and (node.returns is not None or node.name == "__init__")
