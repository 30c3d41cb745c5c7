"""Messages to recipients, and what comes back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun
from hub.nouns.proofs import ProofFile


class Message(Noun):
    """A text to send; a channel that can drops a second one with the same `key`."""

    key: str
    to: str
    text: str
    subject: str = ""
    sender: str = ""
    reference: str = ""
    """Id of the stop that the message is about, for the provider's own log."""
    kind: str = ""
    """What it says about that stop, such as `near`; one stop gets each kind once."""
    html: str = ""
    """The same as `text` for a mail program; empty where the medium has none."""
    files: tuple[ProofFile, ...] = ()
    unsubscribe_url: str = ""
    """Where the recipient says that no more is wanted, by GET to look and by POST at once."""


class Receipt(Noun):
    """What the other side said: its own reference, and a word for people."""

    ref: str = ""
    detail: str = ""
    withheld: bool = False
    """Whether a message was not sent, since its recipient wants no more; `detail` says why."""


class DeliveryReport(Noun):
    """What a channel says later about a message that it took; `ref` is its receipt's."""

    ref: Annotated[str, Field(min_length=1, max_length=500)]
    state: Literal["delivered", "undelivered", "opted_out"]
    """`undelivered` is for good; `opted_out`: the recipient wants nothing more by this medium."""
    detail: str = ""
    at: AwareDatetime | None = None
    key: str = ""
    """The message's own key, where the channel gives it back: it settles a lost reply as well."""


class InboundText(Noun):
    """What a recipient wrote back."""

    sender: Annotated[str, Field(min_length=1, max_length=320)]
    """E.164, or an e-mail address."""
    text: str = Field(default="", repr=False)
    to: str = ""
    ref: Annotated[str, Field(max_length=500)] = ""
    """The channel's own id of the text."""
    at: AwareDatetime | None = None
