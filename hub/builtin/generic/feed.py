"""Orders from an address, page by page: what is read, and where the next reading begins."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict

from hub import Cursor, Rejected, calling, understood
from hub.builtin.generic import tables
from hub.builtin.generic.records import MISSING, find
from hub.builtin.generic.tables import Found, Pair, Thing
from hub.errors import Refused
from hub.http import TIMEOUT, session

if TYPE_CHECKING:
    import requests

    from hub.builtin.generic.settings import Config

SINCE = "{since}"
TOGETHER = 100
"""Orders between two cursors of one page."""
MOST = 10_000
"""Records that one answer may have."""
REST = 20.0
"""Seconds for which a reading that ended is not begun again: a source that is read as a whole, or
whose overlap has a page of its own, never says that nothing is new."""


class Reading(BaseModel):
    """How far an address has been read; as JSON it is the cursor."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: str = ""
    """The latest change of the rounds that are over."""
    newest: str = ""
    """The latest change seen in this round."""
    began: str = ""
    """When this round began, where records do not tell their changes."""
    page: int = 0
    """Pages of this round that are read."""
    next: str = ""
    """Address or mark of the next page."""
    at: int = 0
    """How many records of the page are taken."""
    digest: str = ""
    """Of the page that is being read, or of the last one that was read as a whole."""
    etag: str = ""
    modified: str = ""
    ended: int = 0
    """Wall second at which the last round ended, where the next would not end by itself."""

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        return cls.model_validate_json(cursor.value) if cursor.value else cls()

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        told = self.model_dump_json(exclude_defaults=True)
        return Cursor(value="" if told == "{}" else told)

    def but(self, **changed: Any) -> Reading:
        """Return this reading with some of it changed."""
        return self.model_copy(update=changed)


@dataclass(frozen=True)
class Page:
    """One answer: its records, and what it says of the next."""

    pairs: Iterator[Pair]
    count: int
    changes: list[str]
    next: str
    digest: str
    etag: str
    modified: str


@dataclass(frozen=True)
class Feed:
    """The address of one connection."""

    config: Config

    @property
    def follows(self) -> bool:
        """Whether only what changed is asked for."""
        return SINCE in self.config.url

    def probe(self) -> None:
        """Read the first page, which proves address and credentials, and that it is of its form."""
        reply = self.get(self.url(Reading(began=now())), {})
        config = self.config
        if config.fields.are_set or config.format != "csv":
            self.found(reply.content)

    def records(self, most: int) -> list[Any]:
        """Return the first records as they come."""
        found = self.found(self.get(self.url(Reading(began=now())), {}).content)[1]
        return [one.record for one in found if not one.fault][:most]

    def pull(self, cursor: Cursor) -> Iterator[Thing | Cursor]:
        """Yield what one page has behind a cursor, with cursors between, and where to go on."""
        reading = Reading.of(cursor)
        if reading.ended and 0 <= time.time() - reading.ended < REST:
            yield cursor
            return
        if self.follows and not self.config.changed_path and not reading.began:
            reading = reading.but(began=now())
        reply = self.get(self.url(reading), self.conditions(reading))
        if reply.status_code == 304:
            yield cursor
            return
        page = self.page(reply, reading)
        whole = not self.follows and self.config.paging == "none"
        if whole and not reading.at and page.digest == reading.digest:
            yield cursor
            return
        if reading.at and page.digest != reading.digest:
            reading = reading.but(at=0)
        yield from self.taken(page, reading)
        yield self.after(page, reading, cursor)

    def taken(self, page: Page, reading: Reading) -> Iterator[Thing | Cursor]:
        """Yield the orders of a page, and after every hundred how far that is."""
        since = 0
        for at, thing in page.pairs:
            if thing is not None:
                yield thing
            since += 1
            if since == TOGETHER and at < page.count:
                yield reading.but(at=at, digest=page.digest, etag="", modified="").cursor()
                since = 0

    def after(self, page: Page, reading: Reading, cursor: Cursor) -> Cursor:
        """Return where to go on: at the next page, or with the changes from here on."""
        newest = latest([reading.newest or reading.since, *page.changes])
        more = page.count > 0 and (page.next or self.config.paging == "page")
        if more:
            if page.next and page.next == reading.next:
                raise Rejected("the next page is the same page again; look at its path", "paging")
            if page.digest == reading.digest and reading.page and not reading.at:
                name = self.config.page_parameter
                raise Rejected(
                    f"the address ignores {name}: it gives the same page again", "paging"
                )
            return reading.but(
                newest=newest, next=page.next, page=reading.page + 1, at=0, digest=page.digest,
                etag="", modified="", ended=0,
            ).cursor()  # fmt: skip
        if self.follows and self.config.changed_path:
            rests = int(time.time()) if reading.page else 0
            return Reading(since=newest, ended=rests).cursor()
        if self.follows:
            read = page.count or reading.page
            return Reading(since=reading.began, ended=int(time.time())).cursor() if read else cursor
        kept = Reading(ended=int(time.time()))
        if self.config.paging == "none":
            kept = kept.but(digest=page.digest, etag=page.etag, modified=page.modified)
        return kept.cursor()

    def url(self, reading: Reading) -> str:
        """Return the address of the page that comes next."""
        config = self.config
        if reading.next and config.paging in ("link", "next"):
            return reading.next
        url = config.url.replace(SINCE, quote(self.since(reading), safe=""))
        if config.paging == "page":
            return with_query(url, config.page_parameter, str(config.first_page + reading.page))
        if config.paging == "cursor" and reading.next:
            return with_query(url, config.page_parameter, reading.next)
        return url

    def since(self, reading: Reading) -> str:
        """Return from when on changes are asked for: a little before the last one."""
        return earlier(reading.since, self.config.overlap) if reading.since else self.config.start

    def conditions(self, reading: Reading) -> dict[str, str]:
        """Return the headers that ask for an answer only where it is another one."""
        asked = {"If-None-Match": reading.etag, "If-Modified-Since": reading.modified}
        return {name: value for name, value in asked.items() if value}

    def get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Return an answer of the 2xx kind, or one that says that nothing has changed."""
        root = urlsplit(self.config.url)
        told = f"{root.scheme}://{root.netloc}"
        kinds = {"csv": "text/csv, text/plain", "lines": "application/x-ndjson, application/json"}
        sent = {
            "Accept": f"{kinds.get(self.config.format, 'application/json')}, */*;q=0.5",
            "User-Agent": "lastmile-hub", **self.signature(), **headers,
        }  # fmt: skip
        with calling(told, reads=True), session() as made:
            reply = made.get(url, headers=sent, allow_redirects=False, timeout=TIMEOUT)
        if reply.status_code == 304 and headers:
            return reply
        return understood(reply, reads=True)

    def signature(self) -> dict[str, str]:
        """Return the header that shows who we are."""
        config = self.config
        if config.auth == "basic":
            pair = f"{config.user}:{config.password.get_secret_value()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        token = config.token.get_secret_value()
        if config.auth == "bearer":
            return {"Authorization": f"Bearer {token}"}
        return {config.header: token} if config.auth == "header" else {}

    def found(self, body: bytes) -> tuple[Any, list[Found]]:
        """Return an answer's document and its records; raise `Rejected` where it has none."""
        config = self.config
        try:
            if config.format == "json":
                document = tables.document(body)
                found = list(tables.entries(document, config.records))
            else:
                if not body.strip() and config.format == "csv":
                    raise Refused("nothing came where a table was expected", "url")
                document, found = None, list(tables.found_in(tables.opened(body), config))
        except Refused as error:
            raise Rejected(str(error), error.field) from None
        if len(found) > MOST:
            raise Rejected(f"one answer has more than {MOST:,} records; use pages", "paging")
        return document, found

    def page(self, reply: requests.Response, reading: Reading) -> Page:
        """Return what an answer says."""
        config, body = self.config, reply.content
        document, found = self.found(body)
        if config.format == "csv" and not config.fields.are_set:
            pairs: Iterator[Pair] = rejecting(
                tables.of_form(tables.opened(body), config, reading.at)
            )
        elif not config.fields.are_set:
            raise Rejected(tables.UNMAPPED, "fields")
        else:
            pairs = tables.mapped(found, config.fields, reading.at)
        return Page(
            pairs=pairs,
            count=found[-1].line if found else 0,
            changes=tables.changed_at(found, config.changed_path) if config.changed_path else [],
            next=self.next_of(reply, document),
            digest=hashlib.sha256(body).hexdigest()[:24],
            etag=reply.headers.get("ETag", "")[:200],
            modified=reply.headers.get("Last-Modified", "")[:100],
        )

    def next_of(self, reply: requests.Response, document: Any) -> str:
        """Return the address or mark of the next page; nothing after the last."""
        paging = self.config.paging
        if paging == "link":
            told: Any = reply.links.get("next", {}).get("url", "")
        elif paging in ("next", "cursor") and document is not None:
            told = find(document, self.config.next_path)
        else:
            return ""
        if told is MISSING or told in (None, False, "") or not isinstance(told, str | int):
            return ""
        return str(told) if paging == "cursor" else self.same_host(str(told))

    def same_host(self, link: str) -> str:
        """Return a link in full; raise `Rejected` for another host, which would get the token."""
        whole = urljoin(self.config.url, link)
        ours, theirs = urlsplit(self.config.url), urlsplit(whole)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            raise Rejected(
                f"the next page lies on {theirs.netloc[:100]}, not on {ours.netloc}; "
                "it is not called, because it would get the credentials",
                "next_path",
            )
        return whole


def rejecting(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Yield the same; what is no such table is `Rejected`."""
    try:
        yield from pairs
    except Refused as error:
        raise Rejected(str(error), error.field) from None


def with_query(url: str, name: str, value: str) -> str:
    """Return an address with one parameter set."""
    parts = urlsplit(url)
    kept = [(key, told) for key, told in parse_qsl(parts.query, keep_blank_values=True)]
    told = urlencode([pair for pair in kept if pair[0] != name] + [(name, value)])
    return urlunsplit(parts._replace(query=told))


def now() -> str:
    """Return the wall time as it goes into an address."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def instant(text: str) -> datetime | None:
    """Return the instant that a text means, None where it is none; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def number(text: str) -> Decimal | None:
    """Return the number that a text is, None where it is none."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def latest(told: list[str]) -> str:
    """Return the last of some changes: by time, by number, else by the alphabet."""
    found = [one for one in told if one]
    if not found:
        return ""
    for measure in (number, instant):
        measured = [(measure(one), one) for one in found]
        if all(value is not None for value, _ in measured):
            return max(measured, key=lambda pair: pair[0])[1]  # type: ignore[return-value,arg-type]
    return max(found)


def earlier(text: str, seconds: int) -> str:
    """Return a change's time some seconds before, in its own way of writing.

    A number is taken for milliseconds from 10^11 on, for seconds from 10^9 on, else for a running
    number, of which nothing is taken away.
    """
    count = number(text)
    if count is not None:
        scale = 1000 if count >= 10**11 else 1 if count >= 10**9 else 0
        return str(count - seconds * scale)
    at = instant(text)
    if at is None or not seconds:
        return text
    moved = datetime.fromisoformat(text) - timedelta(seconds=seconds)
    told = moved.isoformat(sep=text[10] if len(text) > 10 else "T")
    return told.replace("+00:00", "Z") if text.endswith("Z") else told
