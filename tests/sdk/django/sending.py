"""What django-anymail can send."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from anymail.message import attach_inline_image
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail

from tests.sdk.django.mail_site import DOMAIN, api, header, kinds_of, message, mime_of, refusal, stored


def send() -> None:
    mail = message("Kim <kim@example.com>", cc=["lee@example.com"], bcc=["max@example.com"], tags=["autumn", "news"])
    mail.reply_to, mail.metadata, mail.track_clicks = ["help@shop.example"], {"order": "42"}, False
    mail.attach("one.txt", "first", "text/plain")
    cid = attach_inline_image(mail, b"dot", "dot.png", "png")
    mail.attach_alternative(f'<p>Hi <img src="cid:{cid}"></p>', "text/html")
    assert mail.send() == 1
    assert mail.anymail_status.status == {"queued"}
    copy = stored("max@example.com")
    assert (copy["event"]["tags"], copy["event"]["user-variables"]) == (["autumn", "news"], {"order": "42"})
    assert f"<{copy['event']['message']['headers']['message-id']}>" == mail.anymail_status.message_id
    assert (copy["subject"], copy["body-plain"].strip(), copy["Reply-To"]) == ("Grüße", "Hi", "help@shop.example")
    assert cid in copy["body-html"]
    types = [item["content-type"].partition(";")[0] for item in copy["attachments"]]
    assert types == ["image/png", "text/plain"], copy["attachments"]


def send_batch() -> None:
    mail = message("ann@example.com")
    mail.to.append("Bob <bob@example.com>")
    mail.body, mail.merge_data = (
        "Dear %recipient.name%",
        {"ann@example.com": {"name": "Ann"}, "bob@example.com": {"name": "Bob"}},
    )
    mail.merge_metadata = {"ann@example.com": {"order": 1}, "bob@example.com": {"order": 2}}
    mail.merge_global_data = {"shop": "Ours"}
    mail.send()
    for name, order in (("Ann", "1"), ("Bob", "2")):
        copy = stored(f"{name.lower()}@example.com")
        assert copy["body-plain"].strip() == f"Dear {name}"
        assert copy["event"]["user-variables"]["order"] == order, copy["event"]["user-variables"]
        assert "bob" not in copy["To"].lower() or name == "Bob"


def send_template() -> None:
    api("POST", f"/v3/{DOMAIN}/templates", data={"name": "welcome", "template": "<p>{{who}} of {{shop}}</p>"})
    mail = message("tom@example.com", template_id="welcome")
    mail.body, mail.merge_data = "", {"tom@example.com": {"who": "Tom"}}
    mail.merge_global_data = {"shop": "Ours"}
    mail.send()
    assert stored("tom@example.com")["body-html"] == "<p>Tom of Ours</p>"


def send_plainly() -> None:
    assert send_mail("One", "Text", None, ["plain@example.com"], html_message="<b>Text</b>") == 1
    copy = stored("plain@example.com")
    assert (copy["From"], copy["body-plain"].strip(), copy["body-html"].strip()) == (
        f"Shop <a@{DOMAIN}>",
        "Text",
        "<b>Text</b>",
    )


def send_many_over_one_connection() -> None:
    with get_connection() as connection:
        sent = connection.send_messages([message(f"conn{number}@example.com") for number in range(3)])
    assert sent == 3
    assert len({stored(f"conn{number}@example.com")["event"]["id"] for number in range(3)}) == 3


def send_to_several() -> None:
    mail = message("to1@example.com", cc=["cc1@example.com"], bcc=["bcc1@example.com"])
    mail.to.append("to2@example.com")
    mail.send()
    names = {"to1", "to2", "cc1", "bcc1"}
    assert set(mail.anymail_status.recipients) == {f"{name}@example.com" for name in names}
    copies = [stored(f"{name}@example.com") for name in names]
    assert {copy["To"] for copy in copies} == {"to1@example.com, to2@example.com"}, "all see to and cc"
    assert {copy["Cc"] for copy in copies} == {"cc1@example.com"}
    assert not any("bcc1" in str(copy["message-headers"]) for copy in copies)


def send_attachments() -> None:
    mail = message("files@example.com")
    mail.attach("Prüfung ü.txt", "naïve", "text/plain")
    mail.attach("data.bin", bytes(range(256)), "application/octet-stream")
    mail.attach("same.csv", "1", "text/csv")
    mail.attach("same.csv", "2", "text/csv")
    mail.send()
    files = stored("files@example.com")["attachments"]
    assert [(file["name"], file["size"]) for file in files] == [
        ("Prüfung ü.txt", 6),
        ("data.bin", 256),
        ("same.csv", 1),
        ("same.csv", 1),
    ]


def send_amp() -> None:
    mail = EmailMultiAlternatives("AMP", "text", None, ["amp@example.com"])
    mail.attach_alternative("<p>html</p>", "text/html")
    mail.attach_alternative("<!doctype html><html ⚡4email>amp</html>", "text/x-amp-html")
    mail.send()
    parts = [(part.get_content_type(), part.get_content()) for part in mime_of("amp@example.com").iter_parts()]
    assert parts == [
        ("text/plain", "text\n"),
        ("text/x-amp-html", "<!doctype html><html ⚡4email>amp</html>\n"),
        ("text/html", "<p>html</p>\n"),
    ], parts
    copy = stored("amp@example.com")
    assert (copy["body-plain"].strip(), copy["body-html"].strip()) == ("text", "<p>html</p>")


def send_later() -> None:
    mail = message("later@example.com")
    mail.send_at = datetime.now(UTC) + timedelta(hours=2)
    mail.send()
    assert kinds_of("later@example.com") == {"accepted"}
    api("POST", "/simulator/clock", json={"advance": "3h"})
    assert "delivered" in kinds_of("later@example.com")


def send_with_headers() -> None:
    mail = message("headers@example.com", headers={"X-Campaign": "Größe", "List-Unsubscribe": "<mailto:u@x.example>"})
    mail.extra_headers["In-Reply-To"] = "<before@x.example>"
    mail.send()
    copy = stored("headers@example.com")
    assert [header(copy, name) for name in ("X-Campaign", "List-Unsubscribe", "In-Reply-To")] == [
        "Größe",
        "<mailto:u@x.example>",
        "<before@x.example>",
    ], copy["message-headers"]


def send_headers_of_each() -> None:
    mail = message("h1@example.com")
    mail.to.append("h2@example.com")
    mail.merge_headers = {f"h{n}@example.com": {"List-Unsubscribe": f"<https://x.example/{n}>"} for n in (1, 2)}
    mail.send()
    assert [header(stored(f"h{n}@example.com"), "List-Unsubscribe") for n in (1, 2)] == [
        "<https://x.example/1>",
        "<https://x.example/2>",
    ]


def send_tracked() -> None:
    for name, opens in (("watched", True), ("unwatched", False)):
        mail = message(f"{name}@example.com")
        mail.attach_alternative('<p><a href="https://shop.example/">Shop</a></p>', "text/html")
        mail.track_opens = mail.track_clicks = opens
        mail.send()
        html = stored(f"{name}@example.com")["body-html"]
        assert ("shop.example" in html) is True, html
        event = stored(f"{name}@example.com")["event"]
        assert event["flags"]["is-test-mode"] is False


def send_from_template_per_recipient() -> None:
    template = {"name": "invoice", "template": "<p>{{who}}: {{amount}}</p>", "engine": "handlebars"}
    api("POST", f"/v3/{DOMAIN}/templates", data=template)
    mail = message("i1@example.com", template_id="invoice")
    mail.to.append("i2@example.com")
    mail.body = ""
    mail.merge_data = {"i1@example.com": {"who": "Ann"}, "i2@example.com": {"who": "Bob", "amount": "7"}}
    mail.merge_global_data = {"amount": "5"}
    mail.send()
    bodies = [stored(f"i{number}@example.com")["body-html"] for number in (1, 2)]
    assert bodies == ["<p>Ann: 5</p>", "<p>Bob: 7</p>"], bodies


def send_metadata_of_each() -> None:
    mail = message("m1@example.com", metadata={"order": "none", "shop": "ours"})
    mail.to.append("m2@example.com")
    mail.merge_metadata = {"m1@example.com": {"order": "1"}}
    mail.send()
    variables = [stored(f"m{number}@example.com")["event"]["user-variables"] for number in (1, 2)]
    assert variables == [{"order": "1", "shop": "ours"}, {"order": "none", "shop": "ours"}], variables


def send_in_test_mode() -> None:
    mail = message("testmode@example.com", esp_extra={"o:testmode": "yes"})
    mail.send()
    assert stored("testmode@example.com")["event"]["flags"]["is-test-mode"] is True


def send_from_another_domain() -> None:
    api("POST", "/v4/domains", data={"name": "other.example.com"})
    api("PUT", "/v4/domains/other.example.com/verify")
    mail = message("other@example.com")
    mail.envelope_sender = "bounces@other.example.com"
    mail.send()
    (event,) = api("GET", "/v3/other.example.com/events", params={"event": "accepted"})["items"]
    assert (event["recipient"], event["originating-ip"] != "") == ("other@example.com", True)


def send_to_international_names() -> None:
    mail = message('"Müller, Jörg" <joerg@bücher.example>')
    mail.send()
    event = stored("joerg@xn--bcher-kva.example")
    assert "Müller, Jörg" in event["To"], event["To"]


def send_dates() -> None:
    mail = message("date@example.com")
    mail.send()
    date = parsedate_to_datetime(header(stored("date@example.com"), "Date") or "")
    assert date.tzinfo is not None
    assert re.fullmatch(r"<[^<>@\s]+@django\.example\.com>", mail.anymail_status.message_id or "")


def refuse_unknown_domain() -> None:
    error = refusal(message("kim@example.com", esp_extra={"sender_domain": "nowhere.example.com"}).send)
    assert (error.status_code, "Domain not found" in str(error)) == (404, True), error


def refuse_wrong_key() -> None:
    connection = get_connection(api_key="key-of-nobody")
    error = refusal(message("kim@example.com", connection=connection).send)
    assert (error.status_code, error.response.text) == (401, "Forbidden"), error


def refuse_what_is_no_address() -> None:
    error = refusal(message("kim@example.com", esp_extra={"to": "nobody at example"}).send)
    assert (error.status_code, error.response.json()["message"]) == (
        400,
        "'to' parameter is not a valid address. please check documentation",
    ), error


def refuse_a_date_too_late() -> None:
    mail = message("kim@example.com")
    mail.send_at = datetime.now(UTC) + timedelta(days=60)
    assert refusal(mail.send).status_code == 400


def fail_without_the_template() -> None:
    mail = message("never@example.com", template_id="never-made")
    mail.body = ""
    mail.send()
    query = {"event": "failed", "recipient": "never@example.com"}
    (event,) = api("GET", f"/v3/{DOMAIN}/events", params=query)["items"]
    assert "never-made" in str(event["delivery-status"]), event


CALLS: dict[str, Callable[[], None]] = {
    "message": send,
    "Django's own send_mail": send_plainly,
    "several messages over one connection": send_many_over_one_connection,
    "to, cc and bcc": send_to_several,
    "attachments": send_attachments,
    "AMP": send_amp,
    "at a later time": send_later,
    "extra headers": send_with_headers,
    "headers of each recipient": send_headers_of_each,
    "tracking on and off": send_tracked,
    "batch": send_batch,
    "metadata of each recipient": send_metadata_of_each,
    "template": send_template,
    "template, data of each recipient": send_from_template_per_recipient,
    "test mode": send_in_test_mode,
    "envelope sender of another domain": send_from_another_domain,
    "international domain and name": send_to_international_names,
    "date and message ID": send_dates,
    "unknown domain": refuse_unknown_domain,
    "wrong key": refuse_wrong_key,
    "not an address": refuse_what_is_no_address,
    "time too late": refuse_a_date_too_late,
    "unknown template": fail_without_the_template,
}
