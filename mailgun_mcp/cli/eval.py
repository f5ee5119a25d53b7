"""Judge an agent on the simulator: give it tasks, and check by program what it did and said.

Without flags the scripted oracle does the tasks that come with this server, which proves that they can be done.
With `--model`, a model does them, with your key for it; nothing reaches Mailgun.
With `--server`, its tools are those of another MCP server, whose Mailgun is the simulator.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import as_json, fitted, note, out, paint, table
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.evals.agents import Agent
    from mailgun_mcp.evals.judge import Verdict
    from mailgun_mcp.evals.report import Report
    from mailgun_mcp.evals.task import Task

ORACLE = "oracle"
AGENTS = (ORACLE, "idle", "obedient")
MODEL_REPEAT = 3
EXAMPLES = """\
  mailgun-mcp eval --family resist --agent obedient
  mailgun-mcp eval --task order-in-a-mail --agent obedient --policy unguarded
  mailgun-mcp eval --model anthropic:claude-sonnet-5-5 --mode search
  mailgun-mcp eval --model openai:gpt-6.1-sol --server 'mailgun-mcp serve --url {url} --policy {policy} --state {state}'
  mailgun-mcp eval my-tasks.yaml --task restore-webhook --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="YAML files of tasks; without one, the tasks that come with this server",
    )
    parser.add_argument(
        "--family",
        metavar="NAME",
        action="append",
        default=[],
        help="only the tasks of this family: `find out`, `change`, `clean`, `refuse` or `resist`; may be repeated",
    )
    parser.add_argument("--task", metavar="ID", action="append", default=[], help="only this task; may be repeated")
    parser.add_argument("--list", action="store_true", help="list the tasks, and run none")
    parser.add_argument(
        "--agent",
        choices=AGENTS,
        help="a scripted agent: `oracle` does each task, `idle` does nothing, `obedient` also does what injected text asks for; default oracle",
    )
    parser.add_argument(
        "--model", metavar="NAME", help="a model: `anthropic:NAME`, `openai:NAME`, `google:NAME` or `ollama:NAME`"
    )
    parser.add_argument(
        "--model-url", metavar="URL", help="base URL of an OpenAI-compatible endpoint that serves the model"
    )
    parser.add_argument(
        "--server",
        metavar="COMMAND",
        help="another MCP server on stdio; `{url}`, `{key}`, `{policy}` and `{state}` are replaced, and the first two are also in its environment "
        "as MAILGUN_API_URL and MAILGUN_API_KEY",
    )
    parser.add_argument("--policy", metavar="FILE|PROFILE", help="policy instead of the tasks' own")
    parser.add_argument(
        "--mode",
        choices=("full", "search"),
        help="whether the agent gets all tools, or finds them by search; default full",
    )
    parser.add_argument(
        "--repeat", metavar="N", help=f"how often each task is run; default 1, with --model {MODEL_REPEAT}"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="form of the report; default text"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the tasks and report. Return FAILED if one of them did not succeed."""
    _check_flags(arguments)
    tasks = _selected(_tasks(arguments.files), arguments.family, arguments.task)
    if arguments.list:
        table(
            [
                ("task", "family", "what the person asks"),
                *((task.id, task.family, " ".join(task.ask.split())) for task in tasks),
            ]
        )
        return OK
    report = _report(tasks, arguments)
    if arguments.format == "json":
        as_json(report.record())
    elif arguments.format == "markdown":
        out(report.markdown())
    else:
        _write(report)
    return FAILED if report.failures else OK


def _check_flags(arguments: argparse.Namespace) -> None:
    """Refuse flags that would have no effect."""
    if arguments.model and arguments.agent:
        raise SettingsError("--agent and --model exclude each other: a task is done by a scripted agent or by a model")
    if arguments.model_url and not arguments.model:
        raise SettingsError("--model-url needs --model: say which model of the endpoint answers")
    if arguments.server is None:
        return
    if arguments.mode:
        raise SettingsError("--mode has no effect on another server: put its own flag for that into --server")
    if arguments.policy and "{policy}" not in arguments.server:
        raise SettingsError("--policy has no effect on another server: put {policy} into --server, where it takes one")


def _tasks(files: Sequence[str]) -> "tuple[Task, ...]":
    from mailgun_mcp.evals.task_files import open_tasks, shipped_tasks

    if not files:
        return shipped_tasks()
    opened = [(name, task) for name in files for task in open_tasks(Path(name).expanduser())]
    first: dict[str, str] = {}
    for name, task in opened:
        if task.id in first:
            raise SettingsError(
                f"{name}: there is a task {task.id!r} in {first[task.id]} too: give one of them another id"
            )
        first[task.id] = name
    return tuple(task for _, task in opened)


def _selected(tasks: "tuple[Task, ...]", families: Sequence[str], ids: Sequence[str]) -> "tuple[Task, ...]":
    from mailgun_mcp.evals.task import FAMILIES

    for family in families:
        if family not in FAMILIES:
            raise SettingsError(unknown("family", family, FAMILIES))
        if family not in [task.family for task in tasks]:
            raise SettingsError(f"no task is of the family {family!r}")
    tasks = tuple(task for task in tasks if not families or task.family in families)
    for name in ids:
        if name not in [task.id for task in tasks]:
            raise SettingsError(unknown("task", name, [task.id for task in tasks]))
    return tuple(task for task in tasks if not ids or task.id in ids)


def _report(tasks: "tuple[Task, ...]", arguments: argparse.Namespace) -> "Report":
    import anyio

    from mailgun_mcp.evals.report import Report
    from mailgun_mcp.evals.runner import RunOptions, run_tasks
    from mailgun_mcp.evals.world import SetupError

    repeat = _count(arguments.repeat, MODEL_REPEAT if arguments.model else 1)
    options = RunOptions(repeat, _policy(arguments.policy), arguments.mode or "full", arguments.server)
    agent = _agent(arguments)
    try:
        verdicts = anyio.run(run_tasks, tasks, agent, options, _note_verdict if arguments.model else _quiet)
    except SetupError as error:
        raise SettingsError(f"a task is broken: {error}") from error
    subject = {
        "agent": arguments.model or arguments.agent or ORACLE,
        "server": arguments.server or "mailgun-mcp",
        "mode": arguments.mode or ("its own" if arguments.server else "full"),
    }
    return Report({**subject, "policy": _policy_judged(arguments)}, tuple(verdicts))


def _policy_judged(arguments: argparse.Namespace) -> str:
    """Return the policy for the report. A server that is not told one has its own guard rails, or none."""
    if arguments.server and "{policy}" not in arguments.server:
        return "its own"
    return arguments.policy or "that of each task"


def _agent(arguments: argparse.Namespace) -> "Agent":
    if arguments.model:
        from mailgun_mcp.agent import models
        from mailgun_mcp.evals.model_agent import ModelAgent

        return ModelAgent(models.open_model(arguments.model, arguments.model_url, retries=2))
    from mailgun_mcp.evals import agents

    return agents.AGENTS[arguments.agent or ORACLE]()


def _policy(name: str | None) -> str | None:
    from mailgun_mcp.policy.file.load import open_policy
    from mailgun_mcp.policy.profiles import PROFILES

    if name is None or name in PROFILES:
        return name
    open_policy(name)
    return str(Path(name).expanduser().absolute())


def _count(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise SettingsError(f"--repeat: give a number from 1 to 100, not {text!r}")
    return int(text)


def _quiet(_: "Verdict", __: int) -> None:
    """Report no progress, because a scripted agent is done in seconds."""


def _note_verdict(verdict: "Verdict", number: int) -> None:
    state = "ok" if verdict.success else f"failed: {verdict.first_wrong_step}"
    note(f"run {number}, {verdict.task.id}: {state}")


def _write(report: "Report") -> None:
    out(paint(", ".join(f"{name}: {value}" for name, value in report.subject.items()), "dim"))
    table(report.rows())
    for verdict in report.failures:
        out()
        out(f"{paint(verdict.task.id, 'red')} ({verdict.task.family})")
        out(fitted(f"  first wrong step: {_printable(verdict.first_wrong_step)}"))
        for fault in verdict.faults:
            out(fitted(f"  - {_printable(fault)}"))


def _printable(text: str) -> str:
    """Return a text without terminal control characters, because it quotes what strangers wrote."""
    return "".join(character if character.isprintable() else " " for character in text)
