"""`hub user` and `hub key`: who and what may come in, and who may no more."""

from __future__ import annotations

from datetime import timedelta

import click
from sqlmodel import col

from hub.access import audit, factors, invitations, passwords, scoped, tokens, users
from hub.cli.terminal import BY, opened, show, show_link
from hub.fleet.roster import find_merchant, listed
from hub.store import ApiKeyRow, MerchantRow, Session, UserRow

AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("user")
def user_command() -> None:
    """Let people sign in, or keep them out."""


@user_command.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(users.ROLES), default="dispatcher", show_default=True)
@click.option("--merchant", help="Slug or id of the merchant, for the role merchant.")
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def add_user(email: str, role: str, merchant: str | None, password: str) -> None:
    """Add a user with a password."""
    passwords.check(password, email=email)
    hashed = users.hash_password(password)
    with opened() as hub:
        with hub.store.write(BY) as session:
            id = find_merchant(session, merchant).id if merchant else None
            users.add_user(session, email, role, hashed=hashed, merchant=id)
        show_link(hub, f"{email} may sign in at {hub.settings.public_url}/sign-in")


@user_command.command("link")
@click.argument("email")
def link_user(email: str) -> None:
    """Print a link that signs a user in once."""
    with opened() as hub:
        with hub.store.write(BY) as session:
            token = users.sign_in_link(session, email)
        show_link(hub, f"{hub.settings.public_url}/sign-in/{token}")


@user_command.command("invite")
@click.argument("email")
@click.option("--role", type=click.Choice(users.ROLES), default="dispatcher", show_default=True)
@click.option("--merchant", help="Slug or id of the merchant, for the role merchant.")
@click.option("--again", is_flag=True, help="Make a new link for somebody who is invited.")
def invite_user(email: str, role: str, merchant: str | None, again: bool) -> None:
    """Print a link by which somebody chooses a password and comes in, within seven days."""
    with opened() as hub:
        with hub.store.write(BY) as session:
            if again:
                _, token = invitations.renew(session, email)
            else:
                id = find_merchant(session, merchant).id if merchant else None
                _, token = invitations.invite(session, email, role, merchant=id)
        show_link(hub, f"{hub.settings.public_url.rstrip('/')}/welcome/{token}")


@user_command.command("withdraw")
@click.argument("email")
def withdraw_invitation(email: str) -> None:
    """Take an invitation back that nobody has accepted."""
    with opened() as hub, hub.store.write(BY) as session:
        row = invitations.withdraw(session, email)
    click.echo(f"the invitation of {row.email} is taken back; its link opens nothing any more")


@user_command.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice(users.ROLES))
@click.option("--merchant", help="Slug or id of the merchant, for the role merchant.")
def set_role(email: str, role: str, merchant: str | None) -> None:
    """Give somebody another role; open sessions end."""
    with opened() as hub, hub.store.write(BY) as session:
        id = find_merchant(session, merchant).id if merchant else None
        row = users.set_role(session, email, role, id)
    click.echo(f"{row.email} is {row.role} now and has to sign in again")


@user_command.command("reset-factor")
@click.argument("email")
def reset_factor(email: str) -> None:
    """Turn off the second factor of somebody who has lost it; open sessions end."""
    with opened() as hub, hub.store.write(BY) as session:
        row = users.reset_factor(session, email)
    click.echo(f"{row.email} signs in with the password alone until a new one is set up")


@user_command.command("list")
@AS_JSON
def list_users(as_json: bool) -> None:
    """Print everybody who has an account."""
    with opened() as hub, hub.store.read(BY) as session:
        slugs = slugs_by_id(session)
        factor = factors.users_with(session)
        rows = [
            {
                **row.model_dump(exclude={"password"}),
                "merchant": slugs.get(row.merchant or ""),
                "signs_in_with": way_in(row),
                "second_factor": row.id in factor,
            }
            for row in session.exec(scoped(session, UserRow).order_by(UserRow.email))
        ]
    columns = ("email", "name", "role", "merchant", "signs_in_with", "seen_at", "disabled_at")
    show(rows, columns, as_json, "nobody has an account; add the first with: hub user add EMAIL")


def way_in(row: UserRow) -> str:
    """Return by what somebody comes in."""
    if row.invited_at is not None:
        return "invitation"
    return "password or link" if row.password else "link"


@user_command.command("disable")
@click.argument("email")
def disable_user(email: str) -> None:
    """Keep a user out from the next request on; what the user did stays."""
    with opened() as hub, hub.store.write(BY) as session:
        row = users.disable(session, email)
    click.echo(f"{row.email} is disabled; let them in again with: hub user enable {row.email}")


@user_command.command("enable")
@click.argument("email")
def enable_user(email: str) -> None:
    """Let a user in again who was disabled."""
    with opened() as hub:
        with hub.store.write(BY) as session:
            row = users.enable(session, email)
        show_link(hub, f"{row.email} may sign in at {hub.settings.public_url}/sign-in")


@click.group("key")
def key_command() -> None:
    """Make, list and revoke API keys."""


@key_command.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as orders:write.")
@click.option("--merchant", help="Slug or id of the merchant that the key speaks for.")
@click.option("--days", type=click.IntRange(1, 3650), help="End by itself after so many days.")
def add_key(name: str, scopes: tuple[str, ...], merchant: str | None, days: int | None) -> None:
    """Make an API key and print it; it cannot be shown again."""
    with opened() as hub, hub.store.write(BY) as session:
        id = find_merchant(session, merchant).id if merchant else None
        life = timedelta(days=days) if days else None
        key = tokens.issue_key(session, name, list(scopes), id, life=life)
    click.echo(key)


@key_command.command("list")
@AS_JSON
def list_keys(as_json: bool) -> None:
    """Print the API keys, revoked ones too; the keys themselves are kept nowhere."""
    with opened() as hub, hub.store.read(BY) as session:
        slugs = slugs_by_id(session)
        query = scoped(session, ApiKeyRow).order_by(col(ApiKeyRow.created_at), ApiKeyRow.id)
        rows = [
            {**row.model_dump(exclude={"sha256"}), "merchant": slugs.get(row.merchant or "")}
            for row in session.exec(query)
        ]
    columns = ("id", "name", "merchant", "scopes", "last_used_at", "expires_at", "revoked_at")
    show(rows, columns, as_json, "there are no API keys; make one with: hub key add NAME --scope S")


@key_command.command("revoke")
@click.argument("id")
def revoke_key(id: str) -> None:
    """End the API key with that ID; programs that use it are refused from the next request on."""
    with opened() as hub, hub.store.write(BY) as session:
        row = tokens.revoke_key(session, id)
    click.echo(f"key {row.name} ({row.id}) is revoked; make a new one with: hub key add")


@click.command("audit")
@click.option("--who", default="", help="Id of a user or key; cli for commands.")
@click.option("--action", default="", help="Such as person.invited.")
@click.option("--subject", default="", help="Id of what it was done to.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@AS_JSON
def audit_command(who: str, action: str, subject: str, limit: int, as_json: bool) -> None:
    """Print who did what, newest first."""
    wanted = audit.Wanted(who=who, action=action, subject=subject)
    with opened() as hub, hub.store.read(BY) as session:
        rows = [row.model_dump() for row in audit.entries(session, wanted, limit=limit)]
    columns = ("at", "name", "text", "subject", "address")
    show(rows, columns, as_json, "nobody has done anything yet that is written down")


def slugs_by_id(session: Session) -> dict[str, str]:
    """Return the slug of every merchant by its id."""
    return {row.id: row.slug for row in listed(session, MerchantRow)}
