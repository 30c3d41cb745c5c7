"""Imports go down only: what the layers of docs/architecture.md promise."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    ["cli", "simulate", "__main__"],
    ["web"],
    ["embed"],
    ["testing", "builtin"],
    ["workflow"],
    ["insights", "notify", "outgoing", "privacy"],
    ["proofs"],
    ["tracking"],
    ["driving"],
    ["dispatch"],
    ["planning"],
    ["orders"],
    ["fleet"],
    ["queue"],
    ["hub"],
    ["connections"],
    ["events"],
    ["plugins", "files", "access", "maps"],
    ["contract"],
    ["store"],
    ["actions", "hookspecs", "capabilities", "connector", "http", "clock", "settings", "address",
     "logs", "lifeline", "oauth", "budget", "ledgers", "verdicts"],
    ["nouns", "errors", "deadlines", "redaction", "exchange", "phones"],
]  # fmt: skip
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
EXCUSED: set[tuple[str, str]] = set()
"""(package, imported package) pairs that may break the rule, each with a reason beside it."""


def imports(path: Path) -> list[tuple[str, int]]:
    """Return every `hub.<package>` that a module imports at run time, with the line."""
    tree = ast.parse(path.read_text())
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "hub":
                names = [f"hub.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found += [(name, node.lineno) for name in names if name.split(".")[0] == "hub"]
    return [(name.split(".")[1], line) for name, line in found if "." in name]


def test_no_package_of_the_core_imports_one_above_it() -> None:
    wrong = []
    for path in sorted((ROOT / "hub").rglob("*.py")):
        parts = path.relative_to(ROOT / "hub").parts
        own = parts[0].removesuffix(".py")
        if own == "__init__" or "migrations" in parts:
            continue
        assert own in RANK, f"hub/{own} has no layer; add it to LAYERS and to the architecture"
        for name, line in imports(path):
            if name in RANK and RANK[name] < RANK[own] and (own, name) not in EXCUSED:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports hub.{name}")
    assert wrong == []


def test_plugins_import_the_public_names_and_the_test_kit_only() -> None:
    wrong = []
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            module = getattr(node, "module", None) or ""
            inner = isinstance(node, ast.ImportFrom) and module.startswith("hub.")
            if inner and not module.startswith("hub.testing"):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} imports {module}")
    assert wrong == []


def test_no_plugin_folder_is_a_package_that_would_hide_an_sdk() -> None:
    assert list((ROOT / "plugins").glob("*/__init__.py")) == []


SEES_EVERYTHING = {"queue", "events", "planning"}
"""Packages that may act for the hub as a whole; every other one acts for somebody."""


def test_only_queue_events_and_planning_open_sessions_that_see_everything() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "hub").rglob("*.py")):
        package = path.relative_to(ROOT / "hub").parts[0].removesuffix(".py")
        if package == "testing":
            continue  # fixtures stand outside, where everything is seen
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node) in ("System()", "System(None)"):
                found.setdefault(package, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: lines for name, lines in found.items() if name not in SEES_EVERYTHING} == {}
    assert found, "the search itself finds nothing any more"
