"""Where `approvals page` finds the server."""

import pytest

from mailgun_mcp.cli.page_url import page_url
from mailgun_mcp.errors import SettingsError


def test_the_flag_the_public_url_and_the_port_in_this_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert page_url("https://mail.example.com/admin/") == "https://mail.example.com/admin"
    assert page_url(None) == "http://127.0.0.1:8000"
    monkeypatch.setenv("MAILGUN_MCP_HOST", "::1")
    monkeypatch.setenv("MAILGUN_MCP_PORT", "9000")
    assert page_url(None) == "http://[::1]:9000"
    monkeypatch.setenv("MAILGUN_MCP_PUBLIC_URL", "https://mail.example.com/")
    assert page_url(None) == "https://mail.example.com"


@pytest.mark.parametrize(
    "url", ["mail.example.com", "ftp://mail.example.com", "https://", "https://a/?b", "https://a/#b"]
)
def test_what_is_not_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="url: "):
        page_url(url)
