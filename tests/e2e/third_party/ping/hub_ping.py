"""Text messages through Ping."""

from hub import Channel, Connector, Http, Message, Receipt, Url, hookimpl
from pydantic import BaseModel, Field, SecretStr


class Config(BaseModel):
    url: Url = Field(default="https://api.ping.example/v1", title="Address")
    token: SecretStr = Field(title="API token", description="Ping > Settings > API")


class Ping(Connector[Config]):
    """Sends each message once: Ping drops a repeated idempotency key."""

    name = "ping"
    title = "Ping SMS"
    Config = Config

    def check(self) -> None:
        self.http.get("/account")

    def send(self, message: Message) -> Receipt:
        answer = self.http.post(
            "/messages",
            json={"to": message.to, "text": message.text},
            headers={"Idempotency-Key": message.key},
        )
        return Receipt(ref=answer.json()["id"])

    @property
    def http(self) -> Http:
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")


@hookimpl
def notification_channels() -> list[type[Channel]]:
    return [Ping]
