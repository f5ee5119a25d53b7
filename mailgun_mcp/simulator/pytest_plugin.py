"""A pytest plugin with one fixture, `mailgun`. Nothing else is imported until a test uses it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mailgun_mcp.simulator.testing import Simulator


@pytest.fixture
def mailgun() -> "Iterator[Simulator]":
    """A Mailgun simulator with an empty account, new for each test. Nothing is sent to anyone."""
    from mailgun_mcp.simulator.testing import Simulator

    with Simulator() as simulator:
        yield simulator
