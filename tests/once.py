"""What each application of a test run would compile anew, compiled once in a process.

A hub makes one application in its life, the tests of pages make one each. Nothing is left out:
they share what depends on a route's rule or on a template's text alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Compiled templates in memory; Jinja looks itself whether the text is still the same."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template's code, if there is any."""
        if bucket.key in self.held:
            bucket.bytecode_from_string(self.held[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        self.held[bucket.key] = bucket.bytecode_to_string()


def share_templates() -> None:
    """Let the hub's applications share their compiled templates; others have other settings."""
    templates, create = Templates(), Flask.create_jinja_environment

    def made(app: Flask) -> Environment:
        environment = create(app)
        if app.name == "hub.web":
            environment.bytecode_cache = templates
        return environment

    Flask.create_jinja_environment = made  # type: ignore[method-assign,assignment]


def share_routes() -> None:
    """Let equal rules share the functions that build their addresses, made by Werkzeug itself.

    Those take what belongs to one application from the rule that they are called with.
    """
    held: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def made(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in held:
            held[key] = compile_builder(rule, append_unknown)
        return held[key]

    Rule._compile_builder = made  # type: ignore[method-assign]
