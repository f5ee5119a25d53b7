"""Mail over SMTP: log in with a credential of the account, and everything is as over HTTP."""

import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest

from mailgun_mcp.simulator.app import create_harness
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.smtp.certificate import write_certificate
from mailgun_mcp.simulator.smtp.server import MAX_BYTES, SmtpSockets, serving
from tests.simulator.conftest import PLAIN, client
from tests.support.operations import catalogue

pytestmark = pytest.mark.anyio

LOGIN, PASSWORD = f"alice@{PLAIN}", "correct-horse"
KIM = "kim@x.example"


@dataclass
class Served:
    """A simulator behind SMTP and HTTP."""

    harness: Harness
    http: httpx.AsyncClient
    port: int
    tls_port: int
    certificate: Path

    async def smtp(self, use: Callable[[smtplib.SMTP], Any], *, login: str = LOGIN, password: str = PASSWORD) -> Any:
        """Use a client that is logged in. The server runs in this event loop, so the client gets a thread."""

        def connect() -> Any:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as connection:
                connection.starttls(context=trusting(self.certificate))
                connection.login(login, password)
                return use(connection)

        return await anyio.to_thread.run_sync(connect)

    async def events(self, **filters: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/v3/{PLAIN}/events", params={"ascending": "yes", **filters})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def send(smtp: smtplib.SMTP) -> None:
    smtp.send_message(mail())


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def mail(to: str = KIM, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Shop <a@{PLAIN}>", to, "Hello"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Hi %recipient.name%")
    return message


@pytest.fixture
async def served(account: Account, tmp_path: Path) -> AsyncIterator[Served]:
    harness = create_harness(catalogue(), account)
    certificate = write_certificate(tmp_path)
    plain, tls = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    ports = plain.getsockname()[1], tls.getsockname()[1]
    async with (
        serving(harness, catalogue().find("send_mime_message"), SmtpSockets(certificate, plain, tls)),
        client(harness) as http,
    ):
        await http.post(f"/v3/domains/{PLAIN}/credentials", data={"login": LOGIN, "password": PASSWORD})
        yield Served(harness, http, *ports, certificate)


async def test_a_mail_has_the_events_and_the_copy_that_it_has_over_http(served: Served) -> None:
    await served.smtp(send)
    accepted, delivered = await served.events()
    assert (accepted["event"], delivered["event"]) == ("accepted", "delivered")
    assert (accepted["method"], "api-key-id" in accepted) == ("SMTP", False)
    assert accepted["envelope"]["sender"] == f"a@{PLAIN}"
    copy = (await served.http.get(f"/v3/domains/{PLAIN}/messages/{accepted['storage']['key']}")).json()
    assert (copy["subject"], copy["recipients"], copy["body-plain"].strip()) == ("Hello", KIM, "Hi %recipient.name%")


async def test_a_connection_may_begin_with_tls(served: Served) -> None:
    def use() -> None:
        context = trusting(served.certificate)
        with smtplib.SMTP_SSL("127.0.0.1", served.tls_port, context=context, timeout=60) as smtp:
            smtp.login(LOGIN, PASSWORD)
            smtp.send_message(mail())

    await anyio.to_thread.run_sync(use)
    assert len(await served.events(event="delivered")) == 1


@pytest.mark.parametrize(
    ("login", "password"),
    [
        (LOGIN, "wrong"),
        (LOGIN, ""),
        (f"postmaster@{PLAIN}", ""),
        ("alice@unknown.example", PASSWORD),
        (f"bob@{PLAIN}", PASSWORD),
        ("alice", PASSWORD),
    ],
)
async def test_a_wrong_login_is_refused(served: Served, login: str, password: str) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        await served.smtp(send, login=login, password=password)
    assert refused.value.smtp_code == 535
    assert await served.events() == []


async def test_nothing_is_sent_without_a_login(served: Served) -> None:
    def use() -> None:
        with smtplib.SMTP("127.0.0.1", served.port, timeout=60) as smtp:
            smtp.send_message(mail())

    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await anyio.to_thread.run_sync(use)
    assert refused.value.smtp_code == 530


async def test_a_deleted_or_changed_credential_ends_its_use(served: Served) -> None:
    path = f"/v3/domains/{PLAIN}/credentials/alice"
    await served.http.put(path, data={"password": "battery-staple"})
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await served.smtp(send)
    await served.smtp(send, password="battery-staple")
    await served.http.delete(path)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await served.smtp(send, password="battery-staple")


async def test_the_postmaster_logs_in_with_the_password_of_the_domain(served: Served) -> None:
    await served.http.post("/v4/domains", data={"name": "new.example", "smtp_password": "first-password"})
    await served.http.put("/v4/domains/new.example/verify")
    await served.smtp(send, login="postmaster@new.example", password="first-password")
    await served.http.put("/v4/domains/new.example", data={"smtp_password": "second-password"})
    await served.smtp(send, login="Postmaster@New.example", password="second-password")


async def test_the_headers_of_mailgun_are_honoured(served: Served) -> None:
    headers = {
        "X_Mailgun_Tag": "autumn, news",
        "X_Mailgun_Variables": '{"order": 42}',
        "X_Mailgun_Track": "no",
    }
    await served.smtp(lambda smtp: smtp.send_message(mail(**headers)))
    (accepted,) = await served.events(event="accepted")
    assert (accepted["tags"], accepted["user-variables"]) == (["autumn", "news"], {"order": 42})


async def test_a_dropped_message_is_only_accepted(served: Served) -> None:
    await served.smtp(lambda smtp: smtp.send_message(mail(X_Mailgun_Drop_Message="yes")))
    (event,) = await served.events()
    assert (event["event"], event["flags"]["is-test-mode"]) == ("accepted", True)


async def test_a_message_waits_for_its_time(served: Served) -> None:
    at = mail_date(served.harness.clock.now() + 3600, "+0000")
    await served.smtp(lambda smtp: smtp.send_message(mail(X_Mailgun_Deliver_By=at)))
    assert [event["event"] for event in await served.events()] == ["accepted"]
    served.harness.clock.advance(3601)
    assert [event["event"] for event in await served.events()] == ["accepted", "delivered"]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"X_Mailgun_Deliver_By": "Thu, 01 Jan 2099 00:00:00 +0000"}, "01 Jan 2099"),
        ({"X_Mailgun_Deliver_By": "tomorrow"}, "tomorrow is not an RFC-2822 compliant date"),
        ({"X_Mailgun_Sending_Ip": "192.0.2.1"}, "192.0.2.1 can't be used to send the message"),
        ({"X_Mailgun_Sending_Ip_Pool": "none"}, "IP pool not found: none"),
    ],
)
async def test_an_option_that_http_refuses_is_refused(served: Served, headers: dict[str, str], text: str) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await served.smtp(lambda smtp: smtp.send_message(mail(**headers)))
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("headers", "kinds"),
    [
        ({}, {"opened", "clicked"}),
        ({"X_Mailgun_Track_Opens": "no"}, {"clicked"}),
        ({"X_Mailgun_Track_Clicks": "No"}, {"opened"}),
        ({"X_Mailgun_Track": "no"}, set()),
        ({"X_Mailgun_Track_Clicks": "htmlonly"}, {"opened", "clicked"}),
    ],
)
async def test_what_is_not_tracked_has_no_event(served: Served, headers: dict[str, str], kinds: set[str]) -> None:
    await served.smtp(lambda smtp: smtp.send_message(mail("click@x.example", **headers)))
    assert {event["event"] for event in await served.events()} - {"accepted", "delivered"} == kinds


async def test_mail_from_nobody_is_from_its_author(served: Served) -> None:
    await served.smtp(lambda smtp: smtp.sendmail("", [KIM], mail().as_bytes()))
    (accepted,) = await served.events(event="accepted")
    assert accepted["envelope"]["sender"] == f"a@{PLAIN}"


async def test_each_recipient_of_a_batch_gets_an_own_copy(served: Served) -> None:
    variables = '{"kim@x.example": {"name": "Kim"}, "lee@x.example": {"name": "Lee"}}'
    await served.smtp(
        lambda smtp: smtp.send_message(mail("kim@x.example, lee@x.example", X_Mailgun_Recipient_Variables=variables))
    )
    accepted = await served.events(event="accepted")
    copies = [
        (await served.http.get(f"/v3/domains/{PLAIN}/messages/{event['storage']['key']}")).json() for event in accepted
    ]
    assert [copy["body-plain"].strip() for copy in copies] == ["Hi Kim", "Hi Lee"]


async def test_a_suppressed_recipient_is_accepted_and_fails(served: Served) -> None:
    await served.http.post(f"/v3/{PLAIN}/bounces", data={"address": KIM})
    assert await served.smtp(lambda smtp: smtp.send_message(mail(f"{KIM}, lee@x.example"))) == {}
    failed = await served.events(event="failed")
    assert [(event["recipient"], event["reason"]) for event in failed] == [(KIM, "suppress-bounce")]
    assert [event["recipient"] for event in await served.events(event="delivered")] == ["lee@x.example"]


async def test_a_disabled_domain_cannot_send(served: Served, account: Account) -> None:
    account.domains[PLAIN].state = "disabled"
    with pytest.raises(smtplib.SMTPDataError, match="not allowed to send: Domain is disabled") as refused:
        await served.smtp(send)
    assert refused.value.smtp_code == 550


async def test_a_disabled_subaccount_cannot_log_in(served: Served) -> None:
    made = (await served.http.post("/v5/accounts/subaccounts", params={"name": "child"})).json()["subaccount"]["id"]
    for_child = {"X-Mailgun-On-Behalf-Of": made}
    await served.http.post(
        "/v4/domains", data={"name": "child.example", "smtp_password": "of-the-child"}, headers=for_child
    )
    await served.http.put("/v4/domains/child.example/verify", headers=for_child)
    await served.smtp(send, login="postmaster@child.example", password="of-the-child")
    await served.http.post(f"/v5/accounts/subaccounts/{made}/disable")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await served.smtp(send, login="postmaster@child.example", password="of-the-child")


async def test_a_mail_that_is_too_big_is_refused(served: Served) -> None:
    def send_it(smtp: smtplib.SMTP) -> None:
        assert smtp.esmtp_features["size"] == str(MAX_BYTES)
        smtp.sendmail(f"a@{PLAIN}", [KIM], b"From: a@x.example\r\n\r\n" + b"x" * 998 + b"\r\n" * (MAX_BYTES // 2))

    with pytest.raises(smtplib.SMTPResponseException) as refused:
        await served.smtp(send_it)
    assert refused.value.smtp_code == 552


async def test_a_mail_to_too_many_recipients_is_refused_whole(served: Served) -> None:
    many = [f"person{number}@x.example" for number in range(1001)]
    with pytest.raises(smtplib.SMTPDataError, match="Too many recipients, max is 1000"):
        await served.smtp(lambda smtp: smtp.sendmail(f"a@{PLAIN}", many, mail().as_bytes()))
    assert await served.events() == []
    await served.smtp(lambda smtp: smtp.sendmail(f"a@{PLAIN}", many[:1000], mail().as_bytes()))
    assert len(await served.events(event="accepted", limit="300")) == 300


@pytest.mark.parametrize(
    ("headers", "recipient", "text"),
    [
        (b"Subject: x", KIM, "554, b'5.6.0 cannot parse from address"),
        (b"From: nobody", KIM, "554, b'5.6.0 cannot parse from address"),
    ],
)
async def test_a_mail_that_names_nobody_is_refused_in_the_words_of_smtp(
    served: Served, headers: bytes, recipient: str, text: str
) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await served.smtp(lambda smtp: smtp.sendmail(f"a@{PLAIN}", [recipient], headers + b"\r\n\r\nHi\r\n"))
    assert text in str(refused.value)


async def test_a_recipient_that_is_no_address_is_refused_and_the_others_get_the_mail(served: Served) -> None:
    refused = await served.smtp(lambda smtp: smtp.sendmail(f"a@{PLAIN}", ["kim@-x.example", KIM], mail().as_bytes()))
    assert refused == {"kim@-x.example": (550, b"5.1.3 cannot parse to address")}
    assert [event["recipient"] for event in await served.events(event="accepted")] == [KIM]


async def test_lines_may_be_longer_than_the_protocol_says(served: Served) -> None:
    text = b"From: a@x.example\r\n\r\n" + b"x" * 5000 + b"\r\n"
    await served.smtp(lambda smtp: smtp.sendmail(f"a@{PLAIN}", [KIM], text))
    (accepted,) = await served.events(event="accepted")
    copy = (await served.http.get(f"/v3/domains/{PLAIN}/messages/{accepted['storage']['key']}")).json()
    assert len(copy["body-plain"].strip()) == 5000


async def test_a_template_is_filled_in_as_the_headers_say(served: Served) -> None:
    template = {"name": "welcome", "template": "<p>Hello {{name}}</p>", "tag": "v1"}
    await served.http.post(f"/v3/{PLAIN}/templates", data=template)
    other = {"template": "<p>Welcome {{name}}</p>", "tag": "v2", "active": "yes"}
    await served.http.post(f"/v3/{PLAIN}/templates/welcome/versions", data=other)

    async def body(**headers: str) -> str:
        headers = {"X_Mailgun_Template_Name": "welcome", **headers}
        await served.smtp(lambda smtp: smtp.send_message(mail(**headers)))
        key = (await served.events(event="accepted"))[-1]["storage"]["key"]
        copy = (await served.http.get(f"/v3/domains/{PLAIN}/messages/{key}")).json()
        assert "X-Mailgun-Template-Variables" not in copy
        return str(copy["body-html"]).strip()

    name = '{"name": "Kim"}'
    assert await body(X_Mailgun_Template_Variables=name) == "<p>Welcome Kim</p>"
    assert await body(X_Mailgun_Variables=name, X_Mailgun_Template_Version="v1") == "<p>Hello Kim</p>"
    served.harness.clock.advance(5)
    await body(X_Mailgun_Template_Name="missing")
    failed = await served.events(event="failed")
    assert "Template 'missing' not found" in str(failed[0]["delivery-status"])
