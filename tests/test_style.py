"""The house style that a machine can check: sizes, first lines, names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE, LONGEST_FUNCTION = 400, 40
LONG_FILES: dict[str, str] = {}
"""Path -> why it may be longer."""
LONG_FUNCTIONS: dict[str, str] = {}
"""`path:name` -> why it may be longer."""
CATCH_ALLS = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
SOURCES = sorted(
    path
    for folder in ("hub", "plugins", "tests", "bench")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations/versions" not in str(path) and "node_modules" not in str(path)
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_what_it_is_for_and_fits_in_the_head(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{name} opens with no line that says what it is for"
    assert path.stem not in CATCH_ALLS, f"{name}: a catch-all is a missing noun"
    assert text.count("\n") <= LONGEST_FILE or name in LONG_FILES, f"{name} is too long"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            where = f"{name}:{node.name}"
            assert lines <= LONGEST_FUNCTION or where in LONG_FUNCTIONS, (
                f"{where} has {lines} lines"
            )


def test_the_exceptions_are_still_needed() -> None:
    for name in LONG_FILES:
        assert (ROOT / name).read_text().count("\n") > LONGEST_FILE, f"{name} fits now"


def test_importing_the_core_costs_no_framework() -> None:
    import subprocess
    import sys

    names = ["flask", "sqlalchemy", "redis", "rq", "ortools", "pydantic", "requests"]
    code = f"import hub, sys; print([m for m in {names!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
