"""Fixtures of these tests."""

from hub.testing.town import town

__all__ = ["town"]
