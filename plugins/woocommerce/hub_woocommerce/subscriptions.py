"""The shop's own webhooks: made once each, mended where WordPress switched them off."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from hub import Rejected, Subscribed
from hub_woocommerce.shop import PAGE, Shop

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
PATH = "/webhooks"
MOST_PAGES = 20
"""Pages of webhooks that are looked through; a shop has a handful."""
PORTS = (80, 443, 8080)
"""WordPress sends to no others."""
BACK_FILL = "what was missed meanwhile comes with the next reading, which begins at once"


@dataclass
class Work:
    """What has to be done about the webhooks of one address."""

    missing: list[str] = field(default_factory=list)
    """Topics."""
    mends: list[dict[str, Any]] = field(default_factory=list)
    surplus: list[int] = field(default_factory=list)

    @property
    def woken(self) -> int:
        """How many are switched on again."""
        return sum("status" in one for one in self.mends)


@dataclass(frozen=True)
class Subscription:
    """The webhooks that send a shop's orders to one address of one connection."""

    shop: Shop
    url: str
    secret: str

    def ensure(self) -> Subscribed:
        """Make sure that every webhook is there, active and signed with the secret, each once.

        What an earlier try has made is found again by topic and address, so that a lost answer
        makes no second one.
        """
        known = [one for one in self.listed() if self.is_own(one)]
        work = self.work(known)
        for topic in work.missing:
            told = {"name": self.name(topic), "topic": topic, "status": "active"}
            self.shop.post(PATH, {**told, "delivery_url": self.url, "secret": self.secret})
        faults = self.mend(work)
        said = summary(work) + warnings(self.url)
        if faults:
            raise Rejected(f"{said}; but {'; '.join(faults)}", "webhooks")
        return Subscribed(detail=said, mended=bool(work.missing or work.woken))

    def remove(self) -> None:
        """Delete the webhooks of this connection, at whatever host it lay; no others."""
        own = [int(one["id"]) for one in self.listed() if self.is_own(one)]
        faults = self.mend(Work(surplus=own))
        if faults:
            raise Rejected("; ".join(faults), "webhooks")

    def listed(self) -> list[dict[str, Any]]:
        """Return all webhooks of the shop, page after page."""
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            asked = {"per_page": str(PAGE), "page": str(page), "orderby": "id", "order": "asc"}
            came = self.shop.list(PATH, **asked)
            found += [one for one in came if isinstance(one, dict) and one.get("id")]
            if len(came) < PAGE:
                break
        return found

    def is_own(self, webhook: dict[str, Any]) -> bool:
        """Say whether a webhook sends orders to this connection, at this host or a former one.

        The last part of the path is the address's secret; what stands before names the connection.
        """
        theirs = str(webhook.get("delivery_url", ""))
        return webhook.get("topic") in TOPICS and (
            theirs == self.url or (stem(theirs) == stem(self.url) and named_by_us(webhook))
        )

    def work(self, known: list[dict[str, Any]]) -> Work:
        """Return what has to be done, given the webhooks of this connection."""
        work = Work()
        for topic in TOPICS:
            fit = [w for w in known if w["topic"] == topic and w.get("delivery_url") == self.url]
            fit.sort(key=lambda one: (one.get("status") != "active", int(one["id"])))
            work.missing += [] if fit else [topic]
            work.surplus += [int(one["id"]) for one in fit[1:]]
            work.mends += [mend for one in fit[:1] if (mend := self.mended(one))]
        work.surplus += [int(w["id"]) for w in known if w.get("delivery_url") != self.url]
        return work

    def mended(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """Return the change that a webhook needs, empty where it needs none.

        The secret cannot be read, so that a mark of it stands in the name.
        """
        change: dict[str, Any] = {}
        if webhook.get("status") != "active":
            change["status"] = "active"
        if webhook.get("name") != self.name(str(webhook["topic"])):
            change |= {"name": self.name(str(webhook["topic"])), "secret": self.secret}
        return {"id": int(webhook["id"]), **change} if change else {}

    def mend(self, work: Work) -> list[str]:
        """Change and delete in one call; return what the shop refused, item by item.

        A batch answers 200 whatever became of its items.
        """
        told = {"update": work.mends, "delete": work.surplus}
        body = {name: items for name, items in told.items() if items}
        if not body:
            return []
        reply = self.shop.post(f"{PATH}/batch", body)
        return [said for name in body for said in faults_of(reply.get(name), name)]

    def name(self, topic: str) -> str:
        """Return what a webhook is called in the shop's own list."""
        mark = hashlib.sha256(f"{self.url}\n{self.secret}".encode()).hexdigest()[:8]
        return f"Lastmile Hub {topic} ({mark})"


def stem(url: str) -> str:
    """Return the path of an address without its last part."""
    return urlsplit(url).path.rpartition("/")[0]


def named_by_us(webhook: dict[str, Any]) -> bool:
    """Say whether a webhook has a name that the hub gives."""
    return str(webhook.get("name", "")).startswith("Lastmile Hub ")


def faults_of(items: Any, verb: str) -> list[str]:
    """Return in words which items of a batch were refused; what is gone already is no fault."""
    found = []
    for item in items if isinstance(items, list) else []:
        error = item.get("error") if isinstance(item, dict) else None
        if not isinstance(error, dict):
            continue
        if verb == "delete" and str(error.get("code", "")).endswith("_invalid_id"):
            continue
        found.append(
            f"webhook {item.get('id')} refused to {verb}: {error.get('message', '')}"[:200]
        )
    return found


def summary(work: Work) -> str:
    """Return in words what was done."""
    renamed = len(work.mends) - work.woken
    parts = [
        f"{len(work.missing)} made" if work.missing else "",
        f"{work.woken} switched on again" if work.woken else "",
        f"{renamed} given the secret" if renamed else "",
        f"{len(work.surplus)} that were no longer needed deleted" if work.surplus else "",
    ]
    said = ", ".join(part for part in parts if part)
    if not said:
        return f"all {len(TOPICS)} webhooks are there and active"
    return f"webhooks: {said}; {BACK_FILL}" if work.missing or work.woken else f"webhooks: {said}"


def warnings(url: str) -> str:
    """Return what keeps WordPress from sending to an address, as far as the address tells."""
    from ipaddress import ip_address

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    try:
        private = not ip_address(host).is_global
    except ValueError:
        private = host == "localhost" or "." not in host
    said = ""
    if port not in PORTS:
        said += f". WordPress sends to the ports 80, 443 and 8080 only, so nothing comes to {port}"
    if private:
        said += f". WordPress sends to no private address, so nothing comes to {host}"
    return f"{said}; orders are read every 15 minutes all the same" if said else ""
