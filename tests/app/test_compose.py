"""Putting a server's parts together: what is selected, and what stops the start."""

from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.app.compose import create_catalogue, create_services
from mailgun_mcp.catalogue.catalogue import Catalogue, is_deprecated
from mailgun_mcp.mailgun.endpoint import Endpoint
from mailgun_mcp.request.files import FileError
from mailgun_mcp.settings import Settings, SettingsError
from tests.support.calls import run

KEY = "key-0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://api.mailgun.net"),
        ({"region": "eu"}, "https://api.eu.mailgun.net"),
        ({"hostname": "proxy.example.com"}, "https://proxy.example.com"),
        ({"url": "http://127.0.0.1:8025/base/"}, "http://127.0.0.1:8025/base"),
    ],
)
def test_calls_go_where_the_settings_say(options: dict[str, Any], url: str) -> None:
    assert create_services(Settings(api_key=KEY, **options)).client.endpoint.url == url


def test_without_a_choice_the_region_is_the_united_states() -> None:
    assert create_services(Settings(api_key=KEY)).client.endpoint == Endpoint("https://api.mailgun.net", "us")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"api_key": None}, "no API key", id="no-key"),
        pytest.param(
            {"region": "eu", "url": "https://x.example"}, "give one of region, hostname and url", id="two-places"
        ),
        pytest.param({"url": "http://x.example"}, "plain http would show the API key", id="plain-http"),
        pytest.param({"url": "https://api.mailgun.net/v3"}, "must not contain a version", id="versioned-url"),
        pytest.param({"toolsets": ("mesages",)}, r"unknown toolset 'mesages': did you mean 'messages'\?", id="toolset"),
        pytest.param({"tools": ("send_mesage",)}, r"unknown tool .*'send_message'\?", id="tool"),
        pytest.param({"exclude_tools": ("delete_domian",)}, r"unknown tool .*'delete_domain'\?", id="excluded-tool"),
        pytest.param({"policy": "gaurded"}, r"unknown policy 'gaurded': did you mean 'guarded'\?", id="policy"),
        pytest.param({"policy": "/nowhere.yaml"}, r"nowhere\.yaml: cannot be read", id="policy-file"),
        pytest.param({"account": "a b"}, "account: 'a b' is not the name of an account: use letters", id="account"),
        pytest.param({"files": ("/nowhere",)}, "files: /nowhere is not a directory", id="files"),
    ],
)
def test_what_cannot_be_served_stops_the_start(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        create_services(Settings(**{"api_key": KEY, **options}))


def test_the_key_shows_nowhere_in_the_app() -> None:
    services = create_services(Settings(api_key=KEY))
    assert KEY not in repr(services) + repr(services.client)


def test_files_are_read_in_the_directories_given_alone(tmp_path: Path) -> None:
    for name in ("given", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_bytes(name.encode())
    files = create_services(Settings(simulator=True, files=(str(tmp_path / "given"),))).files
    assert files.part("attachment", {"path": str(tmp_path / "given" / "text")}).data == b"given"
    with pytest.raises(FileError):
        files.part("attachment", {"path": str(tmp_path / "other" / "text")})


@pytest.mark.parametrize("options", [{"read_only": True}, {"policy": "read-only"}], ids=["switch", "policy"])
def test_read_only_offers_reads_alone(options: dict[str, Any]) -> None:
    catalogue = create_catalogue(Settings(**options))
    whole = Catalogue.load()
    assert list(catalogue.names) == [name for name in whole.names if whole.find(name).risk == "read"]


def test_toolsets_and_tools_add_up_and_exclusion_holds() -> None:
    options = Settings(toolsets=("bounces",), tools=("get_domain", "list_bounces"), exclude_tools=("clear_bounces",))
    whole = Catalogue.load()
    expected = [name for name in whole.names if whole.find(name).toolset == "bounces" or name == "get_domain"]
    expected.remove("clear_bounces")
    assert list(create_catalogue(options).names) == expected


def test_deprecated_tools_are_left_out_where_nobody_wants_them() -> None:
    assert "list_events" in create_catalogue(Settings()).names
    options = Settings(no_deprecated=True, toolsets=("events", "domains"), tools=("list_events",))
    catalogue = create_catalogue(options)
    assert not {tool["name"] for tool in catalogue.tools() if is_deprecated(tool)}
    assert "get_domain" in catalogue.names


def test_the_subaccount_argument_is_on_every_tool_that_does_not_name_one() -> None:
    catalogue = create_catalogue(Settings(subaccount_argument=True, toolsets=("domains", "subaccounts")))
    without = [
        name for name in catalogue.names if "on_behalf_of" not in catalogue.find(name).input_schema["properties"]
    ]
    assert without == ["delete_subaccount"]


@pytest.mark.anyio
async def test_the_simulator_answers_without_key_or_network_whatever_is_offered() -> None:
    services = create_services(Settings(simulator=True, tools=("list_domains",)))
    async with services.client:
        outcome = await run(services, "list_domains", {"limit": 1})
    assert outcome.structured is not None
    assert len(outcome.structured["items"]) == 1


@pytest.mark.anyio
async def test_the_simulator_sends_nobody_to_another_region() -> None:
    services = create_services(Settings(simulator=True))
    result = await run(services, "get_domain", {"domain": "other.example.com"})
    assert result.text.endswith("Check the name. This server runs on the simulator: list_domains lists its domains.")


def test_a_scenario_without_the_simulator_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="scenario: only the simulator has one"):
        create_services(Settings(api_key=KEY, scenario="injection"))


def test_clients_are_told_to_ask_a_person_before_what_the_policy_has_confirmed_if_the_operator_wants_it() -> None:
    def marked(**options: Any) -> set[str]:
        tools = create_services(Settings(api_key=KEY, **options)).listed_tools
        return {tool["name"] for tool in tools if "anthropic/requiresUserInteraction" in tool["_meta"]}

    assert marked() == set()
    by_guarded = marked(require_user_interaction=True)
    assert {"delete_domain", "create_api_key", "validate_email_address", "undo_operation"} <= by_guarded
    assert not {"list_domains", "send_message", "update_route", "whoami", "explain_delivery"} & by_guarded
    assert "send_message" in marked(require_user_interaction=True, policy="strict")
    assert marked(require_user_interaction=True, policy="unguarded") == set()
