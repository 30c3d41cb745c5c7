"""A mailbox that is read over IMAP (RFC 3501): the few commands that a reader needs."""

from __future__ import annotations

import base64
import re
import shlex
import socketserver
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from hub.testing.patience import PATIENCE

USER, PASSWORD = "bounces@alpenkraut.example", "correct horse"
LONGEST_LINE = 10_000


@dataclass
class Kept:
    """One mail in the folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class Session(socketserver.StreamRequestHandler):
    """One connection: a command after the other, until the reader leaves."""

    timeout = PATIENCE
    server: MailboxPeer

    def handle(self) -> None:
        """Greet, then answer."""
        with suppress(OSError, ValueError):
            self.converse()

    def setup(self) -> None:
        """Read and write through the connection as it is now: plain, or encrypted."""
        self.connection = getattr(self, "connection", self.request)
        self.connection.settimeout(self.timeout)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)

    def converse(self) -> None:
        """Answer each command until the reader leaves."""
        self.signed_in, self.folder, self.writes = False, "", False
        if self.server.whole and self.server.context:
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
            self.setup()
        self.say("* OK ready")
        while line := self.rfile.readline(LONGEST_LINE):
            tag, _, rest = line.decode("latin-1").strip().partition(" ")
            if not self.answer(tag, rest):
                return

    def say(self, text: str) -> None:
        """Send one line."""
        self.wfile.write(f"{text}\r\n".encode("latin-1"))

    def answer(self, tag: str, rest: str) -> bool:
        """Answer one command; return whether the reader stays."""
        peer = self.server
        words = rest.split(" ", 2)
        verb = words[0].upper()
        name = " ".join(words[:2]).upper() if verb == "UID" else verb
        peer.commands.append(rest if verb not in ("LOGIN", "AUTHENTICATE") else verb)
        if peer.breaks_at == name:
            peer.breaks_at = ""
            return False
        if verb == "LOGOUT":
            self.say("* BYE now")
            self.say(f"{tag} OK done")
            return False
        if verb == "CAPABILITY":
            ways = ["" if peer.login_only else " AUTH=PLAIN", " STARTTLS" if peer.context else ""]
            self.say(f"* CAPABILITY IMAP4rev1{''.join(ways)}")
            self.say(f"{tag} OK done")
        elif verb == "STARTTLS" and peer.context:
            self.say(f"{tag} OK begin")
            self.connection = peer.context.wrap_socket(self.connection, server_side=True)
            self.setup()
        elif verb in ("LOGIN", "AUTHENTICATE"):
            self.sign_in(tag, rest)
        elif not self.signed_in:
            self.say(f"{tag} NO sign in first")
        elif verb in ("SELECT", "EXAMINE"):
            self.choose(tag, verb, rest)
        elif self.folder and name in ("UID SEARCH", "UID FETCH", "UID STORE"):
            getattr(self, name[4:].lower())(words[2])
            self.say(f"{tag} OK done")
        else:
            self.say(f"{tag} BAD unknown command")
        return True

    def sign_in(self, tag: str, rest: str) -> None:
        """Let the one user in."""
        peer = self.server
        if rest.upper().startswith("AUTHENTICATE"):
            self.say("+ ")
            given = base64.b64decode(self.rfile.readline(LONGEST_LINE)).decode().split("\0")[1:]
        else:
            given = shlex.split(rest)[1:]
        self.signed_in = given == [peer.user, peer.password] and not peer.refusal
        refusal = peer.refusal or "[AUTHENTICATIONFAILED] wrong user or password"
        self.say(f"{tag} OK done" if self.signed_in else f"{tag} NO {refusal}")

    def choose(self, tag: str, verb: str, rest: str) -> None:
        """Open the folder, for reading only where that was asked for."""
        name = shlex.split(rest)[1]
        if name != self.server.folder:
            self.say(f"{tag} NO [NONEXISTENT] no such folder")
            return
        self.folder, self.writes = name, verb == "SELECT"
        self.say(f"* {len(self.server.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.validity}] valid")
        self.say(f"{tag} OK [{'READ-WRITE' if self.writes else 'READ-ONLY'}] open")

    def search(self, asked: str) -> None:
        """Find by `UID n:*`, which always has the last one as well, or by `SINCE`: all of them."""
        uids = [mail.uid for mail in self.server.mails]
        by_uid = re.fullmatch(r"UID (\d+):\*", asked)
        if by_uid and uids:
            uids = sorted({*(uid for uid in uids if uid >= int(by_uid[1])), uids[-1]})
        self.say(" ".join(["* SEARCH", *map(str, uids)]))

    def fetch(self, asked: str) -> None:
        """Send the beginning of one mail."""
        uid, _, what = asked.partition(" ")
        most = re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", what)
        for number, mail in enumerate(self.server.mails, 1):
            if mail.uid == int(uid) and most:
                part = mail.raw[: int(most[1])]
                size = self.server.announces or len(part)
                self.wfile.write(
                    f"* {number} FETCH (UID {uid} BODY[]<0> {{{size}}}\r\n".encode()
                    + part
                    + b")\r\n"
                )

    def store(self, asked: str) -> None:
        """Add flags, where the folder was opened for that."""
        uid, _, what = asked.partition(" ")
        for mail in self.server.mails:
            if mail.uid == int(uid) and self.writes and what.startswith("+FLAGS"):
                mail.flags |= set(re.findall(r"\\\w+", what))


class MailboxPeer(socketserver.ThreadingTCPServer):
    """One user's one folder; what was asked lies in `commands`, without passwords."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.user, self.password, self.folder = USER, PASSWORD, "INBOX"
        self.mails: list[Kept] = []
        self.commands: list[str] = []
        self.validity, self.next = 7, 1
        self.login_only = False
        """Whether it knows no AUTHENTICATE."""
        self.refusal = ""
        """What it says instead of letting anybody in."""
        self.breaks_at = ""
        """The command, such as `UID FETCH`, at which it hangs up once."""
        self.announces = 0
        """How many bytes it says that a mail has, whatever it sends."""
        self.context: ssl.SSLContext | None = None
        """What it shows to who asks for STARTTLS, or, where `whole`, from the first byte."""
        self.whole = False
        super().__init__(("127.0.0.1", 0), Session)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Answer from now on, in a thread."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()

    def add(self, raw: bytes) -> int:
        """Put a mail into the folder and return its UID."""
        self.mails.append(Kept(self.next, raw))
        self.next += 1
        return self.next - 1

    def remake(self) -> None:
        """Make the folder anew, as a server does after a repair: the same mails, other UIDs."""
        self.validity += 1
        for number, mail in enumerate(self.mails, 1):
            mail.uid = number
        self.next = len(self.mails) + 1
