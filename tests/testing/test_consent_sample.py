"""The connector by consent that the documentation shows works as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub.connections import consent
from hub.connections.grants import by_consent
from hub.errors import Unauthorized
from hub.nouns import Callback, Connect
from hub.plugins import Plugins
from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import ConsentPeer

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"


@pytest.fixture
def pong(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """Return the connector that the page shows, as the loader finds it."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = (block for block in blocks if "class Pong" in block)
    module = ModuleType("hub_pong")
    monkeypatch.setitem(sys.modules, "hub_pong", module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    found = Plugins([EntryPoint(name="pong", value="hub_pong", group="hub")])
    assert found.plugins["pong"].error == ""
    return found.connector("pong")


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer", secret="pong-secret")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def test_the_connector_of_the_page_goes_all_the_way(pong: type[Any], peer: ConsentPeer) -> None:
    import requests

    settings = {"url": peer.url, "client_id": peer.client, "client_secret": peer.secret}

    def made(**more: str) -> Any:
        return pong(pong.Config.model_validate({**settings, **more}))

    assert by_consent(pong)
    with pytest.raises(Unauthorized):
        made().check()
    connect = Connect(
        redirect_url="https://hub/cb", state="s", challenge=consent.challenge("verifier")
    )
    sent = requests.get(made().authorize(connect), allow_redirects=False, timeout=PATIENCE)
    code = re.search(r"code=([^&]+)", sent.headers["Location"])
    assert code
    back = Callback(code=code[1], verifier="verifier", redirect_url="https://hub/cb")
    grant = made().exchange(back)
    assert (grant.account, grant.scopes) == ("Alpenkraut AG", ("messages", "offline"))
    made(**grant.settings).check()
    renewed = made(**grant.settings).refresh()
    made(**renewed.settings).check()
    assert renewed.settings["access_token"] != grant.settings["access_token"]
