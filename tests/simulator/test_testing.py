"""The simulator as a test double: in process for httpx, on a port for everything else."""

import json
import ssl
from collections.abc import Callable
from smtplib import SMTP
from urllib.request import Request, urlopen

import httpx
import pytest

from mailgun_mcp.simulator import Simulator
from mailgun_mcp.simulator.control.faults import FaultError
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError

MESSAGE = {
    "from": "shop@mail.example.com",
    "to": "ann@x.example",
    "subject": "Hello",
    "text": "Hi",
    "html": "<p>Hi</p>",
}


async def send(simulator: Simulator, **changes: str) -> httpx.Response:
    async with simulator.async_client() as client:
        return await client.post(f"/v3/{simulator.domain}/messages", data={**MESSAGE, **changes})


async def sent(simulator: Simulator, **changes: str) -> StoredMessage:
    assert (await send(simulator, **changes)).status_code == 200
    return simulator.messages()[-1]


@pytest.mark.anyio
async def test_sent_messages_are_read_by_recipient() -> None:
    with Simulator() as simulator:
        await sent(simulator)
        await sent(simulator, to="bob@x.example", subject="Other")
        assert [message.subject for message in simulator.messages()] == ["Hello", "Other"]
        assert [message.subject for message in simulator.messages(to="Bob@x.example")] == ["Other"]


@pytest.mark.anyio
async def test_recipients_act_and_events_tell() -> None:
    with Simulator() as simulator:
        message = await sent(simulator)
        assert [event["event"] for event in simulator.act("complain", message)] == ["complained"]
        assert [event["event"] for event in simulator.events()] == ["accepted", "delivered", "complained"]
        assert [event["recipient"] for event in simulator.events("delivered")] == ["ann@x.example"]


@pytest.mark.anyio
async def test_faults_hit_requests_until_they_are_used_up_or_cleared() -> None:
    with Simulator() as simulator:
        simulator.fail("server_error", "send_message", times=1)
        assert [(await send(simulator)).status_code for _ in range(2)] == [503, 200]
        simulator.fail("server_error")
        simulator.clear_faults()
        assert (await send(simulator)).status_code == 200


@pytest.mark.anyio
async def test_the_clock_moves_and_a_reset_undoes_everything() -> None:
    with Simulator() as simulator:
        before = simulator.now()
        await sent(simulator)
        simulator.advance(3600)
        assert simulator.now() - before >= 3600
        simulator.reset()
        assert simulator.messages() == []
        assert simulator.now() - before < 3600


@pytest.mark.parametrize(("duration", "seconds"), [(90, 90), ("2h", 7200), ("3d", 3 * 86400)])
def test_the_clock_moves_by_seconds_or_a_duration(duration: float | str, seconds: float) -> None:
    with Simulator() as simulator:
        before = simulator.now()
        simulator.advance(duration)
        assert seconds <= simulator.now() - before < seconds + 60


@pytest.mark.parametrize(
    ("duration", "fault"), [("yesterday", "'yesterday' is not a duration: use seconds"), (-1, "only moves forward")]
)
def test_the_clock_moves_by_nothing_else(duration: float | str, fault: str) -> None:
    with Simulator() as simulator, pytest.raises(ApiError, match=fault):
        simulator.advance(duration)


def test_mail_comes_in_from_outside() -> None:
    with Simulator() as simulator:
        (mail,) = simulator.receive(sender="kim@x.example", to="in@mail.example.com", subject="Question", text="Hi")
        assert (mail.sender, mail.recipient, mail.subject) == ("kim@x.example", "in@mail.example.com", "Question")


@pytest.mark.anyio
async def test_unknown_parameters_are_listed_or_refused() -> None:
    with Simulator() as lenient, Simulator(strict=True) as strict:
        await sent(lenient, **{"o:colour": "red"})
        assert [item["parameter"] for item in lenient.ignored_parameters()] == ["o:colour"]
        assert (await send(strict, **{"o:colour": "red"})).status_code == 400
        assert strict.ignored_parameters() == []


@pytest.mark.anyio
async def test_another_domain_can_be_added() -> None:
    with Simulator() as simulator:
        simulator.add_domain("Other.example.com")
        async with simulator.async_client() as client:
            answer = await client.post("/v3/other.example.com/messages", data=MESSAGE)
        assert answer.status_code == 200


def test_any_client_reaches_it_on_a_port_with_its_key_only() -> None:
    with Simulator() as simulator:
        url = f"{simulator.url}/v4/domains"
        assert httpx.get(url, auth=("api", simulator.key)).json()["items"][0]["name"] == simulator.domain
        assert httpx.get(url, auth=("api", "other")).status_code == 401
        control = Request(f"{simulator.url}/simulator/clock")  # the control routes need the key too
        control.add_header("authorization", httpx.BasicAuth("api", simulator.key)._auth_header)
        with urlopen(control) as answer:
            assert json.load(answer)["paused"] is False
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_mail_comes_in_over_smtp_with_a_login_and_a_certificate() -> None:
    with Simulator() as simulator:
        smtp = simulator.smtp
        context = ssl.create_default_context(cafile=smtp.certificate)
        with SMTP(smtp.host, smtp.port) as client:
            client.starttls(context=context)
            client.login(smtp.login, smtp.password)
            client.sendmail("shop@mail.example.com", ["ann@x.example"], "From: shop@mail.example.com\nSubject: S\n\nHi")
        assert simulator.smtp == smtp
        assert [message.subject for message in simulator.messages(to="ann@x.example")] == ["S"]
        (accepted,) = simulator.events("accepted")
        assert (accepted["method"], "api-key-id" in accepted) == ("SMTP", False)
    assert not smtp.certificate.exists()


@pytest.mark.anyio
async def test_events_name_the_key_that_was_used() -> None:
    with Simulator() as simulator:
        await sent(simulator)
        async with simulator.async_client() as client:
            new = {"role": "sending", "kind": "domain", "domain_name": simulator.domain}
            created = await client.post("/v1/keys", data=new)
            key = created.json()["key"]
            auth = ("api", key["secret"])
            assert (await client.post(f"/v3/{simulator.domain}/messages", data=MESSAGE, auth=auth)).status_code == 200
            ids = [item["id"] for item in (await client.get("/v1/keys")).json()["items"]]
        named = [event["api-key-id"] for event in simulator.events("accepted")]
        assert (named[1], set(named) <= set(ids), len(set(named))) == (key["id"], True, 2)


@pytest.mark.parametrize(
    ("use", "error", "text"),
    [
        (lambda each: each.fail("timeout"), FaultError, "choose from content_type, rate_limited"),
        (lambda each: each.fail(operation="send_mesage"), FaultError, "did you mean 'send_message'"),
        (lambda each: each.fail(time=1), FaultError, "did you mean 'times'"),
        (lambda each: each.events("delivred"), ValueError, "did you mean 'delivered'"),
        (lambda each: each.add_domain("no dot"), ValueError, "is not a domain name"),
        (lambda each: each.add_domain("Mail.Example.com"), ValueError, "already has the domain mail.example.com"),
        (lambda each: each.add_domain("mail.example.com."), ValueError, "already has the domain mail.example.com"),
        (lambda each: each.receive(subject="x"), ValueError, "has no recipient"),
        (lambda each: each.receive(b"Subject: x"), ValueError, "has no recipient"),
        (lambda each: each.receive(to="a@mail.example.com", subjct="x"), TypeError, "did you mean 'subject'"),
    ],
)
def test_a_misspelled_argument_is_an_error_instead_of_a_test_that_cannot_fail(
    use: Callable[[Simulator], object], error: type[Exception], text: str
) -> None:
    with Simulator() as simulator, pytest.raises(error, match=text):
        use(simulator)


def test_faults_may_be_for_several_operations() -> None:
    with Simulator() as simulator:
        simulator.fail("slow", "list_*", seconds=1)


def test_the_storage_urls_of_events_lead_to_the_server_also_after_a_reset() -> None:
    with Simulator() as simulator:
        url, auth = simulator.url, ("api", simulator.key)
        for _ in range(2):
            httpx.post(f"{url}/v3/{simulator.domain}/messages", auth=auth, data=MESSAGE).raise_for_status()
            stored = simulator.events("accepted")[0]["storage"]["url"]
            assert stored.startswith(f"{url}/v3/domains/")
            assert httpx.get(stored, auth=auth).json()["Subject"] == MESSAGE["subject"]
            simulator.reset()
