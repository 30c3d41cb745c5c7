"""One connection on its way into use: its owner, its settings, its test, what would come in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from hub.access import get, scoped
from hub.cli import answers, trials
from hub.cli.pictures import a_dry_run, an_order
from hub.cli.terminal import BY, tell_doubt
from hub.connections.grants import by_consent
from hub.errors import Missing, Refused
from hub.fleet.roster import find_merchant
from hub.store import ConnectionRow, MerchantRow, PreviewRow, Session
from hub.workflow import checks, consents, incoming, previews, pulls
from hub.workflow.usage import uses

if TYPE_CHECKING:
    from hub.connector import Connector
    from hub.hub import Hub

DONE, UNTESTED, LEFT = 0, 3, 4
HERE = ("127.0.0.1", "localhost", "::1")
PATIENCE = 600
"""Seconds that a person is given for a consent; as long as the hub keeps its way back open."""
MOST_TRIES = 5
"""How often a person is asked anew for a setting that is refused."""
DO = {
    "unauthorized": "the credentials were refused; look them up there: a blank at the end or the "
    "key of another account are the usual reasons",
    "retry": "there was no answer; see whether the address is right and reachable, and try again",
    "rejected": "it answered, but not as expected; compare the settings with those there",
    "unknown": "it answered, but not as expected; compare the settings with those there",
}
NO_FAULT = "that is a mistake of the connector, not yours; try again"


@dataclass
class Setup:
    """What is being set up, and what there is to tell about it at the end."""

    hub: Hub
    kind: type[Connector[Any]]
    given: dict[str, Any]
    asked: bool
    """Whether there is a person to ask."""
    as_json: bool
    merchant: str | None
    title: str
    id: str | None
    yes: bool
    wait: int | None
    told: dict[str, Any] = field(default_factory=dict)

    def run(self) -> int:
        """Go through all steps; return the exit code."""
        row = self.save()
        self.tell(row)
        self.say(f"{row.title} is kept as {row.id}; nothing runs through it yet")
        tried = self.test(row)
        if tried.kind == "unauthorized" and by_consent(self.kind) and not row.renewed_at:
            if not self.consented(row, tried.error):
                return LEFT
            tried = self.test(row)
        if tried.state != "done":
            return self.failed(row, tried)
        self.shown(row, tried)
        if not self.agreed(row):
            return LEFT
        self.enable(row)
        return DONE

    def say(self, text: str) -> None:
        """Tell a person; beside the JSON where that is wanted."""
        click.echo(text, err=self.as_json)

    def tell(self, row: ConnectionRow) -> None:
        """Note how the connection stands, for programs."""
        self.told |= {
            "id": row.id, "connector": row.connector, "title": row.title, "state": row.state,
            "merchant": row.merchant, "enabled": row.enabled,
            "page": f"{self.hub.settings.public_url.rstrip('/')}/admin/connections/{row.id}",
        }  # fmt: skip

    def save(self) -> ConnectionRow:
        """Store the settings as a draft; ask for those that are missing or refused."""
        owner, known = self.begun()
        settings = {**known, **self.given}
        stored = self.hub.connections.secrets_of(self.row(self.id)) if self.id else set()
        for one in answers.missing(self.kind, settings):
            if one.name in stored:
                continue
            if not self.asked:
                raise click.UsageError(
                    f"{self.kind.title} needs {one.name} ({one.label}"
                    f"{': ' + one.hint if one.hint else ''}); give it by {answers.ways(one)}"
                )
            settings[one.name] = answers.ask(one)
        for _ in range(MOST_TRIES):
            try:
                return self.stored(settings, owner)
            except Refused as error:
                wrong = {one.name: one for one in answers.fields_of(self.kind)}.get(
                    error.field or ""
                )
                if wrong is None or not self.asked:
                    raise
                click.secho(str(error), fg="red", err=True)
                settings[wrong.name] = answers.ask(wrong)
        return self.stored(settings, owner)

    def stored(self, settings: dict[str, Any], owner: str | None) -> ConnectionRow:
        """Store settings, or raise `Refused` naming the one at fault."""
        with self.hub.store.write(BY) as session:
            row = self.hub.connections.save(
                session, self.kind.name, settings, merchant=owner, title=self.title.strip()[:100],
                id=self.id, draft=True,
            )  # fmt: skip
            previews.forget(session, row.id)
            consents.tell(session, row)
        self.id = row.id
        return row

    def begun(self) -> tuple[str | None, dict[str, Any]]:
        """Return whose the connection is, and the settings that it has already."""
        if self.id is None:
            with self.hub.store.read(BY) as session:
                return self.owner(session), {}
        row = self.row(self.id)
        if row.connector != self.kind.name:
            raise Refused(f"{row.title} is a connection to {row.connector}, not {self.kind.name}")
        if row.state != "not_set_up":
            raise Refused(
                f"{row.title} is set up already; change its settings on its page, or see: "
                f"hub connections show {row.id}"
            )
        return row.merchant, dict(row.config)

    def owner(self, session: Session) -> str | None:
        """Return the merchant that it belongs to, `None` for the operator."""
        if self.merchant:
            return find_merchant(session, self.merchant).id
        if not pulls.is_source(self.hub, self.kind.name):
            return None
        known = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
        if not known:
            raise Missing("orders belong to a merchant, and there is none; hub merchant add NAME")
        if len(known) == 1:
            return known[0].id
        slugs = [row.slug for row in known]
        if not self.asked:
            raise click.UsageError(
                f"say whose orders these are with --merchant SLUG; there are {', '.join(slugs)}"
            )
        said = click.prompt("Whose orders are these", type=click.Choice(slugs), err=True)
        return find_merchant(session, said).id

    def row(self, id: str | None) -> ConnectionRow:
        """Return the connection as it is now."""
        with self.hub.store.read(BY) as session:
            return get(session, ConnectionRow, id or "")

    def test(self, row: ConnectionRow) -> PreviewRow:
        """Make the real call, and fetch one order of a shop."""
        return trials.preview(self.hub, row.id, "test", f"calling {self.kind.title}")

    def failed(self, row: ConnectionRow, tried: PreviewRow) -> int:
        """Say why the test failed and how to go on; the draft stays."""
        todo = DO.get(tried.kind, NO_FAULT)
        again = f"hub connect {row.connector} --id {row.id}"
        self.told |= {
            "test": {"ok": False, "error": tried.error, "kind": tried.kind, "field": tried.field},
            "next": again,
        }
        where = f" The setting at fault is {tried.field}." if tried.field else ""
        click.secho(f"It did not work: {tried.error}.{where}", fg="red", err=True)
        click.echo(f"{todo[0].upper()}{todo[1:]}.", err=True)
        click.echo(
            f"Go on with: {again}   or drop it with: hub connections remove {row.id}", err=True
        )
        return UNTESTED

    def shown(self, row: ConnectionRow, tried: PreviewRow) -> None:
        """Show one order, and what would come in or go out."""
        found = previews.found(self.hub, tried)
        self.told["test"] = {"ok": True, **found}
        self.say(f"It works: {self.kind.title} answered in {found.get('milliseconds', 0)} ms.")
        if not pulls.is_source(self.hub, row.connector):
            with self.hub.store.read(BY) as session:
                names = [use.workflow for use in uses(self.hub, session, row)]
            self.told["used_by"] = names
            self.say(f"Workflows that use it: {', '.join(names) or 'none yet'}.")
            return
        self.say(an_order(found))
        looked = trials.preview(self.hub, row.id, "dry_run", "looking at up to 100 orders")
        would = previews.found(self.hub, looked)
        self.told["would"] = would if looked.state == "done" else {"error": looked.error}
        self.say(a_dry_run(would) if looked.state == "done" else f"No look: {looked.error}")

    def agreed(self, row: ConnectionRow) -> bool:
        """Ask whether to put it into use."""
        if self.yes or (self.asked and click.confirm("Enable?", default=True, err=True)):
            return True
        again = f"hub connect {row.connector} --id {row.id} --yes"
        self.told["next"] = again
        self.say(f"It is tested and not enabled. Enable it with: {again}")
        return False

    def enable(self, row: ConnectionRow) -> None:
        """Put it into use, as the wizard's last step does."""
        source = pulls.is_source(self.hub, row.connector) and row.merchant is not None
        takes = incoming.takes_requests(self.hub, row)
        with self.hub.store.write(BY) as session:
            live = self.hub.connections.enable(session, row.id)
            consents.tell(session, live)
            checks.request(session, row.id)
            if source:
                pulls.request(session, row.id)
            by_hand = takes and not hasattr(self.kind, "subscribe")
            address = incoming.open_address(self.hub, session, live) if by_hand else ""
        self.tell(live)
        self.say(
            f"{live.title} is in use." + (" Its first orders are being read." if source else "")
        )
        if address:
            self.told["webhook"] = address
            self.say(f"Webhooks go to this address, which is shown once:\n{address}")
            tell_doubt(self.hub)
        elif takes:
            self.say(self.hooks())

    def hooks(self) -> str:
        """Return what becomes of webhooks that the hub sets up."""
        url = self.hub.settings.public_url
        if urlsplit(url).hostname in HERE:
            return (
                f"Webhooks are not set up while nobody outside can reach {url} (HUB_PUBLIC_URL); "
                f"the hub asks by itself instead."
            )
        return f"The hub sets up the webhooks at {self.kind.title} by itself."

    def consented(self, row: ConnectionRow, why: str) -> bool:
        """Send a person to the consent, and wait until it is there; return whether it is."""
        page = f"{self.told['page']}/setup/connect"
        again = f"hub connect {row.connector} --id {row.id}"
        self.told |= {
            "why": why,
            "consent": page,
            "callback": consents.callback_url(self.hub),
            "next": again,
        }
        self.say(
            f"{self.kind.title} is connected by consent. Open this page, signed in, and connect:"
        )
        self.say(f"  {page}")
        self.say(f"The address to enter at {self.kind.title}: {self.told['callback']}")
        tell_doubt(self.hub)
        wait = self.wait if self.wait is not None else (PATIENCE if self.asked else 0)
        with trials.progress(f"waiting up to {wait} s for the consent") as tick:
            for _ in range(wait):
                if self.row(row.id).renewed_at is not None:
                    break
                tick()
                pause()
        if self.row(row.id).renewed_at is None:
            self.say(
                f"Nobody has connected it yet; the hub has to run for that. Go on with: {again}"
            )
            return False
        del self.told["next"]
        return True


def pause() -> None:
    """Let a second go by."""
    time.sleep(1)
