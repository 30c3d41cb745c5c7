"""The five numbers of the board's strip, in words."""

from __future__ import annotations

from hub.insights.kpis import Numbers, Ratio
from hub.web.board.models import FigureView


def figures(numbers: Numbers) -> list[FigureView]:
    """Return the strip: on time, first attempt, stops per driver, failed, ETA error."""
    eta = numbers.eta_error
    return [
        FigureView(
            name="on_time",
            label="On time",
            text=percent(numbers.on_time),
            detail=f"{of(numbers.on_time)} stops with a promised window reached inside it; "
            f"{numbers.early} early, {numbers.late} late, {numbers.failed_windows} failed",
        ),
        FigureView(
            name="first_attempt",
            label="First attempt",
            text=percent(numbers.first_attempt),
            detail=f"{of(numbers.first_attempt)} orders completed at the first attempt",
        ),
        FigureView(
            name="stops_per_driver",
            label="Stops per driver",
            text=rate(numbers.stops_per_driver),
            detail=f"{numbers.stops_per_driver.numerator} stops attempted by "
            f"{numbers.stops_per_driver.denominator} drivers who started a route",
        ),
        FigureView(
            name="failed",
            label="Failed",
            text=str(numbers.failed.numerator) if numbers.failed.denominator else "–",
            detail=f"{of(numbers.failed)} attempted stops whose last attempt failed",
        ),
        FigureView(
            name="eta_error",
            label="ETA error",
            text="–" if eta.median is None else f"{eta.median:.0f} min",
            detail=f"Median difference between arrival and the ETA {eta.horizon} minutes before, "
            f"over {eta.measured} stops; {of(eta.within_10)} within 10 minutes",
        ),
    ]


def of(ratio: Ratio) -> str:
    """Return `41 of 44`."""
    return f"{ratio.numerator} of {ratio.denominator}"


def percent(ratio: Ratio) -> str:
    """Return `93 %`, or a dash while there is nothing to divide by."""
    return "–" if ratio.value is None else f"{ratio.value * 100:.0f} %"


def rate(ratio: Ratio) -> str:
    """Return `12.5`, or a dash while there is nothing to divide by."""
    return "–" if ratio.value is None else f"{ratio.value:.1f}"
