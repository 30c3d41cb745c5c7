"""Text messages through an HTTP gateway that sends each idempotency key once."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr

from hub import Channel, Connector, Http, Message, Receipt, Rejected, Unknown, Url, hookimpl


class Config(BaseModel):
    """Where the gateway is and who sends."""

    url: Url = Field(title="Address of the gateway", description="The part before /messages")
    token: SecretStr = Field(title="Token", description="Sent as Authorization: Bearer")
    sender: str = Field(
        default="",
        title="Sender",
        description="A number, or at most 11 letters and digits; the merchant's own goes first",
        max_length=16,
    )
    country: str = Field(
        default="CH",
        title="Country",
        description="Two letters; numbers without + are read as of this country",
        pattern="^[A-Z]{2}$",
    )


class Sms(Connector[Config]):
    """Sends each message once: the gateway answers a repeated key with its first reply."""

    name = "sms"
    title = "SMS gateway"
    Config = Config
    keyed = True

    def check(self) -> None:
        """Ask for the account, which costs nothing."""
        self.http.get("/account")

    def send(self, message: Message) -> Receipt:
        """Send one text; a phone that is no number is `Rejected` with field `to`."""
        reply = self.http.post(
            "/messages",
            json={
                "to": e164(message.to, self.config.country),
                "from": message.sender or self.config.sender,
                "text": message.text,
                "reference": message.reference,
                "kind": message.kind,
            },
            headers={"Idempotency-Key": message.key},
        )
        return Receipt(ref=reference(reply.text))

    @property
    def http(self) -> Http:
        """The gateway, with the token in every call."""
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")


def e164(phone: str, country: str) -> str:
    """Return `phone` as +41791234567; raise `Rejected` for what cannot be a number."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException as error:
        raise Rejected("the recipient's phone is no number; correct the order", "to") from error
    if not phonenumbers.is_possible_number(number):
        raise Rejected("the recipient's phone has too few or too many digits", "to")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def reference(answer: str) -> str:
    """Return the gateway's own id of a message.

    Raise `Unknown` where none was given: what answered took the text, and nobody can tell whether
    it is a gateway that sends it.
    """
    import json

    try:
        found = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str | int) or not str(found).strip():
        raise Unknown("the gateway's reply has no message id; check its address")
    return str(found)


@hookimpl
def notification_channels() -> list[type[Channel]]:
    """Offer the gateway."""
    return [Sms]
