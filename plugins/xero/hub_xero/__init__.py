"""Xero: orders out of its documents, and delivery records on its invoices."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from hub import (
    Budget,
    Callback,
    Cancelled,
    Connect,
    Connector,
    Cursor,
    Delivery,
    Grant,
    HubError,
    Incoming,
    Order,
    OrderSource,
    PodSink,
    Proof,
    ProofFile,
    Receipt,
    RefusedRow,
    Rejected,
    Unauthorized,
    hookimpl,
)
from hub_xero import notices, reading, sign_in
from hub_xero.billing import Billing, marker, refuse_unbillable
from hub_xero.documents import KINDS
from hub_xero.refusals import needs_accountant
from hub_xero.settings import SCOPES, Config
from hub_xero.sign_in import Custom, chosen, organisations, question, token_client

if TYPE_CHECKING:
    from hub_xero.accounting import Accounting, Json

NOTE_LENGTH = 250
"""What Xero keeps of a history note."""
MOST_FILES = 10
"""Files that Xero takes on one document."""
AT_ONCE = 5
"""Calls that Xero takes at a time from one organisation's app."""
FOR_RECORDS = 0.1
"""The share of the calls that reading orders leaves to delivery records."""


class Xero(Connector[Config]):
    """Keeps each proof once: it reads what the invoice has, and every write carries a key."""

    name = "xero"
    title = "Xero"
    Config = Config
    keyed = True
    scopes = SCOPES
    sdk = ("xero_python.accounting",)
    needs: ClassVar[dict[str, str]] = {"order_sources": "orders"}

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._custom, self._tenant = Custom(), str(config.tenant)
        self._budget: Budget | None = None

    def check(self) -> None:
        """Read one invoice, which needs the very permission that deliveries need."""
        self.accounting.one_invoice()

    def authorize(self, connect: Connect) -> str:
        """Return the address of Xero's consent page."""
        return token_client(self.config).address(connect)

    def exchange(self, callback: Callback) -> Grant:
        """Turn the code into tokens and see which organisation they open."""
        grant = token_client(self.config).exchange(callback)
        try:
            found = organisations(self.config, grant.settings["access_token"])
        except HubError:
            return grant  # the code is used up, so this is no reason to fail: the check asks again
        one = chosen(found, self.config.tenant)
        settings = {**grant.settings, "tenant": one.id if one else ""}
        return grant.model_copy(update={"settings": settings, "account": one.name if one else ""})

    def refresh(self) -> Grant:
        """Renew the tokens; Xero gives a new refresh token each time.

        A custom connection has none: it asks for new access as for the first.
        """
        if self.config.custom:
            return sign_in.granted(self.config)
        return token_client(self.config).refresh(self.config.refresh_token)

    def pull(self, cursor: Cursor) -> Iterator[Order | Cancelled | RefusedRow | Cursor]:
        """Yield what has become of the documents that orders are made of; nothing for `none`."""
        orders = self.config.orders
        if orders == "none":
            return
        accounting = self._accounting(replace(self.budget, keep=FOR_RECORDS))
        days = self.config.days_back
        yield from reading.pull(accounting, orders, KINDS[orders], cursor, days)

    def receive(self, request: Incoming) -> Delivery:
        """Verify the signature over the body; the intent to receive is verified the same way."""
        return notices.verified(request, self.config.webhook_key)

    def unpack(self, request: Incoming) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield what the events tell that orders are made of."""
        if self.config.orders in notices.TOPICS and notices.events(request.body):
            yield from notices.unpack(self.accounting, self.config.orders, request)

    def store(self, proof: Proof) -> Receipt:
        """Put the proof on the invoice that it names, else make the record that is set.

        An order that names its invoice is billed already, so no other one is drafted for it.
        """
        if proof.invoice:
            return self._on_invoice(proof)
        if self.config.record == "note":
            return Receipt(detail="no invoice named")
        return refuse_unbillable(proof) or self._billed(proof)

    def _on_invoice(self, proof: Proof) -> Receipt:
        accounting = self.accounting
        invoice = accounting.invoice(proof.invoice)
        if invoice is None:
            raise Rejected(f"Xero has no invoice {proof.invoice}", field="invoice")
        state = invoice.get("Status")
        if state in ("VOIDED", "DELETED"):
            raise needs_accountant(
                f"invoice {proof.invoice} is {state}, so the delivery cannot be recorded on it",
                "invoice",
            )
        done = self._attach(accounting, invoice, proof) + self._note(accounting, invoice, proof)
        if self.config.credit_notes:
            credited = Billing(accounting, self.config).credit(proof, invoice)
            done += [credited] if credited else []
        return Receipt(ref=str(invoice["InvoiceID"]), detail=" and ".join(done) or "was there")

    def _billed(self, proof: Proof) -> Receipt:
        accounting = self.accounting
        billing = Billing(accounting, self.config)
        if self.config.record == "draft_invoice":
            invoice, done = billing.draft(proof)
        else:
            contact = billing.contact(proof)
            with self.budget.alone(f"the invoice of {contact}, {billing.period(proof)}"):
                invoice, done = billing.consolidated(proof, contact)
        said = [done, *self._attach(accounting, invoice, proof)]
        return Receipt(ref=str(invoice.get("InvoiceID", "")), detail=" and ".join(said))

    def _attach(self, accounting: Accounting, invoice: Json, proof: Proof) -> list[str]:
        document = next((f for f in proof.files if f.media_type == "application/pdf"), None)
        if document is None:
            return []
        name, id = file_name(proof, document), str(invoice["InvoiceID"])
        there = accounting.attachments("Invoices", id) if invoice.get("HasAttachments") else []
        if name in there:
            return []
        if len(there) >= MOST_FILES:
            return [f"no PDF attached, because the invoice has {MOST_FILES} files"]
        accounting.attach("Invoices", id, name, document.content, key(proof, "attachment"))
        return ["PDF attached"]

    def _note(self, accounting: Accounting, invoice: Json, proof: Proof) -> list[str]:
        id = str(invoice["InvoiceID"])
        if any(marker(proof) in note for note in accounting.notes(id)):
            return []
        accounting.add_note(id, note(proof), key(proof, "note"))
        return ["note added"]

    @property
    def accounting(self) -> Accounting:
        """Xero's SDK with time limits, without its own retries, behind the address guard."""
        return self._accounting(self.budget)

    def _accounting(self, budget: Budget) -> Accounting:
        from hub_xero.accounting import Accounting

        return Accounting(self.config.url, self.token, self.tenant, budget)

    @property
    def budget(self) -> Budget:
        """What Xero allows one organisation, counted over all workers."""
        if self._budget is None:
            self._budget = Budget(
                f"xero:{self.tenant}",
                per_minute=self.config.per_minute,
                per_day=self.config.per_day,
                concurrent=AT_ONCE,
            )
        return self._budget

    @property
    def token(self) -> str:
        """The access token: of a custom connection, by consent, or pasted."""
        if self.config.custom:
            return self._custom.token(self.config)
        for secret in (self.config.access_token, self.config.token):
            if secret.get_secret_value():
                return secret.get_secret_value()
        raise Unauthorized(
            "Xero is not connected yet: open Connection and press Connect, or give the token of a "
            "custom connection under Settings"
        )

    @property
    def tenant(self) -> str:
        """The organisation; `Unauthorized` asks for it where nobody has chosen one of several."""
        if not self._tenant:
            found = organisations(self.config, self.token)
            one = chosen(found, "")
            if one is None:
                raise Unauthorized(question(found))
            self._tenant = one.id
        return self._tenant


def note(proof: Proof) -> str:
    """Return the history note: marker, what happened and, where it fits, the tracking link."""
    text = f"{marker(proof)} {proof.summary}"
    linked = f"{text} {proof.tracking_url}".rstrip()
    return linked if len(linked) <= NOTE_LENGTH else text[:NOTE_LENGTH]


def file_name(proof: Proof, document: ProofFile) -> str:
    """Return a name that says which proof it is and holds nothing that a path may not."""
    return f"POD-{proof.stop or proof.id}-{document.sha256[:6]}.pdf"


def key(proof: Proof, part: str) -> str:
    """Return the Idempotency-Key of one of the two writes: 64 characters, Xero takes 128."""
    return hashlib.sha256(f"{proof.key}:{part}".encode()).hexdigest()


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Offer Xero."""
    return [Xero]


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer Xero, which hands over orders where its settings say which."""
    return [Xero]


__all__ = ["Config", "Xero", "file_name", "key", "marker", "note"]
