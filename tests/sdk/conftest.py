"""The simulator as a process of its own, as a person would start it for another program."""

from collections.abc import Iterator

import pytest

from tests.support.processes import simulated

KEY = "key-of-the-sdk"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a simulator that lets in `KEY` alone, and says that its stored messages are there too."""
    with simulated(tmp_path_factory.mktemp("simulator"), "--key", KEY, "--storage-url", "self") as url:
        yield url
