"""A hub with toy actions behind the admin pages."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.workflow.conftest import Toys
from tests.workflow.conftest import toys as toys  # a fixture, shared


@pytest.fixture
def ops(sign_in: Callable[..., Any], toys: Toys) -> Any:
    """Return somebody from ops, signed in."""
    return sign_in("ops")


@pytest.fixture
def dispatcher(sign_in: Callable[..., Any], toys: Toys) -> Any:
    """Return a dispatcher, signed in."""
    return sign_in("dispatcher")
