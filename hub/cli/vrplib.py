"""The text of a benchmark instance, section by section: VRPLIB (after TSPLIB) and Solomon's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import Refused
from hub.nouns import Window

LATEST = 2**30


@dataclass
class Text:
    """What an instance's file says, its nodes counted from 0."""

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

    def numbers(self, name: str, scale: int = 1) -> list[int]:
        """Return a number of each node, from a section or one field for all stops, else 0."""
        rows = self.sections.get(f"{name}_SECTION")
        if rows is None:
            value = round(float(self.fields.get(name, 0)) * scale)
            return [0 if node in self.depots else value for node in range(self.size)]
        found = [0] * self.size
        for row in rows:
            found[int(row[0]) - 1] = round(row[1] * scale)
        return found

    def windows(self, scale: int = 1) -> list[Window]:
        """Return the window of each node, an endless one where none is given."""
        found = [(0, LATEST)] * self.size
        for node, low, high in self.sections.get("TIME_WINDOW_SECTION", []):
            found[int(node) - 1] = (round(low * scale), round(high * scale))
        return found

    def each(self, name: str) -> list[int]:
        """Return a number of each vehicle, or the one of all, or nothing."""
        rows = self.sections.get(f"{name}_SECTION")
        if rows is not None:
            return [round(row[-1]) for row in rows]
        return [round(float(self.fields[name]))] if name in self.fields else []


def vrplib(path: Path, words: str) -> Text:
    """Return what a VRPLIB file says; raise `Refused` naming the line that makes no sense."""
    text, section = Text(), ""
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
    text.coordinates = [row[1:3] for row in text.sections.get("NODE_COORD_SECTION", [])]
    if "EDGE_WEIGHT_SECTION" in text.sections:
        text.weights = square(path, text)
    depots = [int(one) for row in text.sections.get("DEPOT_SECTION", [[1]]) for one in row]
    text.depots = [one - 1 for one in depots if one > 0]
    said = int(float(text.fields.get("DIMENSION", 0)))
    if not text.size or text.size != said:
        raise Refused(f"{path.name} says it has {said} nodes and names {text.size}", "file")
    return text


def square(path: Path, text: Text) -> list[list[float]]:
    """Return the whole table of an EDGE_WEIGHT_SECTION in any of the usual forms."""
    size = int(text.fields.get("DIMENSION", 0))
    form = text.fields.get("EDGE_WEIGHT_FORMAT", "FULL_MATRIX").upper()
    cells = [cell for row in text.sections["EDGE_WEIGHT_SECTION"] for cell in row]
    own = "DIAG" in form
    if form == "FULL_MATRIX":
        pairs = [(a, b) for a in range(size) for b in range(size)]
    elif form.startswith("LOWER"):
        pairs = [(a, b) for a in range(size) for b in range(a + own)]
    elif form.startswith("UPPER"):
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
    text = Text(fields={"VEHICLES": pairs[0][0], "CAPACITY": pairs[0][1]}, depots=[0])
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
