"""The base of every connector: a name, a title, typed settings and a cheap check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, TypeVar, get_args

from pydantic import BaseModel

from hub.errors import PluginError
from hub.nouns import Feature, Profile

C = TypeVar("C", bound=BaseModel)


class NoSettings(BaseModel):
    """The settings of a connector that has none."""


class Connector(Generic[C]):
    """One configured connection to another system; built anew whenever its settings change.

    `name` is the stable id (`sms`), `title` what people read, `Config` a pydantic model whose
    `SecretStr` fields are stored encrypted and never shown again.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    Config: type[BaseModel] = NoSettings
    keyed: bool = True
    """Whether the other side drops a repeated key; if not, a lost reply is never resent. A class
    says it, or `__init__` where it depends on the settings."""
    scopes: ClassVar[tuple[str, ...]] = ()
    """What a consent has to grant; a setting `scopes` of the connection counts instead."""
    sdk: ClassVar[tuple[str, ...]] = ()
    """Slow modules that its methods import; a worker that forks may import them once before."""
    medium: ClassVar[Literal["sms", "email"]] = "sms"
    """What a `Channel` carries."""
    features: ClassVar[frozenset[Feature]] = frozenset()
    """Of a routing engine: what it keeps of a `Problem` beyond the least of it."""
    traffic: ClassVar[bool] = True
    """Of travel times: whether they depend on when a leg begins. Where it is False, what was once
    measured is good for every hour."""
    profiles: ClassVar[frozenset[Profile]] = frozenset(get_args(Profile))
    """Of travel times: the kinds of vehicles that it knows; for others the next one is asked."""
    needs: ClassVar[Mapping[str, str]] = {}
    """Hook, or `reports` for what hands over reports -> the setting without which a connection is
    not used for it: it has to be filled in, and be other than `none`."""
    local: ClassVar[bool] = False
    """Whether it reaches into the hub's own machine or network, such as a folder; then only the
    operator may set it up. One with a `Path` among its settings counts as such by itself."""

    def __init__(self, config: C) -> None:
        self.config = config

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.name:
            raise PluginError(f"{cls.__module__}.{cls.__qualname__} has no name; add name = '...'")

    def check(self) -> None:
        """Make the cheapest call that proves the settings work; raise if they do not."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
