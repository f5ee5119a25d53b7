"""Writes the generated parts of the docs: what stands between two `generated` markers.

Run from the repository as `python -m docs.generate`, with `--check` to only compare.
"""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.markdown import tool_reference
from mailgun_mcp.cli import COMMANDS, exits
from mailgun_mcp.cli.simulator_control import CONTROLS
from mailgun_mcp.settings import OPTIONS, env_name
from mailgun_mcp.simulator.control.routes import ROUTES
from mailgun_mcp.simulator.sections.index import HANDLERS
from mailgun_mcp.simulator.sections.registry import MEANINGS

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
RISKS = {
    "read": "reads something",
    "write": "creates or changes something",
    "send": "sends mail",
    "destructive": "removes something, or allows mail to someone who opted out",
    "credential": "creates, changes or shows a key or password",
    "billing": "costs money",
}


def _toolsets() -> str:
    catalogue = Catalogue.load()
    lines = ["| toolset | tools | read | write | send | destructive | credential | billing |", "| --- " * 8 + "|"]
    for toolset in catalogue.toolsets:
        inside: list[str] = [operation.risk for operation in catalogue if operation.toolset == toolset]
        counts = " | ".join(str(inside.count(risk) or "") for risk in RISKS)
        lines.append(f"| `{toolset}` | {len(inside)} | {counts} |")
    risks: list[str] = [operation.risk for operation in catalogue]
    lines.append(f"| all | {len(risks)} | {' | '.join(str(risks.count(risk)) for risk in RISKS)} |")
    return "\n".join(lines)


def _settings() -> str:
    lines = ["| flag | environment | default | meaning |", "| --- | --- | --- | --- |"]
    for name, option in OPTIONS.items():
        data = option.metadata
        flag = f"`--{name.replace('_', '-')}`" if data["flag"] else ""
        choices = f" ({', '.join(f'`{choice}`' for choice in data['choices'])})" if data["choices"] else ""
        default = f"`{option.default}`" if option.default not in (None, (), False) else ""
        lines.append(f"| {flag} | `{env_name(name)}` | {default} | {data['help']}{choices} |")
    lines.append("| `--config` | `MAILGUN_MCP_CONFIG` | | configuration file, instead of the user's own |")
    return "\n".join(lines)


def _commands() -> str:
    lines = ["| command | what it does |", "| --- | --- |", "| `mailgun-mcp` | the server on stdio |"]
    return "\n".join(lines + [f"| `mailgun-mcp {name}` | {help_text} |" for name, help_text in COMMANDS.items()])


def _exits() -> str:
    lines = ["| exit code | meaning |", "| --- | --- |"]
    return "\n".join(lines + [f"| {code} | {meaning} |" for code, meaning in exits.MEANINGS.items()])


def _risks() -> str:
    catalogue = Catalogue.load()
    decisions = {"read": "allowed", "write": "allowed", "send": "allowed to at most 10 recipients, otherwise confirmed"}
    lines = ["| risk | tools | what a call can do | under the default policy |", "| --- | --- | --- | --- |"]
    for risk, meaning in RISKS.items():
        count = sum(operation.risk == risk for operation in catalogue)
        lines.append(f"| {risk} | {count} | {meaning} | {decisions.get(risk, 'confirmed by a person')} |")
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


def _controls() -> str:
    lines = ["| `mailgun-mcp simulator …` | route below `/simulator/` | what it does |", "| --- | --- | --- |"]
    rows = ((f"{name} {control.usage}".strip(), control) for name, control in CONTROLS.items())
    return "\n".join(lines + [f"| `{call}` | {control.routes} | {control.help} |" for call, control in rows])


def _control_routes() -> str:
    lines = ["| route | what it does |", "| --- | --- |"]
    for path, methods in ROUTES.items():
        for method, route in methods.items():
            told = (inspect.getdoc(route) or "").partition("\n\n")
            more = told[2].replace("\n", " ")
            lines.append(f"| `{method} {path}` | {f'{told[0]} {more}'.strip()} |")
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


PARTS: dict[str, Callable[[], str]] = {
    "toolsets": _toolsets,
    "settings": _settings,
    "commands": _commands,
    "exits": _exits,
    "risks": _risks,
    "tools": _tools,
    "local-tools": _local,
    "controls": _controls,
    "control-routes": _control_routes,
    "undo": _undo,
    "simulated": _simulated,
}


def render(text: str) -> str:
    """Return `text` with every generated part written again. Raises KeyError for an unknown part."""
    return MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main(arguments: list[str]) -> int:
    """Write the generated parts, or with `--check` only compare. Returns the exit code."""
    stale = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        rendered = render(text)
        if rendered != text:
            stale.append(path.name)
            if arguments != ["--check"]:
                path.write_text(rendered, encoding="utf-8", newline="\n")
    if stale and arguments == ["--check"]:
        sys.stderr.write(f"stale: {', '.join(stale)}; run `python -m docs.generate`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
