"""A WooCommerce shop's REST API (wc/v3) as far as orders, notes, refunds and webhooks go."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.testing.peers import woocommerce_orders as shapes
from hub.testing.peers.server import Peer, Reply, Request
from hub.testing.peers.woocommerce_access import Refusal, identify
from hub.testing.peers.woocommerce_hooks import Hooks

ROOT = "/wp-json/wc/v3"
ORDER = re.compile(r"/orders/(\d+)(?:/(notes|refunds))?")
WEBHOOK = re.compile(r"/webhooks/(\d+)")
PAGE = b"<!DOCTYPE html><html lang=en><title>Page not found</title><h1>Oops!</h1></html>"
MOST_IN_BATCH = 100


class WooCommercePeer(Peer):
    """A shop that knows one key. A POST done twice makes two, as there.

    What a real one refuses is refused in the recorded words: signatures that do not hold, statuses
    and sizes of pages that there are not. `modified_after` leaves out its own second. Writes bump
    `date_modified` and put webhooks in a queue; `work_off` sends them, each with the order as it
    is by then. `POST /control` with `{"deliver": true}` does the same from another process.
    """

    service = "woocommerce"
    key, secret = "ck_demo", "cs_demo"

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        home: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.notes: dict[int, list[dict[str, Any]]] = {}
        self.refunds: dict[int, list[dict[str, Any]]] = {}
        self.statuses = list(shapes.STATUSES)
        self.permission = "read_write"
        """What the key may do: `read_write` or `read`."""
        self.plain = False
        """Whether permalinks are Plain, so that there is no REST address."""
        self.gmt_offset = timedelta(0)
        self.now = now or (lambda: datetime.now(UTC))
        self.nonces: set[str] = set()
        self.ids = 10
        super().__init__(directory, port)
        self.home = home or self.url
        """The address that the shop believes to have; signatures are checked against it."""
        self.hooks = Hooks(self)

    def new_id(self) -> int:
        """Return the next id; all kinds of things share one sequence."""
        self.ids += 1
        return self.ids

    def sell(self, **values: Any) -> dict[str, Any]:
        """Let somebody buy something: add an order as the shop itself does, and return it."""
        return self.add_order({"status": "processing", **values})

    def change(self, id: int, **values: Any) -> dict[str, Any]:
        """Let somebody in the shop change an order."""
        return self.apply(self.orders[id], values)

    def work_off(self) -> int:
        """Send what waits of webhooks, as WordPress's own queue does; return how many were sent."""
        return self.hooks.work_off()

    def handle(self, request: Request) -> Reply | None:
        """Answer one request; what was asked to be delivered is sent once it is answered."""
        deliver = request.path == "/control" and b'"deliver"' in request.body
        reply = super().handle(request)
        self.hooks.ping()
        if deliver:
            self.work_off()
        return reply

    def answer(self, request: Request) -> Reply:
        """Answer one call of the API."""
        if self.plain or not request.path.startswith(ROOT):
            return Reply(404, headers={"Content-Type": "text/html; charset=UTF-8"}, content=PAGE)
        path = request.path.removeprefix(ROOT)
        try:
            identify(self, request)
            return self.route(request, path)
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body)

    def route(self, request: Request, path: str) -> Reply:
        """Return the answer of one route; raise `Refusal`."""
        if path == "/orders":
            return (
                self.list_orders(request) if request.method == "GET" else self.post_order(request)
            )
        if path == "/orders/batch":
            return self.batch(
                request, self.add_order, self.change_order, self.delete_order, "order"
            )
        found = ORDER.fullmatch(path)
        if found:
            return self.one_order(request, int(found.group(1)), found.group(2) or "")
        if path == "/webhooks":
            return self.hooks.answer(request)
        if path == "/webhooks/batch":
            hooks = self.hooks
            return self.batch(request, hooks.add, hooks.change, hooks.delete, "webhook")
        hook = WEBHOOK.fullmatch(path)
        if hook:
            return self.hooks.answer_one(request, int(hook.group(1)))
        raise Refusal(
            404, "rest_no_route", "No route was found matching the URL and request method."
        )

    def list_orders(self, request: Request) -> Reply:
        """Return a page of orders, and in headers how many there are."""
        asked = shapes.Query.of(request.query, self.statuses)
        found = asked.among(list(self.orders.values()), self.gmt_offset)
        page = found[asked.start : asked.start + asked.per_page]
        return self.listed([shapes.trimmed(one, request.query) for one in page], len(found), asked)

    def listed(self, page: list[Any], total: int, asked: shapes.Query) -> Reply:
        """Return a page with the headers that count."""
        pages = -(-total // asked.per_page)
        headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(pages)}
        return Reply(200, headers=headers, content=json.dumps(page, default=str).encode())

    def post_order(self, request: Request) -> Reply:
        """Add an order."""
        made = self.add_order(body_of(request))
        return Reply(201, made, kind="order", sent={"order": made["id"]})

    def one_order(self, request: Request, id: int, part: str) -> Reply:
        """Return, change or delete an order, or what belongs to it."""
        order = self.orders.get(id)
        if order is None:
            raise Refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        if part == "notes":
            return self.answer_notes(request, id)
        if part == "refunds":
            return self.listed(self.refunds.get(id, []), 0, shapes.Query())
        if request.method == "PUT":
            made = self.change_order({"id": id, **body_of(request)})
            return Reply(200, made, kind="change", sent={"order": id, "body": body_of(request)})
        if request.method == "DELETE":
            force = request.query.get("force") == "true"
            return Reply(200, self.delete_order(id, force=force), kind="delete", sent={"order": id})
        return Reply(200, shapes.trimmed(order, request.query))

    def answer_notes(self, request: Request, order: int) -> Reply:
        """List an order's notes, newest first, or add one."""
        known = self.notes.setdefault(order, [])
        if request.method == "GET":
            return self.listed(known[::-1], len(known), shapes.Query())
        told = body_of(request)
        if not told.get("note"):
            raise shapes.missing("note")
        seen = told.get("customer_note", False)
        if not isinstance(seen, bool):
            raise shapes.invalid("customer_note", "customer_note is not of type boolean.")
        made = self.add_note(order, str(told["note"]), seen=seen)
        return Reply(201, made, kind="note", sent={"order": order, **told})

    def add_note(self, order: int, text: str, *, seen: bool = False) -> dict[str, Any]:
        """Add a note; it does not bump the order's `date_modified`."""
        made = shapes.note(self.new_id(), order, text, seen, self.now(), self.home)
        self.notes.setdefault(order, []).append(made)
        return made

    def add_order(self, told: dict[str, Any]) -> dict[str, Any]:
        """Add an order; done twice it is there twice."""
        shapes.check(told, self.statuses)
        order = shapes.blank(self.new_id(), self)
        self.orders[order["id"]] = order
        shapes.write(order, told, self)
        self.hooks.queue("order.created", order["id"])
        self.hooks.queue("order.updated", order["id"])
        return order

    def change_order(self, told: dict[str, Any]) -> dict[str, Any]:
        """Change an order by its id; raise `Refusal`."""
        order = self.orders.get(int(told.get("id", 0)))
        if order is None:
            raise Refusal(400, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        values = {name: value for name, value in told.items() if name != "id"}
        shapes.check(values, self.statuses)
        return self.apply(order, values)

    def apply(self, order: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Write values to an order; it was changed by that, whatever they are."""
        before = order["status"]
        shapes.write(order, values, self)
        if order["status"] != before:
            text = f"Order status changed from {before} to {order['status']}."
            self.add_note(order["id"], text)
        self.hooks.queue("order.updated", order["id"])
        return order

    def delete_order(self, id: int, *, force: bool = True) -> dict[str, Any]:
        """Delete an order for good, or move it to the trash."""
        order = self.orders.get(int(id))
        if order is None:
            raise Refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        if force:
            del self.orders[int(id)]
        else:
            shapes.write(order, {"status": "trash"}, self)
        self.hooks.queue("order.deleted", int(id))
        return order

    def refund(self, id: int, line: int, quantity: int, amount: str) -> None:
        """Let somebody in the shop take a part of an order back."""
        made = shapes.refund(self.new_id(), line, quantity, amount, self.now())
        self.refunds.setdefault(id, []).append(made)
        told = {"id": made["id"], "reason": "", "total": f"-{amount}"}
        self.orders[id]["refunds"].append(told)
        self.apply(self.orders[id], {})

    def batch(
        self,
        request: Request,
        create: Callable[[dict[str, Any]], dict[str, Any]],
        update: Callable[[dict[str, Any]], dict[str, Any]],
        delete: Callable[[int], dict[str, Any]],
        kind: str,
    ) -> Reply:
        """Do many things; what becomes of each stands inside an answer of 200."""
        told = body_of(request)
        count = sum(len(told.get(name) or []) for name in ("create", "update", "delete"))
        if count > MOST_IN_BATCH:
            said = f"Unable to accept more than {MOST_IN_BATCH} items for this request."
            raise Refusal(413, "woocommerce_rest_request_entity_too_large", said)
        done: dict[str, Any] = {}
        for name, act in (("create", create), ("update", update), ("delete", delete)):
            for item in told.get(name) or []:
                done.setdefault(name, []).append(tried(act, item))
        return Reply(200, done, kind=f"{kind} batch", sent={"body": told})


def tried(act: Callable[[Any], dict[str, Any]], item: Any) -> dict[str, Any]:
    """Return what came of one item of a batch: the thing, or its id with an error."""
    try:
        return act(item)
    except Refusal as refusal:
        id = item.get("id", 0) if isinstance(item, dict) else item
        return {"id": id, "error": refusal.body}


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; raise `Refusal` where it is none."""
    try:
        found = request.json()
    except ValueError:
        raise Refusal(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return found if isinstance(found, dict) else {}
