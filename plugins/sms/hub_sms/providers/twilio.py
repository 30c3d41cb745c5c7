"""Twilio's Messages API by plain HTTP: its SDK has 51 MB for the three calls that are made here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from hub import (
    Delivery,
    DeliveryReport,
    Http,
    InboundText,
    Incoming,
    Receipt,
    Rejected,
    Unauthorized,
    Unknown,
)
from hub_sms.config import Config
from hub_sms.providers import Text
from hub_sms.senders import blind

URL = "https://api.twilio.com"
OPTED_OUT = 21610
ABOUT_TO = {21211, 21214, 21217, 21219, 21408, 21421, 21610, 21612, 21614, 21635, 60033}
"""Codes that say that the recipient's number is at fault."""
ABOUT_SENDER = {21212, 21603, 21606, 21659, 21660, 21661, 21703}
STATES = {"delivered": "delivered", "read": "delivered", "undelivered": "undelivered",
          "failed": "undelivered", "canceled": "undelivered"}  # fmt: skip
"""What Twilio's final states mean; others are on the way."""
DEMO = "https://demo.twilio.com/"


class Twilio:
    """Posts forms with Basic auth. Twilio keeps no keys: a lost reply is never sent again."""

    keyed: ClassVar[bool] = False

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def http(self) -> Http:
        """The account's part of the API."""
        pair = f"{self.config.account}:{self.config.token.get_secret_value()}"
        basic = base64.b64encode(pair.encode()).decode()
        root = f"{self.config.url or URL}/2010-04-01/Accounts/{self.config.account}"
        return Http(root, Authorization=f"Basic {basic}")

    def check(self) -> None:
        """Ask for the account; raise `Unauthorized` for one that Twilio has closed."""
        state = parsed(self.http.get(".json").text).get("status", "active")
        if state != "active":
            raise Unauthorized(f"Twilio says that the account is {state}; look into its console")

    def send(self, text: Text) -> Receipt:
        """Send one text; its report comes to an address that names its key."""
        form = {"To": text.to, "Body": text.text}
        if text.sender:
            form["From"] = text.sender
        if self.config.service:
            form["MessagingServiceSid"] = self.config.service
        elif not text.sender:
            raise Rejected("the text has no sender; set one, or a messaging service", "sender")
        if self.config.callbacks:
            query = urlencode({"key": text.key})
            form["StatusCallback"] = f"{self.config.callbacks[0]}?{query}"
        reply = self.http.post("/Messages.json", data=form, accepts=(400,))
        said = parsed(reply.text)
        if reply.status_code == 400:
            return refused(said)
        if not str(said.get("sid") or "").strip():
            raise Unknown("Twilio's reply has no SID, so it may be sent or not")
        return Receipt(ref=str(said["sid"]))

    def receive(self, request: Incoming) -> Delivery:
        """Verify X-Twilio-Signature over the address that was called and the form."""
        if not self.config.callbacks:
            raise Unauthorized(
                "this connection does not know its own address, over which Twilio signs; "
                "paste it into the settings"
            )
        form = form_of(request)
        given = request.headers.get("x-twilio-signature", "").encode()
        token = self.config.token.get_secret_value()
        query = f"?{urlencode(request.query)}" if request.query else ""
        wanted = [
            signature(token, url + query, form).encode()
            for known in self.config.callbacks
            for url in spellings(known)
        ]
        if not any(hmac.compare_digest(given, one) for one in wanted):
            raise Unauthorized("the signature of Twilio does not hold for the address and the form")
        sid, state = form.get("MessageSid") or form.get("SmsSid") or "", form.get("MessageStatus")
        topic = f"status {state}" if state else "reply"
        return Delivery(id=f"{sid}:{state or 'received'}"[:200] if sid else "", topic=topic[:200])

    def unpack(self, request: Incoming) -> Iterator[DeliveryReport | InboundText]:
        """Yield the report, or the text that was written back."""
        form = form_of(request)
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if "MessageStatus" not in form:
            if sid and form.get("From"):
                yield InboundText(
                    sender=form["From"], to=form.get("To", ""), ref=sid, text=form.get("Body", "")
                )
            return
        code, state = form.get("ErrorCode", ""), STATES.get(form["MessageStatus"])
        if code == str(OPTED_OUT):
            state = "opted_out"
        if sid and state:
            detail = f"Twilio's error {code}" if code else ""
            key = request.query.get("key", "")
            yield DeliveryReport.model_validate(
                {"ref": sid, "state": state, "detail": detail, "key": key}
            )

    def listen(self, url: str) -> str:
        """Have replies to the sender's number sent to the hub, unless they go somewhere else."""
        sender = self.config.sender.strip()
        if self.config.service:
            return (
                "reports come by themselves; in the messaging service, under Integration, set the "
                "address for incoming messages to the one of the page Webhooks"
            )
        if not sender.startswith("+"):
            return "reports come by themselves; nobody can answer a sender that is a name"
        sid, now = self.number(sender)
        if not sid:
            return f"reports come by themselves; {sender} is no number of this account"
        if now == url:
            return "reports and replies come to the hub"
        ours = now in self.config.callbacks
        if now and not ours and not now.startswith(DEMO):
            return (
                f"reports come by themselves; replies to {sender} go to {urlsplit(now).netloc}, "
                f"which was left as it is: set its address to the hub's if they are for it"
            )
        self.point(sid, url)
        return f"reports come by themselves, and replies to {sender} now come to the hub"

    def leave(self, url: str) -> None:
        """Let the sender's number send replies nowhere, if it sends them to `url`."""
        sender = self.config.sender.strip()
        sid, now = self.number(sender) if sender.startswith("+") else ("", "")
        if sid and now == url:
            self.point(sid, "")

    def number(self, sender: str) -> tuple[str, str]:
        """Return the SID of a number of the account and where its texts go; empty for none."""
        query = urlencode({"PhoneNumber": sender})
        found = parsed(self.http.get(f"/IncomingPhoneNumbers.json?{query}").text)
        rows = found.get("incoming_phone_numbers")
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return str(row.get("sid") or ""), str(row.get("sms_url") or "")

    def point(self, sid: str, url: str) -> None:
        """Have texts to a number posted to `url`."""
        form = {"SmsUrl": url, "SmsMethod": "POST"}
        self.http.post(f"/IncomingPhoneNumbers/{sid}.json", data=form)


def parsed(answer: str) -> dict[str, Any]:
    """Return an answer's object, an empty one where it has none."""
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refused(said: Mapping[str, Any]) -> Receipt:
    """Return a withheld receipt for an opt-out; raise `Rejected` for every other refusal."""
    code = said.get("code")
    if code == OPTED_OUT:
        return Receipt(detail=f"Twilio's error {code}: opted out there", withheld=True)
    field = "to" if code in ABOUT_TO else "sender" if code in ABOUT_SENDER else None
    words = blind(str(said.get("message") or "it gave no reason"))
    raise Rejected(f"Twilio refused it ({code or 400}): {words}", field)


def form_of(request: Incoming) -> dict[str, str]:
    """Return the fields of a form; raise `Rejected` for bytes that are none."""
    try:
        text = request.body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ValueError as error:
        raise Rejected("Twilio sends forms, and this is none") from error


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """Return Twilio's signature: HMAC-SHA1 over the address and the sorted fields, in base64."""
    said = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def spellings(url: str) -> list[str]:
    """Return an address with and without its usual port: Twilio signs it either way."""
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    host = parts.hostname or ""
    if parts.port == usual:
        return [url, parts._replace(netloc=host).geturl()]
    if parts.port is None:
        return [url, parts._replace(netloc=f"{host}:{usual}").geturl()]
    return [url]
