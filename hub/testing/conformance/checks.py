"""What a check is besides its code: since when there is it, and on whom it is passed over."""

from __future__ import annotations

import functools
import inspect
import tokenize
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import Any, TypeVar

import pytest

import hub

T = TypeVar("T", bound=Callable[..., Any])
FIRST = "0.1"
"""The version whose checks a plugin that says nothing was written for."""


class NewCheck(UserWarning):
    """Tell of a check that is too new to fail a plugin; it will with the next version."""


class KitWarning(UserWarning):
    """Tell of something that the kit would like to have."""


@dataclass(frozen=True)
class Check:
    """One check of the kit."""

    name: str
    says: str
    """What it holds a connector to, in one sentence."""
    about: str
    """Whom it is for, such as `order source`."""
    grade: str
    """The grade that it belongs to; empty for one that counts for none."""
    since: str
    applies: Callable[[type[Any]], bool]
    code: Callable[..., Any]


def since(version: str) -> Callable[[T], T]:
    """Mark a check with the version of the hub that brought it; unmarked ones came with the first.

    It warns for that one version, so that nobody's tests turn red by an update.
    """

    def mark(function: T) -> T:
        function.__dict__["hub_since"] = version
        return function

    return mark


def only(applies: Callable[[type[Any]], bool]) -> Callable[[T], T]:
    """Mark a check that is for some of its part's connectors only."""

    def mark(function: T) -> T:
        function.__dict__["hub_only"] = applies
        return function

    return mark


def minor(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version."""
    first, _, rest = version.partition(".")
    return int(first or 0), int(rest.partition(".")[0] or 0)


def target(distribution: str) -> str:
    """Return the version of the hub that a distribution was written for: the lowest it takes."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(one) for one in requires(distribution) or []]
    except (PackageNotFoundError, ValueError):
        return FIRST
    for one in asked:
        if one.name == "lastmile-hub":
            lowest = [s.version for s in one.specifier if s.operator in (">=", "~=", "==")]
            return min(lowest, key=minor) if lowest else FIRST
    return FIRST


def is_new(check: Check, written_for: str) -> bool:
    """Say whether a check only warns: it came with this very version, the plugin is older."""
    came = minor(check.since)
    return came == minor(hub.__version__) and minor(written_for) < came


def warning(check: Check) -> Callable[..., Any]:
    """Return a check that warns where it would fail."""

    @functools.wraps(check.code)
    def run(*given: Any, **named: Any) -> None:
        try:
            check.code(*given, **named)
        except (AssertionError, pytest.fail.Exception) as error:
            said = f"{check.name} is new and will fail from the next version on: {error}"
            warnings.warn(NewCheck(said), stacklevel=2)

    return run


def exempted(check: Check, reason: str) -> Callable[..., Any]:
    """Return a check that is passed over, for a reason that its grade shows."""

    @functools.wraps(check.code)
    def run(*given: Any, **named: Any) -> None:
        pytest.skip(f"exempt: {reason}")

    return run


def place(function: Any) -> str:
    """Return where a method or class stands, as ` (hub_acme.py:31)`, or nothing."""
    try:
        file = inspect.getsourcefile(function) or ""
        line = inspect.getsourcelines(function)[1]
    except (OSError, TypeError, SyntaxError, tokenize.TokenError):  # code out of a page or a shell
        return ""
    return f" ({file.rpartition('/')[2]}:{line})"


def demand(holds: object, text: str, cause: BaseException | None = None) -> None:
    """Fail a check with a text that says what to do, and what was raised instead."""
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(text) from cause
