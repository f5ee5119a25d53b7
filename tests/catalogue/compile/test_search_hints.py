"""Search hints, made from how people ask."""

from mailgun_mcp.catalogue.compile.search_hints import HINT_WORDS, add_client_hints, search_hints
from mailgun_mcp.catalogue.openapi.documents import Node


def test_the_words_that_tell_a_tool_from_others_come_first_without_those_of_its_name() -> None:
    hints = search_hints(
        {
            "delete_bounce": ["unblock an address that bounced", "mail an address again", "unblock him"],
            "get_bounce": ["is an address blocked"],
        }
    )
    assert hints["delete_bounce"].split()[0] == "unblock"
    assert "bounced" not in hints["delete_bounce"]
    assert hints["get_bounce"] == "blocked address"


def test_words_are_written_as_people_write_them_and_are_few() -> None:
    hints = search_hints({"a": ["Complaints rising lately"], "b": [" ".join(f"word{chr(97 + n)}" for n in range(20))]})
    assert hints["a"] == "complaints rising lately"
    assert len(hints["b"].split()) == HINT_WORDS


def test_hints_are_added_to_the_tools() -> None:
    records: list[Node] = [
        {"tool": {"name": name, "_meta": {}}, "risk": risk, "asked": [f"show the {name}"]}
        for name, risk in (("list_domains", "read"), ("delete_route", "destructive"))
    ]
    add_client_hints(records)
    first, second = (record["tool"]["_meta"] for record in records)
    assert first == {"anthropic/alwaysLoad": True, "anthropic/maxResultSizeChars": 64_000}
    assert second == {"anthropic/searchHint": "show"}
