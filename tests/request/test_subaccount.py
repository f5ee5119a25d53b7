"""Which subaccount a call acts in."""

import pytest

from mailgun_mcp.request.subaccount import acting_subaccount


@pytest.mark.parametrize(
    ("arguments", "configured", "expected"),
    [
        ({}, None, None),
        ({}, "sub-1", "sub-1"),
        ({"on_behalf_of": "sub-2"}, None, "sub-2"),
        ({"on_behalf_of": "sub-2"}, "sub-1", "sub-2"),
        ({"on_behalf_of": ""}, "sub-1", "sub-1"),
    ],
)
def test_the_call_decides_before_the_configuration(
    arguments: dict[str, str], configured: str | None, expected: str | None
) -> None:
    assert acting_subaccount(arguments, configured) == expected
