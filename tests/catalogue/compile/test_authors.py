"""Who wrote each text of a response is stated, or the catalogue does not compile."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.compile.authors import state_authors
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.operations import compile_document
from tests.support.operations import REVIEWED, catalogue, described, document


def authors_of(schema: dict[str, Any], **extension: Any) -> Any:
    """Return what the compiled record says of who wrote the response."""
    responses = {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}
    operation = described(responses=responses, **{"x-mailgun-mcp": {**REVIEWED, **extension}})
    (record,) = compile_document(document(operation), "things.yaml", "things")
    state_authors(record, "things.yaml")
    return record["authors"]


TEXT = {"type": "string"}


def test_names_say_who_wrote_a_text_at_any_depth() -> None:
    schema = {
        "properties": {
            "items": {"type": "array", "items": {"properties": {"id": TEXT, "recipient": TEXT, "subject": TEXT}}},
            "headers": {"type": "object", "additionalProperties": TEXT},
            "total": {"type": "integer"},
        }
    }
    assert authors_of(schema) == {
        "message": None,
        "items": {"*": {"id": None, "recipient": "recipient", "subject": "mail"}},
        "headers": {"*": None},
        "total": None,
    }


def test_the_operation_says_who_wrote_a_place_where_the_names_do_not() -> None:
    schema = {"properties": {"name": TEXT, "vars": {"type": "object"}}}
    stated = {"/name": "list member", "/vars": "account"}
    assert authors_of(schema, authors=stated) == {"message": None, "name": "list member", "vars": None}
    assert authors_of(schema, authors={"/": "mail"}) == "mail"


def test_an_answer_that_nobody_described_is_third_party_text() -> None:
    assert authors_of({"type": "object"}) == {"message": None}


def test_a_text_of_which_nobody_said_who_writes_it_stops_the_compile() -> None:
    with pytest.raises(CatalogueError, match=r"things\.yaml: do_thing: who writes /items/\*/gossip\?"):
        authors_of({"properties": {"items": {"type": "array", "items": {"properties": {"gossip": TEXT}}}}})
    assert authors_of({"properties": {"gossip": {"type": "boolean"}}}) == {"message": None, "gossip": None}


def test_an_author_of_a_place_that_the_response_does_not_have_stops_the_compile() -> None:
    with pytest.raises(CatalogueError, match="authors names what the response does not have: /elsewhere"):
        authors_of({"properties": {"name": TEXT}}, authors={"/elsewhere": "mail"})


def test_every_operation_says_who_wrote_its_results() -> None:
    assert [operation.name for operation in catalogue() if operation.authors == "third party"] == []
    reading = {operation.name for operation in catalogue() if operation.shows_third_party_text}
    assert {
        "get_stored_message",
        "query_logs",
        "list_bounces",
        "list_unsubscribes",
        "get_mailing_list_member",
    } <= reading
    assert not {"list_domains", "create_route", "list_templates", "get_account_stats"} & reading
