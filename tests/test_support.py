"""The support code that decides whether a test of many operations fails."""

import pytest

from mailgun_mcp.catalogue.operation import Operation
from tests.support.offenders import holds_for, offenders
from tests.support.operations import find

TWO = [find("get_domain"), find("get_bounce")]


def reads_a_domain(operation: Operation) -> None:
    assert operation.name == "get_domain"


def raises_nothing(operation: Operation) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - nothing is raised at all
        assert operation


def breaks(operation: Operation) -> None:
    raise KeyError(operation.path)


def test_every_offender_is_named_with_the_reason() -> None:
    (offender,) = offenders(TWO, reads_a_domain)
    assert offender.startswith("get_bounce: ")
    assert "'get_bounce' == 'get_domain'" in offender
    assert [found.partition(":")[0] for found in offenders(TWO, raises_nothing)] == ["get_domain", "get_bounce"]


def test_an_error_of_another_kind_names_the_operation() -> None:
    with pytest.raises(KeyError) as caught:
        offenders(TWO, breaks)
    assert caught.value.__notes__ == ["raised for get_domain"]


def test_a_rule_with_an_offender_fails_and_so_does_one_for_no_operation() -> None:
    with pytest.raises(AssertionError, match="get_bounce"):
        holds_for(TWO)(reads_a_domain)()
    with pytest.raises(AssertionError, match="no operation at all"):
        holds_for([])(reads_a_domain)()
