"""Reads files of tasks. All faults in a file are reported together, with their lines."""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.errors import SettingsError, reason_of
from mailgun_mcp.evals.task import Step, Task, TaskFile, ToolCall
from mailgun_mcp.policy.file.hypothetical import unknown_arguments
from mailgun_mcp.policy.file.load import PolicyError, parse_policy
from mailgun_mcp.policy.profiles import PROFILES
from mailgun_mcp.simulator.worlds.scenario import ScenarioError, open_scenario
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.text.validation_words import fault_in_words
from mailgun_mcp.text.yaml import YamlError, YamlPath, read


class TaskError(SettingsError):
    """A file of tasks that cannot be read or is invalid."""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema for files of tasks."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TaskFile.model_json_schema()}


@cache
def shipped_tasks() -> tuple[Task, ...]:
    """Return the tasks that come with the package, ordered by family and then as in their files."""
    directory = files("mailgun_mcp") / "_data" / "evals"
    names = sorted(entry.name for entry in directory.iterdir() if entry.name.endswith(".yaml"))
    return tuple(task for name in names for task in parse_tasks((directory / name).read_text(encoding="utf-8"), name))


def open_tasks(path: Path) -> tuple[Task, ...]:
    """Return the tasks in a file. Raises TaskError with all faults."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: cannot be read: {reason_of(error)}") from error
    return parse_tasks(text, path.name, path.parent)


def parse_tasks(text: str, name: str, directory: Path | None = None) -> tuple[Task, ...]:
    """Return the tasks in a YAML text. Paths of scenario files are relative to `directory`.

    Raises TaskError with the line of each fault.
    """
    try:
        document = read(text, calls=True)
    except YamlError as error:
        raise TaskError(f"{name}:{error.line}: not valid YAML: {error}") from error
    if document.problems:
        raise TaskError("\n".join(f"{name}:{line}: {problem}" for line, problem in document.problems))
    try:
        tasks = TaskFile.model_validate(document.value).tasks
    except ValidationError as error:
        faults = [fault for fault in error.errors() if not _is_echo(fault)]
        lines = [f"{name}:{document.line(fault['loc'])}: {fault_in_words(fault)}" for fault in faults]
        raise TaskError("\n".join(lines)) from error
    tasks = tuple(_with_scenario_path(task, directory) for task in tasks)
    problems = sorted((document.line(path) + offset, text) for path, offset, text in _problems(tasks))
    if problems:
        raise TaskError("\n".join(f"{name}:{line}: {problem}" for line, problem in problems))
    return tuple(_completed(task) for task in tasks)


def _with_scenario_path(task: Task, directory: Path | None) -> Task:
    if directory is None or task.scenario is None or not task.scenario.endswith((".yaml", ".yml")):
        return task
    return task.model_copy(update={"scenario": str(directory / task.scenario)})


def _completed(task: Task) -> Task:
    """Return the task, completed with the details in its scenario's case."""
    scenario = task.account or open_scenario(task.scenario or "")
    case = scenario.case
    update: dict[str, Any] = {"account": scenario}
    if case is not None:
        update["ask"] = task.ask or case.question
        update["answer"] = task.answer or case.answer
        evidence = tuple(Step(tool=one.tool, arguments=one.arguments) for one in case.evidence)
        update["oracle"] = task.oracle or evidence
    return task.model_copy(update=update)


def _problems(tasks: Sequence[Task]) -> Iterator[tuple[YamlPath, int, str]]:
    """Yield the faults that can be found only with the catalogue or another file.

    Each has its path, the number of lines below that path, and a message.
    """
    catalogue, seen = Catalogue.load(), set()
    for index, task in enumerate(tasks):
        at: YamlPath = ("tasks", index)
        if task.id in seen:
            yield (*at, "id"), 0, f"two tasks have the id {task.id!r}"
        seen.add(task.id)
        yield from _problems_of_scenario(task, at)
        yield from _problems_of_policy(task, at, catalogue)
        for path, call in _calls(task):
            if problem := _problem_of_call(call, catalogue):
                yield (*at, *path), 0, problem


def _problems_of_scenario(task: Task, at: YamlPath) -> Iterator[tuple[YamlPath, int, str]]:
    try:
        scenario = task.account or open_scenario(task.scenario or "")
    except ScenarioError as error:
        yield (*at, "scenario"), 0, str(error)
        return
    if scenario.case is None:
        for key in ("ask", "oracle", "answer"):
            if not getattr(task, key):
                yield at, 0, f"{key} is missing: the account has no case that says it"


def _problems_of_policy(task: Task, at: YamlPath, catalogue: Catalogue) -> Iterator[tuple[YamlPath, int, str]]:
    if "\n" not in task.policy:
        if task.policy not in PROFILES:
            yield (*at, "policy"), 0, unknown("policy", task.policy, PROFILES)
        return
    try:
        parse_policy(task.policy, catalogue, "policy")
    except PolicyError as error:
        for problem in error.problems:
            line, _, text = problem.removeprefix("policy:").partition(": ")
            yield (*at, "policy"), int(line) if line.isdecimal() else 0, f"policy: {text}"


def _calls(task: Task) -> Iterator[tuple[YamlPath, ToolCall]]:
    groups: dict[YamlPath, Sequence[ToolCall]] = {
        ("setup",): task.setup,
        ("oracle",): task.oracle,
        ("orders",): task.orders,
        ("goal", "state"): task.goal.state,
        ("goal", "changes"): task.goal.changes,
    }
    for path, calls in groups.items():
        for number, call in enumerate(calls):
            yield (*path, number), call


def _problem_of_call(call: ToolCall, catalogue: Catalogue) -> str | None:
    tool, arguments = call.parts()
    if "*" in tool or tool in BUILTIN_TOOLS or tool in WORKFLOW_TOOLS:
        return None
    if tool not in catalogue:
        return unknown("tool", tool, [*catalogue.names, *BUILTIN_TOOLS, *WORKFLOW_TOOLS])
    return "; ".join(unknown_arguments(catalogue.find(tool), arguments)) or None


def _is_echo(fault: Any) -> bool:
    """Return whether a list is called too short only because what is in it has faults of its own."""
    return fault["type"] == "too_short" and bool(fault["input"])
