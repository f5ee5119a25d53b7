"""Check, explain, test and show a policy, or replay recorded calls against it. Nothing is sent to Mailgun."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailgun_mcp.cli.call_arguments import HELP as CALL_ARGUMENTS
from mailgun_mcp.cli.call_arguments import read_call_arguments, tool_and_arguments
from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.output import out, paint_state
from mailgun_mcp.cli.parser import Parser, add_settings
from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.policy.file.replay import ReplayedCall
    from mailgun_mcp.policy.model import Decision, Policy

RENAMED = {"simulate": "replay", "--replay": "--log"}
EXAMPLES = """\
  mailgun-mcp policy check team.yaml
  mailgun-mcp policy check team.yaml --account --simulator --strict
  mailgun-mcp policy explain delete_domain domain=mg.example.com --policy team.yaml
  mailgun-mcp policy explain send_message to=kim@example.org --after-untrusted 5m
  mailgun-mcp policy test team.yaml
  mailgun-mcp policy table --policy strict
  mailgun-mcp policy replay team.yaml --log calls.jsonl
  mailgun-mcp policy schema"""
ACCOUNT_SETTINGS = ("simulator", "region", "hostname", "url", "api_key_file", "subaccount")
METAVARS = {
    **dict.fromkeys(("principal", "client", "account"), "NAME"),
    **dict.fromkeys(("at", "after_untrusted", "sent_before"), "TIME"),
    **dict.fromkeys(("recipients_last_hour", "addresses_last_hour", "spent_this_month"), "N"),
    "subaccount": "ID",
}
"""Assumption -> the placeholder for its value in help."""
DEFAULTS = {"principal": "; default: you", "at": "; default: now"}
"""Assumption -> its default, as help shows it."""
NAMES = ("check", "explain", "test", "table", "replay", "schema")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from mailgun_mcp.policy.file.hypothetical import ASSUMPTIONS

    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    checking = actions.add_parser("check", help="say whether a file is valid, or list all its faults")
    checking.add_argument("file", help="policy file, or a profile")
    checking.add_argument("--strict", action="store_true", help="fail if there are warnings too")
    checking.add_argument(
        "--account",
        action="store_true",
        help="read the account's domains, and also warn of domains that it does not have",
    )
    checking.add_argument(
        "--principals",
        metavar="A,B",
        help="users who run servers on other machines; those of this machine are included",
    )
    explaining = actions.add_parser("explain", help="show the decision on a call, the rule that makes it, and why")
    explaining.add_argument("tool", help="name of the tool")
    explaining.add_argument("arguments", nargs="*", default=[], help=CALL_ARGUMENTS)
    for name, meaning in ASSUMPTIONS.items():
        if name != "list_members":
            choices = ("us", "eu") if name == "region" else None
            flag = f"--{name.replace('_', '-')}"
            default = DEFAULTS.get(name, "")
            explaining.add_argument(flag, metavar=METAVARS.get(name), choices=choices, help=f"{meaning}{default}")
    explaining.add_argument("--caller", dest="principal", help=argparse.SUPPRESS)
    testing = actions.add_parser("test", help="run the tests in a file")
    testing.add_argument("file", help="policy file")
    tabling = actions.add_parser(
        "table", help="show the decision on every operation; without --policy, under each profile"
    )
    tabling.add_argument("--format", choices=sorted(FORMATS), default="text", help="default text")
    replaying = actions.add_parser("replay", help="show what a policy would have decided on recorded calls")
    replaying.add_argument("file", help="policy file, or a profile")
    replaying.add_argument(
        "--log", required=True, metavar="FILE", help="JSON lines, as `mailgun-mcp audit export --values` writes them"
    )
    actions.add_parser("schema", help="print the JSON Schema of a policy file, for editors")
    for action in (explaining, tabling):
        action.add_argument("--policy", metavar="FILE|PROFILE", help="default: the policy that a server would use")
    for action in (explaining, testing, tabling, replaying):
        add_settings(action, only=("spec",))
    add_settings(checking, only=("spec", *ACCOUNT_SETTINGS))
    for action in actions.choices.values():
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action. For an invalid policy file, print all its faults."""
    from mailgun_mcp.policy.file.load import PolicyError

    actions = {
        "check": _check,
        "explain": _explain,
        "test": _test,
        "table": _table,
        "replay": _replay,
        "schema": _schema,
    }
    try:
        return actions[arguments.action](arguments)
    except PolicyError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED if arguments.action in ("check", "test") else USAGE


def _check(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.policy.file.warnings import unknown_domains, warnings
    from mailgun_mcp.policy.profiles import PROFILES

    catalogue = _catalogue(arguments)
    policy = _load(arguments.file, catalogue)
    faults = _unmatched_principals(arguments, policy, catalogue)
    if faults:
        sys.stderr.write("".join(f"{fault}\n" for fault in faults))
        return FAILED
    tests = f", {len(policy.tests)} tests" if policy.tests else ""
    out(f"{arguments.file}: ok ({len(policy.rules)} rules, including those of the profile{tests})")
    if not any(rule.name.partition("/")[0] in PROFILES for rule in policy.rules):
        out("It does not extend a profile: a call that no rule allows is denied.")
    doubts = list(warnings(policy, catalogue))
    if arguments.account:
        doubts += unknown_domains(policy, _domains(arguments))
    for doubt in doubts:
        out(f"{paint_state('warning', 'warning')}: {doubt}")
    return FAILED if doubts and arguments.strict else OK


def _domains(arguments: argparse.Namespace) -> list[str]:
    """Read the names of the account's domains from Mailgun."""
    from mailgun_mcp.cli.account_domains import domains

    return domains(load({name: getattr(arguments, name) for name in (*ACCOUNT_SETTINGS, "config")}))


def _unmatched_principals(arguments: argparse.Namespace, policy: "Policy", catalogue: "Catalogue") -> list[str]:
    from mailgun_mcp.cli.users import principals_here
    from mailgun_mcp.policy.file.principals import principal_words, unmatched_principals

    here = principals_here(principal_words(policy))
    if here is None:
        return []
    elsewhere = [name.strip() for name in (arguments.principals or "").split(",") if name.strip()]
    return list(unmatched_principals(policy, catalogue, [*here, *elsewhere]))


def _explain(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation
    from mailgun_mcp.identity.principal import local_user
    from mailgun_mcp.policy.engine import decide, explain
    from mailgun_mcp.policy.file.hypothetical import ASSUMPTIONS, assumed_facts, unknown_arguments
    from mailgun_mcp.request.as_meant import as_meant
    from mailgun_mcp.text.suggest import unknown

    catalogue = _catalogue(arguments)
    name, words = tool_and_arguments(arguments.tool, arguments.arguments)
    if name not in (*catalogue.names, *OWN_TOOLS) and name not in catalogue:
        raise SettingsError(unknown("tool", name, [*catalogue.names, *OWN_TOOLS]))
    operation = builtin_operation(name) if name in OWN_TOOLS else catalogue.find(name)
    policy = _chosen(arguments, catalogue)
    given = {name: value for name in ASSUMPTIONS if (value := getattr(arguments, name, None)) is not None}
    assumptions = {"principal": local_user().id, "at": datetime.now(UTC).isoformat(), **given}
    call_arguments = as_meant(operation, read_call_arguments(words, operation.tool["inputSchema"]))
    try:
        facts = assumed_facts(operation, call_arguments, assumptions, policy.timezone)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    faults = unknown_arguments(operation, call_arguments)
    if faults:
        raise SettingsError("; ".join(faults))
    _print_decision(policy, decide(policy, facts))
    for verdict in explain(policy, facts):
        mark = "=>" if verdict.decides else "! " if verdict.failed else "+ " if verdict.matched else "  "
        out(f"{mark} {verdict.effect:<8} {verdict.rule}: {verdict.why}")
    return OK


def _print_decision(policy: "Policy", decision: "Decision") -> None:
    out(f"decision: {_painted(decision)}")
    out(f"rule:     {decision.rule}")
    out(f"reason:   {decision.reason}")
    out(f"policy:   {policy.name} {policy.digest[:12]}")
    out()
    out("Rules: denies first, then the others in order. => decides, + also matches, ! could not be evaluated.")


def _test(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.policy.file.examples import run_examples

    catalogue = _catalogue(arguments)
    results = run_examples(_load(arguments.file, catalogue), catalogue)
    for result in results:
        mark = paint_state("ok    ", "ok") if result.passed else paint_state("FAILED", "failed")
        out(f"{mark} {arguments.file}:{result.example.line} {result.example.call}: {_words(result.decision)}")
        for fault in result.faults:
            out(f"       {fault} ({result.decision.reason})")
    failed = sum(not result.passed for result in results)
    out(f"{len(results) - failed} of {len(results)} tests passed" if results else "The file has no tests.")
    return FAILED if failed else OK


def _table(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.policy.profiles import PROFILES, profile

    catalogue = _catalogue(arguments)
    policies = [_chosen(arguments, catalogue)] if arguments.policy else [profile(name) for name in PROFILES]
    FORMATS[arguments.format](list(_cells(policies, catalogue)))
    return OK


def _cells(policies: Sequence["Policy"], catalogue: "Catalogue") -> Iterator[list[str]]:
    from mailgun_mcp.policy.file.table import rows

    alone = len(policies) == 1
    yield ["tool", "toolset", "risk", *(["decision", "level", "when", "rule"] if alone else [p.name for p in policies])]
    for variants in zip(*(rows(policy, catalogue) for policy in policies), strict=True):
        row = variants[0]
        exceptions = "; ".join(map(str, row.exceptions))
        decisions = [row.effect, row.level or "", exceptions, row.rule] if alone else [str(each) for each in variants]
        yield [row.operation.name, row.operation.toolset, row.operation.risk, *decisions]


def _as_text(cells: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        out("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _as_markdown(cells: list[list[str]]) -> None:
    head, *rest = ([cell.replace("|", "\\|") for cell in row] for row in cells)
    for row in (head, ["---"] * len(head), *rest):
        out(f"| {' | '.join(row)} |")


def _as_csv(cells: list[list[str]]) -> None:
    import csv

    csv.writer(sys.stdout, lineterminator="\n").writerows(cells)


FORMATS = {"text": _as_text, "markdown": _as_markdown, "csv": _as_csv}


def _replay(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.policy.file.replay import ReplayError, replay

    catalogue = _catalogue(arguments)
    policy = _load(arguments.file, catalogue)
    try:
        with Path(arguments.log).open(encoding="utf-8") as log:
            _print_replayed(list(replay(log, policy, catalogue)))
    except (OSError, UnicodeDecodeError, ReplayError) as error:
        raise SettingsError(f"{arguments.log}: {reason_of(error)}") from error
    return OK


def _print_replayed(calls: Iterable["ReplayedCall"]) -> None:
    from collections import Counter

    changes: Counter[str] = Counter()
    for call in calls:
        recorded, decision = call.recorded, call.decision
        now = f"{_painted(decision)} ({decision.rule})" if decision else "unknown tool"
        before = recorded.decision or "?"
        out(f"{'*' if call.differs else ' '} {recorded.line:>5} {recorded.tool}: {before} -> {now}")
        if decision is None:
            changes["unknown tools"] += 1
        else:
            changes[f"{before} -> {decision.effect}" if call.differs or not recorded.decision else "as recorded"] += 1
    out()
    for change, count in sorted(changes.items()):
        out(f"{count:>6} {change}")
    out(f"{changes.total():>6} calls")


def _schema(_: argparse.Namespace) -> int:
    from mailgun_mcp.policy.file.schema import json_schema

    out(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return OK


def _words(decision: "Decision") -> str:
    return f"{decision.effect} ({decision.level})" if decision.level else decision.effect


def _painted(decision: "Decision") -> str:
    return paint_state(_words(decision), decision.effect)


def _settings(arguments: argparse.Namespace) -> Settings:
    # Not `settings_given`: in this command, `--region` and `--subaccount` are facts of an assumed call.
    return load({name: getattr(arguments, name) for name in ("spec", "config")})


def _catalogue(arguments: argparse.Namespace) -> "Catalogue":
    """Return every tool that a rule may name, including those that a server with these settings would not offer."""
    from mailgun_mcp.catalogue.catalogue import Catalogue

    spec = _settings(arguments).spec
    catalogue = Catalogue.load()
    if spec:
        from mailgun_mcp.catalogue.openapi.importer import records_of

        catalogue = catalogue.extended(records_of(Path(spec), catalogue), "spec", "Operations added by --spec")
    return catalogue


def _load(file: str, catalogue: "Catalogue") -> "Policy":
    from mailgun_mcp.policy.file.load import load_policy, open_policy
    from mailgun_mcp.policy.profiles import PROFILES

    return open_policy(file, catalogue) if file in PROFILES else load_policy(Path(file), catalogue)


def _chosen(arguments: argparse.Namespace, catalogue: "Catalogue") -> "Policy":
    from mailgun_mcp.policy.file.load import open_policy

    return open_policy(arguments.policy or _settings(arguments).policy, catalogue)
