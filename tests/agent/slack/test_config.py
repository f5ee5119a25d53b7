"""The operator's file for Slack: everything in it is checked at the start."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mailgun_mcp.agent.slack.config import read_file, read_secrets
from mailgun_mcp.errors import SettingsError
from tests.support.fake_slack import SECRETS
from tests.support.slack_chats import U_ANN, write_file

ANN = {"principal": "ann@example.com", "scopes": ["read"]}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"channel": []}, "channel: unknown key"),
    "no team": ({"team": "example.slack.com"}, "team"),
    "a name for an id": ({"users": {"ann": ANN}}, "users.ann"),
    "no scopes": ({"users": {U_ANN: {"principal": "ann"}}}, "scopes"),
    "unknown scope": ({"users": {U_ANN: {**ANN, "scopes": ["reads"]}}}, "reads"),
    "anonymous": ({"users": {U_ANN: {**ANN, "principal": "Anonymous"}}}, "not the name of a person"),
    "plain http": ({"api_url": "http://slack.example.com/api"}, "https"),
    "no channel for all": ({"approve_in": "channel"}, "approvers_channel"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_named(name: str, tmp_path: Path) -> None:
    content, said = WRONG[name]
    with pytest.raises(SettingsError, match=said):
        read_file(write_file(tmp_path, **content))


def test_what_is_no_yaml_and_what_is_not_there_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("team: [", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"broken\.yaml:1"):
        read_file(broken)
    with pytest.raises(SettingsError, match="cannot read"):
        read_file(tmp_path / "none.yaml")


def test_a_user_has_the_bounds_of_the_file(tmp_path: Path) -> None:
    user = {**ANN, "accounts": ["production"], "domains": ["*.example.com"]}
    file = read_file(write_file(tmp_path, users={U_ANN: user}, api_url="https://slack-gov.com/api"))
    access = file.users[U_ANN].known_as.access
    assert (access.scopes, access.accounts, access.domains) == (
        frozenset({"mailgun:read"}),
        ("production",),
        ("*.example.com",),
    )
    assert file.api_url == "https://slack-gov.com/api/"


@pytest.mark.parametrize("socket_mode", [True, False])
def test_a_missing_secret_is_named_and_none_is_shown(socket_mode: bool, tmp_path: Path) -> None:
    file = read_file(write_file(tmp_path, socket_mode=socket_mode))
    name = "SLACK_APP_TOKEN" if socket_mode else "SLACK_SIGNING_SECRET"
    with pytest.raises(SettingsError, match=f"SLACK_BOT_TOKEN and {name}"):
        read_secrets(file, {name: " "})
    secrets = read_secrets(file, SECRETS)
    assert (secrets.app_token is None) is not socket_mode
    assert not any(secret in repr(secrets) for secret in SECRETS.values())


def test_the_files_in_the_guide_are_right(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "slack.md").read_text(encoding="utf-8")
    examples = [text.partition("```")[0] for text in guide.split("```yaml\n")[1:]]
    files = [text for text in examples if "users:" in text]
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text, encoding="utf-8")
        assert read_file(path).team == "T0123ABCD"
    assert len(files) == 2
    (manifest,) = [yaml.safe_load(text) for text in examples if "users:" not in text]
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == [
        *("app_mention", "assistant_thread_started"),
        "message.im",
    ]
