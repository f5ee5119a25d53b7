"""What was said and called."""

from dataclasses import replace

from mailgun_mcp.agent.transcript import Message, ToolCall, Transcript
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines

pytestmark = on_both_engines

CALL = ToolCall("a", "t", 2, "list_domains", {"limit": 1})


def test_calls_belong_to_the_response_that_asked_for_them(store: Store) -> None:
    transcript = Transcript(store)
    assert transcript.add("c", "t", "user", "hello") == 1
    assert transcript.add("c", "t", "response", "{}", [CALL, replace(CALL, id="b", arguments=None)]) == 2
    assert transcript.calls("c") == [CALL, replace(CALL, id="b", arguments=None)]
    done = replace(CALL, status="done", text="{}", log="l")
    transcript.update("c", done)
    assert transcript.calls("c")[0] == done
    assert [call.id for call in transcript.open_calls("c")] == ["b"]
    assert transcript.calls("c", since=3) == []


def test_a_summary_takes_the_place_of_what_was_before_it(store: Store) -> None:
    transcript = Transcript(store)
    for text in ("one", "two", "three"):
        transcript.add("c", "t", "user", text)
    transcript.add("c", "t", "response", "{}", [replace(CALL, message=4)])
    transcript.insert_summary("c", "t", "They counted.", 3)
    assert transcript.messages("c") == [
        Message(3, "t", "summary", "They counted."),
        Message(4, "t", "user", "three"),
        Message(5, "t", "response", "{}"),
    ]
    assert [call.message for call in transcript.calls("c", since=3)] == [5]
    transcript.insert_summary("c", "t", "They counted to three.", 5)
    assert [message.kind for message in transcript.messages("c")] == ["summary", "response"]
