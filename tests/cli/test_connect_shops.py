"""Shops are connected from the terminal: Shopify by a token, WooCommerce by its keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlmodel import select

from hub.cli import setup
from hub.hub import Hub
from hub.store import ConnectionRow
from hub.testing.fixtures import World
from tests import needs

pytestmark = needs.plugins("shopify", "woocommerce")

Connect = Callable[..., Result]
PLACE = {
    "first_name": "Anna", "last_name": "Beck", "address_1": "Städtle 49", "city": "Vaduz",
    "postcode": "9490", "country": "LI",
}  # fmt: skip


def peer(name: str, kind: str, folder: Path) -> Any:
    """Return a service that answers like the one of this name."""
    module = pytest.importorskip(f"hub.testing.peers.{name}")
    return getattr(module, kind)(folder / name)


def in_use(hub: Hub, merchant: str) -> list[str]:
    with hub.store.read() as session:
        rows = session.exec(select(ConnectionRow).where(ConnectionRow.merchant == merchant))
        return [row.connector for row in rows if row.enabled and row.state == "healthy"]


def test_shopify_is_connected_by_its_token(
    hub: Hub, world: World, run: Connect, serve: Callable[..., None], given: Path, tmp_path: Path
) -> None:
    shop = peer("shopify", "ShopifyPeer", tmp_path)
    serve(shop)
    (given / "token").write_text(shop.token)
    words = ("connect", "shopify", "--url", shop.url, "--set-file", f"token={given / 'token'}")
    done = run(*words, "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["ok"], told["test"]["ok"], "would" in told) == (True, True, True)
    assert in_use(hub, world.merchant) == ["shopify"]
    assert shop.token not in done.output
    (given / "token").write_text("shpat_of_another_shop")
    refused = run(*words, "--yes")
    assert refused.exit_code in (setup.UNTESTED, setup.LEFT)
    assert "in use" not in refused.stdout


def test_woocommerce_is_connected_by_its_keys(
    hub: Hub, world: World, run: Connect, serve: Callable[..., None], given: Path, tmp_path: Path
) -> None:
    shop = peer("woocommerce", "WooCommercePeer", tmp_path)
    serve(shop)
    shop.sell(billing=PLACE, shipping=PLACE)
    (given / "secret").write_text(shop.secret)
    (given / "key").write_text(shop.key)
    words = ("connect", "woocommerce", "--url", shop.url, "--set-file", f"key={given / 'key'}",
             "--set-file", f"secret={given / 'secret'}")  # fmt: skip
    done = run(*words, "--yes")
    assert done.exit_code == 0, done.output
    assert "Anna Beck" in done.stdout
    assert "1 new" in done.stdout
    assert in_use(hub, world.merchant) == ["woocommerce"]
    (given / "secret").write_text("cs_of_another_shop")
    assert run(*words, "--yes").exit_code == 3
