"""Records of a delimited file, read as a stream: any encoding, bounded memory, broken parts named.

The reader keeps one record in memory, never the file. What it cannot read becomes a `Broken` with
the line it began in, and reading goes on with the next line.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from hub.errors import Refused

LONGEST_LINE = 1_000_000
"""Bytes; a longer line is named and left out without being held in memory."""
MOST_LINES = 200
"""Lines that one quoted cell may run over."""
DELIMITERS = (",", ";", "\t", "|")
_HEAD = 65_536
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NOT_TEXT = {b"PK\x03\x04": "an Excel workbook or zip file", b"%PDF": "a PDF"}


@dataclass(frozen=True)
class Record:
    """One record: the line it begins in (1 is the header), its cells, the byte behind it."""

    line: int
    cells: list[str]
    ends: int


@dataclass(frozen=True)
class Broken:
    """A part of the file that is no record, and what to do about it."""

    line: int
    reason: str
    ends: int


@dataclass(frozen=True)
class _Line:
    number: int
    text: str | None
    ends: int


def open_plain(path: Path) -> BinaryIO:
    """Open a file as `plain_text` gives it."""
    return plain_text(path.open("rb"))


def plain_text(file: BinaryIO) -> BinaryIO:
    """Return a file whose lines end in a newline byte and whose text is UTF-8 or cp1252.

    UTF-16 and files whose lines end in a lone carriage return are rewritten, in pieces, to an
    unnamed temporary file. Raise `Refused` for what is no text at all.
    """
    head = file.read(_HEAD)
    file.seek(0)
    for sign, name in _NOT_TEXT.items():
        if head.startswith(sign):
            file.close()
            raise Refused(f"this is {name}; save it as CSV (UTF-8) and send that", "file")
    encoding = wide_encoding(head)
    if encoding or (b"\r" in head and b"\n" not in head):
        with file:
            return rewritten(file, encoding or "latin-1")
    return file


def wide_encoding(head: bytes) -> str:
    """Return the name of the UTF-16 that `head` is written in, or nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    pairs = len(head) // 2
    if pairs >= 8 and head[1::2].count(0) > pairs * 0.7:
        return "utf-16-le"
    if pairs >= 8 and head[0::2].count(0) > pairs * 0.7:
        return "utf-16-be"
    return ""


def rewritten(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return a temporary copy of `file` with plain newlines, in UTF-8 unless it was bytes."""
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    target = "latin-1" if encoding == "latin-1" else "utf-8"
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
    while True:
        piece = file.read(_HEAD)
        text = decoder.decode(piece, final=not piece)
        copy.write(text.replace("\r\n", "\n").replace("\r", "\n").encode(target, "replace"))
        if not piece:
            copy.seek(0)
            return copy


def decoded(raw: bytes) -> str:
    """Return text from UTF-8 in which single bytes may be cp1252, as mixed exports have them."""
    parts: list[str] = []
    while True:
        try:
            parts.append(raw.decode())
            return "".join(parts)
        except UnicodeDecodeError as error:
            parts.append(raw[: error.start].decode())
            parts.append(raw[error.start : error.start + 1].decode("cp1252", "replace"))
            raw = raw[error.start + 1 :]


def sniff(header: str) -> str:
    """Return the delimiter of a header line: the one that occurs most outside quotes."""
    bare = "".join(header.split('"')[0::2])
    return max(DELIMITERS, key=bare.count)


class Reader:
    """Reads records from an opened file; `delimiter` is taken from the first line when empty."""

    def __init__(self, file: BinaryIO, delimiter: str = "") -> None:
        self.delimiter = delimiter
        self._file = file
        self._ahead: deque[_Line] = deque()
        self._number = 0
        self._at = 0

    def __iter__(self) -> Iterator[Record | Broken]:
        while (line := self._next()) is not None:
            if line.text is None:
                yield Broken(
                    line.number, f"this line is longer than {LONGEST_LINE:,} bytes", line.ends
                )
            elif line.text.strip():
                found = self._record(line, line.text)
                if found is not None:
                    yield found

    def _record(self, line: _Line, text: str) -> Record | Broken | None:
        if line.number == 1 and text.lower().startswith("sep=") and len(text.strip()) == 5:
            self.delimiter = self.delimiter or text.strip()[4]
            return None
        if not self.delimiter:
            self.delimiter = sniff(text)
        if '"' not in text:
            return Record(line.number, text.rstrip("\r\n").split(self.delimiter), line.ends)
        return self._quoted(line, text)

    def _quoted(self, first: _Line, text: str) -> Record | Broken:
        """Join the lines of a record with quoted cells; give all but the first back if broken."""
        joined: list[_Line] = []
        ends = first.ends
        try:
            cells = self._cells(text)
            while cells is None:
                line = self._next()
                if line is None:
                    raise csv.Error("a quote is opened here and never closed")
                joined.append(line)
                if line.text is None or len(joined) > MOST_LINES or len(text) > LONGEST_LINE:
                    raise csv.Error("a quote is opened here and not closed in the lines below")
                text, ends = text + line.text, line.ends
                if '"' in line.text:
                    cells = self._cells(text)
            return Record(first.number, cells, ends)
        except csv.Error as error:
            self._ahead.extendleft(reversed(joined))
            return Broken(first.number, said(error), first.ends)

    def _cells(self, text: str) -> list[str] | None:
        """Return the cells of `text`, or None when a quoted cell goes on in the next line."""
        try:
            return next(csv.reader([text.rstrip("\r\n")], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return None
            raise

    def _next(self) -> _Line | None:
        if self._ahead:
            return self._ahead.popleft()
        raw = self._file.readline(LONGEST_LINE + 1)
        if not raw:
            return None
        self._number += 1
        self._at += len(raw)
        if len(raw) > LONGEST_LINE:
            self._skip_rest(raw)
            return _Line(self._number, None, self._at)
        if self._number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        return _Line(self._number, _CONTROL.sub("", decoded(raw)), self._at)

    def _skip_rest(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(_HEAD)
            self._at += len(raw)


def said(error: csv.Error) -> str:
    """Return what is wrong with the quotes of a record, and how to write them."""
    text = str(error)
    if "field larger" in text:
        return "a cell is longer than 131,072 characters"
    if "expected after" in text:
        return 'the quotes do not match; write a quote inside a quoted cell twice ("")'
    if "new-line" in text:
        return "a line break stands outside quotes; quote the cell that contains it"
    return text
