"""The policy as a table of routes x roles; run as a module, it writes the page to a file."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from flask import Flask

from hub.web.extensions import MARK
from hub.web.policy import ROLES, allowed

COLUMNS = ("owner", "dispatcher", "ops", "accountant", "merchant", "driver")
HEAD = """# The policy: who may use which route

Generated from the views' own `@allow`: `python -m hub.web.policy_table docs/reference/policy.md`.
A test keeps it current, and another asks every route as every role with another merchant's ids
([test_policy_matrix.py](../../tests/web/test_policy_matrix.py)). A view that declares no roles
keeps the hub from starting. Roles and scopes are told in [access](../access.md).

`all` in the last column means that nobody has to sign in: the address itself, or what is sent
along, is what lets in. A merchant, a merchant's key and a driver see and change their own only,
also where a route is open to them. Pages that plugins bring declare their own roles and stand
under `/plugins/<plugin>/`.
"""


def render(app: Flask) -> str:
    """Return the page for the routes of an application, plugins' own left out."""
    lines = [HEAD, row(("Route", "Methods", *COLUMNS, "keys, all"))]
    lines.append(row(("---", "---", *([":-:"] * len(COLUMNS)), "---")))
    for path, methods, roles in routes(app):
        marks = ["yes" if name in roles else "" for name in COLUMNS]
        others = sorted(f"`{name.removeprefix('key:')}`" for name in roles - ROLES - {"public"})
        last = ["all"] if "public" in roles else others
        lines.append(row((f"`{path}`", methods, *marks, ", ".join(last))))
    return "\n".join(lines) + "\n"


def routes(app: Flask) -> list[tuple[str, str, frozenset[str]]]:
    """Return (path, methods, roles) of every route, methods of one path and policy together."""
    found: dict[tuple[str, frozenset[str]], set[str]] = {}
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(MARK):
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found.setdefault((rule.rule, allowed(app, rule.endpoint)), set()).update(methods)
    return sorted(
        ((path, ", ".join(sorted(methods)), roles) for (path, roles), methods in found.items()),
        key=lambda one: one[:2],
    )


def row(cells: tuple[str, ...]) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cells)} |"


def main(path: Path) -> None:
    """Write the page of an empty hub, made for this alone."""
    from hub.hub import open_hub
    from hub.settings import Settings
    from hub.store import Store, migrations
    from hub.web import create_app

    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read({"HUB_DIRECTORY": folder})
        store = Store(settings.database_url)
        migrations.upgrade(store)
        store.close()
        hub = open_hub(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(create_app(hub)))
        hub.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
