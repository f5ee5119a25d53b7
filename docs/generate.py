"""Writes the generated parts of the docs: what stands between two `generated` markers.

Run from the repository as `python -m docs.generate`, with `--check` to only compare.
"""

import argparse
import inspect
import json
import re
import sys
from argparse import SUPPRESS
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, listed, offered
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.markdown import condition, tool_reference
from mailgun_mcp.catalogue.presets import PRESETS, tools_of_presets
from mailgun_mcp.catalogue.procedures import compiled_procedures
from mailgun_mcp.catalogue.skills import compiled_skills
from mailgun_mcp.catalogue.tool_costs import estimated_tokens
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.clients import CLIENTS, entry
from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.config_edit import snippet
from mailgun_mcp.cli.parser import Parser, command_parser
from mailgun_mcp.cli.simulator_control import CONTROLS
from mailgun_mcp.cli.tool_selection import fitting_toolsets
from mailgun_mcp.evals.task_files import json_schema as eval_schema
from mailgun_mcp.evals.task_files import shipped_tasks
from mailgun_mcp.server.resource_kinds import KINDS
from mailgun_mcp.settings import OPTIONS, env_name
from mailgun_mcp.simulator.control.routes import ROUTES, STREAMS
from mailgun_mcp.simulator.sections.all_sections import HANDLERS
from mailgun_mcp.simulator.sections.registry import MEANINGS
from mailgun_mcp.simulator.worlds.scenario import json_schema, open_scenario, shipped_names
from mailgun_mcp.text.suggest import sentence

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SCOPES = ("user", "project")
RISKS = {
    "read": "reads something",
    "write": "creates or changes something",
    "send": "sends mail",
    "destructive": "removes or overwrites something, changes whether mail flows, or allows mail to someone who opted out",
    "credential": "creates, changes or shows a key or password, or changes who gets in",
    "billing": "costs money",
}


def _toolsets() -> str:
    catalogue = Catalogue.load()
    lines = ["| toolset | tools | read | write | send | destructive | credential | billing |", "| --- " * 8 + "|"]
    for toolset in catalogue.toolsets:
        inside: list[str] = [operation.risk for operation in catalogue if operation.toolset == toolset]
        counts = " | ".join(str(inside.count(risk) or "") for risk in RISKS)
        lines.append(f"| `{toolset}` | {len(inside)} | {counts} |")
    built_in = [tool["_meta"]["mailgun-mcp/risk"] for tool in offered(catalogue).values()]
    counts = " | ".join(str(built_in.count(risk) or "") for risk in RISKS)
    lines.append(f"| built in | {len(built_in)} | {counts} |")
    risks = _risks_of_all()
    lines.append(f"| all | {len(risks)} | {' | '.join(str(risks.count(risk)) for risk in RISKS)} |")
    return "\n".join(lines)


def _risks_of_all() -> list[str]:
    """Return the risk of every tool that a client is shown."""
    catalogue = Catalogue.load()
    built_in = [tool["_meta"]["mailgun-mcp/risk"] for tool in offered(catalogue).values()]
    return [*(operation.risk for operation in catalogue), *built_in]


def _presets() -> str:
    catalogue = Catalogue.load()
    lines = ["| preset | tools | tokens | for |", "| --- | --- | --- | --- |"]
    for name, preset in PRESETS.items():
        tools = listed(catalogue.select(tools=tools_of_presets([name], catalogue)))
        lines.append(f"| `{name}` | {len(tools)} | {estimated_tokens(tools):,} | {preset.description} |")
    return "\n".join(lines)


def _settings() -> str:
    lines = ["| flag | environment | default | meaning |", "| --- | --- | --- | --- |"]
    for name, option in OPTIONS.items():
        data = option.metadata
        flag = f"`--{name.replace('_', '-')}`" if data["flag"] else ""
        choices = f" ({', '.join(f'`{choice}`' for choice in data['choices'])})" if data["choices"] else ""
        default = f"`{option.default}`" if option.default not in (None, (), False) else ""
        lines.append(f"| {flag} | `{env_name(name)}` | {default} | {data['help']}{choices} |")
    lines.append(
        "| `--config` | `MAILGUN_MCP_CONFIG` | | configuration file (default: in the user's configuration directory) |"
    )
    return "\n".join(lines)


def _commands() -> str:
    lines = ["| command | what it does |", "| --- | --- |", "| `mailgun-mcp` | the server on stdio |"]
    return "\n".join(lines + [f"| `mailgun-mcp {name}` | {help_text} |" for name, help_text in COMMANDS.items()])


def _command_reference() -> str:
    """Return every command and action with its arguments. The flags of the settings are left to the README's table."""
    parts = []
    for name in COMMANDS:
        parser = command_parser(name)
        parts.append(f"## mailgun-mcp {name}\n\n{_paragraphs(parser.description or '')}\n")
        if parser.epilog:
            parts.append("```sh\n{}\n```\n".format(inspect.cleandoc(parser.epilog.partition("\n")[2])))
        parts.append(_arguments(parser))
        for actions in parser.actions():
            helps = {choice.dest: choice.help for choice in actions._choices_actions}
            for action, subparser in actions.choices.items():
                parts.append(f"### mailgun-mcp {name} {action}\n\n{_sentence(str(helps.get(action) or ''))}\n")
                parts.append(_arguments(subparser))
    return "\n".join(part for part in parts if part).rstrip()


def _paragraphs(text: str) -> str:
    """Return a docstring with one line a sentence."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return "\n\n".join(re.sub(r"(?<=[.:]) (?=[A-Z])", "\n", paragraph) for paragraph in paragraphs).strip()


def _sentence(text: str) -> str:
    return f"{sentence(text)}." if text else ""


def _arguments(parser: Parser) -> str:
    rows = []
    shared = [action for group in parser._action_groups if group.title == "settings" for action in group._group_actions]
    settings = [f"`{action.option_strings[0]}`" for action in shared if action.dest != "config"]
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        if action.dest not in ("help", "action") and action not in shared and action.help != SUPPRESS:
            flag = ", ".join(name for name in action.option_strings if name.startswith("--"))
            choices = "|".join(map(str, action.choices)) if action.choices and len(list(action.choices)) < 12 else ""
            value = "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
            written = f"{flag} {value}".strip()
            rows.append(
                f"| `{written.replace('|', chr(92) + '|')}` | {str(action.help or '').replace('|', chr(92) + '|')} |"
            )
    table = "\n".join(["| argument | meaning |", "| --- | --- |", *rows, ""]) if rows else ""
    return "\n".join(part for part in (table, f"Settings: {', '.join(settings)}.\n" if settings else "") if part)


def _exits() -> str:
    lines = ["| exit code | meaning |", "| --- | --- |"]
    return "\n".join(lines + [f"| {code} | {meaning} |" for code, meaning in exits.MEANINGS.items()])


def _risks() -> str:
    risks = _risks_of_all()
    decisions = {"read": "allowed", "write": "allowed", "send": "allowed to at most 10 recipients, otherwise confirmed"}
    lines = ["| risk | tools | what a call can do | under the default policy |", "| --- | --- | --- | --- |"]
    for risk, meaning in RISKS.items():
        lines.append(f"| {risk} | {risks.count(risk)} | {meaning} | {decisions.get(risk, 'confirmed by a person')} |")
    return "\n".join(lines)


def _risk_table() -> str:
    """Return every tool that changes something, with its risk, and why where the method does not say it."""
    lines = ["| tool | call | risk | bulk | can be undone | why this risk |", "| --- " * 6 + "|"]
    undone = {"whole": "yes", "part": "in part", "no": "no", None: ""}
    for operation in Catalogue.load():
        if operation.risk != "read" or operation.risk_reason:
            call = f"`{operation.method} {operation.path}`"
            bulk = "yes" if operation.bulk else ""
            lines.append(
                f"| `{operation.name}` | {call} | {operation.risk} | {bulk} | {undone[operation.reversible]} "
                f"| {operation.risk_reason or ''} |"
            )
    return "\n".join(lines)


def _raised_risks() -> str:
    """Return what makes calls riskier than their tools, with the reasons."""
    lines = ["| tool | risk | riskier | then | why |", "| --- " * 5 + "|"]
    lines += [
        f"| `{operation.name}` | {operation.risk} | {condition(item)} | {item.risk} | {item.reason} |"
        for operation in Catalogue.load()
        for item in operation.raises
    ]
    return "\n".join(lines)


def _tools() -> str:
    catalogue = Catalogue.load()
    parts = []
    for toolset, title in catalogue.toolsets.items():
        parts.append(f"## {title}\n")
        parts += [
            tool_reference(operation).replace("# ", "### ", 1)
            for operation in catalogue
            if operation.toolset == toolset
        ]
    return "\n".join(parts).rstrip()


def _local() -> str:
    lines = ["| tool | what it does |", "| --- | --- |"]
    return "\n".join(lines + [f"| `{name}` | {tool['description']} |" for name, tool in BUILTIN_TOOLS.items()])


def _workflows() -> str:
    lines = ["| tool | what it does | what it calls |", "| --- | --- | --- |"]
    for name, tool in WORKFLOW_TOOLS.items():
        called = ", ".join(f"`{each}`" for each in (*tool.needs, *tool.uses))
        lines.append(f"| `{name}` | {tool.description} | {called} |")
    return "\n".join(lines)


def _controls() -> str:
    lines = ["| `mailgun-mcp simulator …` | route below `/simulator/` | what it does |", "| --- | --- | --- |"]
    rows = ((f"{name} {control.usage}".strip(), control) for name, control in CONTROLS.items())
    return "\n".join(lines + [f"| `{call}` | {control.routes} | {control.help} |" for call, control in rows])


def _control_routes() -> str:
    lines = ["| route | what it does |", "| --- | --- |"]
    routes = [(path, name, each) for path, methods in ROUTES.items() for name, each in methods.items()]
    streams = [(path, name, each) for path, methods in STREAMS.items() for name, each in methods.items()]
    every: list[tuple[str, str, object]] = [*routes, *streams]
    for path, method, route in every:
        told = (inspect.getdoc(route) or "").partition("\n\n")
        more = told[2].replace("\n", " ")
        lines.append(f"| `{method} {path}` | {f'{told[0]} {more}'.strip()} |")
    return "\n".join(lines)


def _scenario_keys() -> str:
    return _keys(json_schema(), "Scenario")


def _eval_keys() -> str:
    """Return the keys of a file of tasks. Those of the account are the keys of a scenario."""
    return _keys(eval_schema(), "TaskFile", without={"Scenario", *json_schema()["$defs"]})


def _keys(schema: dict[str, Any], name: str, without: Collection[str] = ()) -> str:
    """Return a table for each part of a document that a JSON schema describes."""
    parts = {name: schema, **{key: part for key, part in schema["$defs"].items() if key not in without}}
    lines: list[str] = []
    for part_name in (name, *sorted(parts.keys() - {name})):
        part = parts[part_name]
        kind = part["properties"].get("kind", {}).get("const")
        title = f"`kind: {kind}`" if kind else f"`{part_name}`"
        lines += ["", f"**{title}**: {' '.join(part['description'].split())}", "", "| key | default | meaning |"]
        lines += ["| --- | --- | --- |"]
        for key, value in part["properties"].items():
            if key != "kind":
                default = "required" if key in part.get("required", ()) else f"`{json.dumps(value.get('default'))}`"
                lines.append(f"| `{key}` | {default} | {value['description']} |".replace("-> ", "→ "))
    return "\n".join(lines).strip()


def _eval_tasks() -> str:
    lines = ["| task | family | what the person asks |", "| --- | --- | --- |"]
    return "\n".join(
        lines + [f"| `{task.id}` | {task.family} | {' '.join(task.ask.split())} |" for task in shipped_tasks()]
    )


def _scenarios() -> str:
    lines = ["| scenario | question |", "| --- | --- |"]
    for name in shipped_names():
        case = open_scenario(name).case
        lines.append(f"| `{name}` | {case.question if case else ''} |")
    return "\n".join(lines)


def _undo() -> str:
    lines = ["| operation | put back | not put back, or the reason |", "| --- | --- | --- |"]
    for operation in Catalogue.load():
        if operation.undo:
            undo = operation.undo
            kept = {"whole": "whole", "part": "in part", "no": "no", None: ""}[operation.reversible]
            told = undo.missing or undo.why or (f"loses nothing: {undo.nothing}" if undo.nothing else "")
            lines.append(f"| `{operation.name}` | {'' if undo.nothing else kept} | {told} |")
    return "\n".join(lines)


def _simulated() -> str:
    catalogue = Catalogue.load()
    levels = [handler.fidelity for handler in HANDLERS.values()]
    lines = ["| level | operations | meaning |", "| --- | --- | --- |"]
    lines += [f"| {level} | {levels.count(level)} | {meaning} |" for level, meaning in MEANINGS.items()]
    for toolset, title in catalogue.toolsets.items():
        lines += ["", f"## {title}", "", "| operation | level | how |", "| --- | --- | --- |"]
        inside = [operation.name for operation in catalogue if operation.toolset == toolset]
        lines += [f"| `{name}` | {HANDLERS[name].fidelity} | {HANDLERS[name].note} |" for name in inside]
    return "\n".join(lines)


def _tested_clients() -> str:
    """Return what `python -m benchmarks.clients` found."""
    tested = json.loads((ROOT / "docs" / "clients" / "tested.json").read_text(encoding="utf-8"))
    lines = ["| client | version | lists all | calls | is asked | progress | resumes |", "| --- " * 7 + "|"]
    for row in tested["rows"]:
        strict = f", {row['strict']} of them strict" if "strict" in row else ""
        listed = f"{row['lists']} of {tested['tools']}{strict}"
        answers = (
            "yes" if row[name] is True else row[name] or "no" for name in ("calls", "asked", "progress", "resumes")
        )
        lines.append(f"| {row['client']} | {row['version']} | {listed} | {' | '.join(answers)} |")
    return "\n".join([*lines, "", f"Run on {tested['date']} with mailgun-mcp {tested['version']}."])


def _client_list() -> str:
    lines = ["| client | `--client` | file for you | file in a project | tools |", "| --- " * 5 + "|"]
    for name, client in CLIENTS.items():
        guide = name.removesuffix("-1")
        files = [f"`{shown_file(client.files[scope][0])}`" if scope in client.files else "" for scope in SCOPES]
        limit = f"{client.tool_limit} at most" if client.tool_limit else ""
        lines.append(f"| [{client.title}]({guide}.md) | `{name}` | {' | '.join(files)} | {limit} |")
    return "\n".join(lines)


def _client(name: str) -> str:
    """Return how to add the server to a client, by command and by hand."""
    client = CLIENTS[name]
    lines = ["```sh", f"mailgun-mcp install --client {name}", "```", ""]
    for scope, files in client.files.items():
        owner = "for you" if scope == "user" else f"in a project (`--scope {scope}`)"
        default = ", the default" if scope == next(iter(client.files)) and len(client.files) > 1 else ""
        lines.append(f"- File {owner}{default}: `{shown_file(files[0])}`")
    lines += ["", "This adds:", "", f"```{client.form}", client_snippet(name).rstrip(), "```", ""]
    lines += [client.key_step, client.after] if client.key_step else [client.after]
    return "\n".join(lines)


def client_snippet(name: str) -> str:
    """Return what `install` adds for a client, with the command's name alone in place of its path."""
    client = CLIENTS[name]
    toolsets = fitting_toolsets(client, Catalogue.load())
    arguments = ["serve", "--toolsets", ",".join(toolsets)] if toolsets else []
    return snippet(client, "mailgun", entry(client, ["mailgun-mcp", *arguments], None, keyless=False))


def shown_file(name: str) -> str:
    """Return a configuration file of a client as Linux has it."""
    return re.sub("^[@%]/", "~/.config/", name)


def _sdks() -> str:
    lines = ["| code | version | calls tried | passed | groups |", "| --- | --- | --- | --- | --- |"]
    results = json.loads((ROOT / "tests" / "sdk" / "results.json").read_text(encoding="utf-8"))
    for name, result in results.items():
        passed = sum(map(len, result["passed"].values()))
        lines.append(
            f"| {name} | {result['version']} | {passed + len(result['failed'])} | {passed} | {len(result['passed'])} |"
        )
    return "\n".join(lines)


def _prompts() -> str:
    lines = ["| prompt | asks for | what it does |", "| --- | --- | --- |"]
    for procedure in compiled_procedures().values():
        asked = ", ".join(f"{one.name}{'' if one.required else ' (optional)'}" for one in procedure.arguments)
        lines.append(f"| `{procedure.name}` | {asked} | {procedure.description} |")
    return "\n".join(lines)


def _resources() -> str:
    lines = ["| resource | read by | what it is |", "| --- | --- | --- |"]
    lines += [
        f"| `{kind.template}` | {f'`{kind.tool}`' if kind.tool else 'the server'} | {kind.description} |"
        for kind in KINDS
    ]
    return "\n".join(lines)


def _skills() -> str:
    lines = ["| skill | procedures | what it is for |", "| --- | --- | --- |"]
    for skill in compiled_skills():
        procedures = ", ".join(f"`{name}`" for name in skill.procedures)
        lines.append(f"| `{skill.name}` | {procedures} | {skill.title} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "toolsets": _toolsets,
    "presets": _presets,
    "settings": _settings,
    "commands": _commands,
    "command-reference": _command_reference,
    "exits": _exits,
    "risks": _risks,
    "risk-table": _risk_table,
    "raised-risks": _raised_risks,
    "tools": _tools,
    "local-tools": _local,
    "workflow-tools": _workflows,
    "prompts": _prompts,
    "skills": _skills,
    "resources": _resources,
    "controls": _controls,
    "control-routes": _control_routes,
    "scenarios": _scenarios,
    "eval-keys": _eval_keys,
    "eval-tasks": _eval_tasks,
    "scenario-keys": _scenario_keys,
    "undo": _undo,
    "simulated": _simulated,
    "tested-clients": _tested_clients,
    "client-list": _client_list,
    **{f"client-{name}": partial(_client, name) for name in CLIENTS},
    "sdks": _sdks,
}


def render(text: str) -> str:
    """Return `text` with every generated part written again. Raises KeyError for an unknown part."""
    return MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main(arguments: list[str]) -> int:
    """Write the generated parts, or with `--check` only compare. Returns the exit code."""
    stale = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        text = path.read_text(encoding="utf-8")
        rendered = render(text)
        if rendered != text:
            stale.append(str(path.relative_to(ROOT)))
            if arguments != ["--check"]:
                path.write_text(rendered, encoding="utf-8", newline="\n")
    if stale and arguments == ["--check"]:
        sys.stderr.write(f"stale: {', '.join(stale)}; run `python -m docs.generate`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
