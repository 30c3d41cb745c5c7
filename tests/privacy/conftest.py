"""A route to drive."""

from hub.testing.road import road

__all__ = ["road"]
