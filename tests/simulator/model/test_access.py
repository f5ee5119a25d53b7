"""API keys expire at their time and not before."""

import pytest

from mailgun_mcp.simulator.model.access import ApiKey


@pytest.mark.parametrize(("expires_at", "expired"), [(None, False), (99.0, True), (100.0, True), (101.0, False)])
def test_a_key_expires_at_its_time(expires_at: float | None, expired: bool) -> None:
    assert ApiKey("1", "secret", "admin", 0.0, expires_at=expires_at).expired(100.0) is expired
