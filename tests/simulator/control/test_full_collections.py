"""Full garbage collections skip what survived an earlier one, only while the simulator has the process to itself."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from mailgun_mcp.simulator.control.full_collections import forget_survivors, short_collections


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _frozen_again() -> Iterator[None]:
    """Leave what the tests froze at their start as it was: see tests/conftest.py."""
    yield
    gc.freeze()


def test_a_collection_skips_the_survivors_of_an_earlier_one() -> None:
    with short_collections():
        cycle = Cycle()
        gc.collect()
        assert gc.get_freeze_count() > 0
        gone = weakref.ref(cycle)
        del cycle
        gc.collect()
        assert gone() is not None
        forget_survivors()
        gc.collect()
        assert gone() is None


def test_other_processes_keep_their_own_collections() -> None:
    before = list(gc.callbacks)
    gc.freeze()
    frozen = gc.get_freeze_count()
    forget_survivors()
    gc.collect()
    assert gc.get_freeze_count() == frozen
    with short_collections():
        pass
    assert gc.callbacks == before
