"""Delivery records on Xero invoices: a line in the history and the proof as a PDF."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from hub import (
    Callback,
    Connect,
    Connector,
    Grant,
    HubError,
    PodSink,
    Proof,
    ProofFile,
    Receipt,
    Rejected,
    Unauthorized,
    hookimpl,
)
from hub_xero.sign_in import SCOPES, Config, chosen, organisations, question, token_client

if TYPE_CHECKING:
    from hub_xero.accounting import Accounting

NOTE_LENGTH = 250
"""What Xero keeps of a history note."""


class Xero(Connector[Config]):
    """Keeps each proof once: it reads what the invoice has, and every write carries a key."""

    name = "xero"
    title = "Xero"
    Config = Config
    keyed = True
    scopes = SCOPES
    sdk = ("xero_python.accounting",)

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
        """Renew the tokens; Xero gives a new refresh token each time."""
        return token_client(self.config).refresh(self.config.refresh_token)

    def store(self, proof: Proof) -> Receipt:
        """Put the proof on the invoice that it names; without a number there is nothing to do."""
        if not proof.invoice:
            return Receipt(detail="no invoice named")
        accounting = self.accounting
        invoice = accounting.invoice(proof.invoice)
        if invoice is None:
            raise Rejected(f"Xero has no invoice {proof.invoice}", field="invoice")
        added = self._attach(accounting, invoice, proof) + self._note(accounting, invoice, proof)
        return Receipt(ref=str(invoice.invoice_id), detail=" and ".join(added) or "was there")

    def _attach(self, accounting: Accounting, invoice: Any, proof: Proof) -> list[str]:
        document = next((f for f in proof.files if f.media_type == "application/pdf"), None)
        if document is None:
            return []
        name = file_name(proof, document)
        if invoice.has_attachments and name in accounting.attachments(invoice.invoice_id):
            return []
        accounting.attach(invoice.invoice_id, name, document.content, key(proof, "attachment"))
        return ["PDF attached"]

    def _note(self, accounting: Accounting, invoice: Any, proof: Proof) -> list[str]:
        notes = accounting.notes(invoice.invoice_id)
        if any(marker(proof) in note for note in notes):
            return []
        accounting.add_note(invoice.invoice_id, note(proof), key(proof, "note"))
        return ["note added"]

    @property
    def accounting(self) -> Accounting:
        """Xero's SDK with time limits, without its own retries, behind the address guard."""
        from hub_xero.accounting import Accounting

        return Accounting(self.config.url, self.token, self.tenant)

    @property
    def token(self) -> str:
        """The access token: by consent, or of a custom connection."""
        for secret in (self.config.access_token, self.config.token):
            if secret.get_secret_value():
                return secret.get_secret_value()
        raise Unauthorized(
            "Xero is not connected yet: open Connection and press Connect, or give the token of a "
            "custom connection under Settings"
        )

    @property
    def tenant(self) -> str:
        """The organisation; `Unauthorized` asks for it where nobody has chosen one."""
        if not self.config.tenant:
            raise Unauthorized(question(organisations(self.config, self.token)))
        return self.config.tenant


def marker(proof: Proof) -> str:
    """Return the words by which a note is found again: the stop, and which of its proofs."""
    return f"POD:{proof.stop or proof.id} #{proof.sha256[:6]}"


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
