"""One check for each capability: that it is written. Red in a new plugin, with what is left."""

from __future__ import annotations

from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, unwritten


class WrittenTests(Ground):
    """What a new plugin is red for."""

    def demand_written(self, *methods: str) -> None:
        """Fail where a method only says that it is to be written."""
        for name in methods:
            method = getattr(self.connector, name)
            says = (method.__doc__ or "").strip()
            demand(
                not unwritten(method),
                f"write {self.connector.__qualname__}.{name}; its docstring says what it has to "
                f"do: {says} {self.at(name)}",
            )

    @only(lambda kit: hasattr(kit.connector, "pull"))
    def test_pull_is_written(self) -> None:
        """An order source has its `pull`."""
        self.demand_written("pull")

    @only(lambda kit: hasattr(kit.connector, "positions"))
    def test_positions_is_written(self) -> None:
        """A position source has its `positions`."""
        self.demand_written("positions")

    @only(lambda kit: hasattr(kit.connector, "plan"))
    def test_plan_is_written(self) -> None:
        """A routing engine has its `plan`."""
        self.demand_written("plan")

    @only(lambda kit: hasattr(kit.connector, "matrix"))
    def test_matrix_is_written(self) -> None:
        """Travel times have their `matrix`."""
        self.demand_written("matrix")

    @only(lambda kit: hasattr(kit.connector, "locate"))
    def test_locate_is_written(self) -> None:
        """A geocoder has its `locate`."""
        self.demand_written("locate")

    @only(lambda kit: hasattr(kit.connector, "send"))
    def test_send_is_written(self) -> None:
        """A channel has its `send`."""
        self.demand_written("send")

    @only(lambda kit: hasattr(kit.connector, "store"))
    def test_store_is_written(self) -> None:
        """A sink has its `store`."""
        self.demand_written("store")

    @only(lambda kit: hasattr(kit.connector, "receive"))
    def test_receive_is_written(self) -> None:
        """A receiver has its `receive` and `unpack`."""
        self.demand_written("receive", "unpack")

    @only(lambda kit: hasattr(kit.connector, "tell"))
    def test_tell_is_written(self) -> None:
        """Who is told of deliveries has its `tell`."""
        self.demand_written("tell")

    @only(lambda kit: hasattr(kit.connector, "subscribe"))
    def test_subscribe_is_written(self) -> None:
        """Who sets webhooks up has its `subscribe` and `unsubscribe`."""
        self.demand_written("subscribe", "unsubscribe")

    @only(lambda kit: hasattr(kit.connector, "reports"))
    def test_reports_is_written(self) -> None:
        """A source of reports has its `reports`."""
        self.demand_written("reports")

    @only(lambda kit: hasattr(kit.connector, "authorize"))
    def test_authorize_is_written(self) -> None:
        """What is connected by consent has its `authorize`, `exchange` and `refresh`."""
        self.demand_written("authorize", "exchange", "refresh")
