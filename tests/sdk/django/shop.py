"""A small Django site that sends with django-anymail and receives its webhooks.

Run by ../test_anymail.py, which says where the simulator is. Prints one JSON object a call: what failed of it.
"""

import base64
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
import requests
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import include, path

URL, KEY = os.environ["MAILGUN_URL"], os.environ["MAILGUN_KEY"]
DOMAIN = "django.example.com"
AUTH = ("api", KEY)
SECRET = "anymail:of-the-tests"


def api(method: str, route: str, **more: Any) -> Any:
    answer = requests.request(method, URL + route, auth=AUTH, timeout=30, **more)
    answer.raise_for_status()
    return answer.json()


settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="of-the-tests",
    INSTALLED_APPS=["anymail"],
    EMAIL_BACKEND="anymail.backends.mailgun.EmailBackend",
    DEFAULT_FROM_EMAIL=f"Shop <a@{DOMAIN}>",
    ANYMAIL={
        "MAILGUN_API_KEY": KEY,
        "MAILGUN_API_URL": URL + "/v3",
        "MAILGUN_SENDER_DOMAIN": DOMAIN,
        "MAILGUN_WEBHOOK_SIGNING_KEY": api("GET", "/v5/accounts/http_signing_key")["http_signing_key"],
        "WEBHOOK_SECRET": SECRET,
    },
)
django.setup()

from anymail.exceptions import AnymailRequestsAPIError  # noqa: E402
from anymail.message import AnymailMessage, attach_inline_image  # noqa: E402
from anymail.signals import inbound, tracking  # noqa: E402

urlpatterns = [path("anymail/", include("anymail.urls"))]
events: list[Any] = []
received: list[Any] = []


def on_event(event: Any, **_: Any) -> None:
    events.append(event)


def on_mail(event: Any, **_: Any) -> None:
    received.append(event.message)


class Silent(WSGIRequestHandler):
    """Logs no requests."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def message(to: str, **more: Any) -> AnymailMessage:
    return AnymailMessage(subject="Grüße", body="Hi", to=[to], **more)


def stored(recipient: str) -> dict[str, Any]:
    (event,) = api("GET", f"/v3/{DOMAIN}/events", params={"event": "accepted", "recipient": recipient})["items"]
    copy: dict[str, Any] = api("GET", f"/v3/domains/{DOMAIN}/messages/{event['storage']['key']}")
    return {**copy, "event": event}


def post_webhooks() -> None:
    api("POST", "/simulator/webhooks/post", json={})


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


def send_refused() -> None:
    status = None
    mail = message("kim@example.com", esp_extra={"sender_domain": "nowhere.example.com"})
    try:
        mail.send()
    except AnymailRequestsAPIError as error:
        status = error.status_code
    assert status == 404


def track() -> None:
    for kind in ("delivered", "permanent_fail", "opened", "clicked", "complained", "unsubscribed", "temporary_fail"):
        api("POST", f"/v3/domains/{DOMAIN}/webhooks", data={"id": kind, "url": HOOKS + "tracking/"})
    for name in ("click", "bounce", "complain", "unsubscribe", "defer"):
        mail = message(f"{name}@example.com", tags=["tracked"], metadata={"order": "7"})
        mail.send()
    post_webhooks()
    kinds = {(event.event_type, event.recipient.partition("@")[0]) for event in events}
    expected = {
        ("bounced", "bounce"),
        ("complained", "complain"),
        ("unsubscribed", "unsubscribe"),
        ("deferred", "defer"),
    }
    assert expected | {("delivered", "click"), ("opened", "click"), ("clicked", "click")} <= kinds, kinds
    bounced = next(event for event in events if event.event_type == "bounced")
    assert (bounced.reject_reason, bounced.tags, bounced.metadata) == ("bounced", ["tracked"], {"order": "7"})
    assert all(event.message_id and event.event_id and event.timestamp for event in events)


def refuse_forgery() -> None:
    forged = {"signature": {"timestamp": "1", "token": "t", "signature": "00"}, "event-data": {"event": "opened"}}
    answer = requests.post(HOOKS + "tracking/", json=forged, timeout=30)
    assert answer.status_code == 400, answer.status_code


def receive() -> None:
    for kind, local in (("inbound/", "parsed"), ("inbound_mime/", "whole")):
        action = f'forward("{HOOKS}{kind}")'
        expression = f"match_recipient('{local}@{DOMAIN}')"
        api("POST", "/v3/routes", data={"priority": 0, "expression": expression, "action": action})
        mime = (
            f"From: Kim <kim@x.example>\r\nTo: {local}@{DOMAIN}\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
            'Mime-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
            '--b\r\nContent-Type: multipart/related; boundary="r"\r\n\r\n'
            '--r\r\nContent-Type: text/html\r\n\r\n<img src="cid:dot@x">\r\n'
            "--r\r\nContent-Type: image/png\r\nContent-ID: <dot@x>\r\n"
            'Content-Disposition: inline; filename="dot.png"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            f"{base64.b64encode(b'dot').decode()}\r\n--r--\r\n"
            '--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nA\r\n--b--\r\n'
        )
        api("POST", "/simulator/inbound", json={"mime": mime})
        post_webhooks()
        mail = received.pop()
        assert (mail.subject, mail.from_email.addr_spec, mail.envelope_recipient) == (
            "Grüße",
            "kim@x.example",
            f"{local}@{DOMAIN}",
        )
        assert "cid:dot@x" in mail.html
        assert [file.get_filename() for file in mail.attachments] == ["a.txt"], mail.attachments
        assert mail.content_id_map["dot@x"].get_content_bytes() == b"dot"


CALLS: dict[str, Callable[[], None]] = {
    "sending: message": send,
    "sending: batch": send_batch,
    "sending: template": send_template,
    "sending: unknown domain": send_refused,
    "webhooks: tracking": track,
    "webhooks: forged signature": refuse_forgery,
    "webhooks: inbound, parsed and MIME": receive,
}

server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Silent)
threading.Thread(target=server.serve_forever, daemon=True).start()
HOOKS = f"http://{SECRET}@127.0.0.1:{server.server_port}/anymail/mailgun/"
tracking.connect(on_event)
inbound.connect(on_mail)
api("POST", "/v4/domains", data={"name": DOMAIN})
api("PUT", f"/v4/domains/{DOMAIN}/verify")
for name, call in CALLS.items():
    group, _, title = name.partition(": ")
    try:
        call()
        failed = None
    except Exception:  # noqa: BLE001 - reported as the call's failure
        failed = traceback.format_exc()
    sys.stdout.write(json.dumps({"group": group, "call": title, "failed": failed}) + "\n")
server.shutdown()
