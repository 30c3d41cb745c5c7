"""The files of a new plugin: they load and pass the checks, but for what is its author's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hub.cli.calls import CALLS
from hub.cli.parts import PARTS, Part
from hub.errors import Refused

PROJECT = """\
[project]
name = "hub-{name}"
version = "0.1.0"
description = "{title} for Lastmile Hub"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["lastmile-hub"]

[project.optional-dependencies]
test = ["lastmile-hub[testing]", "mypy", "ruff"]

[project.entry-points.hub]
{name} = "hub_{name}"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["hub_{name}"]

[tool.mypy]
strict = true

[tool.ruff]
line-length = 100

[tool.ruff.lint]
extend-select = ["B", "I", "UP"]

[tool.ruff.lint.per-file-ignores]
"tests/*" = ["RUF012"]
"""
README = """\
# {title} for Lastmile Hub

    pip install -e '.[test]'
    python -m pytest
    hub plugin dev

Tests that are red say what is left to write. `hub plugin dev` runs them whenever you save, and
`hub plugin dev --call {call}` makes a real call with the settings of `dev.toml` and records it for
the tests. Installed beside a hub, the plugin is found at its next start; set it up under
*Connections*.
"""
IGNORED = """\
__pycache__/
*.egg-info/
build/
dev.toml
dist/
"""
HEAD = '''\
"""{title} for Lastmile Hub."""

from __future__ import annotations

{imports}
'''
CONNECTOR = '''

class Config(BaseModel):
    """Where {title} is, and what opens it."""

    url: Url = Field(default="https://api.example.com", title="Address")
    token: SecretStr = Field({default}title="API token")
{settings}

class {klass}(Connector[Config]):
    """Talks to {title}."""

    name = "{name}"
    title = "{title}"
    Config = Config

    def check(self) -> None:
        """Make the cheapest call that proves the settings."""
        self.http.get("/")

{methods}
    @property
    def http(self) -> Http:
        """{title}, with the token in every call."""
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {{token}}")
'''
HOOK = '''

@hookimpl
def {hook}() -> list[{returns}]:
    """Offer {what}."""
    return [{given}]
'''
TESTS = '''\
"""The checks that every plugin passes, and what is left to write."""

from __future__ import annotations

{imports}


class TestPlugin(PluginTests):
    plugin = "{name}"
'''
CONNECTOR_TESTS = """

class Test{klass}(ConnectorTests):
    connector = {klass}
    config = {{"token": SECRET{config}}}
"""
METHOD_TEST = """
    def test_{verb}_is_written(self, peer: ScriptedPeer) -> None:
        made = self.built(peer.url)
        assert isinstance(made, {klass})
{test}"""
MODULE_TEST = """

def test_{verb}_is_written() -> None:
{test}"""


def files(name: str, kinds: list[str]) -> dict[str, str]:
    """Return the files of a new plugin by their path; `kinds` are keys of `PARTS`."""
    title = name.replace("_", " ").title()
    words = {"name": name, "title": title, "klass": title.replace(" ", "")}
    parts = [PARTS[kind] for kind in kinds]
    connector = next((part for part in parts if part.place == "connector"), None)
    call = connector.verb if connector and connector.verb in CALLS else "check"
    return {
        ".gitignore": IGNORED,
        "README.md": README.format(**words, call=call),
        f"hub_{name}/__init__.py": module(parts, words),
        f"hub_{name}/py.typed": "",
        "pyproject.toml": PROJECT.format(**words),
        f"tests/test_{name}.py": tests(parts, words),
    }


def module(parts: list[Part], words: dict[str, str]) -> str:
    """Return the plugin's module."""
    of_connector = [part for part in parts if part.place == "connector"]
    names = {"hookimpl"} if any(part.hook for part in parts) else set()
    names |= {name for part in parts for name in part.uses.split()}
    lines = [line for part in parts for line in part.needs.splitlines()]
    if of_connector:
        names |= {"Connector", "Http", "Url"}
        lines.append("from pydantic import BaseModel, Field, SecretStr")
    lines.append(f"from hub import {', '.join(sorted(names))}")
    text = HEAD.format(**words, imports=imports(lines, own=""))
    if of_connector:
        by_consent = any("refresh_token" in part.settings for part in parts)
        text += CONNECTOR.format(
            **words,
            default='default=SecretStr(""), ' if by_consent else "",
            settings="".join(part.settings for part in of_connector),
            methods="\n".join(part.code.format(**words) for part in of_connector),
        )
    for part in parts:
        if part.place == "module":
            code = part.code.format(**words)
            # After imports one empty line stands before a statement, two before a definition.
            begun = of_connector or part is not parts[0]
            text += ("\n\n" if begun or code.startswith(("class ", "def ", "@")) else "\n") + code
    text = "\n".join(fitted(line) for line in text.split("\n"))
    for part in parts:
        if part.hook:
            what = words["title"] if part.place == "connector" else part.what
            text += HOOK.format(
                hook=part.hook, returns=part.returns, given=part.given.format(**words), what=what
            )
    return text


def fitted(line: str) -> str:
    """Return a line of a single call with one text, in three lines where it is too long."""
    if len(line) <= 100 or "(" not in line:
        return line
    start, _, text = line.partition("(")
    space = " " * (len(line) - len(line.lstrip()))
    return f"{start}(\n{space}    {text.removesuffix(')')}\n{space})"


def tests(parts: list[Part], words: dict[str, str]) -> str:
    """Return the plugin's tests: the kit's, and one for each part that is red until written."""
    of_connector = [part for part in parts if part.place == "connector"]
    of_module = [part for part in parts if part.place == "module"]
    # The kit itself is red for a method that is not written; what it does not know is asked here.
    asked = [p for p in of_connector if f"test_{p.verb}_is_written" not in checked()]
    own = [word for part in of_module for word in part.borrowed.format(**words).split()]
    lines = ["from hub.testing.installed import PluginTests"]
    lines += [part.also for part in (*asked, *of_module) if part.also]
    needed = {name for part in (*asked, *of_module) for name in part.tested.split()}
    if needed:
        lines.append(f"from hub import {', '.join(sorted(needed))}")
    text = ""
    if of_connector:
        kit = ["SECRET", "ConnectorTests", *(["ScriptedPeer"] if asked else [])]
        kit += sorted({name for part in asked for name in part.kit.split()})
        lines.append(f"from hub.testing.conformance import {', '.join(kit)}")
        own.append(words["klass"])
        config = "".join(part.config for part in of_connector)
        text = CONNECTOR_TESTS.format(**words, config=config)
        for part in asked:
            test = part.test.format(**words)
            text += METHOD_TEST.format(verb=part.verb, klass=words["klass"], test=test)
    for part in of_module:
        text += MODULE_TEST.format(verb=part.verb, test=part.test.format(**words))
    if own:
        lines.append(f"from hub_{words['name']} import {', '.join(sorted(own, key=by_kind))}")
    return TESTS.format(**words, imports=imports(lines, own=f"hub_{words['name']}")) + text


def checked() -> frozenset[str]:
    """Return the checks of the kit, as far as it is installed."""
    try:
        from hub.testing.conformance import ConnectorTests
    except ImportError:  # no pytest beside this hub
        return frozenset()
    return frozenset(dir(ConnectorTests))


STANDARD = ("collections.abc", "datetime", "typing")


def imports(lines: Iterable[str], own: str) -> str:
    """Return import lines in groups and order: of Python, of others, of the plugin itself."""
    groups: dict[int, list[str]] = {}
    for line in joined(lines):
        source = line.split()[1]
        group = 0 if source in STANDARD else 2 if source == own else 1
        groups.setdefault(group, []).append(line)
    order = [sorted(groups[group], key=in_order) for group in sorted(groups)]
    return "\n\n".join("\n".join(folded(line) for line in group) for group in order)


def joined(lines: Iterable[str]) -> list[str]:
    """Return import lines with those from one source made one."""
    names: dict[str, set[str]] = {}
    for line in lines:
        source, _, found = line.partition(" import ")
        names.setdefault(source, set()).update(found.split(", ") if found else ())
    return [
        f"{source} import {', '.join(found)}" if found else source
        for source, found in names.items()
    ]


def in_order(line: str) -> tuple[bool, str]:
    """Return where a line stands within its group: plain imports first."""
    return not line.startswith("import "), line.split()[1]


def by_kind(name: str) -> tuple[int, str]:
    """Return where a name stands in an import: CONSTANTS, then Classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def folded(line: str) -> str:
    """Return an import with its names in order, one a line where they do not fit in one."""
    source, found, names = line.partition(" import ")
    if not found or not source.startswith("from "):
        return line
    ordered = sorted(names.split(", "), key=by_kind)
    whole = f"{source} import {', '.join(ordered)}"
    if len(whole) <= 100:
        return whole
    return f"{source} import (\n" + "".join(f"    {name},\n" for name in ordered) + ")"


def write(folder: Path, name: str, kinds: list[str]) -> list[Path]:
    """Write a new plugin into `folder`/`name`; raise `Refused` where that is there already."""
    root = folder / name
    if root.exists():
        raise Refused(f"{root} is there already; choose another name or folder")
    made = []
    for path, text in files(name, kinds).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        made.append(file)
    return made
