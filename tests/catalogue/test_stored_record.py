"""A compiled record is the same whether it is stored parsed or as text."""

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.stored_record import StoredRecord


def test_a_packed_record_is_read_from_its_text() -> None:
    stored = StoredRecord({"tool": {"name": "a"}}, '{"tool":{"name":"a"}}')
    stored.pack()
    stored.pack()
    assert stored.record == {"tool": {"name": "a"}}
    assert stored.record is not stored.record


def test_a_record_that_was_made_here_is_written_as_text_first() -> None:
    stored = StoredRecord({"tool": {"name": "ä", "limit": 1}})
    stored.pack()
    assert stored.record == {"tool": {"name": "ä", "limit": 1}}


def test_a_packed_catalogue_has_the_same_tools_and_operations() -> None:
    packed, parsed = Catalogue.load(), Catalogue.load()
    packed.pack()
    assert packed.tools() == parsed.tools()
    assert list(packed.names) == list(parsed.names)
    assert packed.find("send_message").input_schema == parsed.find("send_message").input_schema
    assert packed.find("send_message") is packed.find("send_message")
    assert packed.select(read_only=True).tools() == parsed.select(read_only=True).tools()


def test_a_catalogue_that_is_packed_as_it_is_read_has_the_same_tools() -> None:
    assert Catalogue.load(packed=True).tools() == Catalogue.load().tools()
