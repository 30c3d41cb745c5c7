"""What the checks hand to a connector: a message, a proof, places and days to plan."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.nouns import (
    Address,
    Callback,
    Connect,
    DeliveryStatus,
    HandedLine,
    Hook,
    Location,
    Matrix,
    Message,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Proof,
    ProofFile,
)

SECRET = "s3cret-that-nobody-may-see"  # noqa: S105 - the value that the checks look for
ROTATED = "r0tated-that-nobody-may-see"
"""The tokens that the test service gives when it is asked for new ones."""
MESSAGE = Message(key="run_1:ste_1:-", to="+41791234567", text="Soon there")
ADDRESS = Address(line1="Städtle 49", postcode="9490", city="Vaduz", country="LI")
NOWHERE = Address(line1="No such street 1", postcode="0000", city="Nowhere", country="LI")
POINTS = (
    Location(lat=47.1410, lon=9.5209),
    Location(lat=47.1660, lon=9.5100),
    Location(lat=47.2060, lon=9.5340),
    Location(lat=47.0680, lon=9.4830),
)
"""Vaduz, Schaan, Eschen and Balzers."""
CONNECT = Connect(
    redirect_url="https://hub.example/oauth/back?x=1", state="st/ate+1", challenge="Ch4l-lenge_1"
)
CALLBACK = Callback(
    code="c0de-that-nobody-may-see", verifier="v3rifier-that-nobody-may-see",
    redirect_url=CONNECT.redirect_url,
)  # fmt: skip
TOKENS = {
    "access_token": ROTATED,
    "refresh_token": f"{ROTATED}-again",
    "token_type": "bearer",
    "expires_in": 3600,
    "scope": "read",
}
"""What the token endpoint answers (RFC 6749, section 5.1)."""


HOOK = Hook(
    url="https://hub.example/hooks/con_1/t0ken-that-nobody-may-see",
    secret="h00k-secret-that-nobody-may-see",  # noqa: S106 - a value that the checks look for
)


def a_status(**values: Any) -> DeliveryStatus:
    """Return the news that an order of two bottles was delivered."""
    told = {
        "key": "run_1:tell:con_1",
        "order": "1001",
        "number": "#1001",
        "parent": "1001",
        "stop": "stp_1",
        "status": "delivered",
        "at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "location": POINTS[0],
        "tracking_url": "https://hub.example/t/abc",
        "carrier": "Alpenkraut",
        "received_by": "M. Beck",
        "proof_url": "https://hub.example/t/abc#pictures",
        "lines": (HandedLine(name="Pine oil", sku="OIL", ref="11", ordered=2, handed_over=2),),
        **values,
    }
    return DeliveryStatus.model_validate(told)


def a_proof(**values: Any) -> Proof:
    """Return a proof of one completed stop, with a PDF."""
    document = ProofFile(
        name="proof.pdf", media_type="application/pdf", sha256="ab" * 32, content=b"%PDF-1.7 \xff"
    )
    told = {
        "key": "run_1:ste_2:con_1",
        "id": "prf_1",
        "order": "ord_1",
        "stop": "stp_1",
        "invoice": "INV-1001",
        "outcome": "completed",
        "at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "summary": "Delivered 23 Nov 2026 10:30 to M. Beck",
        "record": b"{}",
        "sha256": "cd" * 32,
        "files": (document,),
        "tracking_url": "https://hub.example/t/abc",
        **values,
    }
    return Proof.model_validate(told)


def a_problem(stops: int = 8, vehicles: int = 2, **values: Any) -> Problem:
    """Return a day on a line of points 300 seconds apart, the depot at one end.

    Every third stop has a window, all fit into the capacity, and there is time for them all.
    """
    size = stops + 1
    metres = tuple(tuple(2_000 * abs(a - b) for b in range(size)) for a in range(size))
    seconds = tuple(tuple(300 * abs(a - b) for b in range(size)) for a in range(size))
    told: dict[str, Any] = {
        "stops": tuple(
            ProblemStop(
                id=f"stp_{number}",
                point=number,
                service=120,
                deliver=(2,),
                windows=((28_800, 57_600),) if number % 3 == 0 else (),
            )
            for number in range(1, size)
        ),
        "vehicles": tuple(
            ProblemVehicle(
                id=f"drv_{number}", start=0, end=0, capacity=(2 * stops,), shift=(28_800, 61_200)
            )
            for number in range(1, vehicles + 1)
        ),
        "matrix": Matrix(seconds=seconds, metres=metres),
        "seconds": 1.0,
        "seed": 7,
        **values,
    }
    return Problem.model_validate(told)
