"""A connector's settings at the terminal: options of its Config, files, variables, questions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from hub.connector import Connector
from hub.errors import Refused
from hub.web.admin import forms
from hub.web.admin.forms import Field

PREFIX = "HUB_CONNECT_"
YES, NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0", "")
STDIN = "-"
RESERVED = frozenset(
    {"merchant", "title", "set", "set_file", "id", "yes", "wait", "as_json", "help"}
)
"""Names of options that every connector has; a setting of such a name is given by --set."""
LARGEST = 100_000


def fields_of(kind: type[Connector[Any]]) -> list[Field]:
    """Return the settings that a person gives; what a consent fills in is none of them."""
    return forms.fields(kind.Config, {}, kept=False)


def options(kind: type[Connector[Any]]) -> list[click.Option]:
    """Return an option for each setting of a connector."""
    return [option(one) for one in fields_of(kind) if one.name not in RESERVED]


def option(field: Field) -> click.Option:
    """Return the option of one setting."""
    flag = "--" + field.name.replace("_", "-")
    about = f"{field.label}. {field.hint}".rstrip(". ") + "."
    if field.kind == "checkbox":
        return click.Option(
            [f"{flag}/--no-{flag[2:]}", field.name], default=None, help=about, show_default=False
        )
    if field.kind == "select":
        choice = click.Choice(field.options)
        return click.Option([flag, field.name], type=choice, help=f"{about} [{field.value}]")
    if field.kind == "password":
        about += " A secret: better asked for, or by --set-file or a variable."
    elif field.value and field.kind in ("text", "number"):
        about += f" [{field.value}]"
    return click.Option([flag, field.name], multiple=field.kind == "lines", help=about)


def collect(
    kind: type[Connector[Any]],
    given: Mapping[str, Any],
    sets: Iterable[str],
    files: Iterable[str],
) -> dict[str, Any]:
    """Return the settings that were given, by whatever way; an option counts before a variable.

    Raise `click.UsageError` for one that there is not. A secret on the command line is warned of.
    """
    fields = {one.name: one for one in fields_of(kind)}
    found: dict[str, Any] = {}
    for name, field in fields.items():
        value = os.environ.get(PREFIX + name.upper())
        if value is not None:
            found[name] = converted(field, value)
    for text in files:
        name, path = pair(kind, fields, text, "--set-file", "PATH")
        found[name] = converted(fields[name], read(path))
    for text in sets:
        name, value = pair(kind, fields, text, "--set", "VALUE")
        found[name] = converted(fields[name], value)
        warn(fields[name], f"--set {name}")
    for name, value in given.items():
        if value is None or value == () or name not in fields:
            continue
        found[name] = value if isinstance(value, bool) else converted(fields[name], value)
        warn(fields[name], "--" + name.replace("_", "-"))
    return found


def pair(
    kind: type[Connector[Any]], fields: Mapping[str, Field], text: str, flag: str, what: str
) -> tuple[str, str]:
    """Return a setting's name and what was given for it."""
    name, sign, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not sign:
        raise click.UsageError(f"write {flag} SETTING={what}")
    if name not in fields:
        known = ", ".join(fields) or "none"
        raise click.UsageError(f"{kind.title} has no setting {name}; it has {known}")
    return name, value


def read(path: str) -> str:
    """Return what a file holds, without the line break at its end; `-` is a line of stdin."""
    if path == STDIN:
        line = sys.stdin.readline()
        if not line:
            raise click.UsageError("nothing came in by stdin for --set-file ...=-")
        return line.rstrip("\r\n")
    try:
        if Path(path).stat().st_size > LARGEST:
            raise click.UsageError(f"{path} has more than {LARGEST:,} bytes; that is no setting")
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise click.UsageError(f"{path} cannot be read: {why}") from None


def converted(field: Field, value: Any) -> Any:
    """Return a text as the setting takes it; raise `click.UsageError` naming the setting."""
    if field.kind == "lines":
        lines = value.splitlines() if isinstance(value, str) else value
        return [line.strip() for line in lines if line.strip()]
    text = str(value).strip()
    if field.kind == "checkbox":
        if text.lower() not in (*YES, *NO):
            raise click.UsageError(f"{field.name} ({field.label}): say yes or no, not {text[:20]}")
        return text.lower() in YES
    if field.kind == "json" and text:
        try:
            return forms.parsed(field, text)
        except Refused as error:
            raise click.UsageError(f"{field.name}: {error}") from None
    return text


def warn(field: Field, how: str) -> None:
    """Say that a secret on the command line is one no more."""
    if field.kind == "password":
        click.secho(
            f"warning: the secret given by {how} stands in your shell's history and can be seen "
            f"in the list of processes; let the command ask for it, or use "
            f"--set-file {field.name}=PATH or {PREFIX}{field.name.upper()}",
            fg="yellow", err=True,
        )  # fmt: skip


def missing(kind: type[Connector[Any]], found: Mapping[str, Any]) -> list[Field]:
    """Return the settings that a connector needs and that nobody has given."""
    return [one for one in fields_of(kind) if one.required and found.get(one.name) in (None, "")]


def ask(field: Field) -> Any:
    """Ask a person for a setting; a secret is not shown."""
    if field.hint:
        click.secho(f"  {field.hint}", dim=True, err=True)
    if field.kind == "checkbox":
        return click.confirm(field.label, default=field.checked, err=True)
    if field.kind == "select":
        choice = click.Choice(field.options)
        return click.prompt(field.label, type=choice, default=field.value or None, err=True)
    hidden = field.kind == "password"
    shown = None if hidden or not field.value else field.value
    said = click.prompt(field.label, hide_input=hidden, default=shown, err=True)
    return converted(field, said)


def ways(field: Field) -> str:
    """Return in words how a setting can be given without a person at a terminal."""
    flag = "--" + field.name.replace("_", "-")
    if field.kind == "password":
        return f"--set-file {field.name}=PATH (or =- for stdin), or {PREFIX}{field.name.upper()}"
    return f"{flag}, --set {field.name}=VALUE, or {PREFIX}{field.name.upper()}"
