"""Coordinates of addresses from a Nominatim-style search service, switched on by consent."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator, model_validator

from hub import Address, Connector, Http, Location, Rejected, Retry, hookimpl

PUBLIC = "nominatim.openstreetmap.org"
"""Its usage policy: at most one request per second, a real contact, results kept."""
CONSENT = "Addresses of recipients leave this machine and are sent to the search service."


@hookimpl
def geocoders() -> list[type[Any]]:
    """Offer the geocoder."""
    return [Nominatim]


class NominatimConfig(BaseModel):
    """Where the service is, who asks, how often, and that this was agreed to."""

    url: str = Field(
        default=f"https://{PUBLIC}", title="Address", description="Of the search service"
    )
    email: str = Field(
        title="Contact", description="Whom the service may write to when we ask too much"
    )
    per_second: float = Field(
        default=1.0, gt=0, le=50, title="Pace", description="Requests per second at most"
    )
    countries: str = Field(
        default="", title="Countries", description="Only these countries, such as li,ch,at"
    )
    consent: bool = Field(default=False, title="Consent", description=CONSENT)

    @field_validator("email")
    @classmethod
    def has_contact(cls, email: str) -> str:
        """Refuse what is no e-mail address."""
        if "@" not in email.strip("@ "):
            raise ValueError("write the e-mail address of somebody who runs this hub")
        return email.strip()

    @model_validator(mode="after")
    def is_agreed(self) -> NominatimConfig:
        """Refuse settings without consent, or too quick for the public service."""
        if not self.consent:
            raise ValueError(f"consent is needed: {CONSENT} Set consent to true if that is agreed")
        if urlsplit(self.url).hostname == PUBLIC and self.per_second > 1:
            raise ValueError(f"{PUBLIC} allows one request per second; set per_second to 1")
        return self


class Nominatim(Connector[NominatimConfig]):
    """Asks `/search` for one address at a time; the hub keeps the answers and the pace."""

    name: ClassVar[str] = "nominatim"
    title: ClassVar[str] = "Nominatim geocoder"
    Config = NominatimConfig

    def check(self) -> None:
        """Ask for the service's status."""
        self._http().get("/status", params={"format": "json"})

    def locate(self, address: Address) -> Location | None:
        """Return where an address is; its confidence says how exactly that is known."""
        reply = self._http().get("/search", params=self._query(address))
        try:
            found = reply.json()
        except ValueError as error:
            raise Retry(f"{self.config.url} did not answer with JSON") from error
        if not isinstance(found, list):
            raise Rejected(f"{self.config.url} answered with something else than a list")
        return read_place(found[0]) if found else None

    def _query(self, address: Address) -> dict[str, str]:
        query = {
            "street": address.line1,
            "city": address.city,
            "postalcode": address.postcode,
            "state": address.region,
            "country": address.country,
            "countrycodes": self.config.countries,
            "email": self.config.email,
            "format": "jsonv2",
            "limit": "1",
        }
        return {name: value.strip() for name, value in query.items() if value.strip()}

    def _http(self) -> Http:
        return Http(self.config.url, User_Agent=f"lastmile-hub ({self.config.email})")


def read_place(found: Any) -> Location:
    """Return a search result as a location.

    A house or a shop is where the parcel goes (1.0), a street is near it (0.4), and anything
    wider, such as a town, only tells where to look (0.2).
    """
    try:
        kind = str(found.get("addresstype") or found.get("type") or "")
        category = str(found.get("category") or found.get("class") or "")
        exact = kind in ("building", "house", "house_number") or category in ("building", "shop")
        sure = 1.0 if exact or category in ("amenity", "office") else 0.2
        if category == "highway" or kind == "road":
            sure = 0.4
        if category == "place" and kind in ("house", "place"):
            sure = 1.0
        return Location(lat=float(found["lat"]), lon=float(found["lon"]), confidence=sure)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Rejected("the search service answered without usable coordinates") from error
