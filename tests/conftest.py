"""Fixtures of the whole suite; they live in hub.testing so that plugins can use them too."""

pytest_plugins = ["hub.testing.fixtures"]
