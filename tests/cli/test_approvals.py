"""`approvals`: what a person does about pending calls, at a terminal or from a script."""

import json
import os
import pty
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.confirm.form import CallDetails
from mailgun_mcp.confirm.grants import Grants
from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.store.database import Store
from tests.cli.conftest import Command
from tests.support.forked import forked
from tests.support.processes import PATIENCE, environment
from tests.support.state import asked, granted, request_approval

NAME = "mail.example.com"
USER = login_user().id
LONG = 3600.0


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The state that the command line looks into."""
    store = Store(home / ".local" / "state" / "mailgun-mcp")
    yield store
    store.close()


def waiting(store: Store, level: str = "ask", **changes: str) -> Approval:
    form = asked(level, **changes)  # type: ignore[arg-type] # a table's text
    return request_approval(store, form, time.time(), LONG)


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    code = run(["approvals", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def looking_into(store: Store) -> dict[str, str]:
    """The environment of a process that looks into the same state."""
    return {"MAILGUN_MCP_STATE": str(store.directory)}


@contextmanager
def patience(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End the process when it says nothing for too long, and with the block."""
    timer = Timer(PATIENCE, process.kill)
    timer.start()
    try:
        yield
        process.wait(PATIENCE)
    finally:
        timer.cancel()
        process.kill()
        process.wait()


def status(store: Store, approval: Approval) -> str:
    return Approvals(store).get(approval.id, time.time()).status


def test_where_nothing_is_pending_it_says_where_it_looked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = home / ".local" / "state" / "mailgun-mcp"
    assert ran(["list"], capsys) == (exits.OK, f"No pending approvals in {directory}.\n", "")
    assert ran(["list", "--status", "all"], capsys) == (exits.OK, f"No approvals in {directory}.\n", "")
    assert ran(["list", "--json"], capsys) == (exits.OK, "[]\n", "")
    assert ran(["grants"], capsys) == (exits.OK, f"No active grants in {directory}.\n", "")


def test_what_waits_is_listed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    first, done = waiting(store, "typed"), waiting(store, request="done")
    Approvals(store).deny(done.id, by="ann", now=time.time())
    code, out, _ = ran(["list"], capsys)
    assert (code, out.split()) == (
        exits.OK,
        [first.id, "pending", "typed", "delete_domain", "mail.example.com", "main", "local", "59", "minutes", "left"],
    )
    _, out, _ = ran(["list", "--status", "all"], capsys)
    assert [line.split()[:2] for line in out.splitlines()] == [[first.id, "pending"], [done.id, "denied"]]
    _, out, _ = ran(["list", "--json"], capsys)
    assert json.loads(out) == [first.record]


def test_a_pending_call_is_shown_as_the_form_shows_it(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store, "two_people")
    code, out, _ = ran(["show", approval.id], capsys)
    assert code == exits.OK
    assert f"\n\n{approval.text}\n\n" in out
    assert "Two people must approve it." in out
    _, out, _ = ran(["show", approval.id, "--json"], capsys)
    assert json.loads(out) == approval.full_record


def test_a_call_whose_form_is_shortened_is_shown_whole(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    recipients = [f"person{number}@example.org" for number in range(40)]
    call = CallDetails("mg.example.com", ("Send an email", "Recipients: 40"), {"to": recipients, "text": "x" * 5000})
    approval = request_approval(store, replace(asked(), call=call), time.time())
    _, out, _ = ran(["show", approval.id, "--full"], capsys)
    assert [name for name in recipients if name not in out] == []
    assert "x" * 5000 in out
    _, out, _ = ran(["show", approval.id, "--json"], capsys)
    assert json.loads(out)["call"]["arguments"] == call.arguments


def test_the_list_names_the_target_of_each_call(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    request_approval(store, replace(asked(), call=CallDetails("mg.example.com\u202e" + "x" * 60)), time.time())
    _, out, _ = ran(["list"], capsys)
    assert "mg.example.com<U+202E>xxxxxxxxxxxxxxxxxx…" in out


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (CallDetails("delete_domain", destinations=("eve@evil.example",)), "eve@evil.example"),
        (CallDetails("delete_domain", arguments={"expression": "catch_all()", "action": ["stop()"]}), "catch_all()"),
        (CallDetails("delete_domain"), "delete_domain"),
    ],
    ids=["where data goes", "its first argument", "nothing"],
)
def test_the_list_tells_calls_apart_whose_target_has_no_name(
    store: Store, capsys: pytest.CaptureFixture[str], call: CallDetails, shown: str
) -> None:
    request_approval(store, replace(asked("ask"), call=call), time.time(), LONG)
    _, out, _ = ran(["list"], capsys)
    assert out.split()[4] == shown


@pytest.mark.parametrize(
    ("recipients", "count", "shown"),
    [
        (("kim@example.org",), 1, "kim@example.org"),
        (("kim@example.org", "al@example.org"), 1_200, "kim@example.org and 1,199 more"),
    ],
)
def test_the_list_says_who_gets_the_mail_of_a_send(
    store: Store, capsys: pytest.CaptureFixture[str], recipients: tuple[str, ...], count: int, shown: str
) -> None:
    form = replace(asked("ask"), call=CallDetails(NAME, recipients=recipients, recipient_count=count))
    request_approval(store, form, time.time(), LONG)

    code, out, _ = ran(["list"], capsys)
    assert code == exits.OK
    assert f"  {shown}  " in out
    assert NAME not in out


def test_a_yes_is_shown_with_who_gave_it(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store)
    Approvals(store).approve(approval.id, by="ann", now=time.time())
    Approvals(store).deny(approval.id, by="bob", now=time.time())
    _, out, _ = ran(["show", approval.id], capsys)
    first = out.splitlines()[0]
    assert first.startswith(f"{approval.id}: denied, approved by ann at 2")
    assert ", denied by bob at 2" in first
    assert out.endswith(f"\n\n{approval.text}\n")


def test_who_approves_a_call_of_a_chat_is_told_that_it_goes_on(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = waiting(store)
    with store.writing() as connection:
        connection.execute("UPDATE approvals SET client = 'chat:agui'")
    _, out, _ = ran(["approve", approval.id], capsys)
    assert out.endswith(f"Approved by {USER}. The chat continues.\n")


def test_approving_shows_the_call_and_lets_it_through_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store)
    code, out, err = ran(["approve", approval.id], capsys)
    assert (code, err) == (exits.OK, "")
    assert approval.text in out
    assert out.endswith(f"Approved by {USER}. Make the same call again: it runs once.\n")
    found = granted(store, asked(), time.time())
    assert found is not None
    assert (found.id, found.people) == (approval.id, USER)


def test_who_answers_is_the_user_of_the_system_not_of_the_environment(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pwd

    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    approval = waiting(store)
    ran(["approve", approval.id], capsys)
    assert Approvals(store).get(approval.id, time.time()).people == pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize("level", ["typed", "approval", "two_people"])
def test_a_name_is_typed_where_the_call_asks_for_it(
    store: Store, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = waiting(store, level)
    code, _, err = ran(["approve", approval.id, "--typed", "mail.example.org"], capsys)
    assert (code, status(store, approval)) == (exits.FAILED, "pending")
    assert f"wrong name: to approve {approval.id}, type the name of its target, {NAME}" in err
    code, out, _ = ran(["approve", approval.id, "--typed", NAME], capsys)
    assert (code, status(store, approval)) == (exits.OK, "pending" if level == "two_people" else "approved")
    assert ("One more person must approve it." in out) == (level == "two_people")


def test_without_a_terminal_the_name_is_a_flag(store: Store, mailgun_mcp: Command) -> None:
    approval = waiting(store, "typed")
    done = mailgun_mcp("approvals", "approve", approval.id, stdin=f"{NAME}\n", **looking_into(store))
    assert (done.returncode, status(store, approval)) == (exits.USAGE, "pending")
    assert f"{approval.id} asks for the name of its target: add --typed NAME" in done.stderr


def answered(
    store: Store, home: Path, approval: Approval, typed: str, prompt: bytes = b"Type the name: "
) -> tuple[int, str]:
    """Approve at a terminal, typing `typed`, and return the exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        forked("approvals", "approve", approval.id, "--by", "ann"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(home, looking_into(store)),
        cwd=home,
    )
    os.close(theirs)
    shown = b""
    with patience(process):
        while prompt not in shown and (chunk := read_on(ours)):
            shown += chunk
        os.write(ours, f"{typed}\n".encode())
        while chunk := read_on(ours):
            shown += chunk
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def read_on(terminal: int) -> bytes:
    """A terminal whose other side is closed is at its end; Linux says so with an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("typed", "code", "after"),
    [
        pytest.param(NAME, exits.OK, "approved", id="right"),
        pytest.param("y", exits.FAILED, "pending", id="wrong"),
        pytest.param("", exits.FAILED, "pending", id="nothing"),
    ],
)
def test_at_a_terminal_the_name_is_asked_for_under_the_call(
    store: Store, home: Path, typed: str, code: int, after: str
) -> None:
    approval = waiting(store, "typed")
    ended, shown = answered(store, home, approval, typed)
    assert (ended, status(store, approval)) == (code, after)
    assert 0 <= shown.find(approval.text) < shown.find("Type the name: ")


@pytest.mark.parametrize(
    ("typed", "code", "after"),
    [("y", exits.OK, "approved"), ("", exits.FAILED, "pending"), ("n", exits.FAILED, "pending")],
)
def test_at_a_terminal_a_plain_question_wants_a_yes(
    store: Store, home: Path, typed: str, code: int, after: str
) -> None:
    approval = waiting(store, "ask")
    ended, _ = answered(store, home, approval, typed, b"[y/N] ")
    assert (ended, status(store, approval)) == (code, after)


def test_the_user_whose_agent_called_may_answer_on_a_channel_that_the_agent_does_not_have(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = waiting(store, principal=USER)
    code, _, _ = ran(["approve", approval.id], capsys)
    assert (code, Approvals(store).get(approval.id, time.time()).people) == (exits.OK, USER)


def test_a_name_that_nobody_proved_is_recorded_with_the_user_who_gave_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = waiting(store)
    assert ran(["approve", approval.id, "--by", "olga"], capsys)[0] == exits.OK
    assert Approvals(store).get(approval.id, time.time()).people == f"olga (said by {USER})"


def secret_of(name: str, home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Add an approver, and return the file that holds their secret."""
    code, out, err = ran(["add-approver", name], capsys)
    assert (code, "shown only now" in err) == (exits.OK, True)
    (home / f"{name}.secret").write_text(out, encoding="utf-8")
    return str(home / f"{name}.secret")


def test_one_user_with_two_names_is_not_two_people(
    store: Store, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = waiting(store, "two_people")
    approve = ["approve", approval.id, "--typed", NAME]
    assert ran(approve, capsys)[0] == exits.OK
    code, _, err = ran([*approve, "--by", "olga"], capsys)
    assert (code, status(store, approval)) == (exits.USAGE, "pending")
    assert "approvals add-approver olga" in err
    code, _, err = ran([*approve, "--by", USER.upper()], capsys)
    assert (code, "a second person must approve it" in err) == (exits.FAILED, True)
    olga, wrong = secret_of("olga", home, capsys), secret_of("ben", home, capsys)
    code, _, err = ran([*approve, "--by", "olga", "--secret-file", wrong], capsys)
    assert (code, status(store, approval)) == (exits.FAILED, "pending")
    assert "not the secret of olga" in err
    code, out, _ = ran([*approve, "--by", "Olga", "--secret-file", olga], capsys)
    assert (code, status(store, approval)) == (exits.OK, "approved")
    assert f"Approved by {USER} and olga." in out


def test_two_secrets_are_two_people(store: Store, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store, "two_people")
    files = {name: secret_of(name, home, capsys) for name in ("olga", "ben")}
    for name, file in (*files.items(), ("ben", files["ben"])):
        ran(["approve", approval.id, "--typed", NAME, "--by", name, "--secret-file", file], capsys)
    assert Approvals(store).get(approval.id, time.time()).people == "olga and ben"


def test_another_login_is_another_person(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    approval = waiting(store, "two_people")
    approve = ["approve", approval.id, "--typed", NAME]
    ran(approve, capsys)
    (home / "loginuid").write_text("54321", encoding="ascii")
    monkeypatch.setattr("mailgun_mcp.identity.principal.LOGIN_ID", home / "loginuid")
    assert ran(approve, capsys)[0] == exits.OK
    assert Approvals(store).get(approval.id, time.time()).people == f"{USER} and uid 54321"


def test_approvers_are_listed_and_removed(store: Store, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(["approvers"], capsys)[1].startswith("No approvers.")
    secret_of("olga", home, capsys)
    _, out, _ = ran(["approvers", "--json"], capsys)
    assert [approver["name"] for approver in json.loads(out)] == ["olga"]
    assert ran(["add-approver", "Olga"], capsys)[0] == exits.FAILED
    assert ran(["remove-approver", "olga"], capsys)[0] == exits.OK
    assert ran(["remove-approver", "olga"], capsys)[0] == exits.USAGE
    assert ran(["approvers"], capsys)[1].startswith("No approvers.")


def test_a_denied_call_is_not_made(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store)
    assert ran(["deny", approval.id, "--by", "ann"], capsys) == (
        exits.OK,
        "Denied: Delete a domain. The call will not be made.\n",
        "",
    )
    assert granted(store, asked(), time.time()) is None


@pytest.mark.parametrize("action", ["show", "approve", "deny", "revoke"])
def test_an_unknown_id_is_wrong_usage_and_names_the_nearest(
    store: Store, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    known = waiting(store).id
    if action == "revoke":
        known = Grants(store).add({"tool": "a*"}, account="main", until=time.time() + 60, by="ann", now=time.time()).id
    code, out, err = ran([action, f"{known}x"], capsys)
    assert (code, out) == (exits.USAGE, "")
    assert f"{known}x': did you mean '{known}'?" in err


@pytest.mark.parametrize("ending", ["used", "denied", "expired", "stale"])
@pytest.mark.parametrize("action", ["approve", "deny"])
def test_what_is_over_cannot_be_answered_and_says_why(
    store: Store, ending: str, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    approval = request_approval(store, asked(), now - LONG, LONG + (-1 if ending == "expired" else LONG))
    if ending == "used":
        Approvals(store).approve(approval.id, by="ann", now=now)
        Approvals(store).consume(approval.id, now)
    if ending == "denied":
        Approvals(store).deny(approval.id, by="ann", now=now)
    if ending == "stale":
        waiting(store, preview="changed")
    code, out, err = ran([action, approval.id], capsys)
    words = {
        "used": "by ann and has been used",
        "denied": "denied by ann",
        "expired": "expired",
        "stale": "has changed since",
    }
    assert (code, out) == (exits.FAILED, "")
    assert words[ending] in err


def test_watching_prints_what_waits_and_what_comes(store: Store, home: Path) -> None:
    first = waiting(store)
    watching = subprocess.Popen(
        forked("approvals", "watch", "--json", "--interval", "1s", "--count", "2"),
        env=environment(home, looking_into(store)),
        cwd=home,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    with patience(watching):
        assert json.loads(watching.stdout.readline())["id"] == first.id
        second = waiting(store, request="second")
        assert json.loads(watching.stdout.readline()) == second.record
    watching.stdout.close()
    assert watching.returncode == exits.OK


def test_watching_shows_the_text_of_the_form(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    approval = waiting(store)
    code, out, _ = ran(["watch", "--count", "1"], capsys)
    assert code == exits.OK
    assert out.startswith(f"{approval.id}: pending\n\n{approval.text}\n\n")


def used(store: Store, *names: str) -> None:
    """Make the accounts, as a server does at its first call."""
    for name in names:
        Accounts(store).open(KeyInUse("https://api.mailgun.net", "us", f"print of {name}", name), time.time())


def test_calls_are_allowed_for_a_while(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "main")
    before = time.time()
    match = "tool=delete_*, domain=staging.*, domain=dev.*, bulk=false"
    code, out, _ = ran(["grant", "--match", match, "--for", "20m"], capsys)
    after = time.time()
    (grant,) = Grants(store).active(after)
    assert code == exits.OK
    assert (grant.match, grant.by) == (
        {"tool": "delete_*", "domain": ["staging.*", "dev.*"], "bulk": False},
        USER,
    )
    assert before + 1200 <= grant.until <= after + 1200
    assert f"approvals revoke {grant.id}" in out
    _, out, _ = ran(["grants"], capsys)
    assert out.split(maxsplit=7)[:7] == [grant.id, "19", "minutes", "left", "by", USER, "main"]
    assert ran(["revoke", grant.id], capsys) == (exits.OK, f"Revoked: {grant.id}.\n", "")
    assert ran(["grants", "--json"], capsys) == (exits.OK, "[]\n", "")


def test_a_match_may_be_written_as_json(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "main")
    match = '{"risk": "send", "recipients": {"at_most": 5}}'
    code, _, _ = ran(["grant", "--match", match], capsys)
    assert (code, [one.match for one in Grants(store).active(time.time())]) == (exits.OK, [json.loads(match)])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        pytest.param(["--match", "tol=delete_*"], "did you mean 'tool'?", id="key"),
        pytest.param(["--match", "tool=delete_domian"], "did you mean 'delete_domain'?", id="tool"),
        pytest.param(["--match", "tool"], "'tool' must be KEY=GLOB", id="pair"),
        pytest.param(["--match", ""], "'' must be KEY=GLOB", id="nothing"),
        pytest.param(["--match", "{}"], "this matches every call", id="everything"),
        pytest.param(["--match", "{tool: [}"], "--match: ", id="broken"),
        pytest.param(["--match", "tool=*", "--for", "soon"], "--for: 'soon' is not a duration", id="time"),
    ],
)
def test_a_match_or_time_that_says_nothing_is_wrong_usage(
    store: Store, flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = ran(["grant", *flags], capsys)
    assert (code, out) == (exits.USAGE, "")
    assert message in err
    assert Grants(store).active(time.time()) == ()


def test_a_grant_is_for_one_account(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    match = ["--match", "tool=delete_*"]
    _, _, err = ran(["grant", *match], capsys)
    assert "this state has no account yet" in err
    used(store, "staging", "production")
    _, _, err = ran(["grant", *match], capsys)
    assert "there are 2 accounts: add --account staging|production" in err
    _, _, err = ran(["grant", *match, "--account", "stagging"], capsys)
    assert "did you mean 'staging'" in err
    code, out, _ = ran(["grant", *match, "--account", "staging"], capsys)
    assert (code, "calls in staging that match" in out) == (exits.OK, True)
    accounts = {account.name: account.id for account in Accounts(store).list()}
    assert len(Grants(store).active(time.time(), accounts["staging"])) == 1
    assert Grants(store).active(time.time(), accounts["production"]) == ()


def test_nothing_is_allowed_for_more_than_a_day(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "main")
    code, _, err = ran(["grant", "--match", "tool=delete_*", "--for", "25h"], capsys)
    assert (code, Grants(store).active(time.time())) == (exits.FAILED, ())
    assert "an end within a day" in err


@pytest.mark.parametrize("flags", [["--count", "0"], ["--count", "x"], ["--interval", "1"]], ids=" ".join)
def test_a_watch_that_makes_no_sense_is_wrong_usage(
    home: Path, flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ran(["watch", *flags], capsys)
    assert code == exits.USAGE
    assert flags[0] in err


def test_another_state_can_be_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(home / "other")
    approval = waiting(store)
    store.close()
    _, out, _ = ran(["list", "--state", str(home / "other"), "--json"], capsys)
    assert [one["id"] for one in json.loads(out)] == [approval.id]


def test_a_state_that_cannot_be_trusted_is_a_failure(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "open").mkdir()
    (home / "open").chmod(0o777)
    code, out, err = ran(["list", "--state", str(home / "open")], capsys)
    assert (code, out) == (exits.FAILED, "")
    assert "is open to other users" in err


def test_the_words_of_the_previous_release_still_work(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "main")
    code, out, _ = ran(["elevate", "--match", "tool=delete_*"], capsys)
    assert (code, "approvals revoke " in out) == (exits.OK, True)
    code, out, _ = ran(["elevations", "--json"], capsys)
    assert (code, [grant["by"] for grant in json.loads(out)]) == (exits.OK, [USER])


def test_help_shows_only_the_new_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["approvals", "--help"])
    assert "elevat" not in capsys.readouterr().out


def test_clear_removes_the_marks_of_third_party_text(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for principal in ("ann", "bob", "local"):
        Untrusted(store).mark("main", principal, time.time())
    _, out, _ = ran(["clear", "--principal", "bob"], capsys)
    assert out.startswith("Cleared for bob. ")
    code, out, _ = ran(["clear"], capsys)
    assert (code, out.split(". ")[0]) == (exits.OK, "Cleared for ann, local")
    assert Untrusted(store).last("main", "ann") is None
    _, out, _ = ran(["clear"], capsys)
    assert out.startswith("There is nothing to clear")
