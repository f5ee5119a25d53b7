"""What the tests of the compiler share."""

import functools
from collections.abc import Iterator

import pytest

from mailgun_mcp.catalogue.compile.compiler import compile_documents


@pytest.fixture(scope="package", autouse=True)
def _documents_are_compiled_once() -> Iterator[None]:
    """Compile the shipped documents once for all tests: it takes a second, and many only use the result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailgun_mcp.catalogue.compile.__main__.compile_documents", functools.cache(compile_documents))
        yield
