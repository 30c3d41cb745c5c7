"""What is set for a connection to Xero."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import Kept, Url

SCOPES = (
    "offline_access", "accounting.invoices", "accounting.attachments", "accounting.contacts",
)  # fmt: skip
NOTHING = SecretStr("")
MARK = "POD:"
"""How the marks begin by which the hub knows its own notes, invoices and lines again."""


class Config(BaseModel):
    """An app and its consent, a custom connection or its token; and what is done through it."""

    client_id: str = Field(
        default="",
        title="Client id",
        description="Of your app at developer.xero.com; then press Connect",
    )
    client_secret: SecretStr = Field(
        default=NOTHING,
        title="Client secret",
        description="Of a web app or a custom connection; an app with PKCE has none",
    )
    custom: bool = Field(
        default=False,
        title="Custom connection",
        description="The client id is that of a Xero custom connection: nothing has to be "
        "connected, the hub gets its access by itself",
    )
    scopes: list[str] = Field(
        default=list(SCOPES),
        title="Scopes",
        description="An app from before March 2026 needs accounting.transactions instead of "
        "accounting.invoices",
    )
    tenant: str = Field(
        default="",
        title="Tenant id",
        description="The organisation, from Xero's /connections. Empty: the one that you open "
        "when you connect",
    )
    token: SecretStr = Field(
        default=NOTHING,
        title="Access token",
        description="Pasted, to try things out; it lives 30 minutes",
    )
    orders: Literal["none", "invoices", "quotes", "purchase_orders"] = Field(
        default="none",
        title="Orders come from",
        description="What becomes an order: approved sales invoices, accepted quotes or approved "
        "purchase orders",
        json_schema_extra={"group": "Orders from Xero"},
    )
    days_back: int = Field(
        default=7,
        ge=0,
        le=366,
        title="Days back",
        description="How many days old a document may be at most when orders are first read",
        json_schema_extra={"group": "Orders from Xero"},
    )
    record: Literal["note", "draft_invoice", "consolidated_invoice"] = Field(
        default="note",
        title="Delivery record",
        description="note: history and PDF on the order's own invoice. draft_invoice: one draft "
        "for each delivery. consolidated_invoice: one draft for each customer and period",
    )
    period: Literal["day", "week", "month"] = Field(
        default="month",
        title="Period",
        description="Of consolidated invoices",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    account: str = Field(
        default="200",
        title="Account code",
        description="Of the lines of draft invoices",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    accounts: str = Field(
        default="",
        title="Other account codes",
        description="By article number: sku=code, sku=code",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    tax_type: str = Field(
        default="",
        title="Tax type",
        description="Xero's code, such as OUTPUT2; empty: what the account or item says",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    line_amount_types: Literal["Inclusive", "Exclusive", "NoTax"] = Field(
        default="Inclusive",
        title="Prices are",
        description="With tax, without, or free of tax",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    items: bool = Field(
        default=False,
        title="Article numbers are Xero items",
        description="Name the article number of each line as Xero's item code; the item then says "
        "the account, and the price where an order has none",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    credit_notes: bool = Field(
        default=False,
        title="Credit note for short deliveries",
        description="A draft for what was missing, where the order names an approved invoice",
        json_schema_extra={"group": "Drafts and accounts"},
    )
    webhook_key: SecretStr = Field(
        default=NOTHING,
        title="Webhook key",
        description="From the app's page Webhooks at developer.xero.com",
    )
    per_minute: int = Field(
        default=60,
        ge=0,
        title="Calls a minute",
        description="What Xero allows; 0: no limit",
        json_schema_extra={"group": "Limits and addresses"},
    )
    per_day: int = Field(
        default=5000,
        ge=0,
        title="Calls a day",
        description="What Xero allows; 0: no limit",
        json_schema_extra={"group": "Limits and addresses"},
    )
    url: Url = Field(
        default="https://api.xero.com/api.xro/2.0",
        title="Address of the accounting API",
        description="Change it only to test against something else",
        json_schema_extra={"group": "Limits and addresses"},
    )
    login_url: Url = Field(
        default="https://login.xero.com/identity/connect/authorize",
        title="Address of the consent page",
        description="Change it only to test against something else",
        json_schema_extra={"group": "Limits and addresses"},
    )
    identity_url: Url = Field(
        default="https://identity.xero.com/connect/token",
        title="Address that gives access",
        description="Change it only to test against something else",
        json_schema_extra={"group": "Limits and addresses"},
    )
    connections_url: Url = Field(
        default="https://api.xero.com/connections",
        title="Address of the list of organisations",
        description="Change it only to test against something else",
        json_schema_extra={"group": "Limits and addresses"},
    )
    access_token: Kept = Field(
        default=NOTHING, title="Access by consent", description="Filled in when you connect"
    )
    refresh_token: Kept = Field(
        default=NOTHING, title="Renewal of that access", description="Filled in when you connect"
    )

    @field_validator("accounts")
    @classmethod
    def readable(cls, text: str) -> str:
        """Take `sku=code` pairs only."""
        pairs(text)
        return text

    def account_of(self, sku: str) -> str:
        """Return the account of an article; nothing where its Xero item says that."""
        return pairs(self.accounts).get(sku, "" if self.items and sku else self.account)


def pairs(text: str) -> dict[str, str]:
    """Return what `sku=code, sku=code` says; raise `ValueError` for anything else."""
    found = {}
    for part in filter(None, (one.strip() for one in text.replace("\n", ",").split(","))):
        sku, sign, code = (piece.strip() for piece in part.rpartition("="))
        if not (sku and sign and code):
            raise ValueError(f"{part[:50]} is no sku=code")
        found[sku] = code
    return found
