"""The attacker wants mail to many people, and sends it in calls that are too small to ask about."""

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.model import Decision
from mailgun_mcp.policy.profiles import profile
from tests.support.policies import policy, send

TEN = [f"a{number}@example.com" for number in range(10)]


def test_guarded_asks_when_small_sends_add_up_within_an_hour() -> None:
    assert decide(profile("guarded"), send(*TEN, recipients_last_hour=40)).effect == "allow"
    assert decide(profile("guarded"), send(*TEN, recipients_last_hour=41)) == Decision(
        "confirm",
        "send/confirm_per_hour",
        "with this call, 51 recipients get mail within an hour; a person is asked above 50",
        "typed",
    )


def test_a_file_sets_where_a_person_is_asked() -> None:
    higher = policy("extends: guarded\nsend: {confirm_per_hour: 500}\n")

    assert decide(higher, send(*TEN, recipients_last_hour=490)).effect == "allow"
    assert decide(higher, send(*TEN, recipients_last_hour=491)).effect == "confirm"


def test_a_file_with_other_limits_keeps_the_question() -> None:
    other = policy("extends: guarded\nsend: {recipients_per_hour: 5000}\n")

    assert decide(other, send(*TEN, recipients_last_hour=41)).effect == "confirm"
