"""Twilio's messaging: forms in, signed callbacks out, no keys, its own list of who wrote STOP."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request

ACCOUNT = "AC" + "0123456789abcdef" * 2
NUMBER = "PN" + "0123456789abcdef" * 2
STOPS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"


@dataclass(frozen=True)
class Posted:
    """A request that the service sends; whoever tests takes it to where it goes."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return dict(parse_qsl(urlsplit(self.url).query))


class TwilioPeer(Peer):
    """Takes messages of one account whose only number is `number`.

    It refuses numbers that end in 0000 as no numbers, and everybody who wrote STOP to it.
    """

    service = "twilio"
    token = "twilio-demo-token"  # noqa: S105 - opens nothing but this peer
    number = "+14155550100"

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.sent: list[Entry] = []
        self.stopped: set[str] = set()
        self.sms_url = "https://demo.twilio.com/welcome/sms/reply"
        self.status = "active"
        super().__init__(directory, port)

    def admits(self, request: Request) -> bool:
        """Ask for the account and a token of it by Basic auth."""
        kind, _, given = (request.headers.get("Authorization") or "").partition(" ")
        wanted = {base64.b64encode(f"{ACCOUNT}:{one}".encode()).decode() for one in self.accepted}
        return kind == "Basic" and given in wanted

    def _decide(self, request: Request) -> tuple[Reply, bool]:
        reply, repeat = super()._decide(request)
        codes = {401: 20003, 429: 20429}
        if reply.status in codes:
            data = problem(reply.status, codes[reply.status], "Refused on request")
            reply = Reply(reply.status, data, reply.headers)
        return reply, repeat

    def answer(self, request: Request) -> Reply:
        """Answer the account, its numbers and its messages."""
        fields = parse_qs(request.body.decode(), keep_blank_values=True)
        form = {name: values[-1] for name, values in fields.items()}
        routes = {
            ("GET", f"{ROOT}.json"): lambda: Reply(200, {"sid": ACCOUNT, "status": self.status}),
            ("GET", f"{ROOT}/IncomingPhoneNumbers.json"): lambda: self._numbers(request.query),
            ("POST", f"{ROOT}/IncomingPhoneNumbers/{NUMBER}.json"): lambda: self._point(form),
            ("POST", f"{ROOT}/Messages.json"): lambda: self._take(form),
        }
        found = routes.get((request.method, request.path))
        return found() if found else Reply(404, problem(404, 20404, "Not found"))

    def _numbers(self, query: dict[str, str]) -> Reply:
        rows = [{"sid": NUMBER, "phone_number": self.number, "sms_url": self.sms_url}]
        known = query.get("PhoneNumber") in (None, self.number)
        return Reply(200, {"incoming_phone_numbers": rows if known else []})

    def _point(self, form: dict[str, str]) -> Reply:
        self.sms_url = form.get("SmsUrl", self.sms_url)
        return Reply(200, {"sid": NUMBER, "sms_url": self.sms_url})

    def _take(self, form: dict[str, str]) -> Reply:
        to, text = form.get("To", ""), form.get("Body", "")
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return refusal(21603, "A 'From' or 'MessagingServiceSid' parameter is required")
        if not to.startswith("+") or to.endswith("0000"):
            return refusal(21211, f"Invalid 'To' Phone Number: {to}")
        if to in self.stopped:
            return refusal(21610, f"Attempt to send to unsubscribed recipient {to}")
        sid, callback = f"SM{uuid4().hex}", form.get("StatusCallback", "")
        key = dict(parse_qsl(urlsplit(callback).query)).get("key", to)
        data = {"sid": sid, "status": "queued", "to": to, "from": form.get("From"), "body": text}
        sent = {"to": to, "from": form.get("From", ""), "text": text, "callback": callback}
        return Reply(201, data, stop=key, kind="sms", sent=sent)

    def remember(self, entry: Entry) -> None:
        """Keep an accepted message."""
        self.sent.append(entry)

    def report(self, sid: str, state: str, error: int | None = None) -> Posted:
        """Return the signed callback that tells what became of a message."""
        (entry,) = [entry for entry in self.sent if entry.answer["sid"] == sid]
        form = {
            "AccountSid": ACCOUNT, "MessageSid": sid, "SmsSid": sid, "MessageStatus": state,
            "SmsStatus": state, "To": entry.sent["to"], "From": entry.sent["from"],
            "ApiVersion": "2010-04-01", **({"ErrorCode": str(error)} if error else {}),
        }  # fmt: skip
        return self._posted(entry.sent["callback"], form)

    def write(self, sender: str, text: str, sid: str = "") -> Posted:
        """Return the signed callback of a text that somebody wrote to the number."""
        word = text.strip().upper()
        if word in STOPS:
            self.stopped.add(sender)
        elif word in ("START", "UNSTOP", "YES"):
            self.stopped.discard(sender)
        sid = sid or f"SM{uuid4().hex}"
        form = {
            "AccountSid": ACCOUNT, "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid,
            "From": sender, "To": self.number, "Body": text, "NumMedia": "0", "NumSegments": "1",
            "SmsStatus": "received", "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return self._posted(self.sms_url, form)

    def _posted(self, url: str, form: dict[str, str]) -> Posted:
        said = url + "".join(name + form[name] for name in sorted(form))
        mac = hmac.new(self.token.encode(), said.encode(), hashlib.sha1).digest()
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": base64.b64encode(mac).decode(),
        }
        return Posted(url, urlencode(form).encode(), headers)


def problem(status: int, code: int, message: str) -> dict[str, Any]:
    """Return an error as Twilio words it."""
    info = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": info, "status": status}


def refusal(code: int, message: str) -> Reply:
    """Return a 400."""
    return Reply(400, problem(400, code, message))
