"""Where the state is, and what a hook's command may know."""

from pathlib import Path

import pytest

from mailgun_mcp.settings import SettingsError, hook_environment, load, state_directory

KEY = "key-0123456789"


def test_the_state_is_where_the_option_says() -> None:
    environ = {"MAILGUN_MCP_STATE": "/srv/state", "XDG_STATE_HOME": "/home/ann/state"}
    assert state_directory(load({}, environ).state, environ) == Path("/srv/state")
    assert load({"state": "/srv/other"}, environ).state == "/srv/other"


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        pytest.param({"XDG_STATE_HOME": "/home/ann/state"}, Path("/home/ann/state/mailgun-mcp"), id="xdg"),
        pytest.param({}, Path.home() / ".local" / "state" / "mailgun-mcp", id="home"),
        pytest.param({"XDG_STATE_HOME": ""}, Path.home() / ".local" / "state" / "mailgun-mcp", id="empty"),
    ],
)
def test_without_the_option_the_state_is_the_users(environ: dict[str, str], directory: Path) -> None:
    assert state_directory(None, environ) == directory


def test_a_hooks_command_is_told_the_call_and_the_state_but_not_the_key(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "MAILGUN_API_KEY": KEY, "MAILGUN_MCP_STATE": "/elsewhere"}
    told = hook_environment("abcd2345", tmp_path, environ)
    assert told == {"PATH": "/bin", "MAILGUN_MCP_STATE": str(tmp_path), "MAILGUN_MCP_APPROVAL_ID": "abcd2345"}
    assert hook_environment("abcd2345", None, environ)["MAILGUN_MCP_STATE"] == "/elsewhere"


def test_a_hooks_command_may_run_this_program(tmp_path: Path) -> None:
    told = hook_environment("abcd2345", tmp_path, {"MAILGUN_API_REGION": "eu"})
    assert (load({}, told).state, load({}, told).region) == (str(tmp_path), "eu")
    with pytest.raises(SettingsError, match="MAILGUN_MCP_APPROVAL_IDS"):
        load({}, {**told, "MAILGUN_MCP_APPROVAL_IDS": "x"})
