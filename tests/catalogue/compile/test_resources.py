"""Resources and effects that do not fit the operations stop the compile, and say what is wrong."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.compile.compiler import SOURCES
from mailgun_mcp.catalogue.compile.resources import check_resources, compile_resources
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import read_document
from mailgun_mcp.catalogue.openapi.extension import DocumentExtension, extension_of
from mailgun_mcp.catalogue.openapi.operations import compile_document
from mailgun_mcp.catalogue.resource import Resource
from tests.support.operations import catalogue

BOUNCE: dict[str, Any] = {
    "within": ["domain"],
    "key": "address",
    "all": {"tool": "list_bounces"},
    "one": {"tool": "get_bounce", "arguments": {"address": "$key"}},
    "fields": ["address", "code"],
    "put": {"tool": "add_bounces", "batch": "bounces"},
    "remove": {"tool": "delete_bounce", "arguments": {"address": "$key"}},
}
EFFECT = {"resource": "bounce", "kind": "removes", "key": "address"}


def compiled(resource: dict[str, Any], effect: dict[str, Any]) -> None:
    """Compile and check the bounces with this resource, and this effect of `delete_bounce`."""
    document = read_document(SOURCES / "bounces.yaml")
    document["x-mailgun-mcp"]["resources"] = {"bounce": resource}
    delete = document["paths"]["/v3/{domain_name}/bounces/{address}"]["delete"]
    delete["x-mailgun-mcp"] |= {"reversible": "whole", "undo": {"affects": [effect]}}
    head = extension_of(DocumentExtension, document, "bounces.yaml")
    check_resources(compile_resources(head, "bounces.yaml"), compile_document(document, "bounces.yaml", "bounces"))


def test_what_fits_compiles() -> None:
    compiled(BOUNCE, EFFECT)


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no read": ({"all": None, "one": None}, {}, "a resource needs `all` or `one`, to be read"),
    "each without one": ({"one": None, "each": True}, {}, "each needs all and one"),
    "unknown key": ({"colour": "red"}, {}, "colour: Extra inputs are not permitted"),
    "where outside": ({"where": {"a": "b"}}, {}, "`of` and `where` name arguments of `within`"),
    "unknown tool": (
        {"put": {"tool": "add_bounce"}},
        {},
        "resource bounce: put: unknown tool 'add_bounce': did you mean 'add_bounces'?",
    ),
    "a read that writes": ({"one": {"tool": "delete_bounce"}}, {}, "one: delete_bounce is not a read"),
    "a write that reads": ({"remove": {"tool": "get_bounce"}}, {}, "remove: get_bounce is a read"),
    "unknown argument": (
        {"one": {"tool": "get_bounce", "arguments": {"adress": "$key"}}},
        {},
        "unknown argument 'adress'",
    ),
    "missing argument": ({"fields": ["code"], "one": {"tool": "get_bounce"}}, {}, "one: get_bounce needs address"),
    "unknown word": (
        {"one": {"tool": "get_bounce", "arguments": {"address": "$kee"}}},
        {},
        "$kee is not one of $key, $was, domain",
    ),
    "unknown field": (
        {"remove": {"tool": "delete_bounce", "arguments": {"address": "addres"}}},
        {},
        "unknown field 'addres'",
    ),
    "odd value": (
        {"remove": {"tool": "delete_bounce", "arguments": {"address": {"a": 1}}}},
        {},
        "must be {literal: …} or {field: …, when: …}",
    ),
    "unknown whole": ({"of": {"domain": "domain"}}, {}, "unknown resource 'domain'"),
    "unknown resource": (
        {},
        {"resource": "bounces"},
        "delete_bounce: undo: unknown resource 'bounces': did you mean 'bounce'?",
    ),
    "key that is no argument": ({}, {"key": "adress"}, "undo: unknown argument 'adress': did you mean 'address'?"),
    "scope that is no argument": ({}, {"within": {"domain": "site"}}, "undo: unknown argument 'site'"),
    "removed for good": ({"put": None}, {}, "bounce, which has no "),
    "made for good": ({"remove": None}, {"kind": "makes"}, "makes bounce, which has no remove"),
    "made of a removal": ({}, {"made": "id"}, "`made` is only allowed where a call makes something"),
    "made without a key": (
        {},
        {"kind": "makes", "key": None},
        "a call that makes a resource with a key needs `made` or `key`",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_stops_the_compile(name: str) -> None:
    resource, effect, told = WRONG[name]
    with pytest.raises(CatalogueError) as caught:
        compiled({**BOUNCE, **resource}, {**EFFECT, **effect})
    assert told in str(caught.value)


def test_every_part_of_something_goes_with_its_whole() -> None:
    assert [part.name for part in catalogue().parts_of("mailing_list")] == ["list_member"]
    assert [part.name for part in catalogue().parts_of("template")] == ["template_version", "active_template_version"]


@pytest.mark.parametrize(
    ("number", "told"), [(1, "1 allowlist entry"), (2, "2 allowlist entries"), (1234, "1,234 allowlist entries")]
)
def test_things_are_counted_in_words(number: int, told: str) -> None:
    found: Resource = catalogue().resource("allowlist_entry")
    assert found.count(number) == told


def test_what_cannot_be_undone_says_so_to_a_model_and_what_can_be_too() -> None:
    told = {operation.name: operation.tool["description"].rpartition(". ")[2] for operation in catalogue()}
    assert not told["delete_bounce"].endswith("undone.")
    assert (
        catalogue()
        .find("delete_allowlist_entry")
        .tool["description"]
        .endswith("Can be undone, except the reason and date.")
    )
    assert catalogue().find("delete_domain").tool["description"].endswith("Cannot be undone.")


def test_whatever_loses_something_says_what_becomes_of_it() -> None:
    silent = [operation.name for operation in catalogue() if (operation.risk == "read") == (operation.undo is not None)]
    # It shows a key, and changes nothing.
    assert silent == ["get_webhook_signing_key"]
