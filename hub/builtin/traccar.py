"""Where devices are, asked of a Traccar server (https://www.traccar.org/api-reference/)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from hub import Connector, Cursor, DevicePosition, Fix, Http, Rejected, Url, hookimpl
from hub.capabilities import PositionSource

KNOT = 0.514444
"""Metres per second; Traccar gives speeds in knots."""


class TraccarConfig(BaseModel):
    """Where the server is, and what opens it."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(title="Address", description="Such as https://tracking.example.com")
    token: SecretStr | None = Field(
        default=None, title="Token", description="Traccar > Account > Token; or use the two below."
    )
    user: str = Field(default="", title="User", description="Its e-mail address in Traccar.")
    password: SecretStr | None = Field(
        default=None, title="Password", description="Of that user in Traccar."
    )

    @model_validator(mode="after")
    def opens(self) -> TraccarConfig:
        """Refuse settings without a way in, or with two."""
        signs_in = bool(self.user or self.password)
        if bool(self.token) == signs_in or (signs_in and not (self.user and self.password)):
            raise ValueError("give either a token, or a user and a password")
        return self


class Traccar(Connector[TraccarConfig]):
    """Asks for the last position of every device that the account may see."""

    name = "traccar"
    title = "Traccar"
    Config = TraccarConfig

    def check(self) -> None:
        """Ask for the devices."""
        self._list("/api/devices")

    def positions(self, cursor: Cursor) -> Iterator[DevicePosition | Cursor]:
        """Yield the positions that are newer than the cursor, which is the largest id so far."""
        devices = {device.get("id"): device for device in self._list("/api/devices")}
        found = [one for one in self._list("/api/positions") if isinstance(one.get("id"), int)]
        newest = max((one["id"] for one in found), default=0)
        seen = int(cursor.value) if cursor.value.isdecimal() else 0
        if newest < seen:  # another server, or its database was begun anew
            seen = 0
        for one in sorted(found, key=lambda one: int(one["id"])):
            device = devices.get(one.get("deviceId"))
            if one["id"] > seen and device is not None:
                position = read_position(str(device.get("uniqueId") or ""), one)
                if position is not None:
                    yield position
        if newest:
            yield Cursor(value=str(newest))

    def _list(self, path: str) -> list[dict[str, Any]]:
        reply = self._http().get(path)
        try:
            found = reply.json()
        except ValueError as error:
            raise Rejected(f"{self.config.url}{path} did not answer with JSON") from error
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Rejected(f"{self.config.url}{path} did not answer with a list")
        return found

    def _http(self) -> Http:
        config = self.config
        if config.token:
            said = f"Bearer {config.token.get_secret_value()}"
        else:
            word = config.password.get_secret_value() if config.password else ""
            pair = f"{config.user}:{word}".encode()
            said = f"Basic {base64.b64encode(pair).decode()}"
        # Without this header Traccar answers some of its users with an error.
        return Http(config.url, Authorization=said, Accept="application/json")


def read_position(device: str, one: dict[str, Any]) -> DevicePosition | None:
    """Return a position of Traccar as ours; None where the device itself does not trust it."""
    if one.get("valid") is False or one.get("outdated") is True:
        return None
    try:
        fix = Fix(
            lat=one["latitude"],
            lon=one["longitude"],
            at=one.get("fixTime") or one["deviceTime"],
            accuracy=one.get("accuracy") or None,  # 0 says that it is not known
            speed=None if one.get("speed") is None else max(float(one["speed"]), 0.0) * KNOT,
            heading=None if one.get("course") is None else float(one["course"]) % 360,
        )
        return DevicePosition(device=device, fix=fix)
    except (KeyError, TypeError, ValueError, ValidationError):
        return None


@hookimpl
def position_sources() -> list[type[PositionSource]]:
    """Return Traccar."""
    return [Traccar]
