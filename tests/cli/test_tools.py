"""`tools`: the same tools and guard rails as over MCP, on the terminal."""

import json
from pathlib import Path

import pytest

from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, listed
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.presets import PRESETS
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from tests.cli.conftest import Command

NAME = '{"name": "mail.example.com"}'


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    code = run(["tools", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_every_tool_is_listed_with_its_risk(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["list"], capsys)
    catalogue = Catalogue.load()
    rows = [tuple(line.split()[:3]) for line in out.splitlines()]
    tools = listed(catalogue)
    labels = [(tool["_meta"]["mailgun-mcp/risk"], tool["_meta"]["mailgun-mcp/toolset"]) for tool in tools]
    assert (code, rows) == (exits.OK, [(tool["name"], *label) for tool, label in zip(tools, labels, strict=True)])


def test_the_list_is_what_a_server_with_these_settings_offers(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["list", "--json", "--toolsets", "bounces", "--read-only"], capsys)
    assert (code, [tool["name"] for tool in json.loads(out)]) == (
        exits.OK,
        ["get_bounce", "list_bounces", "read_result", "whoami"],
    )


def test_a_tool_is_shown_as_reference_and_as_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, reference, _ = ran(["show", "delete_domain"], capsys)
    assert (code, reference.splitlines()[0]) == (exits.OK, "# delete_domain")
    code, listed, _ = ran(["show", "delete_domain", "--json"], capsys)
    assert (code, json.loads(listed)) == (exits.OK, Catalogue.load().find("delete_domain").tool)


@pytest.mark.parametrize("action", ["show", "call"])
def test_an_unknown_tool_names_the_nearest(action: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--simulator"] if action == "call" else []
    code, out, err = ran([action, "get_domian", *flags], capsys)
    assert (code, out) == (exits.USAGE, "")
    assert "unknown tool 'get_domian': did you mean 'get_domain'?" in err


def test_a_call_prints_its_result_as_json(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("tools", "call", "list_domains", '{"limit": 1}', "--simulator")
    assert (done.returncode, done.stderr) == (exits.OK, "")
    assert len(json.loads(done.stdout)["items"]) == 1


@pytest.mark.parametrize("words", [["limit=1"], ["{limit: 1}"], ['{"limit": 1}']], ids=["pair", "yaml", "json"])
def test_a_call_takes_arguments_in_every_form_before_and_after_flags(
    words: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ([*words, "--simulator"], ["--simulator", *words]):
        code, out, _ = ran(["call", "list_domains", *arguments], capsys)
        assert (code, len(json.loads(out)["items"])) == (exits.OK, 1)


@pytest.mark.parametrize("name", BUILTIN_TOOLS)
def test_the_servers_own_tools_are_shown_too(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, reference, _ = ran(["show", name], capsys)
    assert (code, reference.splitlines()[0]) == (exits.OK, f"# {name}")
    code, listed, _ = ran(["show", name, "--json"], capsys)
    assert (code, json.loads(listed)) == (exits.OK, BUILTIN_TOOLS[name])


def test_a_call_reads_its_arguments_from_stdin(mailgun_mcp: Command) -> None:
    done = mailgun_mcp("tools", "call", "list_domains", "-", "--simulator", stdin='{"limit": 2}')
    assert (done.returncode, len(json.loads(done.stdout)["items"])) == (exits.OK, 2)


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "message"),
    [
        pytest.param("get_domain", '{"domain": "x.example.com"}', exits.FAILED, "(HTTP 404)", id="failed"),
        pytest.param("get_domain", '{"domian": "x.example.com"}', exits.USAGE, "did you mean domain?", id="invalid"),
        pytest.param("delete_domain", NAME, exits.REFUSED, "Pending approval ", id="held"),
        pytest.param("list_domains", '{"limit": NaN}', exits.USAGE, "not a valid JSON number", id="nan"),
    ],
)
def test_a_call_that_did_not_succeed_says_why_on_stderr(
    tool: str, arguments: str, code: int, message: str, mailgun_mcp: Command
) -> None:
    done = mailgun_mcp("tools", "call", tool, arguments, "--simulator")
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


def test_a_call_that_the_policy_denies_is_refused_and_the_rule_named(mailgun_mcp: Command, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nextends: guarded\nrules:\n  - match: {tool: delete_domain}\n    decision: deny\n")
    done = mailgun_mcp("tools", "call", "delete_domain", NAME, "--simulator", "--policy", str(policy))
    assert (done.returncode, done.stdout) == (exits.REFUSED, "")
    assert done.stderr.startswith(
        "Refused by policy (policy.yaml:4 (rule 1)): it matches tool: delete_domain. Nothing was sent. The request "
    )


def test_without_guard_rails_a_destructive_call_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["call", "delete_domain", NAME, "--simulator", "--policy", "unguarded"], capsys)
    assert (code, json.loads(out)) == (exits.OK, {"message": "Domain will be deleted in the background"})


def test_a_tool_that_is_not_offered_cannot_be_called(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(["call", "delete_domain", NAME, "--simulator", "--policy", "unguarded", "--read-only"], capsys)
    assert code == exits.USAGE
    assert "the tool 'delete_domain' exists, but this server only offers tools that read" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("{", "neither JSON nor YAML", id="not-json"),
        pytest.param("[]", "must be name=value pairs, or a JSON or YAML object", id="no-object"),
        pytest.param('{"limit": 1, "limit": 2}', "the same key twice", id="doubled-key"),
        pytest.param("[" * 100_000, "not usable JSON", id="nested-too-deep"),
    ],
)
def test_arguments_that_are_no_json_object_are_refused(
    arguments: str, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ran(["call", "list_domains", arguments, "--simulator"], capsys)
    assert (code, out) == (exits.USAGE, "")
    assert message in err


def test_a_call_without_a_key_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = ran(["call", "list_domains"], capsys)
    assert (code, "add --simulator to try it without an account" in err) == (exits.USAGE, True)


def test_presets_are_listed_with_what_they_are_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["presets"], capsys)
    assert code == exits.OK
    rows = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert rows.keys() == PRESETS.keys()
    assert all(PRESETS[name].description in line for name, line in rows.items())
    _, listed, _ = ran(["presets", "--json"], capsys)
    tools = {entry["name"]: entry["tools"] for entry in json.loads(listed)}
    assert {"send_message", "query_logs", "undo_operation"} <= set(tools["sending"])


def test_a_preset_combines_with_the_other_choices(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choice = ["--preset", "templates", "--tools", "list_ips", "--exclude-tools", "send_message", "--read-only"]
    _, out, _ = ran(["list", "--json", *choice], capsys)
    names = {tool["name"] for tool in json.loads(out)}
    assert {"list_templates", "list_ips", "query_logs"} <= names
    assert names.isdisjoint({"send_message", "create_template", "list_routes"})


def test_tools_are_found_by_what_people_ask(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["search", "who", "reported", "us", "as", "spam", "--limit", "3"], capsys)
    names = [line.split()[0] for line in out.splitlines()]
    assert (code, len(names)) == (exits.OK, 3)
    assert "list_complaints" in names
    _, out, _ = ran(["search", "delete", "--toolsets", "routes", "--json"], capsys)
    assert json.loads(out)[0]["name"] == "delete_route"


def test_a_search_that_finds_nothing_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(["search", "🙂"], capsys) == (
        exits.OK,
        "",
        "No tool fits. Use other words, or see `mailgun-mcp tools list`.\n",
    )


def test_tools_are_exported_in_the_form_of_a_provider(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(["export", "--format", "anthropic", "--tools", "list_domains"], capsys)
    assert code == exits.OK
    assert [tool["name"] for tool in json.loads(out)] == ["list_domains", "read_result", "whoami"]
    assert json.loads(out)[0]["input_schema"] == Catalogue.load().find("list_domains").tool["inputSchema"]
    _, out, _ = ran(["export", "--mode", "search", "--format", "openai-strict"], capsys)
    assert [tool["function"]["name"] for tool in json.loads(out)][:2] == ["search_tools", "describe_tools"]


def test_an_unknown_form_of_tools_names_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["tools", "export", "--format", "openai-stict"])
    assert "did you mean 'openai-strict'" in capsys.readouterr().err
