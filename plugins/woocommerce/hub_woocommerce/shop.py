"""A shop's REST API (wc/v3): signed calls, and what its refusals mean."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hub import Http, Rejected, Unauthorized, Unknown

ROOT = "/wp-json/wc/v3"
PAGE = 100
"""The most that WooCommerce gives at once."""
TIMEOUT = (5, 30)
"""Seconds to connect and to read; the first answer of a sleeping shop takes some four."""
LONGEST = 300
"""Letters of a shop's own words that are passed on."""
NO_API = (
    "its permalinks (WordPress > Settings) must not be Plain, and its address has to be the one "
    "under Settings > General"
)
SIGNATURE = (
    "without TLS the address has to be exactly the shop's own, as under WordPress > Settings > "
    "General (Site Address), www and subfolder included; or the consumer secret is wrong"
)
NO_HEADER = (
    "check the consumer key and secret; where they are right, the web server drops the "
    "Authorization header, or WordPress stands behind a proxy and does not know that it is called "
    "by https"
)


class Shop:
    """Ask one shop; values in a query are text, because lists break the signature."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self.url = url
        self.pair = (key, secret)
        self.http = Http(url, User_Agent="lastmile-hub", Accept="application/json")

    def list(self, path: str, **asked: str) -> list[Any]:
        """Return a list; raise `Rejected` where something else came."""
        found = self._call("GET", path, asked)
        if not isinstance(found, list):
            raise Rejected(f"the shop's answer is no list; {NO_API}", "url")
        return found

    def get(self, path: str, **asked: str) -> dict[str, Any]:
        """Return one thing; raise `Rejected` where something else came."""
        found = self._call("GET", path, asked)
        if not isinstance(found, dict):
            raise Rejected(f"the shop's answer is no object; {NO_API}", "url")
        return found

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change one thing, and return it."""
        return changed(self._call("PUT", path, {}, body))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Add one thing, and return it; done twice it is there twice."""
        return changed(self._call("POST", path, {}, body))

    def _call(
        self, method: str, path: str, asked: dict[str, str], body: dict[str, Any] | None = None
    ) -> Any:
        """Send one request and return the JSON that comes back.

        The SDK's own call would look the shop's name up again after it was checked, and go through
        a proxy that the environment names: its signature is used, with the hub's transport.
        """
        named: dict[str, Any] = {"params": asked} if asked else {}
        if body is not None:
            named["json"] = body
        if self.url.startswith("https:"):
            named["auth"] = self.pair
        else:
            named["headers"] = {"Authorization": self._signed(method, path, asked)}
        reply = self.http.request(
            method, ROOT + path, timeout=TIMEOUT, hooks={"response": explain}, **named
        )
        try:
            return reply.json()
        except ValueError as error:
            if is_page(reply) or method == "GET":
                raise Rejected(f"the shop answered with a page; {NO_API}", "url") from error
            raise Unknown("the shop's answer cannot be read, so it may be done or not") from error

    def _signed(self, method: str, path: str, asked: dict[str, str]) -> str:
        from woocommerce.oauth import OAuth

        url = f"{self.url}{ROOT}{path}"
        url = f"{url}?{urlencode(asked)}" if asked else url
        return proof_of(OAuth(url, *self.pair, version="wc/v3", method=method).get_oauth_url())


def proof_of(signed: str) -> str:
    """Return what signs an address as a header, so that no log of addresses keeps the key."""
    told = parse_qsl(urlsplit(signed).query)
    parts = [f'{n}="{quote(v, safe="")}"' for n, v in told if n.startswith("oauth_")]
    return f"OAuth {', '.join(parts)}"


def changed(found: Any) -> dict[str, Any]:
    """Return what a change came to; raise `Unknown` where the answer does not say."""
    if not isinstance(found, dict):
        raise Unknown("the shop's answer is of another shape, so it may be done or not")
    return found


def is_page(reply: Any) -> bool:
    """Say whether a page for people came instead of data."""
    return bool(reply.text.lstrip()[:1] == "<")


def explain(reply: Any, *given: Any, **named: Any) -> None:
    """Raise what a refusal means where WooCommerce says more than its status.

    What is left, such as 429 and 5xx, `hub.Http` judges.
    """
    status = int(reply.status_code)
    if status < 300 or status in (408, 425, 429) or status >= 500:
        return
    host = urlsplit(reply.url).netloc.rpartition("@")[2]
    told = told_by(reply)
    if status in (401, 403):
        refuse_access(host, status, told, page=is_page(reply))
    if status < 400:
        raise Rejected(f"{host} sends calls on to another address; enter that one", "url")
    if is_page(reply) or told.get("code") == "rest_no_route":
        raise Rejected(f"{host} has no WooCommerce REST address there ({status}); {NO_API}", "url")
    raise Rejected(f"{host} refused it ({status}): {words_of(told)}", field_of(told))


def told_by(reply: Any) -> dict[str, Any]:
    """Return the error object of an answer, empty where it holds none."""
    try:
        found = reply.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def words_of(told: dict[str, Any]) -> str:
    """Return an error in the shop's own words, with what it says about each parameter."""
    said = str(told.get("message") or told.get("code") or "it gave no reason")
    return f"{said}: {'; '.join(params_of(told).values())}"[:LONGEST].rstrip(": ")


def params_of(told: dict[str, Any]) -> dict[str, str]:
    """Return what an error says about each parameter, by its name."""
    data = told.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    if isinstance(params, list):  # parameters that are missing come as a list of names
        return {str(name): f"{name} is missing" for name in params}
    return {str(n): str(text) for n, text in params.items()} if isinstance(params, dict) else {}


def field_of(told: dict[str, Any]) -> str | None:
    """Return the first parameter at fault; what was not found is the one that was named."""
    if str(told.get("code", "")).endswith("_invalid_id"):
        return "id"
    return next(iter(params_of(told)), None)


def refuse_access(host: str, status: int, told: dict[str, Any], *, page: bool) -> NoReturn:
    """Raise `Unauthorized` with the shop's words, and what usually lies behind them."""
    code, said = str(told.get("code", "")), words_of(told)
    if page:
        said = "a page came: a firewall or a security plugin keeps the hub out; let it through"
    elif "signature" in said.lower():
        said = f"{said}; {SIGNATURE}"
    elif "write permission" in said.lower():
        said = f"{said}; make a key with Read/Write under WooCommerce > Settings > Advanced"
    elif code.startswith("woocommerce_rest_cannot_"):
        said = f"{said}; {NO_HEADER}" if status == 401 else f"{said}; its user may not do that"
    raise Unauthorized(f"{host} does not accept the credentials ({status}): {said}")
