"""An operation read from its compiled record, and the sentence about its undo."""

import pytest

from mailgun_mcp.catalogue.operation import UndoInfo
from tests.support.operations import find, with_query


def test_the_schemas_of_an_operation_are_those_of_its_tool() -> None:
    operation = find("delete_bounce")
    assert operation.input_schema is operation.tool["inputSchema"]
    assert operation.output_schema is operation.tool["outputSchema"]


def test_an_argument_keeps_its_name_on_the_wire() -> None:
    (argument,) = with_query("o:tag", {"type": "string"}).arguments
    assert (argument.name, argument.wire, argument.location, argument.encode) == ("tag", "o:tag", "query", "text")


def test_what_a_call_affects_is_read_from_its_undo() -> None:
    assert [(effect.resource, effect.kind) for effect in find("delete_bounce").affects] == [("bounce", "removes")]
    assert find("list_bounces").affects == ()


@pytest.mark.parametrize(
    ("undo", "summary"),
    [
        pytest.param(UndoInfo((), None, "mail is gone", None), "cannot be undone: mail is gone", id="no"),
        pytest.param(UndoInfo((), None, None, "it only adds"), "loses nothing: it only adds", id="nothing lost"),
        pytest.param(UndoInfo((), "its dates", None, None), "can be undone, except its dates", id="part"),
        pytest.param(UndoInfo((), None, None, None), "can be undone", id="whole"),
    ],
)
def test_the_summary_of_an_undo_says_how_much_comes_back(undo: UndoInfo, summary: str) -> None:
    assert undo.summary == summary
