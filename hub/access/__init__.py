"""Who may see and do what: scoped queries, users, keys and tokens."""

from hub.access.scope import get, scoped

__all__ = ["get", "scoped"]
