"""Socket Mode: the same conversation over a connection that this server opens."""

import pytest

from tests.support.chats import CLEAR, DOMAIN
from tests.support.slack_chats import U_ANN, slack_chat

pytestmark = pytest.mark.anyio


async def test_a_conversation_with_an_approved_change_over_the_socket() -> None:
    async with slack_chat([CLEAR], ["Cleared."], socket_mode=True) as slack:
        assert slack.served.apps == {}
        question = await slack.asked()
        await slack.people.send(slack.people.click(question, "Allow", user=U_ANN))
        wrong = await slack.people.send(slack.people.submission("wrong", user=U_ANN))
        assert wrong["payload"]["response_action"] == "errors"  # type: ignore[index] # over the socket it is an envelope
        await slack.people.send(slack.people.submission(DOMAIN, user=U_ANN))
        assert "Cleared." in slack.slack.shown()


async def test_a_connection_that_slack_closes_is_opened_again() -> None:
    async with slack_chat(["One."], ["Two."], socket_mode=True) as slack:
        await slack.people.message("Hi", user=U_ANN)
        await slack.slack.drop_connection()
        await slack.people.message("Hi", user=U_ANN)
        assert slack.slack.connections == 2
        assert "Two." in slack.slack.shown()
