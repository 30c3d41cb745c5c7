"""A route to follow."""

from hub.testing.road import road

__all__ = ["road"]
