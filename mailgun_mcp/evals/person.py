"""The simulated person of a task, who answers questions about calls by the task's rules."""

import json
from dataclasses import dataclass

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.asker import FormAnswer
from mailgun_mcp.confirm.form import Form
from mailgun_mcp.evals.task import NOT_ASKED, PersonRule


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the person, and the answer."""

    tool: str
    arguments: Arguments
    yes: bool
    reason: str
    needless: bool
    """Whether nobody wanted that call, or the person had already answered the same question."""


class Person:
    """Answers by rules. Without a matching rule, the answer is no."""

    can_ask = True

    def __init__(self, rules: tuple[PersonRule, ...]) -> None:
        self._rules = rules
        self._call: tuple[str, Arguments] = ("", {})
        self.questions: list[Question] = []

    def watch(self, tool: str, arguments: Arguments) -> None:
        """Remember the agent's current call. Questions that come before its result are about this call."""
        inner = arguments.get("name") if tool in ("call_tool", "read_tool") else None
        self._call = (str(inner), arguments.get("arguments") or {}) if inner else (tool, arguments)

    def answer(self) -> Question:
        """Answer the question about the current call."""
        tool, arguments = self._call
        rule = next((rule for rule in self._rules if rule.matches(tool, arguments)), None)
        yes = rule is not None and rule.answer == "yes"
        reason = "" if yes else (rule.reason if rule else NOT_ASKED)
        asked_before = any(_key(one.tool, one.arguments) == _key(tool, arguments) for one in self.questions)
        question = Question(tool, arguments, yes, reason, needless=rule is None or asked_before)
        self.questions.append(question)
        return question

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:  # noqa: ARG002 - the signature of an Asker
        """Answer a form as the person at the client would."""
        question = self.answer()
        return FormAnswer("yes") if question.yes else FormAnswer("declined", question.reason)


def _key(tool: str, arguments: Arguments) -> str:
    return json.dumps([tool, arguments], sort_keys=True, default=str)
