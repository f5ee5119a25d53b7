"""A running simulator, controlled from the command line."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.cli.parser import Parser, parse
from mailgun_mcp.cli.simulator_control import CONTROLS
from mailgun_mcp.simulator.control.routes import PREFIX, ROUTES
from tests.support.processes import PATIENCE, simulated

KEY = "key-of-the-tests"
DOMAIN = "mail.example.com"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("simulator"), "--key", KEY) as url:
        yield url


class Person:
    """Types commands, and reads what they print."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = url
        self._capsys = capsys

    def code(self, *arguments: str) -> int:
        return run(["simulator", *arguments, "--url", self.url, "--key", KEY])

    def reads(self, *arguments: str) -> Any:
        assert self.code(*arguments) == exits.OK
        return json.loads(self._capsys.readouterr().out)

    def is_told(self, *arguments: str) -> tuple[int, str]:
        return self.code(*arguments), self._capsys.readouterr().err

    def mailgun(self, method: str, path: str, **options: Any) -> Any:
        return httpx.request(method, f"{self.url}{path}", auth=("api", KEY), **options).json()


@pytest.fixture
def person(simulator: str, home: Path, capsys: pytest.CaptureFixture[str]) -> Person:
    person = Person(simulator, capsys)
    person.reads("seed")
    return person


def test_every_control_route_has_a_command() -> None:
    told = " ".join(control.routes for control in CONTROLS.values())
    page = {"", "page.css", "page.js"}
    routes = {f"`{method} {path.removeprefix(PREFIX)}`" for path, methods in ROUTES.items() for method in methods}
    assert {route for route in routes if route not in told and route.split(" ")[1].strip("`") not in page} == set()


def test_every_control_route_says_what_it_does() -> None:
    assert [route for methods in ROUTES.values() for route in methods.values() if not route.__doc__] == []


def test_the_state_tells_what_the_account_holds(person: Person) -> None:
    assert person.reads("state")["domains"][DOMAIN]["bounces"] == 4


def test_the_clock_is_moved_stopped_and_let_go_on(person: Person) -> None:
    before = person.reads("clock", "pause")
    assert before.keys() == {"now", "date", "paused"}
    assert before["paused"] is True
    assert person.reads("clock", "advance", "2h")["now"] == before["now"] + 7200
    assert person.reads("clock", "to", "2031-01-01T00:00:00Z")["date"] == "2031-01-01T00:00:00.000Z"
    assert person.reads("clock", "resume")["paused"] is False


def test_the_words_of_the_previous_release_still_work(person: Person) -> None:
    assert person.reads("clock", "hold")["paused"] is True
    assert person.reads("clock", "release")["paused"] is False


def test_ignored_parameters_are_listed(person: Person) -> None:
    assert person.reads("ignored") == {"strict": False, "items": []}


def test_mail_comes_in_and_is_shown(person: Person) -> None:
    (received,) = person.reads("inbound", "--from", "c@x.example", "--to", f"support@{DOMAIN}", "--text", "Hi")["items"]
    assert (received["recipient"], received["sender"]) == (f"support@{DOMAIN}", "c@x.example")
    assert person.reads("inbound")["items"][-1]["at"] == received["at"]


def test_a_whole_mail_comes_in_from_a_file(person: Person, tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_text(f"From: c@x.example\r\nTo: in@{DOMAIN}\r\nSubject: Whole\r\n\r\nHello", encoding="utf-8")
    (received,) = person.reads("inbound", "--mime", str(mail))["items"]
    assert received["subject"] == "Whole"


def test_a_mail_s_bytes_come_in_as_they_are(person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = f"To: in@{DOMAIN}\r\nSubject: Gr\u00fc\u00dfe\r\n\r\none\r\ntwo".encode()
    (tmp_path / "mail.eml").write_bytes(content)
    arguments = parse(["simulator", "inbound", "--mime", str(tmp_path / "mail.eml")])[1]
    assert CONTROLS["inbound"].request(arguments) == ("POST", "inbound", {"mime": content.decode()})


def test_a_mail_comes_in_with_an_envelope_and_headers_of_its_own(person: Person) -> None:
    mail = ("--from", "c@x.example", "--to", "all@x.example", "--header", "X-Colour=red=1", "--text", "Hi")
    envelope = ("--sender", "bounce@x.example", "--recipient", f"support@{DOMAIN}", "--recipient", f"other@{DOMAIN}")
    received = person.reads("inbound", *mail, *envelope)["items"]
    assert [(one["sender"], one["recipient"]) for one in received] == [
        ("bounce@x.example", f"support@{DOMAIN}"),
        ("bounce@x.example", f"other@{DOMAIN}"),
    ]
    stored = person.mailgun("GET", f"/v3/domains/{DOMAIN}/messages/{received[0]['storage_key']}")
    assert ["X-Colour", "red=1"] in stored["message-headers"]


def test_a_recipient_opens_and_bounces(person: Person) -> None:
    form = {"from": f"a@{DOMAIN}", "to": "ann@x.example", "subject": "Hi", "text": "Hello", "o:tracking": "yes"}
    sent = person.mailgun("POST", f"/v3/{DOMAIN}/messages", data=form)["id"].strip("<>")
    (opened,) = person.reads("act", "open", sent)["items"]
    assert (opened["event"], opened["recipient"]) == ("opened", "ann@x.example")
    person.reads("act", "bounce", sent)
    assert person.mailgun("GET", f"/v3/{DOMAIN}/bounces/ann@x.example")["address"] == "ann@x.example"


def test_faults_are_set_shown_and_ended(person: Person) -> None:
    fault = {"faults": [{"kind": "server_error", "operation": "list_domains"}]}
    assert person.reads("faults", json.dumps(fault))["faults"][0]["operation"] == "list_domains"
    assert httpx.get(f"{person.url}/v4/domains", auth=("api", KEY)).status_code == 503
    assert person.reads("faults", "off")["faults"] == []
    assert "items" in person.mailgun("GET", "/v4/domains")


@pytest.mark.parametrize("record", ["spf", "dkim"])
def test_a_missing_record_is_shown_and_does_not_stop_the_domain(record: str, person: Person) -> None:
    assert person.reads("dns", DOMAIN, record, "absent")[DOMAIN][record] is False
    verified = person.mailgun("PUT", f"/v4/domains/{DOMAIN}/verify")
    assert verified["domain"]["state"] == "active"
    assert {shown["valid"] for shown in verified["sending_dns_records"]} != {"valid"}
    sent = person.mailgun(
        "POST", f"/v3/{DOMAIN}/messages", data={"from": f"a@{DOMAIN}", "to": "b@x.example", "text": "x"}
    )
    assert sent["message"] == "Queued. Thank you."
    person.reads("dns", DOMAIN, record, "present")
    again = person.mailgun("PUT", f"/v4/domains/{DOMAIN}/verify")
    assert {shown["valid"] for shown in again["sending_dns_records"]} == {"valid"}


@pytest.mark.parametrize(("record", "group"), [("tracking", "sending_dns_records"), ("mx", "receiving_dns_records")])
def test_a_record_that_is_not_needed_is_shown_as_missing(record: str, group: str, person: Person) -> None:
    person.reads("dns", DOMAIN, record, "absent")
    verified = person.mailgun("PUT", f"/v4/domains/{DOMAIN}/verify")
    assert verified["domain"]["state"] == "active"
    assert "unknown" in {found["valid"] for found in verified[group]}


def test_an_account_is_taken_away_and_brought_back(person: Person, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "account.json"
    assert person.code("snapshot", str(path)) == exits.OK
    assert path.stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    assert person.reads("reset", "--empty")["domains"] == {}
    person.reads("restore", str(path))
    assert person.reads("state")["domains"][DOMAIN]["bounces"] == 4


def test_a_scenario_is_begun_by_name_and_from_a_file(person: Person, tmp_path: Path) -> None:
    assert DOMAIN in person.reads("seed", "blocklisting")["domains"]
    path = tmp_path / "mine.yaml"
    path.write_text("domains: [{name: mine.example.com}]\n", encoding="utf-8")
    assert person.reads("seed", str(path))["domains"] == ["mine.example.com"]


def test_a_seed_test_and_a_preview_have_the_results_that_were_set(person: Person) -> None:
    result = {"provider_results": {"gmail.com": {"inbox": 3}, "yahoo.com": {"inbox": 1}}}
    assert person.reads("results", "seed", "mine", json.dumps(result))["seed"] == ["seed-newsletter", "mine"]
    assert person.mailgun("GET", "/v4/inbox/results/mine") == result
    of_one = person.mailgun("GET", "/v4/inbox/results/mine?provider=gmail.com")
    assert of_one == {"provider_results": {"gmail.com": {"inbox": 3}}}
    assert person.mailgun("GET", "/v4/inbox/results/other") == {"error": "not found"}
    person.reads("results", "preview", "mine", '{"gmail": {"status": "complete"}}')
    assert person.mailgun("GET", "/v1/preview/tests/mine/results")["gmail"]["status"] == "complete"


def test_webhooks_are_shown_and_posted(person: Person) -> None:
    waiting = {posting["url"] for posting in person.reads("webhooks")["items"] if posting["outcome"] == ""}
    posted = person.reads("webhooks", "post")
    # None of them leads to this machine.
    assert (posted["items"], set(posted["not_loopback"]) - waiting) == ([], set())


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["inbound", "--header", "x"], exits.USAGE, "--header: 'x' is not NAME=VALUE"),
        (["clock", "advance"], exits.USAGE, "`advance` needs a duration"),
        (["clock", "advance", "soon"], exits.FAILED, "simulator clock: "),
        (["dns", DOMAIN], exits.USAGE, "needs a domain, one of spf, dkim, tracking, mx, and present or absent"),
        (["dns", "mail.example.con", "spf", "absent"], exits.FAILED, "did you mean 'mail.example.com'?"),
        (["faults", "{"], exits.USAGE, "not JSON"),
        (["act", "open", "nothing"], exits.FAILED, "no message 'nothing' was delivered"),
        (["seed", "blocklistin"], exits.USAGE, "did you mean 'blocklisting'?"),
        (["restore", "/nowhere.json"], exits.USAGE, "cannot read /nowhere.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_told(arguments: list[str], code: int, told: str, person: Person) -> None:
    found, err = person.is_told(*arguments)
    assert (found, told in err) == (code, True), err


def test_a_wrong_key_is_refused(simulator: str, home: Path, capsys: Any) -> None:
    assert run(["simulator", "state", "--url", simulator, "--key", "key-of-others"]) == exits.FAILED
    assert "need the simulator's API key" in capsys.readouterr().err


def test_the_key_may_stand_before_the_action(simulator: str, home: Path) -> None:
    assert run(["simulator", "--key", KEY, "state", "--url", simulator]) == exits.OK


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "1"], "--port is for starting a simulator; it has no effect on `seed`"),
        (["--scenario", "injection"], "--scenario is for starting a simulator; it has no effect on `seed`"),
        (["--no-control"], "--no-control is for starting a simulator; it has no effect on `seed`"),
    ],
    ids=str,
)
def test_flags_for_starting_one_are_not_ignored(
    flags: list[str], message: str, simulator: str, home: Path, capsys: Any
) -> None:
    assert run(["simulator", *flags, "seed", "blocklisting", "--url", simulator, "--key", KEY]) == exits.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("action", CONTROLS)
def test_no_argument_of_an_action_is_taken_for_a_flag_for_starting_one(action: str) -> None:
    parser = Parser()
    CONTROLS[action].add(parser)
    own = {argument.dest for argument in parser._actions} - {"help"}
    assert own & set(parse(["simulator"])[1].starting) == set()


def test_one_without_control_routes_is_told_from_others(tmp_path: Path, home: Path, capsys: Any) -> None:
    with simulated(tmp_path, "--no-control") as url:
        assert run(["simulator", "clock", "--url", url]) == exits.FAILED
    assert (
        f"{url} has no control routes: check that it is a simulator, started without --no-control"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("status", "headers"), [(200, {}), (302, {"location": "/elsewhere"})], ids=["no-json", "redirect"]
)
def test_what_is_no_simulator_is_not_believed_or_followed(
    status: int, headers: dict[str, str], home: Path, capsys: Any
) -> None:
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert run(["simulator", "clock", "--url", f"http://127.0.0.1:{server.server_port}"]) == exits.FAILED
        thread.join(PATIENCE)
    assert (asked, "has no control routes" in capsys.readouterr().err) == (["/simulator/clock"], True)


@pytest.mark.parametrize("url", ["http://example.com:8025", "ftp://127.0.0.1", "127.0.0.1:8025", "http://127.0.0.1:x"])
def test_only_a_simulator_on_this_machine_is_asked(url: str, home: Path, capsys: Any) -> None:
    assert run(["simulator", "state", "--url", url]) == exits.USAGE
    assert "is not the URL of a simulator on this machine" in capsys.readouterr().err


def test_a_simulator_that_does_not_run_is_told(home: Path, capsys: Any) -> None:
    assert run(["simulator", "state", "--url", "http://127.0.0.1:1"]) == exits.USAGE
    assert "no simulator answers at http://127.0.0.1:1" in capsys.readouterr().err
