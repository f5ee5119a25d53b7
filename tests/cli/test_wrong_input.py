"""Wrong input at a terminal: each error names the fault and the way out, in one kind of sentence."""

import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run

WRONG = {
    "tolls": "unknown command 'tolls': did you mean 'tools'?",
    "--simulater": "unknown flag '--simulater': did you mean '--simulator'?",
    "help foo": "unknown command 'foo'",
    "help tools foo": "unknown action 'foo': choose from budget, call, ",
    "tools": "it needs an action",
    "tools lst": "unknown action 'lst': did you mean 'list'?",
    "tools list --toolset bounces": "tools list: error: unknown flag '--toolset': did you mean '--toolsets'?",
    "tools list --toolsets bouncs": "unknown toolset 'bouncs': did you mean 'bounces'?",
    "tools list --preset foo": "unknown preset 'foo'; `mailgun-mcp tools presets` lists them",
    "tools list bounces": "tools list: error: unexpected argument 'bounces'",
    "tools show": "the following arguments are required: NAME",
    "tools show send_mesage": "unknown tool 'send_mesage': did you mean 'send_message'?",
    "serve --read-only=maybe": "--read-only takes no value, such as 'maybe'",
    "tools call": "the following arguments are required: NAME\n",
    "tools call get_webhook [1]": "must be name=value pairs, or a JSON or YAML object",
    "tools call verify_domain mail.example.com": "YAML object: ",
    "tools call verify_domain a=b.c d.e": "'d.e' must be name=value",
    "tools call verify_domain --domain=a.b": "; an argument of the tool is written domain=VALUE",
    "tools call verify_domain --port 80": "unknown flag '--port'",
    "policy chek": "unknown action 'chek': did you mean 'check'?",
    "policy check": "the following arguments are required: FILE",
    "policy explain delete_domian": "unknown tool 'delete_domian': did you mean 'delete_domain'?",
    "policy explain send_message --region uk": "argument --region: unknown value 'uk': choose from eu, us",
    "policy explain send_message --after-untrusted soon": "'soon' is not a duration: write 30s, 15m, 2h or 7d",
    "policy explain send_message --recipients-last-hour many": "recipients_last_hour: 'many' must be a number",
    "approvals approve": "the following arguments are required: ID",
    "approvals approve zzz": "unknown approval 'zzz': no call waits for an answer\nSearched: /",
    "approvals list --status pendin": "unknown value 'pendin': did you mean 'pending'?",
    "approvals grant --match tool=delete_domian": "unknown tool 'delete_domian': did you mean 'delete_domain'?",
    "approvals grant --match x": "'x' must be KEY=GLOB",
    "audit list --since yesterday": "--since: 'yesterday' is not a duration: write 30s, 15m, 2h or 7d",
    "audit list --risk reads": "argument --risk: unknown value 'reads': did you mean 'read'?",
    "audit list --limit -1": "--limit: '-1' must be a positive integer",
    "audit export --format xml": "unknown value 'xml': choose from csv, jsonl",
    "undo show zz": "unknown undo id 'zz': no copies are saved\nSearched: /",
    "accounts remove-key kim": "unknown person 'kim': nobody has stored a Mailgun key\nSearched: /",
    "tokens revoke zz": "unknown token 'zz': no tokens exist\nSearched: /",
    "policy replay strict --log none.jsonl": "none.jsonl: No such file or directory\n",
    "whoami --api-key-file nokey": "the file of the API key, nokey, cannot be read: No such file or directory\n",
    "whoami --config none.toml": "none.toml: No such file or directory\n",
    "secrets show zz": "unknown secret 'zz': no secrets are stored",
    "accounts rename a b": "unknown account 'a'",
    "spec diff nofile.yaml": "nofile.yaml: cannot be read: No such file or directory\n",
    "install": "one of the arguments --client --all --list is required",
    "install --client curser": "unknown value 'curser': did you mean 'cursor'?",
    "simulator clok": "unknown action 'clok': did you mean 'clock'?",
    "simulator clock forward 2h": "error: unknown value 'forward': choose from advance, pause, resume, to",
    "simulator --port abc": "port: 'abc' must be a number from 0 to 65535",
    "serve --transport htp": "unknown transport 'htp': did you mean 'http'?",
    "serve --simulator --scenario nope": "unknown scenario 'nope'; the built-in ones are ",
    "demo --fast": "unknown flag '--fast': it takes no flags",
    "doctor --port 80": "unknown flag '--port'",
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("line", WRONG)
def test_wrong_input_is_answered_with_what_is_wrong_and_what_is_right(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = run(line.split())
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    out, err = capsys.readouterr()
    assert (code, out) == (exits.USAGE, "")
    assert WRONG[line] in err
    assert err.startswith("mailgun-mcp")
    assert "Traceback" not in err
