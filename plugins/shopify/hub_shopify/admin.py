"""Shopify's Admin API: GraphQL through the SDK's client on the hub's own transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub import Http, HubError, Rejected, Retry, Unauthorized, Unknown
from hub_shopify.sign_in import Access

Path = tuple[str | int, ...]


class TooCostly(HubError):
    """Say that one query asks for more than Shopify answers at once."""


class UserError(Rejected):
    """Say what Shopify has against a change, in its own words and with its own field."""


@dataclass(frozen=True)
class Pace:
    """What a query was reckoned at, and what is left of the app's points in this shop."""

    cost: float = 0.0
    left: float = 0.0
    rate: float = 50.0
    """Points that come back in a second."""

    @classmethod
    def of(cls, extensions: Any) -> Pace:
        """Read what stands beside every answer; where nothing does, nothing has to wait."""
        cost = extensions.get("cost") if isinstance(extensions, dict) else None
        if not isinstance(cost, dict) or not isinstance(cost.get("throttleStatus"), dict):
            return cls()
        status = cost["throttleStatus"]
        return cls(
            float(cost.get("requestedQueryCost") or 0),
            float(status.get("currentlyAvailable") or 0),
            float(status.get("restoreRate") or 50),
        )

    def wait(self) -> float:
        """Return the seconds until the same query can be paid for; 0 where it can be now."""
        return max(0.0, (self.cost - self.left) / self.rate)


@dataclass(frozen=True)
class Answer:
    """What was answered, what was kept back in it, and what it cost."""

    data: dict[str, Any]
    withheld: tuple[Path, ...] = ()
    """Where a field is null only because this app may not see it."""
    pace: Pace = Pace()


class Admin:
    """Ask one shop; nothing of the SDK that is shared between shops is touched."""

    def __init__(self, url: str, version: str, access: Access) -> None:
        self.client = client(url, version, access)

    def ask(self, document: str, variables: dict[str, Any]) -> Answer:
        """Return the answer to a query; a field that may not be seen is null in it."""
        answer = self.client.execute(document, variables)
        if not isinstance(answer, dict):
            raise Rejected("the shop's answer is no GraphQL; check its address", "url")
        data, errors = answer.get("data"), answer.get("errors") or []
        if errors:
            partial = isinstance(data, dict) and data and None not in data.values()
            if not partial or not all(code(error) == "ACCESS_DENIED" for error in listed(errors)):
                raise meaning(errors, answer.get("extensions"))
        if not isinstance(data, dict):
            raise Rejected("the shop answered without data; check its address", "url")
        paths = tuple(tuple(error.get("path") or ()) for error in listed(errors))
        return Answer(data, paths, Pace.of(answer.get("extensions")))

    def change(self, document: str, variables: dict[str, Any], name: str) -> dict[str, Any]:
        """Make a change and return what mutation `name` answers; raise `UserError` for a refusal.

        A reply that is lost, or cannot be understood, is `Unknown`: look before doing it again.
        """
        answer = self.client.execute(document, variables, reads=False)
        errors = answer.get("errors") if isinstance(answer, dict) else None
        if errors:
            raise meaning(errors, answer.get("extensions"), reads=False)
        data = answer.get("data") if isinstance(answer, dict) else None
        made = data.get(name) if isinstance(data, dict) else None
        if not isinstance(made, dict):
            raise Unknown(f"Shopify did not say what became of {name}")
        refused = made.get("userErrors") or []
        if refused:
            said = "; ".join(str(one.get("message", "")) for one in refused)[:300]
            field = ".".join(str(part) for part in refused[0].get("field") or [])
            raise UserError(f"Shopify refused it: {said}", field or None)
        return made


def client(url: str, version: str, access: Access) -> Any:
    """Return the SDK's GraphQL client for one shop, with `execute` replaced.

    The SDK's own has no time limit, prints refusals to standard output, returns GraphQL errors as
    if they were answers, and takes address and token from class attributes that all shops share.
    """
    import shopify

    class Client(shopify.GraphQL):  # type: ignore[misc]
        """One shop's client."""

        def __init__(self) -> None:
            self.endpoint = shopify.ApiVersion.coerce_to_version(version).api_path(url)

        def execute(
            self,
            query: str,
            variables: Any = None,
            operation_name: str | None = None,
            *,
            reads: bool = True,
        ) -> Any:
            """Send one document and return the parsed answer."""
            told = {"query": query, "variables": variables, "operationName": operation_name}
            token = access.token()
            try:
                return sent(self.endpoint, told, token, reads)
            except Unauthorized:
                newer = access.again(token)
                if not newer:
                    raise
                return sent(self.endpoint, told, newer, reads)  # of the first, nothing was done

    return Client()


def sent(endpoint: str, told: dict[str, Any], token: str, reads: bool) -> Any:
    """Send one document with a token; return the parsed answer."""
    http = Http(endpoint, X_Shopify_Access_Token=token, Accept="application/json")
    reply = http.request("POST", "/graphql.json", reads=reads, json=told)
    try:
        return reply.json()
    except ValueError as error:
        if not reads:
            raise Unknown("the shop's answer to a change is no JSON") from error
        raise Rejected("the shop's answer is no JSON; check its address", "url") from error


def listed(errors: Any) -> list[dict[str, Any]]:
    """Return GraphQL errors as a list of objects, whatever came."""
    found = errors if isinstance(errors, list) else [errors]
    return [one if isinstance(one, dict) else {"message": str(one)} for one in found]


def meaning(errors: Any, extensions: Any, *, reads: bool = True) -> HubError:
    """Return the hub's word for GraphQL errors, which come with HTTP 200."""
    found = listed(errors)
    codes = {code(error) for error in found}
    said = "; ".join(str(error.get("message", "")) for error in found)[:300]
    if "THROTTLED" in codes:
        return Retry(
            f"Shopify asks to slow down: {said}", after=max(1.0, Pace.of(extensions).wait())
        )
    if "MAX_COST_EXCEEDED" in codes:
        return TooCostly(said)
    if "ACCESS_DENIED" in codes:
        return Unauthorized(f"the app lacks a permission: {said}")
    if "SHOP_INACTIVE" in codes:
        return Unauthorized(f"the shop is closed or frozen: {said}")
    if "INTERNAL_SERVER_ERROR" in codes:
        said = f"Shopify has a fault: {said}"
        return Retry(said) if reads else Unknown(said)
    return Rejected(f"Shopify refused the query: {said}")


def code(error: Any) -> str:
    """Return the code of one GraphQL error, or nothing."""
    told = error.get("extensions") if isinstance(error, dict) else None
    return str(told.get("code", "")) if isinstance(told, dict) else ""
