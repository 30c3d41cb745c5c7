"""`hub user`, `hub key`, `hub driver`: who may come in."""

from __future__ import annotations

import click
from sqlmodel import select

from hub.access import tokens, users
from hub.errors import Missing
from hub.hub import open_hub
from hub.settings import Settings
from hub.store import DriverRow, MerchantRow, Session, UserRow


@click.group("user")
def user_command() -> None:
    """Add people who sign in."""


@user_command.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(users.ROLES), default="dispatcher", show_default=True)
@click.option("--merchant", help="Slug of the merchant, for the role merchant.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def add_user(email: str, role: str, merchant: str | None, password: str) -> None:
    """Add a user with a password."""
    hub = open_hub(Settings.read())
    hashed = users.hash_password(password)
    with hub.store.write() as session:
        id = merchant_id(session, merchant) if merchant else None
        users.add_user(session, email, role, hashed=hashed, merchant=id)
    click.echo(f"{email} may sign in at {hub.settings.public_url}/sign-in")


@user_command.command("link")
@click.argument("email")
def link_user(email: str) -> None:
    """Print a link that signs a user in once."""
    hub = open_hub(Settings.read())
    with hub.store.write() as session:
        row = session.exec(select(UserRow).where(UserRow.email == email.lower())).one_or_none()
        if row is None:
            raise Missing(f"nobody has the address {email}; add them with: hub user add {email}")
        token = tokens.issue(session, "sign_in", row.id)
    click.echo(f"{hub.settings.public_url}/sign-in/{token}")


@click.group("key")
def key_command() -> None:
    """Add API keys."""


@key_command.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as orders:write.")
@click.option("--merchant", help="Slug of the merchant that the key speaks for.")
def add_key(name: str, scopes: tuple[str, ...], merchant: str | None) -> None:
    """Make an API key and print it; it cannot be shown again."""
    hub = open_hub(Settings.read())
    with hub.store.write() as session:
        id = merchant_id(session, merchant) if merchant else None
        key = tokens.issue_key(session, name, list(scopes), id)
    click.echo(key)


@click.group("driver")
def driver_command() -> None:
    """Give a driver a link for the phone."""


@driver_command.command("link")
@click.argument("name")
def link_driver(name: str) -> None:
    """Print a link that signs a driver's phone in once."""
    from hub.driving.links import driver_link

    hub = open_hub(Settings.read())
    with hub.store.write() as session:
        rows = session.exec(select(DriverRow).where(DriverRow.name == name)).all()
        if not rows:
            raise Missing(f"there is no driver {name}")
        url = driver_link(hub, session, rows[0].id)
    click.echo(url)


def merchant_id(session: Session, slug: str) -> str:
    """Return the id of the merchant with that slug."""
    row = session.exec(select(MerchantRow).where(MerchantRow.slug == slug)).one_or_none()
    if row is None:
        raise Missing(f"there is no merchant {slug}")
    return row.id
