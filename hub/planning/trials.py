"""A long piece of planning work, tried again where that may help and ended as failed where not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from hub.errors import Retry, Unauthorized
from hub.hub import Hub
from hub.planning.providers import pass_over
from hub.queue import Claim, defer, finish
from hub.queue.work import renew
from hub.store import Session, System
from hub.store.database import Busy

TRIES = 3
PASSING = (Retry, Unauthorized, Busy)
"""What another try may mend; an expired connection is passed over by it."""
Step = Callable[[Session], None]
"""What the caller adds to a transaction of ours: renewing or ending its claim."""


def nothing(_: Session) -> None:
    """Add nothing to a transaction: nobody holds a claim."""


@dataclass(frozen=True)
class Trial:
    """What is done, and how it is ended where it cannot be."""

    make: Callable[[Step, Step], None]
    """Does it all; renews the claim by its first argument, ends it by the second."""
    fail: Callable[[str, Step], None]
    """Ends it as failed, with the reason that people read."""
    name: str = "it"
    advice: str = ""

    def now(self) -> None:
        """Do it at once, in this process."""
        for last in (*[False] * (TRIES - 1), True):
            try:
                self.make(nothing, nothing)
                return
            except PASSING as error:
                if last:
                    self.fail(str(error), nothing)
            except KeyboardInterrupt:
                self.fail("it was given up", nothing)
                raise
            except Exception as error:
                self.fail(f"{self.name} broke off: {type(error).__name__}: {error}", nothing)
                raise

    def work(self, hub: Hub, claim: Claim) -> None:
        """Do what a worker has claimed."""

        def hold(session: Session) -> None:
            renew(session, claim)

        def end(session: Session) -> None:
            finish(session, claim)

        if claim.losses >= TRIES:
            reason = f"{self.name} broke off {claim.losses} times (the log says how){self.advice}"
            self.fail(reason, end)
            return
        if claim.hung:
            pass_over(hub, claim.why)
        try:
            self.make(hold, end)
        except PASSING as error:
            if claim.tries >= TRIES:
                self.fail(str(error), end)
                return
            after = error.after if isinstance(error, Retry) else None
            wait = 1.0 if after is None else after
            with hub.store.write(System()) as session:
                defer(session, claim, session.wall + timedelta(seconds=wait), str(error))
