"""A plugin whose import fails."""

raise ValueError("nobody can import this")
