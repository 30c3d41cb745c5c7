"""Every type of event, one model each; the reference page is generated from here."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

from hub.events.facts import (
    ConnectionFacts,
    DriverFacts,
    EndpointFacts,
    Facts,
    Happening,
    ImportFacts,
    LossFacts,
    MerchantFacts,
    MessageFacts,
    OrderFacts,
    PlanFacts,
    ProofFacts,
    ReoptimisationFacts,
    RequestFacts,
    RouteFacts,
    RunFacts,
    StopFacts,
)


class Event(Happening):
    """Base of all types; `type` is `resource.past_verb`."""

    type: ClassVar[str] = ""

    def data(self) -> dict[str, Facts]:
        """Return the typed facts by name, as workflows see them under `event`."""
        return {name: getattr(self, name) for name in names_of(type(self))}


@cache
def names_of(kind: type[Event]) -> tuple[str, ...]:
    """Return the names of an event's typed facts."""
    return tuple(name for name in kind.model_fields if name not in Happening.model_fields)


class OrderEvent(Event):
    """Something happened to an order."""

    order: OrderFacts
    merchant: MerchantFacts


class OrderReceived(OrderEvent):
    """A new order came in and has a place; it can become a stop."""

    type = "order.received"


class OrderNeedsAddress(OrderEvent):
    """A new order came in whose place is not known; it waits for a person."""

    type = "order.needs_address"


class OrderAddressFixed(OrderEvent):
    """A waiting order was given its place; it can become a stop."""

    type = "order.address_fixed"


class OrderUpdated(OrderEvent):
    """The source said something new about an order."""

    type = "order.updated"


class OrderCancelled(OrderEvent):
    """An order was called off."""

    type = "order.cancelled"


class StopEvent(Event):
    """Something happened to a stop."""

    stop: StopFacts
    order: OrderFacts
    merchant: MerchantFacts
    route: RouteFacts = RouteFacts()
    driver: DriverFacts = DriverFacts()


class StopCreated(StopEvent):
    """An order became a stop."""

    type = "stop.created"


class StopPlanned(StopEvent):
    """A plan put the stop into a route."""

    type = "stop.planned"


class StopDispatched(StopEvent):
    """The route was published; the window is promised from now on."""

    type = "stop.dispatched"


class StopEnRoute(StopEvent):
    """The driver is on the way to this stop."""

    type = "stop.en_route"


class StopApproaching(StopEvent):
    """The driver is near for the first time: at most ten minutes away, and this stop is next."""

    type = "stop.approaching"


class StopEtaChanged(StopEvent):
    """A new ETA was issued that differs from the last one by a minute or more."""

    type = "stop.eta_changed"


class StopArrived(StopEvent):
    """The driver is at the door."""

    type = "stop.arrived"


class StopDeparted(StopEvent):
    """The driver has left the door."""

    type = "stop.departed"


class StopCompleted(StopEvent):
    """Everything was handed over."""

    type = "stop.completed"
    proof: ProofFacts


class StopPartial(StopEvent):
    """Some of it was handed over."""

    type = "stop.partial"
    proof: ProofFacts


class StopFailed(StopEvent):
    """Nothing was handed over; `stop.reason` says why."""

    type = "stop.failed"
    proof: ProofFacts


class StopCancelled(StopEvent):
    """The stop was called off."""

    type = "stop.cancelled"


class PlanFinished(Event):
    """An optimisation ended."""

    type = "plan.finished"
    plan: PlanFacts


class RouteEvent(Event):
    """Something happened to a route."""

    route: RouteFacts
    driver: DriverFacts


class RoutePublished(RouteEvent):
    """A route was made ready and its stops dispatched."""

    type = "route.published"


class RouteStarted(RouteEvent):
    """The driver has left the depot."""

    type = "route.started"


class RouteChanged(RouteEvent):
    """Stops were added, removed or put in another order after publishing."""

    type = "route.changed"


class DriverLost(RouteEvent):
    """A driver cannot go on; the stops that were not done are without a route."""

    type = "driver.lost"
    loss: LossFacts


class RouteReoptimised(Event):
    """A search for better routes among those on the road ended; `route.changed` tells of each."""

    type = "route.reoptimised"
    reoptimisation: ReoptimisationFacts


class RouteClosed(RouteEvent):
    """Every stop of the route has ended."""

    type = "route.closed"


class ImportFinished(Event):
    """A file of orders was read to its end."""

    type = "import.finished"
    import_: ImportFacts
    merchant: MerchantFacts


class ConnectionExpired(Event):
    """A connection's credentials stopped working; its work is parked."""

    type = "connection.expired"
    connection: ConnectionFacts


class ConnectionChanged(Event):
    """A connection was added, changed, reconnected, switched on or off, removed or brought back."""

    type = "connection.changed"
    connection: ConnectionFacts


class MessageEvent(Event):
    """A channel said what became of a message."""

    message: MessageFacts
    merchant: MerchantFacts


class MessageDelivered(MessageEvent):
    """A message has reached its recipient."""

    type = "message.delivered"


class MessageUndelivered(MessageEvent):
    """A message that the channel had taken will never reach its recipient."""

    type = "message.undelivered"


class MessageReceived(MessageEvent):
    """A recipient wrote back; `message` is the last one that was sent there, and the text is the
    customer's, so that it can be erased."""

    type = "message.received"


class RecipientOptedOut(MessageEvent):
    """A recipient wants no more messages; `message` is the last one that was sent there."""

    type = "recipient.opted_out"


class EndpointDisabled(Event):
    """An endpoint took nothing for days, or wants nothing any more; it is sent no events now."""

    type = "endpoint.disabled"
    endpoint: EndpointFacts


class WorkflowFailed(Event):
    """A run ended as a dead letter."""

    type = "workflow.failed"
    run: RunFacts


class WorkflowStarter(Event):
    """Base of what starts one workflow by its name; `subject` is that name."""

    request: RequestFacts


class ScheduleDue(WorkflowStarter):
    """A time came at which a workflow is to start."""

    type = "schedule.due"


class WorkflowRequested(WorkflowStarter):
    """A person asked for a workflow to be run."""

    type = "workflow.requested"


class WebhookReceived(WorkflowStarter):
    """Another system sent a request to the address of a workflow."""

    type = "webhook.received"


class WorkflowCalled(WorkflowStarter):
    """A step of one workflow called another one."""

    type = "workflow.called"


class FlagRaised(Event):
    """Something needs a person; `subject` is the flag."""

    type = "flag.raised"


class FlagCleared(Event):
    """A person dealt with a flag."""

    type = "flag.cleared"


def catalogue() -> dict[str, type[Event]]:
    """Return every type of event by its name."""
    found: dict[str, type[Event]] = {}
    queue: list[type[Event]] = [Event]
    while queue:
        parent = queue.pop()
        queue.extend(parent.__subclasses__())
        if parent.type:
            found[parent.type] = parent
    return dict(sorted(found.items()))
