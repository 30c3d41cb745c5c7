"""Shopify's Admin API: GraphQL through the SDK's client on the hub's own transport."""

from __future__ import annotations

from typing import Any

from hub import Http, HubError, Rejected, Retry, Unauthorized


class TooCostly(HubError):
    """Say that one query asks for more than Shopify answers at once."""


class Admin:
    """Ask one shop; nothing of the SDK that is shared between shops is touched."""

    def __init__(self, url: str, version: str, token: str) -> None:
        self.client = client(url, version, token)

    def ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of an answer; a field that may not be seen is null in it."""
        answer = self.client.execute(document, variables)
        if not isinstance(answer, dict):
            raise Rejected("the shop's answer is no GraphQL; check its address", "url")
        data: dict[str, Any] | None = answer.get("data")
        errors = answer.get("errors") or []
        withheld = all(code(error) == "ACCESS_DENIED" for error in errors)
        if data and withheld and None not in data.values():
            return data  # protected customer data is withheld: null, with an error beside it
        if errors:
            raise meaning(errors, answer.get("extensions") or {})
        raise Rejected("the shop answered without data; check its address", "url")


def client(url: str, version: str, token: str) -> Any:
    """Return the SDK's GraphQL client for one shop, with `execute` replaced.

    The SDK's own has no time limit, prints refusals to standard output, returns GraphQL errors as
    if they were answers, and takes address and token from class attributes that all shops share.
    """
    import shopify

    class Client(shopify.GraphQL):  # type: ignore[misc]
        """One shop's client."""

        def __init__(self) -> None:
            self.endpoint = shopify.ApiVersion.coerce_to_version(version).api_path(url)
            self.headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}

        def execute(
            self, query: str, variables: Any = None, operation_name: str | None = None
        ) -> Any:
            """Send one document and return the parsed answer."""
            told = {"query": query, "variables": variables, "operationName": operation_name}
            http = Http(self.endpoint, budget=None, **self.headers)
            try:
                return http.read("/graphql.json", json=told).json()
            except ValueError as error:
                raise Rejected("the shop's answer is no JSON; check its address", "url") from error

    return Client()


def meaning(errors: Any, extensions: dict[str, Any]) -> HubError:
    """Return the hub's word for GraphQL errors, which come with HTTP 200."""
    listed = errors if isinstance(errors, list) else [{"message": str(errors)}]
    codes = {code(error) for error in listed}
    said = "; ".join(str(error.get("message", "")) for error in listed)[:300]
    if "THROTTLED" in codes:
        return Retry(f"Shopify asks to slow down: {said}", after=wait(extensions))
    if "MAX_COST_EXCEEDED" in codes:
        return TooCostly(said)
    if "ACCESS_DENIED" in codes:
        return Unauthorized(f"the app lacks a permission: {said}")
    if "INTERNAL_SERVER_ERROR" in codes:
        return Retry(f"Shopify has a fault: {said}")
    return Rejected(f"Shopify refused the query: {said}")


def code(error: Any) -> str:
    """Return the code of one GraphQL error, or nothing."""
    if not isinstance(error, dict):
        return ""
    return str((error.get("extensions") or {}).get("code", ""))


def wait(extensions: dict[str, Any]) -> float:
    """Return the seconds until the shop's bucket has refilled enough for the same query."""
    cost = extensions.get("cost") or {}
    status = cost.get("throttleStatus") or {}
    lacking = float(cost.get("requestedQueryCost", 0)) - float(status.get("currentlyAvailable", 0))
    return max(1.0, lacking / float(status.get("restoreRate") or 50))
