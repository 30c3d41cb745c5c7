"""How Xero lets a hub in: the addresses of its consent, and the organisations that it opened."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from hub import Http, Kept, Rejected, TokenClient, Url

SCOPES = ("offline_access", "accounting.invoices", "accounting.attachments")
NOTHING = SecretStr("")


class Organisation(BaseModel):
    """One entry of Xero's `/connections`, as far as it matters here."""

    id: str = Field(alias="tenantId")
    name: str = Field(alias="tenantName", default="")


LISTED = TypeAdapter(list[Organisation])


class Config(BaseModel):
    """An app and its consent, or the token of a custom connection; and which organisation."""

    client_id: str = Field(
        default="",
        title="Client id",
        description="Of your app at developer.xero.com; then press Connect",
    )
    client_secret: SecretStr = Field(
        default=NOTHING,
        title="Client secret",
        description="Of a web app; an app with PKCE has none",
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
        description="Of a Xero custom connection, instead of an app",
    )
    url: Url = Field(
        default="https://api.xero.com/api.xro/2.0",
        title="Address of the accounting API",
        description="Change it only to test against something else",
    )
    login_url: Url = Field(
        default="https://login.xero.com/identity/connect/authorize",
        title="Address of the consent page",
        description="Change it only to test against something else",
    )
    identity_url: Url = Field(
        default="https://identity.xero.com/connect/token",
        title="Address that gives access",
        description="Change it only to test against something else",
    )
    connections_url: Url = Field(
        default="https://api.xero.com/connections",
        title="Address of the list of organisations",
        description="Change it only to test against something else",
    )
    access_token: Kept = Field(
        default=NOTHING, title="Access by consent", description="Filled in when you connect"
    )
    refresh_token: Kept = Field(
        default=NOTHING, title="Renewal of that access", description="Filled in when you connect"
    )


def token_client(config: Config) -> TokenClient:
    """Return the client of Xero's identity service; raise `Rejected` without an app."""
    if not config.client_id:
        raise Rejected(
            "give the client id of your Xero app under Settings first", field="client_id"
        )
    return TokenClient(
        authorize_url=config.login_url,
        token_url=config.identity_url,
        client_id=config.client_id,
        client_secret=config.client_secret,
        scopes=tuple(config.scopes),
    )


def organisations(config: Config, token: str) -> list[Organisation]:
    """Return the organisations that a token opens; raise `Rejected` for what is no list of them."""
    reply = Http(config.connections_url, Authorization=f"Bearer {token}").get("")
    try:
        return LISTED.validate_json(reply.content)
    except ValidationError:
        raise Rejected("Xero did not answer with organisations", field="connections_url") from None


def chosen(found: list[Organisation], tenant: str) -> Organisation | None:
    """Return the one that is meant: the only one, or the one that the settings name."""
    if len(found) == 1:
        return found[0]
    return next((one for one in found if one.id == tenant), None)


def question(found: list[Organisation]) -> str:
    """Return in words what a person has to choose."""
    if not found:
        return "Xero opened no organisation; reconnect and choose one"
    names = ", ".join(f"{one.name} ({one.id})" for one in found[:10])
    return f"Xero opened several organisations; put the tenant id of one under Settings: {names}"
