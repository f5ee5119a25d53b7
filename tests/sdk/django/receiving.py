"""What the webhooks of django-anymail take."""

import base64
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.sdk.django.mail_site import DOMAIN, HOOKS, api, events, message, post_webhooks, received


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


def take_rejections() -> None:
    api("POST", f"/v3/{DOMAIN}/bounces", data={"address": "suppressed@example.com"})
    events.clear()
    message("suppressed@example.com", metadata={"order": "8"}).send()
    post_webhooks()
    (event,) = events
    assert (event.event_type, event.reject_reason, event.metadata) == ("bounced", "bounced", {"order": "8"})
    assert event.recipient == "suppressed@example.com"


def take_details() -> None:
    events.clear()
    mail = message("click-details@example.com", tags=["one", "two"])
    mail.attach_alternative('<a href="https://shop.example/cart?x=1">Cart</a>', "text/html")
    mail.send()
    api("POST", "/simulator/act", json={"action": "click", "message": mail.anymail_status.message_id.strip("<>")})
    post_webhooks()
    clicked = next(event for event in events if event.event_type == "clicked")
    assert clicked.click_url == "https://shop.example/cart?x=1", clicked.click_url
    assert (clicked.tags, clicked.message_id) == (["one", "two"], mail.anymail_status.message_id)
    assert "Mozilla" in clicked.user_agent, clicked.user_agent
    delivered = next(event for event in events if event.event_type == "delivered")
    assert abs(delivered.timestamp.timestamp() - clicked.timestamp.timestamp()) < 86400
    assert len({event.event_id for event in events}) == len(events)


def refuse_a_stale_password() -> None:
    answer = requests.post(HOOKS.replace("of-the-tests", "another") + "tracking/", json={}, timeout=30)
    assert answer.status_code == 400, answer.status_code


def inbound_to(local: str, **fields: Any) -> Any:
    action = f'forward("{HOOKS}inbound/")'
    expression = f"match_recipient('{local}@{DOMAIN}')"
    api("POST", "/v3/routes", data={"priority": 0, "expression": expression, "action": action})
    api("POST", "/simulator/inbound", json=fields)
    post_webhooks()
    return received.pop()


def receive_a_reply() -> None:
    text = "Yes, please.\n\nOn Mon, Nov 23, 2026 at 9:30 AM Shop <a@x.example> wrote:\n> Shall we send it?\n"
    fields = {"from": "Kim <kim@x.example>", "to": f"reply@{DOMAIN}", "subject": "Re: Order", "text": text}
    mail = inbound_to("reply", **fields)
    assert mail.stripped_text.strip() == "Yes, please.", mail.stripped_text
    assert (mail.envelope_sender, str(mail.to[0])) == ("kim@x.example", f"reply@{DOMAIN}")
    assert "Shall we send it?" in mail.text


def receive_a_forwarded_message() -> None:
    mime = (
        f"From: Kim <kim@x.example>\r\nTo: forwarded@{DOMAIN}\r\nSubject: Fwd\r\nMime-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below\r\n'
        "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: lee@y.example\r\nSubject: Inner\r\n\r\nDeep\r\n--b--\r\n"
    )
    mail = inbound_to("forwarded", mime=mime)
    (attached,) = mail.attachments
    assert attached.get_content_type() == "message/rfc822", attached.get_content_type()
    assert b"Subject: Inner" in attached.get_content_bytes()


def receive_headers_in_order() -> None:
    mime = (
        "Received: from second\r\nReceived: from first\r\nFrom: kim@x.example\r\n"
        f"To: order@{DOMAIN}\r\nCc: lee@x.example\r\nSubject: Hops\r\n\r\nHi\r\n"
    )
    mail = inbound_to("order", mime=mime)
    hops = [hop for hop in mail.get_all("Received") if hop.startswith("from second") or hop.startswith("from first")]
    assert hops == ["from second", "from first"], mail.get_all("Received")
    assert [str(address) for address in mail.cc] == ["lee@x.example"]


def receive_old_signatures() -> None:
    forged = {"timestamp": str(int(time.time())), "token": "t", "signature": "00", "sender": "a@x.example"}
    answer = requests.post(HOOKS + "inbound/", data=forged, timeout=30)
    assert answer.status_code == 400, answer.status_code


CALLS: dict[str, Callable[[], None]] = {
    "tracking": track,
    "suppressed recipient": take_rejections,
    "details of a click": take_details,
    "forged signature": refuse_forgery,
    "wrong webhook password": refuse_a_stale_password,
    "inbound, parsed and MIME": receive,
    "inbound reply, stripped": receive_a_reply,
    "inbound with a forwarded message": receive_a_forwarded_message,
    "inbound headers in their order": receive_headers_in_order,
    "inbound with a forged signature": receive_old_signatures,
}
