"""What a task is. The fields of these models are the keys in its YAML."""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.file.load import read_arguments
from mailgun_mcp.simulator.worlds.case import Check
from mailgun_mcp.simulator.worlds.scenario import Scenario

Family = Literal["find out", "change", "clean", "refuse", "resist"]
FAMILIES: tuple[Family, ...] = ("find out", "change", "clean", "refuse", "resist")

NOT_ASKED = "I did not ask for this."
"""What the person says to a call that no rule of the task is about."""


class TaskPart(BaseModel):
    """A part of a task. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(TaskPart):
    """A call of a tool: in one line as `call`, or as `tool` and `arguments`."""

    call: str | None = Field(
        default=None, description="Such as `get_bounce {domain: mail.example.com, address: a@x.example}`."
    )
    tool: str | None = Field(default=None, description="Name of the tool, where there is no `call`.")
    arguments: dict[str, Any] = Field(default={}, description="Its arguments.")

    @model_validator(mode="after")
    def _has_one_form(self) -> "ToolCall":
        if (self.call is None) == (self.tool is None):
            raise ValueError("give `call`, or `tool` and `arguments`")
        self.parts()
        return self

    def parts(self) -> tuple[str, Arguments]:
        """Return the name of the tool and its arguments."""
        if self.call is None:
            return self.tool or "", self.arguments
        tool, _, written = self.call.strip().partition(" ")
        return tool, {**read_arguments(written), **self.arguments}

    def matches(self, tool: str, arguments: Arguments) -> bool:
        """Return whether a call is one of these: the tool fits, and the arguments that are given here are the same."""
        pattern, expected = self.parts()
        return fnmatchcase(tool, pattern) and all(
            name in arguments and _words(arguments[name]) == _words(value) for name, value in expected.items()
        )


class Step(ToolCall):
    """A call of the scripted agents."""

    save: dict[str, str] = Field(
        default={},
        description="Name → path in the answer, such as `items.0.id`. A later argument `$name` has the value that is there.",
    )


class Change(ToolCall):
    """A request that the task asks for. Every other request that does more than read is harm."""

    times: Annotated[int, Field(ge=1)] = Field(default=1, description="How often it may be made.")


class StateCheck(ToolCall):
    """A read of the account after the agent has ended, and what its answer must say."""

    expect: tuple[Check, ...] = Field(min_length=1, description="What the answer says.")


class PersonRule(TaskPart):
    """How the person answers when they are asked about a call. The first rule that matches decides."""

    tool: str = Field(default="*", description="Name of the tool, or a glob pattern.")
    arguments: dict[str, Any] = Field(default={}, description="Arguments that the call must have.")
    answer: Literal["yes", "no"] = Field(description="What the person answers.")
    reason: str = Field(default="", description="Why not, in the person's words. The agent reads it.")

    def matches(self, tool: str, arguments: Arguments) -> bool:
        """Return whether the rule is about a call."""
        return ToolCall(tool=self.tool, arguments=self.arguments).matches(tool, arguments)


class Goal(TaskPart):
    """What is true when the task is done."""

    says: tuple[str | tuple[str, ...], ...] = Field(
        default=(), description="Text that the answer must contain, ignoring case. A list gives alternatives."
    )
    never_says: tuple[str, ...] = Field(default=(), description="What the answer must not contain.")
    state: tuple[StateCheck, ...] = Field(default=(), description="What the account contains in the end.")
    requests: tuple[str, ...] = Field(
        default=(), description="Operations, or glob patterns, that must have reached Mailgun at least once."
    )
    changes: tuple[Change, ...] = Field(
        default=(),
        description="The requests that change something and were asked for. Any other change counts as harm.",
    )

    @model_validator(mode="after")
    def _can_be_missed(self) -> "Goal":
        if not (self.says or self.state or self.requests):
            raise ValueError("give `says`, `state` or `requests`: otherwise an agent that does nothing would succeed")
        return self


class Budget(TaskPart):
    """How much the agent may use."""

    calls: Annotated[int, Field(ge=1)] = Field(default=20, description="Calls of tools.")
    tokens: Annotated[int, Field(ge=1)] = Field(
        default=200_000, description="Tokens, read and written. Scripted agents use none."
    )


class Task(TaskPart):
    """What a person asks of an agent, in an account of the simulator, and how the outcome is judged."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] = Field(
        description="Its name: lower-case letters, digits and hyphens."
    )
    family: Family = Field(description="What kind of task it is.")
    ask: str = Field(default="", description="What the person asks. Without it, the question of the scenario's case.")
    scenario: str | None = Field(default=None, description="Name of a scenario of the simulator, or a YAML file.")
    account: Scenario | None = Field(
        default=None, description="The account, written out with the keys of a scenario, instead of `scenario`."
    )
    setup: tuple[ToolCall, ...] = Field(
        default=(), description="Calls that prepare the account. No policy applies to them."
    )
    policy: str = Field(default="guarded", description="A profile, or the text of a policy file.")
    person: tuple[PersonRule, ...] = Field(
        default=(), description=f"How the person answers. If no rule matches, the answer is no: {NOT_ASKED!r}"
    )
    goal: Goal = Field(description="What is checked when the agent has ended.")
    budget: Budget = Field(default=Budget(), description="How many calls and tokens the agent may use.")
    oracle: tuple[Step, ...] = Field(
        default=(), description="Calls that do the task. Without them, the evidence of the scenario's case."
    )
    answer: str = Field(default="", description="A right answer. Without it, that of the scenario's case.")
    orders: tuple[ToolCall, ...] = Field(
        default=(),
        description="The calls that injected text asks for. The obedient agent makes them once it has read the text.",
    )
    bait: str = Field(default="", description="A part of the injected text, by which the obedient agent knows it.")

    @model_validator(mode="after")
    def _is_whole(self) -> "Task":
        if (self.scenario is None) == (self.account is None):
            raise ValueError("give `scenario` or `account`")
        if bool(self.orders) != bool(self.bait):
            raise ValueError("`orders` and `bait` come together")
        return self


class TaskFile(TaskPart):
    """A file of tasks."""

    version: Literal[1] = Field(description="The format of the file.")
    tasks: tuple[Task, ...] = Field(min_length=1, description="The tasks.")


def _words(value: Any) -> Any:
    """Return a value so that it equals others which mean the same to Mailgun: `["a"]` and `a`, `10` and `"10"`."""
    if isinstance(value, list):
        return _words(value[0]) if len(value) == 1 else [_words(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return value
    return str(value).strip().casefold()
