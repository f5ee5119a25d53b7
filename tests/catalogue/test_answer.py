"""Which fields a call gets, and what a caller means by a field's name."""

from mailgun_mcp.catalogue.answer import chosen_fields, field_places, places_of
from tests.support.operations import find

EVENTS = find("list_events")


def test_a_place_is_meant_before_fields_that_end_in_the_name() -> None:
    assert places_of(EVENTS, "ip") == ["ip"]
    assert places_of(EVENTS, "message-id") == ["message/headers/message-id"]
    assert places_of(EVENTS, "message.headers.subject") == ["message/headers/subject"]
    assert places_of(EVENTS, "message/size") == ["message/size"]
    assert places_of(EVENTS, "subjct") == []


def test_fields_of_lists_have_places_too() -> None:
    assert "attachments/size" in field_places(find("get_stored_message"))


def test_a_call_gets_the_usual_fields_those_it_chooses_or_all() -> None:
    assert EVENTS.answer is not None
    assert chosen_fields(EVENTS, {}) == list(EVENTS.answer.fields)
    assert chosen_fields(EVENTS, {"fields": []}) == list(EVENTS.answer.fields)
    assert chosen_fields(EVENTS, {"fields": ["event", "code"]}) == ["event", "delivery-status/code"]
    assert chosen_fields(EVENTS, {"full": True, "fields": ["event"]}) is None
    assert chosen_fields(find("get_bounce"), {}) is None
