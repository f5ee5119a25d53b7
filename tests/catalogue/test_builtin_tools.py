"""The server's own tools: which are offered, and what policy sees of them."""

from mailgun_mcp.catalogue.builtin_tools import (
    LIST_UNDOABLE,
    OWN_TOOLS,
    READ_RESULT,
    UNDO_OPERATION,
    builtin_operation,
    offered,
)
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from tests.support.operations import catalogue


def test_all_are_offered_beside_a_catalogue_that_changes_something() -> None:
    assert list(offered(catalogue())) == list(OWN_TOOLS)
    assert list(offered(catalogue(), [READ_RESULT])) == [*WORKFLOW_TOOLS, LIST_UNDOABLE, UNDO_OPERATION, "whoami"]


def test_undo_is_not_offered_where_nothing_can_be_changed() -> None:
    assert list(offered(Catalogue([], {}))) == [READ_RESULT, "whoami"]


def test_an_undo_is_destructive_and_can_be_given_the_risk_of_what_it_does() -> None:
    assert builtin_operation(UNDO_OPERATION).risk == "destructive"
    assert builtin_operation(UNDO_OPERATION, "write").risk == "write"


def test_a_read_has_no_undo() -> None:
    read, undo = builtin_operation(READ_RESULT), builtin_operation(UNDO_OPERATION)
    assert (read.risk, read.reversible, read.undo) == ("read", None, None)
    assert (undo.reversible, undo.undo is None) == ("whole", False)
