"""One test of a rule over many operations that names every offender, instead of a test for each."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from mailgun_mcp.catalogue.operation import Operation
from tests.support.operations import catalogue

Check = Callable[[Operation], None]


def holds_for(operations: Iterable[Operation] | None = None) -> Callable[[Check], Callable[[], None]]:
    """Make one test out of the check of a single operation: it runs over all of `operations`.

    Without `operations` it runs over the whole catalogue.
    """
    checked = list(catalogue() if operations is None else operations)

    def decorate(check: Check) -> Callable[[], None]:
        def test() -> None:
            assert checked, "the rule holds for no operation at all"
            found = offenders(checked, check)
            # pytest explains an assert only in the tests themselves.
            assert not found, "\n".join(found)

        test.__name__ = test.__qualname__ = check.__name__
        test.__module__, test.__doc__ = check.__module__, check.__doc__
        return test

    return decorate


def offenders(items: Iterable[Any], check: Callable[[Any], None]) -> list[str]:
    """Return the name of each item that fails `check`, with the reason."""
    found = []
    for item in items:
        try:
            check(item)
        except (AssertionError, pytest.fail.Exception) as error:
            found.append(f"{item.name}: {error}")
        except Exception as error:
            error.add_note(f"raised for {item.name}")
            raise
    return found
