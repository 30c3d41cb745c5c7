"""The text of a benchmark instance, section by section: VRPLIB (after TSPLIB) and Solomon's."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path

from hub.errors import Refused
from hub.nouns import Window

LATEST = 2**30


@dataclass
class Text:
    """What an instance's file says, its nodes counted from 0."""

    name: str = ""
    """Of the file, as an error says it."""
    fields: dict[str, str] = field(default_factory=dict)
    """`CAPACITY: 200` and such."""
    sections: dict[str, list[list[float]]] = field(default_factory=dict)
    """`DEMAND_SECTION` and such -> its rows."""
    coordinates: list[list[float]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    """From node to node, where these are given instead."""
    depots: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.weights) or len(self.coordinates)

    def number(self, name: str, otherwise: float = 0) -> float:
        """Return the number in a field; raise `Refused` for another text."""
        said = self.fields.get(name, "")
        try:
            found = float(said) if said else otherwise
        except ValueError:
            found = inf
        if not isfinite(found):
            raise Refused(f"{self.name}: {name} is {said!r}, which is no number", "file")
        return found

    def node(self, said: float) -> int:
        """Return a node's index by its number in the file; raise `Refused` where there is none."""
        if said != int(said) or not 1 <= said <= self.size:
            raise Refused(f"{self.name} names node {said:g}, and there are {self.size}", "file")
        return int(said) - 1

    def rows(self, section: str, width: int) -> dict[int, list[float]]:
        """Return the numbers of each node in a section; raise `Refused` where some are missing."""
        found: dict[int, list[float]] = {}
        for row in self.sections[section]:
            if len(row) != width + 1:
                raise Refused(
                    f"{self.name}: a row of {section} has {len(row)} numbers and needs {width + 1}",
                    "file",
                )
            if not all(map(isfinite, row)):
                raise Refused(f"{self.name}: {section} of node {row[0]:g} is no number", "file")
            found[self.node(row[0])] = row[1:]
        for node in set(range(self.size)) - found.keys() - set(self.depots):
            raise Refused(
                f"{self.name} is not whole: {section} says nothing of node {node + 1}", "file"
            )
        return found

    def numbers(self, name: str, scale: int = 1) -> list[int]:
        """Return a number of each node, from a section or one field for all stops, else 0."""
        section = f"{name}_SECTION"
        if section not in self.sections:
            value = round(self.number(name) * scale)
            return [0 if node in self.depots else value for node in range(self.size)]
        found = [0] * self.size
        for node, (said,) in self.rows(section, 1).items():
            if said < 0:
                raise Refused(f"{self.name}: {section} of node {node + 1} is negative", "file")
            found[node] = round(said * scale)
        return found

    def windows(self, scale: int = 1) -> list[Window]:
        """Return the window of each node, an endless one where none is given."""
        found = [(0, LATEST)] * self.size
        if "TIME_WINDOW_SECTION" in self.sections:
            for node, (low, high) in self.rows("TIME_WINDOW_SECTION", 2).items():
                found[node] = (round(low * scale), round(high * scale))
        return found

    def each(self, name: str) -> list[int]:
        """Return a number of each vehicle, or the one of all, or nothing."""
        rows = self.sections.get(f"{name}_SECTION")
        if rows is not None:
            return [round(row[-1]) for row in rows]
        return [round(self.number(name))] if name in self.fields else []


def vrplib(path: Path, words: str) -> Text:
    """Return what a VRPLIB file says; raise `Refused` naming the line that makes no sense."""
    text, section = Text(name=path.name), ""
    for number, line in enumerate(words.splitlines(), 1):
        line = line.strip()
        if not line or line == "EOF":
            continue
        name = line.split(":")[0].strip().upper()
        if ":" in line:
            text.fields[name], section = line.split(":", 1)[1].strip().strip('"'), ""
        elif name.endswith("_SECTION"):
            section = name
            text.sections[section] = []
        elif section:
            try:
                text.sections[section].append([float(word) for word in line.split()])
            except ValueError:
                raise Refused(
                    f"{path.name}, line {number}: {line!r} is no numbers", "file"
                ) from None
        else:
            raise Refused(f"{path.name}, line {number}: {line!r} belongs to nothing", "file")
    settle(path, text)
    return text


def settle(path: Path, text: Text) -> None:
    """Put coordinates, distances and depots of a file where they belong, all of them checked."""
    said = int(text.number("DIMENSION"))
    coordinates = text.sections.get("NODE_COORD_SECTION", [])
    if "EDGE_WEIGHT_SECTION" in text.sections:
        text.weights = square(path, text)
    text.coordinates = [[]] * len(coordinates)
    if not text.size or text.size != said:
        raise Refused(f"{path.name} says it has {said} nodes and names {text.size}", "file")
    if coordinates:
        text.coordinates = [row for _, row in sorted(text.rows("NODE_COORD_SECTION", 2).items())]
    depots = [one for row in text.sections.get("DEPOT_SECTION", [[1]]) for one in row]
    text.depots = [text.node(one) for one in depots if one > 0]
    if not text.depots:
        raise Refused(f"{path.name} names no depot", "file")


def square(path: Path, text: Text) -> list[list[float]]:
    """Return the whole table of an EDGE_WEIGHT_SECTION in any of the usual forms."""
    size = int(text.number("DIMENSION"))
    form = text.fields.get("EDGE_WEIGHT_FORMAT", "FULL_MATRIX").upper()
    cells = [cell for row in text.sections["EDGE_WEIGHT_SECTION"] for cell in row]
    own = "DIAG" in form
    if form == "FULL_MATRIX":
        pairs = [(a, b) for a in range(size) for b in range(size)]
    elif form in ("LOWER_ROW", "LOWER_DIAG_ROW", "UPPER_COL", "UPPER_DIAG_COL"):
        pairs = [(a, b) for a in range(size) for b in range(a + own)]
    elif form in ("UPPER_ROW", "UPPER_DIAG_ROW", "LOWER_COL", "LOWER_DIAG_COL"):
        pairs = [(a, b) for a in range(size) for b in range(a + (not own), size)]
    else:
        raise Refused(f"{path.name}: the form {form} of distances is not known", "file")
    if len(pairs) != len(cells):
        raise Refused(f"{path.name} has {len(cells)} distances and needs {len(pairs)}", "file")
    table = [[0.0] * size for _ in range(size)]
    for (a, b), cell in zip(pairs, cells, strict=True):
        table[a][b] = cell
        if form != "FULL_MATRIX":
            table[b][a] = cell
    return table


def solomon(path: Path, words: str) -> Text:
    """Return what a file in Solomon's form says: seven numbers a node, the depot first."""
    rows = [line.split() for line in words.splitlines()]
    pairs = [row for row in rows if len(row) == 2 and all(map(whole, row))]
    nodes = [[float(word) for word in row] for row in rows if len(row) == 7 and decimal(row)]
    if not pairs or not nodes:
        raise Refused(f"{path.name} is neither a VRPLIB nor a Solomon file", "file")
    text = Text(path.name, fields={"VEHICLES": pairs[0][0], "CAPACITY": pairs[0][1]}, depots=[0])
    text.coordinates = [row[1:3] for row in nodes]
    for name, columns in (
        ("DEMAND_SECTION", (3,)), ("TIME_WINDOW_SECTION", (4, 5)), ("SERVICE_TIME_SECTION", (6,)),
    ):  # fmt: skip
        text.sections[name] = [
            [number, *(row[column] for column in columns)] for number, row in enumerate(nodes, 1)
        ]
    return text


def whole(word: str) -> bool:
    """Say whether a word is a whole number."""
    return word.isdigit()


def decimal(words: list[str]) -> bool:
    """Say whether all words are numbers."""
    try:
        return bool([float(word) for word in words])
    except ValueError:
        return False
