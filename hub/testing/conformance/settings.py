"""Checks of a connector's settings: titled, typed, secret where they open something, lasting."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.connections.fields import secret_fields, split
from hub.testing.conformance.checks import KitWarning, demand, place
from hub.testing.conformance.ground import Ground, folder_of, said

REVEALING = re.compile(r"token|secret|passw|passphrase|apikey|credential|(^|_)key($|_)")
HARMLESS = re.compile(r"_(url|id|name|path|file|minutes|seconds|days)$")
"""Ends of names that only speak of a secret, such as `token_url`."""
FOLDER = "saved_configs"


class SettingsTests(Ground):
    """What holds for the settings."""

    @property
    def model(self) -> str:
        """The model's name and where it stands."""
        return f"{self.connector.Config.__qualname__}{place(self.connector.Config)}"

    def test_the_settings_of_the_test_are_valid(self) -> None:
        """The connector can be built from its settings."""
        try:
            self.built()
        except ValidationError as error:
            told = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in told["loc"]) or "they"
            text = f"config of {type(self).__name__} does not fit {self.model}: {where}: "
            demand(False, f"{text}{told['msg']}; put it right in the test")

    def test_every_setting_has_a_title(self) -> None:
        """The form that is made of the settings has a label for each."""
        fields = self.connector.Config.model_fields
        untitled = [name for name, field in fields.items() if not field.title]
        demand(
            not untitled,
            f"{self.model}: {', '.join(untitled)} would have no label in the form; "
            "write Field(title='...')",
        )

    def test_secrets_are_hidden(self) -> None:
        """No secret stands in the text of the connector or of its settings."""
        made = self.built()
        shown = f"{made!r} {made} {said(made.config)}"
        plain = [value for value in self.secrets().values() if value in shown]
        demand(
            not plain,
            f"repr, str or JSON of {self.model} or of the connector shows a secret; keep it in its "
            "SecretStr and call get_secret_value() only where it is sent",
        )

    def test_no_other_setting_looks_like_a_secret(self) -> None:
        """A setting that is called token, secret, password or key is a `SecretStr`."""
        secret = secret_fields(self.connector.Config)
        for name, field in self.connector.Config.model_fields.items():
            opens = REVEALING.search(name) and not HARMLESS.search(name)
            opens = opens and field.annotation not in (bool, int, float)
            demand(
                not opens or name in secret,
                f"{self.model}: {name} opens something but is {field.annotation}; make it a "
                "SecretStr, or give it a name that is not a secret's",
            )

    def test_the_settings_survive_being_saved(self) -> None:
        """What is stored, secrets apart, makes the same settings again."""
        config = self.built().config
        plain, secret = split(config)
        try:
            again = type(config).model_validate({**json.loads(json.dumps(plain)), **secret})
        except (ValidationError, TypeError) as error:
            demand(False, f"{self.model} cannot be read again after it was saved: {error}")
        demand(
            again == config,
            f"{self.model} differs after it was saved and read again; its validators have to "
            "accept what they make",
        )

    def test_settings_that_an_earlier_release_saved_still_fit(self) -> None:
        """What is stored for a connection stays valid when the plugin is updated."""
        kept = list(earlier(type(self)))
        if not kept:
            warnings.warn(
                KitWarning(
                    f"no settings of an earlier release are kept for {self.connector.name}: "
                    f"hub plugin grade ... --write puts them into {FOLDER}/ beside the tests"
                ),
                stacklevel=1,
            )
        for source, saved in kept:
            try:
                told = {name: self.filled(value) for name, value in saved.items()}
                self.connector.Config.model_validate(told)
            except ValidationError as error:
                demand(False, unfit(self.model, source, error))


def unfit(model: str, source: str, error: ValidationError) -> str:
    """Return what to do about settings that were valid once and are not any more."""
    told = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in told["loc"]) or "they"
    if told["type"] == "missing":
        return f"{model}: {name} is new and required, but {source} has none; give it a default"
    return (
        f"{model} no longer takes {name} of {source}: {told['msg']}; go on accepting it, in a "
        "validator if it means something else now"
    )


def earlier(kit: type[Ground]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings that earlier releases saved, each with where they are kept."""
    for number, told in enumerate(kit.saved, start=1):
        yield f"saved[{number - 1}]", dict(told)
    for file in sorted(folder(kit).glob(f"{kit.connector.name}-*.json")):
        yield file.name, json.loads(file.read_text(encoding="utf-8"))


def folder(kit: type[Ground]) -> Path:
    """Return where a test class keeps the settings of earlier releases."""
    return folder_of(kit) / FOLDER
