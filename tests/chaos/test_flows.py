"""Workflows whose processes are killed, whose Redis is wiped or away: every run ends, once."""

import signal
import subprocess
import time
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.events import MerchantFacts, OrderFacts, StopFacts, append
from hub.events.catalogue import OrderReceived, StopApproaching
from hub.queue.server import server_binary
from hub.store import ConnectionRow, EffectRow, FlagRow, MerchantRow, RunRow, StepRow, System
from hub.testing.fixtures import MORNING, set_time
from hub.testing.patience import PATIENCE
from hub.workflow.library import save

pytestmark = pytest.mark.chaos

FLOW = """
workflow: long
on: [{event: order.received}]
steps:
  - {id: first, use: toy.write, with: {text: first}}
  - foreach: {in: "['a', 'b', 'c']", as: it, max_parallel: 2}
    steps:
      - {id: one, use: toy.write, with: {text: "{{ it.value }}"}}
  - id: send
    use: toy.send
    with: {text: hello}
    retry: {max: 20, delay: 1s}
    continue_on_error: true
  - id: near
    wait: {event: stop.approaching, match: "event.order.id == trigger.order.id", timeout: 8h}
  - delay: 1h
  - {id: last, use: toy.write, with: {text: last}}
"""
TEXTS = ["a", "b", "c", "first", "last"]


class Flows:
    """One run of the workflow on a plant, and what moves it along from outside."""

    def __init__(self, plant) -> None:
        self.plant, self.hub = plant, plant.hub
        self.merchant = ""
        self.step = 0
        plant.toy.add_engine(self.hub)
        with self.hub.store.write(System()) as session:
            save(self.hub, session, FLOW)
            self.hub.connections.save(session, "caller", {})
            self.hub.connections.save(session, "forgetful", {})
            merchant = MerchantRow(name="Alpenkraut", slug="alpenkraut")
            session.add(merchant)
            self.merchant = merchant.id

    def order_comes(self) -> None:
        with self.hub.store.write(System()) as session:
            append(session, OrderReceived(
                subject="ord_1", merchant_id=self.merchant, order=OrderFacts(id="ord_1"),
                merchant=MerchantFacts(id=self.merchant, name="Alpenkraut"),
            ))  # fmt: skip

    def driver_comes_near(self) -> None:
        with self.hub.store.write(System()) as session:
            append(session, StopApproaching(
                subject="stp_1", merchant_id=self.merchant, stop=StopFacts(id="stp_1"),
                order=OrderFacts(id="ord_1"),
                merchant=MerchantFacts(id=self.merchant, name="Alpenkraut"),
            ))  # fmt: skip

    def ended(self) -> bool:
        """Say whether the run has ended; give it the event and the hour that it waits for."""
        with self.hub.store.read(System()) as session:
            states = {row.path: row.state for row in session.exec(select(StepRow))}
            run = session.exec(select(RunRow.state)).first()
        if self.step == 0 and states.get("near") == "waiting":
            self.step = 1
            self.driver_comes_near()
        elif self.step == 1 and "waiting" in [states[one] for one in states if "delay" in one]:
            self.step = 2
            set_time(self.hub, MORNING + timedelta(hours=2))
        return run not in (None, "running")

    def check(self) -> None:
        """Each step once, one key a connection, and the forgetful one called once at most."""
        with self.hub.store.read(System()) as session:
            assert session.exec(select(RunRow.state)).all() == ["succeeded"]
            assert sorted(session.exec(select(FlagRow.text))) == TEXTS
            effects = {row.key: row for row in session.exec(select(EffectRow))}
            forgetful = [key for key, row in effects.items() if self.forgets(session, row)]
        assert len(effects) == 2
        calls = self.plant.calls()
        assert set(calls) <= set(effects)
        assert calls.count(forgetful[0]) <= 1
        (keyed,) = set(effects) - set(forgetful)
        assert effects[keyed].state == "done"
        assert effects[forgetful[0]].state in ("done", "unknown")

    def forgets(self, session, effect: EffectRow) -> bool:
        return session.get_one(ConnectionRow, effect.connection).connector == "forgetful"


@pytest.fixture
def flows(plant, monkeypatch: pytest.MonkeyPatch) -> Flows:
    monkeypatch.setenv("TOY_FLOWS", "1")
    return Flows(plant)


@pytest.mark.parametrize("fault", ["after_claim:4", "before_commit:4", "after_commit:4"])
def test_fast_workers_killed_at_every_fourth_transition_of_a_run_lose_and_double_nothing(
    flows: Flows, fault: str
) -> None:
    """Whoever follows a killed worker is killed too; tests/workflow tries every transition."""
    plant = flows.plant
    plant.start("dispatcher")
    plant.start("worker", "outward")
    victims = [plant.start("worker", "fast", fault=fault)]
    flows.order_comes()

    def ended() -> bool:
        if victims[-1].poll() is not None:
            assert victims[-1].returncode == -signal.SIGKILL
            victims.append(plant.start("worker", "fast", fault=fault))
        return flows.ended()

    plant.wait(ended)
    assert len(victims) > 3
    flows.check()


@pytest.mark.parametrize(
    "fault",
    ["after_claim:2", "before_call:2", "after_call:2", "before_commit:3", "after_commit:2"],
)
def test_an_outward_call_of_a_run_killed_at_a_transition_is_made_once_or_with_the_same_key(
    flows: Flows, fault: str
) -> None:
    plant = flows.plant
    plant.start("dispatcher")
    plant.start("worker", "fast")
    plant.start("worker", "outward", fault=fault)
    flows.order_comes()
    plant.wait(flows.ended)
    flows.check()


def test_redis_wiped_while_a_run_waits_loses_neither_its_event_nor_its_time(flows: Flows) -> None:
    plant = flows.plant
    for words in (("dispatcher",), ("worker", "fast"), ("worker", "outward")):
        plant.start(*words)
    flows.order_comes()

    def ended() -> bool:
        flows.hub.redis.flushall()
        time.sleep(0.3)
        return flows.ended()

    plant.wait(ended)
    flows.check()


def test_a_run_goes_on_after_redis_was_away_for_thirty_seconds(flows: Flows, tmp_path) -> None:
    """Processes that end without Redis are started again, as a supervisor would."""
    plant, socket = flows.plant, tmp_path / "s"
    url = {"HUB_REDIS_URL": f"unix://{socket}"}

    def serve() -> subprocess.Popen[bytes]:
        server = subprocess.Popen(
            [server_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "",
             "--dir", str(tmp_path)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        plant.processes.insert(0, server)
        plant.wait(socket.exists)
        return server

    server = serve()
    words = [("dispatcher",), ("worker", "fast"), ("worker", "outward")]
    running = {one: plant.start(*one, **url) for one in words}
    flows.order_comes()
    plant.wait(lambda: flows.ended() or flows.step == 1)
    server.kill()
    server.wait(PATIENCE)
    socket.unlink(missing_ok=True)
    time.sleep(30)  # what is tested is that much time without Redis
    serve()

    def ended() -> bool:
        for one, process in running.items():
            if process.poll() is not None:
                running[one] = plant.start(*one, **url)
        return flows.ended()

    plant.wait(ended)
    flows.check()
