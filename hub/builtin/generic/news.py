"""What happens to an order, posted to the system that it came from, signed and once per key."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hub import DeliveryStatus, Http, Receipt
from hub.builtin.generic.settings import Config

SILENT = "no address for news"
UNWANTED = "this news is not asked for"


def tell(status: DeliveryStatus, config: Config) -> Receipt:
    """Post one piece of news; `webhook-id` is its key, the same when it is repeated."""
    if not config.news_url:
        return Receipt(detail=SILENT)
    if config.news_statuses and status.status not in config.news_statuses:
        return Receipt(detail=UNWANTED)
    body = envelope(status)
    Http(config.news_url).post(
        config.news_url, data=body, headers=headers(status.key, body, config)
    )
    return Receipt(ref=status.key, detail=f"{len(body):,} bytes sent")


def envelope(status: DeliveryStatus) -> bytes:
    """Return what is posted: `type`, `timestamp` and `data`, as docs/connectors/generic.md says."""
    told = status.model_dump(mode="json", exclude={"status", "at"})
    data = {**told, "status": status.status, "at": status.at.isoformat()}
    whole = {
        "type": f"delivery.{status.status}", "timestamp": status.at.isoformat(), "data": data,
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def headers(key: str, body: bytes, config: Config) -> dict[str, str]:
    """Return the headers that show who we are and which news it is."""
    secret, at = config.news_secret.get_secret_value(), datetime.now(UTC)
    sent = {
        "Content-Type": "application/json", "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
    }  # fmt: skip
    if config.news_auth == "bearer":
        return {**sent, "Authorization": f"Bearer {secret}"}
    if config.news_auth == "header":
        return {**sent, config.news_header: secret}
    from standardwebhooks.webhooks import Webhook as Signer

    return {**sent, "webhook-signature": Signer(secret).sign(key, at, body.decode())}
