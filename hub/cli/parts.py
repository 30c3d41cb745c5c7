"""What a new plugin can be, one part for each flag of `hub plugin new`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """One thing that a plugin can bring, as it is begun; texts may name {klass} and {name}."""

    what: str
    """What the flag stands for, to be read after *It brings*."""
    code: str
    """The methods of the connector, or functions and classes of the module."""
    verb: str
    """What the test that is red at first is named after."""
    test: str
    """What that test does; `made` is the connector."""
    hook: str = ""
    """The hook that returns it; traits of a connector have none."""
    returns: str = ""
    """What the list holds that the hook returns."""
    given: str = ""
    """What the hook returns in its list."""
    place: Literal["connector", "module"] = "connector"
    uses: str = ""
    """The names of `hub` that the code uses."""
    needs: str = ""
    """Lines that the module imports besides."""
    settings: str = ""
    """Fields of the settings."""
    config: str = ""
    """What the test sets for them, after a comma."""
    tested: str = ""
    """The names of `hub` that the test uses."""
    borrowed: str = ""
    """The names of the module that the test uses, for a part of the module."""
    kit: str = ""
    """The names of the kit that the test uses."""
    also: str = ""
    """Lines that the test's module imports besides."""


def unwritten(what: str, indent: int = 8) -> str:
    """Return the line by which a part says that it is not written."""
    text = f'raise NotImplementedError("write {what}; its docstring says what it has to do")'
    return " " * indent + text + "\n"


def capability(
    hook: str, protocol: str, method: str, todo: str, test: str, uses: str, **more: str
) -> Part:
    """Return the part of a connector class that a hook returns."""
    verb = method.partition("(")[0]
    code = f'    def {method}:\n        """{todo}."""\n' + unwritten(f"{{klass}}.{verb}")
    what = f"{'an' if protocol[0] in 'AEIOU' else 'a'} {protocol}"
    return Part(
        what, code, verb, test, hook, f"type[{protocol}]", "{klass}",
        uses=f"{protocol} {uses}", **more,  # type: ignore[arg-type]
    )  # fmt: skip


ITERATOR = "from collections.abc import Iterator"
WEBHOOK = '''\
    def receive(self, request: Incoming) -> Delivery:
        """Check the signature over request.body with hmac; raise Unauthorized, or name it."""
{receive}
    def unpack(
        self, request: Incoming
    ) -> Iterator[Order | Cancelled | RefusedRow | DevicePosition]:
        """Yield what a request that was let in tells: Orders, or Cancelled for one called off."""
{unpack}'''.format(receive=unwritten("{klass}.receive"), unpack=unwritten("{klass}.unpack"))
NEWS = '''\
    def tell(self, status: DeliveryStatus) -> Receipt:
        """Pass status on, once per status.key; news comes in any order: look what is there."""
{tell}'''.format(tell=unwritten("{klass}.tell"))
NEWS_TEST = """\
        told = DeliveryStatus(
            key="run:step:1", order="1001", status="delivered", at=datetime.now(UTC)
        )
        made.tell(told)
"""
SETTING_UP = '''\
    def subscribe(self, hook: Hook) -> Subscribed:
        """Make the webhooks that are missing at the service, each once, all to hook.url."""
{subscribe}
    def unsubscribe(self, hook: Hook) -> None:
        """Take back what subscribe made; what is gone already is no error."""
{unsubscribe}'''.format(
    subscribe=unwritten("{klass}.subscribe"), unsubscribe=unwritten("{klass}.unsubscribe")
)
SETTING_UP_TEST = """\
        hook = Hook(url="https://hub.example/hooks/1/x", secret="s")
        made.subscribe(hook)
        made.unsubscribe(hook)
"""
REPORTS = '''\
    def reports(self, cursor: Cursor) -> Iterator[DeliveryReport | InboundText | Cursor]:
        """Ask what became of messages since cursor.value; yield that, then the next Cursor."""
{reports}'''.format(reports=unwritten("{klass}.reports"))
OAUTH = '''\
    def authorize(self, connect: Connect) -> str:
        """Return the address of the consent page, with connect's redirect, state, challenge."""
{authorize}
    def exchange(self, callback: Callback) -> Grant:
        """Give callback.code and callback.verifier for tokens; name the settings they fill."""
{exchange}
    def refresh(self) -> Grant:
        """Renew the tokens with the refresh token; raise Unauthorized when consent is gone."""
{refresh}'''.format(
    authorize=unwritten("{klass}.authorize"),
    exchange=unwritten("{klass}.exchange"),
    refresh=unwritten("{klass}.refresh"),
)
OAUTH_SETTINGS = """\
    client_id: str = Field(title="Client id")
    client_secret: SecretStr = Field(title="Client secret")
    refresh_token: SecretStr = Field(default=SecretStr(""), title="Refresh token")
"""
OAUTH_TEST = """\
        there = "https://hub.example/back"
        assert "://" in made.authorize(Connect(redirect_url=there, state="s", challenge="c"))
        made.exchange(Callback(code="c", verifier="v", redirect_url=there))
        made.refresh()
"""
WEBHOOK_TEST = """\
        request = Incoming(body=b"{{}}", at=datetime.now(UTC))
        made.receive(request)
        list(made.unpack(request))
"""
SENT = '        made.send(Message(key="run:step:1", to="+41791234567", text="Soon there"))\n'
PLANNED = (
    "        made.plan(Problem(stops=(), vehicles=(), matrix=Matrix(seconds=(), metres=())))\n"
)
ACTION = '''\
class ActInput(ActionInput):
    """What stands under `with:` in the workflow."""

    text: str


class ActOutput(ActionOutput):
    """What later steps read as `steps.<id>.output`."""

    done: bool


def act(hub: Any, session: Any, given: ActInput) -> ActOutput:
    """Do one thing in the step's own transaction, without a call to another system."""
{}'''.format(unwritten("act", 4))
FUNCTION = '''\
def {{name}}_value(text: str) -> str:
    """Return a value for conditions and texts of workflows; pure and quick."""
{}'''.format(unwritten("{name}_value", 4))
PAGE = '''\
pages = Blueprint("{{name}}", __name__)


@pages.get("/")
@allow("owner", "ops")
def page() -> str:
    """Return the page that stands under /plugins/{{name}}/."""
{}'''.format(unwritten("page", 4))
PAGE_TEST = """\
    app = Flask("test")
    app.register_blueprint(pages)
    with app.test_request_context("/"):
        assert page()
"""
COMMAND = '''\
@click.command("run")
def run() -> None:
    """Do what `hub {{name}} run` is for, and print the outcome."""
{}'''.format(unwritten("run", 4))
PARTS = {
    "order-source": capability(
        "order_sources", "OrderSource",
        "pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]",
        "Ask for what changed since cursor.value; yield Orders, then the next Cursor",
        "        list(made.pull(Cursor()))\n", "Cursor Order RefusedRow",
        needs=ITERATOR, tested="Cursor",
    ),
    "routing-engine": capability(
        "routing_engines", "RoutingEngine", "plan(self, problem: Problem) -> Plan",
        "Put every stop into one of Plan.routes, or into Plan.unserved with the reason",
        PLANNED, "Plan Problem", tested="Matrix Problem",
    ),
    "travel-times": capability(
        "travel_times", "TravelTimes", "matrix(self, legs: Legs) -> Matrix",
        "Return seconds and metres from every one of legs.points to every other",
        "        made.matrix(Legs(points=()))\n", "Legs Matrix", tested="Legs",
    ),
    "geocoder": capability(
        "geocoders", "Geocoder", "locate(self, address: Address) -> Location | None",
        "Look address.text() up; return its Location, or None for one not known",
        '        made.locate(Address(line1="Gasse 1"))\n', "Address Location", tested="Address",
    ),
    "channel": capability(
        "notification_channels", "Channel", "send(self, message: Message) -> Receipt",
        "Send message.text to message.to, with message.key as the idempotency key",
        SENT, "Message Receipt", tested="Message",
    ),
    "pod-sink": capability(
        "pod_sinks", "PodSink", "store(self, proof: Proof) -> Receipt",
        "Keep proof.record and proof.files; the same proof.key again changes nothing",
        "        made.store(a_proof())\n", "Proof Receipt", kit="a_proof",
    ),
    "position-source": capability(
        "position_sources", "PositionSource",
        "positions(self, cursor: Cursor) -> Iterator[DevicePosition | Cursor]",
        "Ask for positions since cursor.value; yield DevicePositions, then the next Cursor",
        "        list(made.positions(Cursor()))\n", "Cursor DevicePosition",
        needs=ITERATOR, tested="Cursor",
    ),
    "webhook": Part(
        "requests from the other system (Receiver)", WEBHOOK, "receive", WEBHOOK_TEST,
        uses="Cancelled Delivery DevicePosition Incoming Order RefusedRow", needs=ITERATOR,
        settings='    signing_secret: SecretStr = Field(default=SecretStr(""), '
        'title="Signing secret")\n',
        tested="Incoming", also="from datetime import UTC, datetime",
    ),
    "oauth": Part(
        "a connection by a consent page (OAuth)", OAUTH, "authorize", OAUTH_TEST,
        uses="Callback Connect Grant", settings=OAUTH_SETTINGS,
        config=', "client_id": "id", "client_secret": SECRET', tested="Callback Connect",
    ),
    "status-sink": Part(
        "news of deliveries to where orders come from (StatusSink)", NEWS, "tell", NEWS_TEST,
        uses="DeliveryStatus Receipt", tested="DeliveryStatus",
        also="from datetime import UTC, datetime",
    ),
    "subscriber": Part(
        "webhooks that it sets up by itself, with --webhook (Subscriber)", SETTING_UP,
        "subscribe", SETTING_UP_TEST, uses="Hook Subscribed", tested="Hook",
    ),
    "report-source": Part(
        "reports of what became of messages (ReportSource)", REPORTS, "reports",
        "        list(made.reports(Cursor()))\n", uses="Cursor DeliveryReport InboundText",
        needs=ITERATOR, tested="Cursor",
    ),
    "action": Part(
        "a step for workflows", ACTION, "act",
        '    act(None, None, ActInput(text="Hello"))\n', "workflow_actions", "Action",
        'Inside("{name}.act", ActInput, ActOutput, act)', "module",
        "Action ActionInput ActionOutput Inside", "from typing import Any",
        borrowed="ActInput act",
    ),
    "function": Part(
        "a function for conditions and texts", FUNCTION, "value",
        '    assert {name}_value("text")\n', "workflow_functions", "Callable[..., Any]",
        "{name}_value", "module", "",
        "from collections.abc import Callable\nfrom typing import Any", borrowed="{name}_value",
    ),
    "page": Part(
        "pages of its own", PAGE, "page", PAGE_TEST, "blueprints", "Blueprint", "pages",
        "module", "allow", "from flask import Blueprint", borrowed="page pages",
        also="from flask import Flask",
    ),
    "command": Part(
        "commands for the machine", COMMAND, "run",
        "    CliRunner().invoke(run, catch_exceptions=False)\n", "commands", "click.Command",
        "run", "module", "", "import click", borrowed="run",
        also="from click.testing import CliRunner",
    ),
}  # fmt: skip
