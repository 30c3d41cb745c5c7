"""What the fields of the fleet's forms are called, on the form and in what is wrong with them."""

from __future__ import annotations

from typing import NamedTuple

from hub.errors import Refused
from hub.fleet.abilities import readable
from hub.fleet.measures import Measures
from hub.fleet.words import CAPACITY, word_of


class Label(NamedTuple):
    """The words beside a field, and what it is counted in."""

    text: str
    unit: str = ""

    @property
    def full(self) -> str:
        """Both, as a sentence names the field."""
        return f"{self.text} ({self.unit})" if self.unit else self.text


def vehicle_labels(counted: Measures) -> dict[str, Label]:
    """Return the labels of a vehicle's form; prices and loads are in the operator's units."""
    money = counted.currency
    return {
        "name": Label("Name"),
        "profile": Label("Kind"),
        "capacity": Label("Carries", counted.first.word),
        **{CAPACITY + one.name: Label("Carries", one.word) for one in counted.loads[1:]},
        "skills": Label("Skills"),
        "cost_fixed": Label("A day on which it drives", money),
        "cost_hour": Label("An hour with its driver", money),
        "cost_km": Label("A kilometre", money),
        "most_km": Label("At most a day", "km"),
        "most_stops": Label("At most a day", "stops"),
        "reload_depots": Label("May come back to fill up again at"),
        "most_reloads": Label("How often", "times a day"),
        "reload_minutes": Label("It takes", "minutes"),
    }


def driver_labels(counted: Measures) -> dict[str, Label]:
    """Return the labels of a driver's form."""
    return {
        "name": Label("Name"),
        "phone": Label("Phone"),
        "colour": Label("Colour on maps"),
        "vehicle": Label("Vehicle"),
        "depot": Label("Depot"),
        "skills": Label("Skills"),
        "start": Label("The day begins at"),
        "end": Label("The day ends at"),
        "home_address": Label("Home"),
        "home": Label("Home on the map"),
        "overtime_minutes": Label("Overtime at most", "minutes a day"),
        "overtime_hour": Label("An hour of it costs more by", counted.currency),
    }


DEPOT = {
    "name": Label("Name"),
    "address": Label("Address"),
    "place": Label("On the map"),
    "timezone": Label("Time zone"),
}
MEASURES = {
    "loads": Label("Measures of load"),
    "currency": Label("Currency of costs"),
    "balance": Label("Most work of one driver"),
}


def labelled(error: Refused, labels: dict[str, Label]) -> Refused:
    """Return what is wrong in the form's own words: its field, and the label that a person sees."""
    if error.field is None:
        return error
    field = word_of(error.field)
    label = labels.get(field) or labels.get(field.partition(".")[0])
    text, named = str(error), f"{readable(field)}: "
    if label is not None and text.startswith(named):
        text = f"{label.full}: {text.removeprefix(named)}"
    return Refused(text, field)
