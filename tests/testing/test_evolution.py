"""A plugin that was written for the previous version still loads, passes, and is not surprised."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from hub import Cursor, Message, Receipt
from hub.nouns import Noun
from hub.plugins import Plugins
from tests.testing.evolution import FILE, Api, broken, snapshot

FOLDER = Path(__file__).parent / "previous"
FROZEN = "65ffbfed278d54f969780fc6b354f3036c5634449a48e700159ceea14e1fa665"
RELEASED: Api = json.loads(FILE.read_text())


def test_the_plugin_of_the_previous_version_is_as_it_was() -> None:
    now = hashlib.sha256((FOLDER / "hub_previous.py").read_bytes()).hexdigest()
    assert now == FROZEN, "plugins out there cannot be changed either: mend the hub, not this file"


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0", "0.2.7"])
def test_it_loads_with_this_version_and_the_next(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr("hub.__version__", version)
    monkeypatch.syspath_prepend(str(FOLDER))
    plugins = Plugins([EntryPoint(name="previous", value="hub_previous", group="hub")])
    assert plugins.plugins["previous"].error == ""
    assert plugins.plugins["previous"].kinds == {
        "previous": {"order_sources", "notification_channels", "pod_sinks", "geocoders"}
    }


def test_it_passes_the_checks_of_this_version(tmp_path: Path) -> None:
    info = tmp_path / "hub_previous-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: hub-previous\nVersion: 1.0\n"
        "Requires-Dist: lastmile-hub<0.3,>=0.1\n"
    )
    (info / "entry_points.txt").write_text("[hub]\nprevious = hub_previous\n")
    environ = {**os.environ, "PYTHONPATH": f"{FOLDER}{os.pathsep}{tmp_path}"}
    words = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(FOLDER / "kit.py")],
        env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_noun_that_grew_an_optional_field_is_taken_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    previous = import_module("hub_previous").Previous
    grown: type[Noun] = create_model("Message", __base__=Message, urgency=(int, 0))
    message = grown.model_validate({"key": "k", "to": "+41791234567", "text": "Soon", "urgency": 2})
    sent: list[Any] = []

    class Quiet(previous):  # type: ignore[misc,valid-type]
        name = "quiet"
        http = type("Http", (), {"post": lambda self, *given, **named: sent.append(named)})()

    made = Quiet(previous.Config.model_validate({"token": "t"}))
    assert isinstance(made.send(message), Receipt)
    assert sent[0]["headers"] == {"Idempotency-Key": "k"}


def test_what_plugins_rely_on_has_only_grown() -> None:
    assert broken(RELEASED, snapshot()) == []


def changed(**changes: Any) -> list[str]:
    """Return what is said about an API in which some names changed."""
    now = copy.deepcopy(RELEASED)
    for name, change in changes.items():
        change(now[name.replace("__", " ")])
    return broken(RELEASED, now)


def test_additions_break_nothing() -> None:
    now = copy.deepcopy(RELEASED)
    now["Surprise"] = {"kind": "noun", "fields": {}}
    now["Message"]["fields"]["urgency"] = {"type": "int", "required": False}
    now["Connector"]["methods"]["more"] = "(self) -> None"
    made = now["Action"]["methods"]["__init__"]
    now["Action"]["methods"]["__init__"] = made.replace(") ->", ", more: 'int' = 0) ->")
    assert broken(RELEASED, now) == []


def test_a_name_that_is_gone_is_told() -> None:
    now = {name: told for name, told in RELEASED.items() if name != "Receipt"}
    assert broken(RELEASED, now) == ["Receipt is gone; keep it for two versions"]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("Message", lambda m: m["fields"].pop("subject"), "Message.subject is gone; plugins read"),
        (
            "Message",
            lambda m: m["fields"].update(urgency={"type": "int", "required": True}),
            "Message.urgency is new and required; give it a default",
        ),
        (
            "Message",
            lambda m: m["fields"]["subject"].update(required=True),
            "Message.subject is required now; leave it its default",
        ),
        ("Message", lambda m: m["fields"]["key"].update(type="int"), "Message.key was"),
        ("Channel", lambda m: m["methods"].update(more="(self)"), "Channel asks for more now"),
        (
            "Channel",
            lambda m: m["methods"].update(send="(self, message, urgency)"),
            "Channel.send",
        ),
        (
            "Action",
            lambda m: m["methods"].update(__init__="(self, name: 'str', more: 'int') -> None"),
            "Action.__init__",
        ),
        ("guard", lambda m: m.update(call="(url, more)"), "is called guard(url, more) now"),
        ("hook__pod_sinks", lambda m: m.update(call="(x)"), "is called hook pod_sinks(x) now"),
        ("Cursor", lambda m: m.update(kind="class"), "Cursor was a noun and is a class"),
        (
            "hub.testing",
            lambda m: m["attributes"].remove("answers"),
            "the attribute answers is gone",
        ),
    ],
)
def test_what_would_break_a_plugin_is_told_in_a_sentence(name: str, change: Any, said: str) -> None:
    (told,) = changed(**{name: change})
    assert said in told


def test_a_cursor_of_the_previous_version_is_read() -> None:
    assert Cursor.model_validate({"value": "42"}).value == "42"
