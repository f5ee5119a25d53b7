"""Operations whose error messages differ from the usual ones."""

from typing import Any

import pytest

from mailgun_mcp.simulator.http.error_overrides import check_with_overrides
from mailgun_mcp.simulator.replies.reply import ApiError
from tests.support.operations import find


@pytest.mark.parametrize(
    ("operation", "arguments", "data"),
    [
        ("set_account_sending_limit", {"limit": 1}, {"message": "The limit parameter minumum is 1000"}),
        (
            "create_smtp_credentials",
            {"domain": "a.example", "password": ["abc"]},
            {"message": "Parameter 'login' is missing"},
        ),
        (
            "override_dynamic_pool_assignment",
            {"domain": "a.example", "pool": "other"},
            {"Field": "pool", "Value": "other"},
        ),
        ("list_domains", {"limit": "x"}, {"message": "'limit' parameter is not an integer"}),
    ],
)
def test_an_operation_has_its_own_message_or_the_usual_one(
    operation: str, arguments: dict[str, Any], data: dict[str, Any]
) -> None:
    with pytest.raises(ApiError) as caught:
        check_with_overrides(find(operation), arguments)
    assert (caught.value.reply.status_code, caught.value.reply.data) == (400, data)


def test_right_arguments_pass() -> None:
    check_with_overrides(find("list_domains"), {"limit": 5})
