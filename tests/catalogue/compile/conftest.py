"""What the tests of the compiler share."""

import functools
from collections.abc import Iterator

import pytest

from mailgun_mcp.catalogue.compile import __main__ as command


@pytest.fixture(scope="package", autouse=True)
def _documents_are_compiled_once() -> Iterator[None]:
    """Compile the shipped documents once for all tests: it takes a second, and many only use the result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "compile_documents", functools.cache(command.compile_documents))
        yield
