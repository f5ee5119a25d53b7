"""A thread is a conversation."""

from mailgun_mcp.agent.conversations import check_id
from mailgun_mcp.agent.slack.thread import Thread, thread_of


def test_a_thread_is_found_again_by_its_conversation() -> None:
    thread = Thread("T0TEAM", "C0OFFICE", "1800000000.000100", "U0ANN")
    check_id("conversation", thread.conversation)
    assert thread_of(thread.conversation) == thread
    assert not thread.is_private
    assert thread_of("slack:T:C") is None
    assert thread_of("other:T:C:1.1:U") is None
