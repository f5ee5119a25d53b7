"""A name that a tool once had still works."""

import pytest

from mailgun_mcp.catalogue.former_names import (
    DOMAIN_NAMES,
    FORMER_TOOLS,
    current_arguments,
    current_path,
    tool_names,
    toolset_names,
)
from tests.support.operations import catalogue

LONGEST_PREFIX = "mcp__plugin_mailgun_mailgun__"


@pytest.mark.parametrize(("former", "current"), FORMER_TOOLS.items())
def test_a_former_name_finds_the_tool_of_today(former: str, current: str) -> None:
    assert former in catalogue()
    assert catalogue().find(former) is catalogue().find(current)
    assert list(catalogue().select(tools=[former]).names) == [current]
    assert former not in catalogue().names


def test_a_former_name_excludes_the_tool_of_today() -> None:
    (former, current), *_ = FORMER_TOOLS.items()
    assert current not in catalogue().select(exclude=[former]).names


def test_a_rule_can_still_use_the_former_name() -> None:
    assert tool_names("list_bounce_entity_rules") == [
        "list_bounce_entity_rules",
        "list_bounce_classification_entity_rules",
    ]
    assert toolset_names("builtin") == ["builtin", "local"]


def test_every_name_fits_beside_the_longest_prefix_of_a_client() -> None:
    assert [name for name in catalogue().names if len(LONGEST_PREFIX + name) > 64] == []


@pytest.mark.parametrize(
    ("tool", "given", "current"),
    [
        ("get_bounce", {"domain_name": "a.b", "address": "c@d.e"}, {"domain": "a.b", "address": "c@d.e"}),
        ("delete_domain", {"name": "a.b"}, {"domain": "a.b"}),
        ("create_domain", {"name": "a.b"}, {"domain": "a.b"}),
        ("list_domain_keys", {"authority_name": "a.b"}, {"domain": "a.b"}),
        ("delete_domain_key", {"signing_domain": "a.b", "selector": "s"}, {"domain": "a.b", "selector": "s"}),
        ("add_allowlist_entry", {"domain_name": "a.b", "domain": "c.d"}, {"domain": "a.b", "allowed_domain": "c.d"}),
        ("add_allowlist_entry", {"domain_name": "a.b", "address": "c@d.e"}, {"domain": "a.b", "address": "c@d.e"}),
        ("get_domain", {"domain_name": "a.b"}, {"domain": "a.b"}),
        ("list_bounces", {"sending_domain": "a.b"}, {"domain": "a.b"}),
        ("create_template_version", {"tag": "v2"}, {"version": "v2"}),
        ("send_message", {"domain": "a.b", "template_version": "v2"}, {"domain": "a.b", "version": "v2"}),
        ("delete_mailing_list", {"address": "l@a.b"}, {"list_address": "l@a.b"}),
        ("bulk_add_mailing_list_members", {"address": "l@a.b"}, {"list_address": "l@a.b"}),
        ("get_mailing_list_member", {"address": "m@a.b"}, {"member_address": "m@a.b"}),
    ],
)
def test_an_argument_keeps_its_former_name(tool: str, given: dict[str, str], current: dict[str, str]) -> None:
    assert current_arguments(catalogue().find(tool), given) == current


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("get_bounce", {"domain": "a.b", "domain_name": "c.d"}),
        ("add_allowlist_entry", {"domain": "a.b", "allowed_domain": "c.d"}),
        ("remove_domain_ip", {"domain": "a.b", "ip": "192.0.2.1", "replacement_ip": "192.0.2.2"}),
        ("update_send_alert", {"name": "a", "new_name": "b"}),
        ("update_mailing_list", {"list_address": "l@a.b", "address": "new@a.b"}),
        ("add_mailing_list_member", {"address": "m@a.b"}),
    ],
)
def test_arguments_of_today_are_left_alone(tool: str, given: dict[str, str]) -> None:
    assert current_arguments(catalogue().find(tool), given) == given


def test_every_tool_that_takes_a_domain_takes_it_under_each_of_mailguns_names() -> None:
    takers = [operation for operation in catalogue() if "domain" in {argument.name for argument in operation.arguments}]
    refused = [
        f"{operation.name}: {name}"
        for operation in takers
        for name in DOMAIN_NAMES
        if current_arguments(operation, {name: "a.b"}) != {"domain": "a.b"}
    ]
    assert (len(takers) > 100, refused) == (True, [])


def test_every_argument_that_is_a_domain_is_called_domain() -> None:
    others = {"allowed_domain", "authority", "dkim_host_name", "mailfrom_host"}
    named = {
        argument.name for operation in catalogue() for argument in operation.arguments if argument.format == "hostname"
    }
    assert named == {"domain", *others}


def test_a_place_in_the_arguments_keeps_its_former_name() -> None:
    assert current_path(catalogue().find("delete_bounce"), "domain_name") == "domain"
    assert current_path(catalogue().find("create_domain"), "name") == "domain"
    assert current_path(catalogue().find("create_template"), "name") == "name"
    assert current_path(catalogue().find("send_message"), "variables.name") == "variables.name"
