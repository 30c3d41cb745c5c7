"""The tutorial is done as it stands: files written, commands run, words compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.cli.dev import as_installed
from hub.testing import reference
from hub.testing.conformance import ScriptedPeer
from hub.testing.peers import Reply, Request

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "first-connector.md"
PLACE = "https://api.ping.example"
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


@dataclass
class Block:
    """One block of code: its language, the words after that, and what stands in it."""

    language: str
    words: list[str]
    text: str


def blocks() -> Iterator[Block]:
    for language, words, text in FENCE.findall(PAGE.read_text()):
        yield Block(language, words.split(), text)


@pytest.fixture
def ping(tmp_path: Path) -> Iterator[ScriptedPeer]:
    """Return Ping: it answers what the tutorial's connector asks for."""

    def answer(request: Request) -> Reply:
        known = {"/v1/account": Reply(200, {"name": "Ping"}), "/v1/messages": Reply(201, {"id": 7})}
        return known.get(request.path, Reply(404, {}))

    made = ScriptedPeer(tmp_path / "peer")
    made.reply = answer
    made.start()
    yield made
    made.stop()


class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    def __init__(self, folder: Path, ping: ScriptedPeer) -> None:
        self.folder, self.place, self.ping = folder, folder, ping
        self.said = ""

    def do(self, block: Block) -> None:
        """Write a file, run commands, or compare what was said."""
        if block.language == "sh":
            if block.words[:1] == ["run"]:
                self.run(block.text, red="red" in block.words)
        elif block.language == "text":
            self.compare(block.text)
        else:
            path = self.place / block.words[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            here = self.ping.url if path.suffix == ".toml" else PLACE
            path.write_text(block.text.replace(PLACE, here))

    def run(self, text: str, *, red: bool) -> None:
        """Run each line; `cd` is remembered."""
        self.said = ""
        codes = []
        for line in text.splitlines():
            if line.startswith("cd "):
                self.place = self.place / line[3:]
                self.installed()
                continue
            done = subprocess.run(
                line, shell=True, cwd=self.place, env=self.environ(), capture_output=True,
                text=True, timeout=200, check=False,
            )  # fmt: skip
            self.said += done.stdout + done.stderr
            codes.append(done.returncode)
        assert any(codes) == red, self.said

    def compare(self, text: str) -> None:
        """Find every line in what was said, or as a file."""
        for line in text.splitlines():
            words = [word for word in (line, " ".join(line.split())) if word]
            known = " ".join(self.said.split())
            is_file = (self.folder / line).is_file()
            assert is_file or any(word in self.said or word in known for word in words), (
                f"{line!r} was not said: {self.said}"
            )

    def installed(self) -> None:
        """Do what `pip install -e .` is for, without an environment to change."""
        as_installed(self.place, self.folder, {"ping": "hub_ping"})

    def environ(self) -> dict[str, str]:
        """Return the environment of a developer: the hub's commands, and the service allowed."""
        path = os.pathsep.join([str(self.folder), str(self.place)])
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": path,
            "HUB_ALLOW_ADDRESSES": f"127.0.0.1:{self.ping.port}",
        }


def test_the_tutorial_works_as_it_stands(tmp_path: Path, ping: ScriptedPeer) -> None:
    reader = Reader(tmp_path / "reader", ping)
    reader.folder.mkdir()
    done = list(blocks())
    for block in done:
        reader.do(block)
    assert [block.language for block in done].count("python") >= 4
    assert list((reader.place / "dist").glob("hub_ping-*.whl"))
    sent = [request for request in ping.requests if request.path == "/v1/messages"]
    assert [request.key for request in sent] == ["dev:send:1"], "the tests call nobody"
    words = ["mypy", "--strict", "hub_ping"]
    typed = subprocess.run(
        [sys.executable, "-m", *words], cwd=reader.place, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert typed.returncode == 0, typed.stdout


def test_the_hook_reference_is_current() -> None:
    kept = (ROOT / "docs" / "reference" / "hooks.md").read_text()
    assert kept == reference.page(), (
        "run: python -m hub.testing.reference > docs/reference/hooks.md"
    )
