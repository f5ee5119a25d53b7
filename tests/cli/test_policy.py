"""`mailgun-mcp policy`: check, explain, test, table, replay, schema."""

import csv
import json
from pathlib import Path

import pytest

from mailgun_mcp.cli import policy as command
from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.parser import Parser, parse
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.policy.file.schema import json_schema
from mailgun_mcp.settings import SettingsError
from tests.support.operations import catalogue
from tests.support.policies import EXAMPLES

SOLO, TEAM, BOT = EXAMPLES


def run(*argv: str) -> int:
    """Run the command with `argv` and return its exit code."""
    parser = Parser(prog="mailgun-mcp policy")
    command.add_arguments(parser)
    return command.run(parser.parse_args(argv))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def solo(tmp_path: Path) -> str:
    path = tmp_path / "solo.yaml"
    path.write_text(SOLO, encoding="utf-8")
    return str(path)


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    path = tmp_path / "wrong.yaml"
    path.write_text("version: 1\nruls: []\nsecrets: hide\n", encoding="utf-8")
    return str(path)


def test_a_good_file_is_ok(solo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", solo) == OK
    assert capsys.readouterr().out == f"{solo}: ok (13 rules, including those of the profile, 8 tests)\n"


@pytest.fixture
def doubtful(tmp_path: Path) -> str:
    path = tmp_path / "doubtful.yaml"
    rules = "[{match: {}, decision: allow}, {match: {domain: nowhere.test}, decision: deny}]"
    path.write_text(f"version: 1\nextends: guarded\nrules: {rules}\n", encoding="utf-8")
    return str(path)


def test_what_its_author_can_hardly_mean_is_a_warning_and_a_failure_with_strict(
    doubtful: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", doubtful) == OK
    assert "warning: doubtful.yaml:3 (rule 1) matches every call" in capsys.readouterr().out
    assert run("check", doubtful, "--strict") == FAILED


def test_the_account_is_asked_for_its_domains(doubtful: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", doubtful, "--account", "--simulator") == OK
    assert "'nowhere.test' matches no domain of the account (" in capsys.readouterr().out


def test_a_profile_can_be_checked_and_replayed_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "guarded", "--strict") == OK
    (tmp_path / "calls.jsonl").write_text("", encoding="utf-8")
    assert run("replay", "strict", "--log", str(tmp_path / "calls.jsonl")) == OK


def test_a_file_that_extends_nothing_is_told_what_that_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bot.yaml").write_text(BOT, encoding="utf-8")

    assert run("check", str(tmp_path / "bot.yaml")) == OK
    assert "It does not extend a profile: a call that no rule allows is denied." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("check",), FAILED),
        (("test",), FAILED),
        (("replay", "--log", "x"), USAGE),
        (("explain", "list_domains", "--policy"), USAGE),
    ],
    ids=["check", "test", "replay", "explain"],
)
def test_all_that_is_wrong_with_a_file_is_told(
    argv: tuple[str, ...], code: int, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*argv, wrong) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "wrong.yaml:2: unknown key 'ruls': did you mean 'rules'?\n"
        "wrong.yaml:3: secrets: unknown value 'hide': choose from reveal, withhold\n"
    )


def test_explain_tells_decision_rule_and_why_not_the_others(solo: str, capsys: pytest.CaptureFixture[str]) -> None:
    call = '{domain: sandbox1.mailgun.org, address: "a@gmail.com"}'

    assert run("explain", "delete_bounce", call, "--policy", solo, "--after-untrusted", "5m") == OK
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "decision: allow",
        "rule:     solo.yaml:5 (sandbox)",
        "reason:   it matches toolset: bounces or complaints or unsubscribes, domain: sandbox*.mailgun.org",
    ]
    assert [line for line in told if line.startswith("=>")] == [f"=> allow    solo.yaml:5 (sandbox): {told[2][10:]}"]
    assert (
        "+  confirm  guarded/send-after-untrusted: it matches risk: send or destructive, after_untrusted: session"
        in told
    )
    assert (
        "   deny     solo.yaml:8 (production): domain is 'sandbox1.mailgun.org', not example.com or *.example.com"
        in told
    )


@pytest.mark.parametrize(
    ("flags", "decision"),
    [
        (("--at", "2026-03-07T23:30"), "confirm (ask)"),
        (("--at", "2026-03-07T12:30"), "allow"),
        (("--at", "2026-03-07T23:30-08:00"), "allow"),
        (("--at", "2026-03-07T12:30", "--sent-before", "5m"), "confirm (typed)"),
        (("--at", "2026-03-07T12:30", "--caller", "a", "--client", "b", "--account", "c", "--region", "eu"), "allow"),
    ],
)
def test_explain_takes_facts(
    flags: tuple[str, ...], decision: str, solo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = '{"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["me@example.com"]}'

    assert run("explain", "send_message", call, "--policy", solo, *flags) == OK
    assert capsys.readouterr().out.splitlines()[0] == f"decision: {decision}"


@pytest.mark.parametrize(
    "words",
    [
        ['{"name": "mg.example.com"}'],
        ["{name: mg.example.com}"],
        ["name=mg.example.com"],
        ["--policy", "guarded", "name=mg.example.com"],
    ],
    ids=["json", "yaml", "pair", "flag-first"],
)
def test_explain_takes_arguments_in_every_form(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "delete_domain", *words) == OK
    assert capsys.readouterr().out.startswith("decision: confirm")


def test_the_words_of_the_previous_release_still_work(solo: str, tmp_path: Path) -> None:
    _, arguments = parse(["policy", "simulate", solo, "--replay=calls.jsonl"])
    assert (arguments.action, arguments.file, arguments.log) == ("replay", solo, "calls.jsonl")


def test_explain_is_about_the_servers_own_policy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILGUN_MCP_POLICY", "read-only")

    assert run("explain", "delete_domain") == OK
    assert "rule:     read-only/otherwise" in capsys.readouterr().out


def test_a_rule_that_fails_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = "[{match: {arguments: {name: {more_than: 1}}}, decision: allow}]"
    (tmp_path / "p.yaml").write_text(f"version: 1\nrules: {rules}", encoding="utf-8")

    assert run("explain", "delete_domain", "{domain: a.example.com}", "--policy", str(tmp_path / "p.yaml")) == OK
    assert "=> allow    p.yaml:2 (rule 1): rule p.yaml:2 (rule 1) failed (ValueError)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("delete_bouce",), "unknown tool 'delete_bouce': did you mean 'delete_bounce'?"),
        (("delete_bounce", "{adress: x}"), "unknown argument of delete_bounce 'adress': did you mean 'address'?"),
        (("delete_bounce", "[x]"), "must be name=value pairs, or a JSON or YAML object"),
        (("delete_bounce", "{"), "neither JSON nor YAML: a value is missing"),
        (("delete_bounce", "--at", "noon"), "'noon' is not a time"),
        (("delete_bounce", "--after-untrusted", "soon"), "'soon' is not a duration"),
        (("delete_bounce", "--recipients-last-hour", "many"), "recipients_last_hour: 'many' must be a number"),
    ],
)
def test_what_cannot_be_explained_is_told(argv: tuple[str, ...], problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        run("explain", *argv)

    assert problem in str(raised.value)


def test_an_unknown_policy_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("table", "--policy", "gaurded") == USAGE
    assert "unknown policy 'gaurded': did you mean 'guarded'?" in capsys.readouterr().err


def test_the_tests_of_a_file_pass(solo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", solo) == OK
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == [*["ok"] * 8, "8"]
    assert told[-1] == "8 of 8 tests passed"


def test_a_test_that_fails_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\nextends: strict\ntests:\n  - {call: delete_domain, expect: deny}\n", encoding="utf-8")

    assert run("test", str(path)) == FAILED
    assert capsys.readouterr().out == (
        f"FAILED {path}:4 delete_domain: confirm (typed)\n"
        "       expected deny, got confirm (everything except a read is confirmed)\n"
        "0 of 1 tests passed\n"
    )


def test_a_file_without_tests_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text("version: 1", encoding="utf-8")

    assert run("test", str(tmp_path / "p.yaml")) == OK
    assert capsys.readouterr().out == "The file has no tests.\n"


def test_the_table_of_all_profiles_has_every_operation(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("table", "--format", "csv") == OK
    head, *body = csv.reader(capsys.readouterr().out.splitlines())
    assert head == ["tool", "toolset", "risk", "read-only", "guarded", "strict", "unguarded"]
    assert [row[0] for row in body] == list(catalogue().names)
    assert next(row for row in body if row[0] == "delete_domain") == [
        *("delete_domain", "domains", "destructive"),
        *("deny", "confirm (typed)", "confirm (typed)", "allow"),
    ]


def test_the_table_of_one_policy_tells_level_conditions_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("table", "--policy", "guarded", "--format", "markdown") == OK
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "| tool | toolset | risk | decision | level | when | rule |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| send_message | messages | send | confirm | typed | "
        "confirm (typed) if after_untrusted: session; allow if recipients.at_most: 10; confirm if send/unknown_lists; confirm if send/confirm_per_hour | guarded/large-send |",
    ]
    assert len(lines) == len(catalogue()) + 2


def test_the_table_as_text_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("table", "--policy", "strict") == OK
    head, *body = capsys.readouterr().out.splitlines()
    column = head.index("decision")
    assert {line[column:].split()[0] for line in body} == {"allow", "confirm"}


def test_replay_tells_each_difference_and_counts_them(
    solo: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "journal.jsonl"
    entries = [
        {"tool": "list_domains", "decision": "allow"},
        {"tool": "delete_domain", "arguments": {"domain": "mg.example.com"}, "decision": "confirm"},
        {"tool": "list_domains"},
        {"tool": "gone", "decision": "allow"},
    ]
    journal.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")

    assert run("replay", solo, "--log", str(journal)) == OK
    assert capsys.readouterr().out == (
        "      1 list_domains: allow -> allow (guarded/reads-and-writes)\n"
        "*     2 delete_domain: confirm -> deny (solo.yaml:8 (production))\n"
        "      3 list_domains: ? -> allow (guarded/reads-and-writes)\n"
        "      4 gone: allow -> unknown tool\n"
        "\n"
        "     1 ? -> allow\n"
        "     1 as recorded\n"
        "     1 confirm -> deny\n"
        "     1 unknown tools\n"
        "     4 calls\n"
    )


@pytest.mark.parametrize("content", [None, b"\xff", b"[]"])
def test_an_audit_log_that_cannot_be_read_is_reported(content: bytes | None, solo: str, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    if content is not None:
        journal.write_bytes(content)

    with pytest.raises(SettingsError, match=r"journal\.jsonl: "):
        run("replay", solo, "--log", str(journal))


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == OK
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_rules_may_name_the_operations_that_a_spec_adds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    responses = {"200": {"description": "ok"}}
    operation = {"operationId": "paint", "summary": "Paint a shed", "responses": responses}
    document = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {"/v9/sheds": {"post": operation}}}
    (tmp_path / "spec.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "p.yaml").write_text("version: 1\nrules: [{match: {toolset: spec}, decision: deny}]", encoding="utf-8")

    assert run("check", str(tmp_path / "p.yaml")) == FAILED
    assert run("check", str(tmp_path / "p.yaml"), "--spec", str(tmp_path / "spec.json")) == OK


def test_a_rule_on_a_principal_that_nobody_can_be_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "team.yaml"
    rule = '{match: {principal: "intern-*", risk: send}, decision: deny}'
    file.write_text(f"version: 1\nextends: guarded\nrules:\n  - {rule}\n", encoding="utf-8")
    assert run("check", str(file)) == FAILED
    assert "no principal is called intern-*" in capsys.readouterr().err
    assert run("check", str(file), "--principals", "ana, intern-7") == OK


def test_explain_is_about_the_local_user_unless_somebody_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me = local_user().id
    (tmp_path / "p.yaml").write_text(
        f"version: 1\nrules: [{{match: {{principal: {me}}}, decision: allow}}]", encoding="utf-8"
    )
    assert run("explain", "list_domains", "--policy", str(tmp_path / "p.yaml")) == OK
    assert capsys.readouterr().out.startswith("decision: allow")
    assert run("explain", "list_domains", "--policy", str(tmp_path / "p.yaml"), "--principal", f"not {me}") == OK
    assert f"principal is 'not {me}', not {me}" in capsys.readouterr().out


def test_a_built_in_tool_is_explained_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "undo_operation", "id=3r5u7c6epswn") == OK
    assert "guarded/destructive" in capsys.readouterr().out
    with pytest.raises(SettingsError, match="did you mean 'undo_operation'"):
        run("explain", "undo_operatoin")
