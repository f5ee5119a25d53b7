"""Sending: what is refused, what is stored, and how it goes for each recipient."""

import json
from typing import Any

import httpx
import pytest

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.delivery import add_complaint
from mailgun_mcp.simulator.model.clock import DAY, HOUR, ManualClock, mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe
from mailgun_mcp.simulator.worlds.demo import NEWS, SANDBOX, STAGING, TESTER
from tests.simulator.conftest import PLAIN
from tests.simulator.sections.sending import only, send, stored

pytestmark = pytest.mark.anyio
NOT_VALID = "'{}' parameter is not a valid address. please check documentation"


def events(domain: Domain) -> list[tuple[str, str]]:
    return [(event.record["event"], event.record["recipient"]) for event in domain.events]


async def test_a_message_is_queued_stored_and_delivered(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    answer = await send(mailgun, to=["Ann <ann@x.example>, bob@x.example"], cc="cy@x.example", bcc="di@x.example")
    assert answer.json() == {"id": f"<{only(plain).id}>", "message": "Queued. Thank you."}
    everyone = ["ann@x.example", "bob@x.example", "cy@x.example", "di@x.example"]
    assert only(plain).recipients == everyone
    assert events(plain) == [(name, address) for name in ("accepted", "delivered") for address in everyone]


async def test_what_recipients_see_hides_those_in_bcc(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, bcc="di@x.example")
    assert "di@x.example" not in json.dumps(only(plain).headers)


async def test_options_headers_and_variables_are_kept(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    options: dict[str, Any] = {
        "o:tag": ["one", "two"],
        "h:Reply-To": "help@x.example",
        "v:order": '{"id": 7}',
        "o:tracking": "yes",
        "o:require-tls": "no",
    }
    await send(mailgun, **options)
    message = only(plain)
    assert (message.tags, message.variables) == (["one", "two"], {"order": '{"id": 7}'})
    assert message.headers["Reply-To"] == "help@x.example"
    assert plain.events[0].record["tags"] == ["one", "two"]
    assert plain.events[0].record["user-variables"] == {"order": '{"id": 7}'}


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, ["opened", "clicked"]),
        ({"o:tracking": "no"}, []),
        ({"o:tracking-opens": "no"}, ["clicked"]),
        ({"o:tracking-clicks": "no"}, ["opened"]),
        ({"o:tracking": "htmlonly", "o:tracking-clicks": "htmlonly"}, ["opened", "clicked"]),
    ],
)
async def test_what_is_not_tracked_has_no_event(
    mailgun: httpx.AsyncClient, plain: Domain, options: dict[str, str], kinds: list[str]
) -> None:
    await send(mailgun, to=["click@x.example"], **options)
    assert [name for name, _ in events(plain)][2:] == kinds


async def test_an_own_header_replaces_the_usual_one(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, **{"h:SUBJECT": "Other"})
    assert [name for name in only(plain).headers if name.lower() == "subject"] == ["SUBJECT"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"from": None}, "from parameter is missing"),
        ({"to": None}, "to parameter is missing"),
        ({"from": "nobody"}, NOT_VALID.format("from")),
        ({"to": "Ann <ann>"}, NOT_VALID.format("to")),
        ({"cc": "ann@"}, NOT_VALID.format("cc")),
        ({"text": None}, "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"),
        (
            {"o:deliverytime": "Thu, 13 Oct 2011 18:02:00 GMT-3"},
            "Thu, 13 Oct 2011 18:02:00 GMT-3 is not an RFC-2822 compliant date",
        ),
        ({"o:deliverytime": "tomorrow"}, "tomorrow is not an RFC-2822 compliant date"),
        ({"h:Ünicode": "x"}, "Header name must be pure ASCII: Ünicode"),
        ({"h:": "x"}, "Header name must be pure ASCII: "),
        ({"recipient-variables": "{"}, "'recipient-variables' parameter is not a valid JSON"),
        ({"attachment": "text"}, "'attachment' parameter is not a file"),
    ],
)
async def test_a_wrong_message_is_refused(
    mailgun: httpx.AsyncClient, plain: Domain, changes: dict[str, Any], text: str
) -> None:
    answer = await send(mailgun, **changes)
    assert (answer.status_code, answer.json()) == (400, {"message": text})
    assert events(plain) == []


@pytest.mark.parametrize(
    ("domain", "why"), [(STAGING, "The domain is unverified"), (SANDBOX, "Sandbox subdomains are for test")]
)
async def test_some_domains_may_not_send(mailgun: httpx.AsyncClient, domain: str, why: str) -> None:
    answer = await send(mailgun, domain)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith(f"Domain {domain} is not allowed to send: {why}")


async def test_a_disabled_domain_may_not_send(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.state = "disabled"
    answer = await send(mailgun)
    assert (answer.status_code, answer.json()) == (
        403,
        {"message": f"Domain {PLAIN} is not allowed to send: Domain is disabled"},
    )


async def test_a_sandbox_domain_writes_to_authorized_recipients(mailgun: httpx.AsyncClient) -> None:
    assert (await send(mailgun, SANDBOX, to=TESTER)).status_code == 200


@pytest.mark.parametrize(
    ("recipient", "names"),
    [
        ("bounce@x.example", ["accepted", "failed"]),
        ("defer-1@x.example", ["accepted", "failed"]),
        ("complain@x.example", ["accepted", "delivered", "complained"]),
        ("unsubscribe@x.example", ["accepted", "delivered", "unsubscribed"]),
        ("opens@x.example", ["accepted", "delivered", "opened"]),
        ("Click@x.example", ["accepted", "delivered", "opened", "clicked"]),
    ],
)
async def test_the_local_part_decides_how_it_goes(
    mailgun: httpx.AsyncClient, plain: Domain, recipient: str, names: list[str]
) -> None:
    await send(mailgun, to=recipient)
    assert events(plain) == [(name, recipient) for name in names]
    assert [event.position for event in plain.events] == sorted(event.position for event in plain.events)


async def test_a_bounce_suppresses_the_next_message(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, to="bounce@x.example")
    await send(mailgun, to="bounce@x.example")
    first, second = [event.record for event in plain.events if event.record["event"] == "failed"]
    assert (first["severity"], first["reason"], first["delivery-status"]["code"]) == ("permanent", "bounce", 550)
    assert (second["severity"], second["reason"]) == ("permanent", "suppress-bounce")
    assert second["delivery-status"]["code"] == 605


async def test_a_deferral_is_temporary_and_suppresses_nothing(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, to="defer@x.example")
    failed = plain.events[-1].record
    assert (failed["severity"], failed["log-level"], plain.bounces) == ("temporary", "warn", {})


@pytest.mark.parametrize("entry", ["bounce@x.example", "x.example"])
async def test_the_allowlist_keeps_addresses_off_the_bounce_list(
    mailgun: httpx.AsyncClient, plain: Domain, entry: str
) -> None:
    plain.allowlist[entry] = AllowlistEntry(entry, 0.0)
    await send(mailgun, to="bounce@x.example")
    assert (plain.events[-1].record["event"], plain.bounces) == ("failed", {})


def test_complaints_of_one_address_are_counted(plain: Domain) -> None:
    add_complaint(plain, "Ann@x.example", 1.0)
    add_complaint(plain, "ann@x.example", 2.0)
    assert plain.complaints == {"ann@x.example": Complaint("ann@x.example", 2.0, 2)}


@pytest.mark.parametrize(
    ("table", "entry", "reason", "code"),
    [
        ("bounces", Bounce("ann@x.example", 0.0), "suppress-bounce", 605),
        ("unsubscribes", Unsubscribe("ann@x.example", 0.0, "1"), "suppress-unsubscribe", 606),
        ("unsubscribes", Unsubscribe("ann@x.example", 0.0, "1", ["news"]), "suppress-unsubscribe", 606),
        ("complaints", Complaint("ann@x.example", 0.0), "suppress-complaint", 607),
    ],
)
async def test_a_suppressed_recipient_is_accepted_and_fails(
    mailgun: httpx.AsyncClient, plain: Domain, table: str, entry: Any, reason: str, code: int
) -> None:
    getattr(plain, table)["ann@x.example"] = entry
    answer = await send(mailgun, to="ANN@x.example", **{"o:tag": "news"})
    assert answer.status_code == 200
    failed = plain.events[-1].record
    assert (failed["event"], failed["reason"], failed["delivery-status"]["code"]) == ("failed", reason, code)


async def test_an_unsubscribe_from_a_tag_lets_other_mail_through(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    plain.unsubscribes["ann@x.example"] = Unsubscribe("ann@x.example", 0.0, "1", ["news"])
    await send(mailgun, **{"o:tag": "order"})
    assert plain.events[-1].record["event"] == "delivered"


async def test_a_test_message_is_only_accepted(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun, to="bounce@x.example", **{"o:testmode": "yes"})
    assert events(plain) == [("accepted", "bounce@x.example")]
    assert plain.events[0].record["flags"]["is-test-mode"] is True


async def test_a_scheduled_message_waits_for_its_time(
    mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock
) -> None:
    at = clock.now() + HOUR
    await send(mailgun, **{"o:deliverytime": mail_date(at, "+0000")})
    assert events(plain) == [("accepted", "ann@x.example")]
    assert plain.events[0].record["message"]["scheduled-for"] == at
    clock.advance(HOUR)
    await mailgun.get("/v4/domains")
    assert events(plain)[1:] == [("delivered", "ann@x.example")]
    assert plain.events[-1].at == at


async def test_what_is_still_scheduled_is_not_touched(
    mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock
) -> None:
    await send(mailgun, **{"o:deliverytime": str(int(clock.now() + HOUR))})
    await send(mailgun, **{"o:deliverytime": str(int(clock.now() + 3 * HOUR))})
    clock.advance(2 * HOUR)
    await mailgun.get("/v4/domains")
    assert len(plain.scheduled) == 1


async def test_a_time_that_has_passed_means_now(mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock) -> None:
    await send(mailgun, **{"o:deliverytime": str(int(clock.now() - HOUR))})
    assert events(plain)[-1] == ("delivered", "ann@x.example")


async def test_a_cleared_queue_delivers_nothing(mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock) -> None:
    await send(mailgun, **{"o:deliverytime": str(int(clock.now() + HOUR))})
    assert (await mailgun.delete(f"/v3/{PLAIN}/envelopes")).json() == {"message": "done"}
    clock.advance(2 * HOUR)
    await mailgun.get("/v4/domains")
    assert events(plain) == [("accepted", "ann@x.example")]


async def test_each_recipient_of_a_batch_gets_an_own_copy(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    variables = {"ann@x.example": {"code": 7}, "BOB@x.example": {"code": "b"}}
    await send(
        mailgun,
        to=["Ann Lee <ann@x.example>", "bob@x.example"],
        cc="cy@x.example",
        subject="Hi %recipient_fname%",
        text="%recipient.code% %recipient.other% %recipient_email% %recipient_name% %recipient_lname%",
        html="<b>%recipient%</b>",
        **{"recipient-variables": json.dumps(variables), "h:X-Code": "%recipient.code%"},
    )
    ann, bob = plain.messages.values()
    assert ann.id == bob.id
    assert (ann.headers["To"], ann.subject) == ("Ann Lee <ann@x.example>", "Hi Ann")
    assert ann.text == "7 %recipient.other% ann@x.example Ann Lee Lee"
    assert (ann.html, ann.headers["X-Code"]) == ("<b>Ann Lee <ann@x.example></b>", "7")
    assert (bob.headers["To"], bob.headers["X-Code"]) == ("bob@x.example", "b")
    # Who is in cc gets one copy for each recipient in to.
    assert [copy.recipients for copy in (ann, bob)] == [
        [name, "cy@x.example"] for name in ("ann@x.example", "bob@x.example")
    ]


async def test_a_message_id_header_is_the_id_of_answer_and_events(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    answer = await send(mailgun, **{"h:message-ID": "<own@x.example>"})
    assert answer.json()["id"] == "<own@x.example>"
    assert {event.record["message"]["headers"]["message-id"] for event in plain.events} == {"own@x.example"}


async def test_a_template_without_a_sender_is_sent_from_postmaster(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await mailgun.post(f"/v3/{PLAIN}/templates", data={"name": "bare", "template": "<p>Hi</p>"})
    form: dict[str, Any] = {"template": "bare", "text": None, "from": None}
    await send(mailgun, **form)
    (message,) = plain.messages.values()
    assert (message.sender, message.headers["From"]) == (f"postmaster@{PLAIN}", f"postmaster@{PLAIN}")


async def test_mime_with_recipient_variables_is_sent_as_a_batch(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    variables = json.dumps({"ann@x.example": {"code": "A1"}, "bob@x.example": {"code": "B2"}})
    mime = f"FROM: a@x.example\nX-Mailgun-Tag: news\nX-Mailgun-Recipient-Variables: {variables}\n\n%recipient.code%"
    answer = await mailgun.post(
        f"/v3/{PLAIN}/messages.mime",
        data={"to": "ann@x.example, bob@x.example"},
        files={"message": ("m.mime", mime.encode(), "message/rfc822")},
    )
    assert answer.status_code == 200, answer.text
    assert [(copy.recipients, copy.text.strip(), copy.tags) for copy in plain.messages.values()] == [
        (["ann@x.example"], "A1", ["news"]),
        (["bob@x.example"], "B2", ["news"]),
    ]


async def test_a_template_gives_sender_subject_and_content(mailgun: httpx.AsyncClient, account: Account) -> None:
    variables = json.dumps({"name": "Ann", "number": 7, "unused": {"a": 1}})
    answer = await send(
        mailgun, NEWS, template="Newsletter", text=None, subject=None, **{"from": None, "t:variables": variables}
    )
    assert answer.status_code == 200
    message = list(account.domains[NEWS].messages.values())[-1]
    assert message.html.startswith("<h1>News for Ann</h1>")
    assert (message.subject, message.sender) == ("News from Example", f"hello@{NEWS}")
    assert account.domains[NEWS].events[-1].record["template"]["version"] == "initial"


@pytest.mark.parametrize("missing", [{"template": "nope"}, {"template": "newsletter", "t:version": "v9"}])
async def test_a_template_that_is_not_there_is_accepted_and_fails(
    mailgun: httpx.AsyncClient, account: Account, missing: dict[str, str]
) -> None:
    assert (await send(mailgun, NEWS, text=None, **missing)).status_code == 200
    failed = account.domains[NEWS].events[-1].record
    assert (failed["event"], failed["severity"]) == ("failed", "permanent")
    assert failed["delivery-status"]["description"] == f"Template '{missing['template']}' not found"


async def test_a_stored_message_is_sent_again_to_others(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send(mailgun)
    first = only(plain)
    answer = await mailgun.post(f"/v3/domains/{PLAIN}/messages/{first.key}", data={"to": "bob@x.example"})
    assert answer.json() == {"id": f"<{first.id}>", "message": "Queued. Thank you."}
    again = list(plain.messages.values())[-1]
    assert (again.recipients, again.text, again.key != first.key) == (["bob@x.example"], "Hello", True)
    assert events(plain)[-1] == ("delivered", "bob@x.example")


MIME = (
    "From: Shop <shop@x.example>\r\nTo: list@x.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Message-Id: <own@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
    "--b\r\nContent-Type: text/html; charset=no-such-charset\r\n\r\n<p>Hello</p>\r\n"
    '--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\na,b\r\n--b--\r\n'
)


async def send_mime(mailgun: httpx.AsyncClient, text: str, to: str = "ann@x.example") -> httpx.Response:
    files = {"message": ("message.mime", text.encode(), "message/rfc822")}
    return await mailgun.post(f"/v3/{PLAIN}/messages.mime", data={"to": to, "o:tag": "one"}, files=files)


async def test_a_mime_message_goes_to_those_named_beside_it(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    answer = await send_mime(mailgun, MIME)
    assert answer.json()["id"] == "<own@x.example>"
    message = only(plain)
    assert (message.recipients, message.subject, message.text.strip()) == (["ann@x.example"], "Grüße", "Hello")
    assert [item.filename for item in message.attachments] == ["a.csv"]
    assert (message.tags, message.size) == (["one"], len(MIME.encode()))
    assert (await stored(mailgun, message, "message/rfc2822"))["body-mime"] == MIME


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
async def test_a_mime_message_without_an_id_gets_one(mailgun: httpx.AsyncClient, plain: Domain, line_end: str) -> None:
    mime = f"From: a@x.example{line_end * 2}Hello"
    answer = await send_mime(mailgun, mime)
    message_id = answer.json()["id"]
    assert message_id == f"<{only(plain).id}>"
    assert only(plain).id.endswith(f"@{PLAIN}")
    assert (await stored(mailgun, only(plain)))["Message-Id"] == message_id
    raw = (await stored(mailgun, only(plain), "message/rfc2822"))["body-mime"]
    assert raw == f"Message-Id: {message_id}{line_end}{mime}"


async def test_a_mime_message_needs_a_sender(mailgun: httpx.AsyncClient) -> None:
    answer = await send_mime(mailgun, "To: a@x.example\r\n\r\nHello")
    assert (answer.status_code, answer.json()) == (400, {"message": "from parameter is missing"})


async def test_a_mime_part_in_an_unknown_charset_is_still_read(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    text = "From: a@x.example\r\nContent-Type: text/html; charset=no-such-charset\r\n\r\n<p>Hello</p>"
    await send_mime(mailgun, text)
    assert only(plain).html == "<p>Hello</p>"


@pytest.mark.parametrize("header", ["", "Content-Type: text/plain; charset=us-ascii\r\n"])
async def test_text_in_utf_8_that_does_not_say_so_is_read(
    mailgun: httpx.AsyncClient, plain: Domain, header: str
) -> None:
    await send_mime(mailgun, f"From: a@x.example\r\n{header}\r\nGrüße")
    assert only(plain).text == "Grüße"


async def test_queues_are_open(mailgun: httpx.AsyncClient) -> None:
    answer = (await mailgun.get(f"/v3/domains/{PLAIN}/sending_queues")).json()
    assert [answer[name]["is_disabled"] for name in ("regular", "scheduled")] == [False, False]


@pytest.mark.parametrize(
    ("ttl", "days", "status"), [(None, 2.9, 200), (None, 30, 400), (DAY, 2, 400), (5 * DAY, 4, 200)]
)
async def test_mail_is_scheduled_at_most_as_far_ahead_as_it_is_stored(
    mailgun: httpx.AsyncClient, plain: Domain, clock: ManualClock, ttl: float | None, days: float, status: int
) -> None:
    if ttl is not None:
        plain.settings["message_ttl"] = ttl
    answer = await send(mailgun, **{"o:deliverytime": mail_date(clock.now() + days * DAY, "+0000")})
    assert answer.status_code == status
    assert ("is too far ahead" in answer.text) == (status == 400)


async def test_the_accepted_event_lacks_the_headers_that_a_template_sets(
    mailgun: httpx.AsyncClient, account: Account
) -> None:
    await send(mailgun, NEWS, template="newsletter", text=None, subject=None, **{"from": None})
    accepted, delivered = list(account.domains[NEWS].events)[-2:]
    assert (accepted.record["message"]["headers"]["subject"], accepted.record["message"]["headers"]["from"]) == ("", "")
    assert delivered.record["message"]["headers"]["subject"] == "News from Example"


async def test_headers_of_the_request_show_in_the_accepted_event_also_with_a_template(
    mailgun: httpx.AsyncClient, account: Account
) -> None:
    await send(mailgun, NEWS, template="newsletter", text=None, **{"h:From": "Other <o@x.example>"})
    accepted = list(account.domains[NEWS].events)[-2].record["message"]["headers"]
    assert (accepted["subject"], accepted["from"]) == ("Hi", "Other <o@x.example>")


async def test_repeated_headers_of_mime_are_listed_in_their_order(mailgun: httpx.AsyncClient, plain: Domain) -> None:
    await send_mime(mailgun, "From: a@x.example\nX-Hop: one\nSubject: Hi\nX-Hop: two\n\nHi")
    shown = await stored(mailgun, only(plain))
    assert [value for name, value in shown["message-headers"] if name == "X-Hop"] == ["one", "two"]
