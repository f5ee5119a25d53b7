"""What a handler gets."""

import pytest

from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from tests.support.operations import find

CALL = SimulatedRequest(find("list_domains"), {"skip": 3}, "https://api.mailgun.net/v4/domains")


def test_an_argument_goes_before_the_schemas_default_and_that_before_the_handlers() -> None:
    assert (CALL.get("skip"), CALL.get("limit", 7), CALL.get("state", "any")) == (3, 100, "any")


def test_a_call_without_a_domain_in_its_path_has_none() -> None:
    with pytest.raises(LookupError, match="list_domains names no domain"):
        _ = CALL.domain
