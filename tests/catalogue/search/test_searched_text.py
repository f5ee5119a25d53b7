"""What of a tool is searched."""

from mailgun_mcp.catalogue.search.index import FIELDS
from mailgun_mcp.catalogue.search.searched_text import document_of
from tests.support.operations import find


def test_a_document_has_each_field_of_the_index() -> None:
    operation = find("create_domain_webhook")
    document = document_of(operation.tool, operation.path, ["ping my server", "call me back"])
    assert document.keys() == {*FIELDS, "replaced"}
    assert document["replaced"] == ""
    assert document["asked"] == "ping my server\ncall me back"
    assert "url" in document["arguments"].split()
    assert "permanent_fail" in document["values"].split()
