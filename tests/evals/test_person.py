"""The person of a task: the first rule that matches decides, and what nobody asked for is a no."""

from mailgun_mcp.evals.person import Person
from mailgun_mcp.evals.task import NOT_ASKED, PersonRule

RULES = (
    PersonRule(tool="delete_bounce", arguments={"address": "a@x.example"}, answer="yes"),
    PersonRule(tool="clear_*", answer="no", reason="not all"),
)


def test_a_rule_answers_and_what_no_rule_is_about_is_a_needless_no() -> None:
    person = Person(RULES)
    answers = []
    for tool, arguments in (
        ("delete_bounce", {"address": "a@x.example"}),
        ("clear_bounces", {}),
        ("delete_bounce", {"address": "b@x.example"}),
    ):
        person.watch(tool, arguments)
        question = person.answer()
        answers.append((question.yes, question.reason, question.needless))
    assert answers == [(True, "", False), (False, "not all", False), (False, NOT_ASKED, True)]


def test_the_same_question_again_is_needless() -> None:
    person = Person(RULES)
    person.watch("clear_bounces", {"domain": "a.example"})
    assert [person.answer().needless for _ in range(2)] == [False, True]


def test_a_call_inside_a_wrapper_is_what_the_question_is_about() -> None:
    person = Person(RULES)
    person.watch("call_tool", {"name": "delete_bounce", "arguments": {"address": "a@x.example"}})
    assert person.answer().yes
    person.watch("call_tool", {"name": "clear_bounces"})
    assert person.answer().reason == "not all"
