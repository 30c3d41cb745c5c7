"""Tests of the core that need plugins of others: left out by name where these are not installed."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest


def plugins(*names: str) -> pytest.MarkDecorator:
    """Return the mark that skips a test unless all these plugins are installed."""
    missing = sorted(set(names) - {point.name for point in entry_points(group="hub")})
    reason = f"needs plugins that are not installed: {', '.join(missing)}"
    return pytest.mark.skipif(bool(missing), reason=reason)
