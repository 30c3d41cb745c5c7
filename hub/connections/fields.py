"""The fields of a connector's settings: checked, and which are secret, kept or needed."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from hub.connector import Connector
from hub.errors import Refused
from hub.oauth import KEPT
from hub.redaction import cover


def validated(kind: type[Connector[Any]], settings: dict[str, Any]) -> BaseModel:
    """Return the settings as the connector's own model; raise `Refused` naming the field."""
    try:
        return kind.Config.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        hidden = [str(settings.get(name) or "") for name in secret_fields(kind.Config)]
        said = cover(first["msg"].removeprefix("Value error, "), hidden)
        raise Refused(f"{kind.title}: {field}: {said}", field) from None


def secret_fields(model: type[BaseModel]) -> set[str]:
    """Return the names of the fields that are secrets."""
    return {
        name
        for name, found in model.model_fields.items()
        if found.annotation is SecretStr or SecretStr in get_args(found.annotation)
    }


def kept_fields(model: type[BaseModel]) -> set[str]:
    """Return the names of the fields that no form of settings asks for, so that it keeps them."""
    return {
        name
        for name, found in model.model_fields.items()
        if isinstance(found.json_schema_extra, dict) and found.json_schema_extra.get(KEPT)
    }


def fills(kind: type[Connector[Any]], setting: str, value: Any) -> bool:
    """Say whether a setting that a kind needs is filled in; one that was never said is as usual."""
    if value is None:
        value = kind.Config.model_fields[setting].default
    return bool(value) and value != "none"


def split(config: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings in two: what may be read again, and what is encrypted."""
    names = secret_fields(type(config))
    plain = config.model_dump(mode="json", exclude=names)
    secret = {}
    for name in names:
        value = getattr(config, name)
        if value is not None and value.get_secret_value():
            secret[name] = value.get_secret_value()
    return plain, secret
