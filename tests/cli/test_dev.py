"""A plugin that is being written is loaded at every save, tested, called and its calls recorded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest
from click.testing import CliRunner

from hub.cli import cli
from hub.testing.conformance import SECRET, ScriptedPeer
from hub.testing.patience import PATIENCE
from hub.testing.peers import Reply, Request


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a new plugin."""
    words = ["plugin", "new", "acme", "--order-source", "--into", str(tmp_path)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    return tmp_path / "acme"


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def once(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", "plugin", "dev", str(folder), "--once", *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


class Loop:
    """`hub plugin dev` as it runs, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", "plugin", "dev", str(folder), "--no-tests"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, said: str, seconds: float = 2 * PATIENCE) -> str:
        """Return the next line that matches."""
        until = time.monotonic() + seconds
        heard = []
        while time.monotonic() < until:
            try:
                heard.append(self.lines.get(timeout=0.2))
            except Empty:
                continue
            if re.search(said, heard[-1]):
                return heard[-1]
        raise AssertionError(f"{said!r} was not said: {heard}")


@pytest.fixture
def loop(folder: Path) -> Iterator[Loop]:
    made = Loop(folder)
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGINT)
        made.process.wait(PATIENCE)


def change(folder: Path, edit: Callable[[str], str]) -> None:
    file, next = folder / "hub_acme" / "__init__.py", folder.parent / "next.py"
    next.write_text(edit(file.read_text()))
    next.replace(file)  # all at once: an empty file would be loaded too


def test_a_save_is_loaded_and_a_mistake_is_named_with_its_line(folder: Path, loop: Loop) -> None:
    loop.until(r"acme +loaded after .*: acme \(order_sources\)")
    change(folder, lambda text: text.replace("order_sources() ->", "order_source() ->"))
    assert "acme implements order_source, which is no hook" in loop.until(r"acme +hub_acme/")
    change(folder, lambda text: text.replace("order_source() ->", "order_sources() ->") + "oops\n")
    loop.until(r"acme +hub_acme/__init__\.py:\d+: NameError: name 'oops' is not defined")
    change(folder, lambda text: text.replace("oops\n", "def oops(:\n"))
    loop.until(r"acme +hub_acme/__init__\.py:\d+: SyntaxError")
    change(folder, lambda text: text.replace("def oops(:\n", ""))
    said = loop.until(r"acme +loaded after")
    print(said)  # the time from save to load, for people; bench/reload.py measures it


def test_two_saves_within_a_second_of_the_same_size_are_both_seen(folder: Path, loop: Loop) -> None:
    loop.until("loaded after")
    for before, after in (("acme", "bcme"), ("bcme", "ccme"), ("ccme", "dcme")):
        old, new = f'name = "{before}"', f'name = "{after}"'
        change(folder, lambda text, old=old, new=new: text.replace(old, new))  # type: ignore[misc]
        loop.until(rf"loaded after .*: {after} \(order_sources\)")


def test_it_ends_with_ctrl_c_and_leaves_no_process(folder: Path, loop: Loop) -> None:
    loop.until("loaded after")
    loop.process.send_signal(signal.SIGINT)
    assert loop.process.wait(PATIENCE) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(loop.process.pid, 0)


PULL = '''
        reply = self.http.get("/orders", params={"since": cursor.value, "key": self.key})
        for one in reply.json()["orders"]:
            yield Order(ref=one["ref"])
        if reply.json()["next"]:
            reply = self.http.get(reply.json()["next"])
            yield Cursor(value=reply.json()["cursor"])

    @property
    def key(self) -> str:
        """The token once more, as some services want it in the address."""
        return self.config.token.get_secret_value()
'''
REPLAYED = '''"""What the shop really answers."""

from hub import Cursor, Order
from hub.testing.recorded import Replay, replay as replay

from hub_acme import Acme, Config


def test_orders_are_read(replay: Replay) -> None:
    shop = Acme(Config(url=replay("pull").url, token="any"))
    read = list(shop.pull(Cursor()))
    assert [one.ref for one in read if isinstance(one, Order)] == ["1001", "1002"]
    assert read[-1] == Cursor(value="c2")
'''


def written(folder: Path) -> None:
    """Write the plugin's one method, and a test that plays a recording."""
    pattern = r"\n +raise NotImplementedError\(.*?\)\n"
    change(folder, lambda text: re.sub(pattern, PULL, text, count=1, flags=re.S))
    (folder / "tests" / "test_acme.py").write_text(REPLAYED)


def shop(peer: ScriptedPeer) -> Callable[[Request], Reply]:
    """Return how a shop with two orders answers, telling its secrets in every way it can."""

    def answer(request: Request) -> Reply:
        if request.path == "/orders":
            data = {
                "orders": [{"ref": "1001"}, {"ref": "1002"}], "next": f"{peer.url}/more?page=2",
                "echo": SECRET, "access_token": "another-9f3a",
            }  # fmt: skip
            return Reply(200, data, {"Set-Cookie": "session=8c1f", "X-Request": SECRET})
        return Reply(200, {"cursor": "c2"})

    return answer


def test_a_call_is_recorded_without_secrets_and_played_back_in_the_plugin_s_tests(
    folder: Path, peer: ScriptedPeer
) -> None:
    written(folder)
    peer.reply = shop(peer)
    (folder / "dev.toml").write_text(f'[settings]\nurl = "{peer.url}"\ntoken = "{SECRET}"\n')
    told = once(folder, "--call", "pull", "--no-tests")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Order(ref='1001'" in told.stdout
    assert "2 exchanges in tests/recorded/pull.json" in told.stdout
    recording = (folder / "tests" / "recorded" / "pull.json").read_text()
    for secret in (SECRET, "8c1f", "another-9f3a"):
        assert secret not in recording + told.stdout
    first = json.loads(recording)["exchanges"][0]
    assert first["request"]["headers"]["Authorization"] == "•••"
    assert first["request"]["path"] == "/orders?since=&key=•••"
    assert json.loads(first["reply"]["body"])["orders"] == [{"ref": "1001"}, {"ref": "1002"}]
    asked = len(peer.requests)
    tested = once(folder)
    assert "1 passed" in tested.stdout, tested.stdout
    assert len(peer.requests) == asked, "the recording is played, nobody is asked"


def test_a_test_that_asks_for_what_was_not_recorded_is_red(
    folder: Path, peer: ScriptedPeer
) -> None:
    written(folder)
    recorded = folder / "tests" / "recorded" / "pull.json"
    recorded.parent.mkdir()
    recorded.write_text('{"exchanges": []}')
    tested = once(folder)
    assert "asked for, but not recorded: pull.json: GET /orders" in tested.stdout
    assert tested.returncode == 1


def test_what_a_call_lacks_is_said(folder: Path) -> None:
    told = once(folder, "--call", "send", "--no-tests")
    assert "acme has no connector with send()" in told.stdout
    told = once(folder, "--call", "check", "--no-tests")
    assert "the setting token: Field required; write it into dev.toml under [settings]" in (
        told.stdout
    )
    assert told.returncode == 1


def test_a_folder_without_a_plugin_is_refused(tmp_path: Path) -> None:
    assert "has no pyproject.toml; begin a plugin with hub plugin new" in once(tmp_path).stderr
