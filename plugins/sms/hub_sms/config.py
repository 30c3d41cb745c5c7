"""What is set for one account at a provider."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationInfo, field_validator

from hub import Url


class Config(BaseModel):
    """Which provider sends, with which account, under which name."""

    provider: Literal["generic", "twilio", "vonage"] = Field(
        default="generic",
        title="Provider",
        description="generic: any gateway that speaks the plain HTTP of this plugin's README",
    )
    url: str = Field(
        default="",
        title="Address of the gateway",
        description="generic: the part before /messages; empty for the others' own addresses",
        validate_default=True,
    )
    account: str = Field(
        default="",
        title="Account",
        description="Twilio: the Account SID (AC...); Vonage: the API key; both on the first page "
        "of their console",
        max_length=64,
        validate_default=True,
    )
    token: SecretStr = Field(
        title="Token",
        description="generic: sent as Authorization: Bearer; Twilio: the Auth Token; Vonage: the "
        "API secret",
    )
    sender: str = Field(
        default="",
        title="Sender",
        description="A number, or at most 11 letters and digits; the merchant's own goes first",
        max_length=16,
    )
    service: str = Field(
        default="",
        title="Messaging service",
        description="Twilio only: the SID (MG...) of a messaging service that chooses the sender",
        pattern="^(MG[0-9a-f]{32})?$",
    )
    country: str = Field(
        default="CH",
        title="Country",
        description="Two letters; numbers without + are read as of this country",
        pattern="^[A-Z]{2}$",
    )
    signing_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Secret of its webhooks",
        description="generic: what the gateway signs with; Vonage: the signature secret in its API "
        "settings; Twilio signs with the token",
        json_schema_extra={"group": "Reports and replies"},
    )
    signing: Literal["md5hash", "md5", "sha1", "sha256", "sha512"] = Field(
        default="md5hash",
        title="Signature of its webhooks",
        description="Vonage only: the method beside the signature secret; choose sha256 there",
        json_schema_extra={"group": "Reports and replies"},
    )
    callback_url: SecretStr = Field(
        default=SecretStr(""),
        title="Address for reports and replies",
        description="The hub fills it in; where it is empty, paste the address of the page "
        "Webhooks. Several with blanks between them, the newest first",
        json_schema_extra={"group": "Reports and replies"},
    )

    @field_validator("url")
    @classmethod
    def is_address(cls, value: str, info: ValidationInfo) -> str:
        """Return a safe address; raise `ValueError` for one, or none, that will not do."""
        if value:
            return TypeAdapter(Url).validate_python(value)
        if info.data.get("provider") == "generic":
            raise ValueError("give the address of the gateway, such as https://sms.example.com")
        return ""

    @field_validator("account")
    @classmethod
    def is_account(cls, value: str, info: ValidationInfo) -> str:
        """Return the account's name; raise `ValueError` where the provider needs one."""
        found = value.strip()
        if not found and info.data.get("provider") in ("twilio", "vonage"):
            raise ValueError("give the account: Twilio's Account SID, or Vonage's API key")
        if not all(letter.isalnum() for letter in found):
            raise ValueError("an account's name has letters and digits only")
        return found

    @property
    def callbacks(self) -> list[str]:
        """The hub's addresses for this connection, the newest first."""
        return self.callback_url.get_secret_value().split()
