"""A small Django site with django-anymail, its webhooks, and calls of the simulator beside it."""

import os
import threading
from collections.abc import Callable
from email import message_from_string, policy
from email.message import EmailMessage
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
    """Ask the simulator for something."""
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
from anymail.message import AnymailMessage  # noqa: E402
from anymail.signals import inbound, tracking  # noqa: E402

urlpatterns = [path("anymail/", include("anymail.urls"))]
events: list[Any] = []
"""What the tracking webhook took."""
received: list[Any] = []
"""The messages that the inbound webhook took."""


def on_event(event: Any, **_: Any) -> None:
    """Take a tracking event."""
    events.append(event)


def on_mail(event: Any, **_: Any) -> None:
    """Take an inbound message."""
    received.append(event.message)


tracking.connect(on_event)
inbound.connect(on_mail)


class Silent(WSGIRequestHandler):
    """Logs no requests."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def message(to: str, **more: Any) -> AnymailMessage:
    """Return a message to one recipient."""
    return AnymailMessage(subject="Grüße", body="Hi", to=[to], **more)


def stored(recipient: str) -> dict[str, Any]:
    """Return the stored copy for a recipient, with its accepted event."""
    (event,) = api("GET", f"/v3/{DOMAIN}/events", params={"event": "accepted", "recipient": recipient})["items"]
    copy: dict[str, Any] = api("GET", f"/v3/domains/{DOMAIN}/messages/{event['storage']['key']}")
    return {**copy, "event": event}


def kinds_of(recipient: str) -> set[str]:
    """Return the kinds of events that a recipient has."""
    return {item["event"] for item in api("GET", f"/v3/{DOMAIN}/events", params={"recipient": recipient})["items"]}


def mime_of(recipient: str) -> EmailMessage:
    """Return the message for a recipient as it was sent."""
    copy = requests.get(
        stored(recipient)["event"]["storage"]["url"], auth=AUTH, headers={"Accept": "message/rfc2822"}, timeout=30
    )
    mail = message_from_string(copy.json()["body-mime"], policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def header(copy: dict[str, Any], name: str) -> str | None:
    """Return a header of a stored copy."""
    return next((value for key, value in copy["message-headers"] if key == name), None)


def refusal(send: Callable[[], object]) -> AnymailRequestsAPIError:
    """Return the error with which Mailgun refuses it."""
    try:
        send()
    except AnymailRequestsAPIError as error:
        return error
    raise AssertionError("it was not refused")


def post_webhooks() -> None:
    """Let the simulator post what it has for webhooks and routes."""
    api("POST", "/simulator/webhooks/post", json={})


server = make_server("127.0.0.1", 0, WSGIHandler(), handler_class=Silent)
threading.Thread(target=server.serve_forever, daemon=True).start()
HOOKS = f"http://{SECRET}@127.0.0.1:{server.server_port}/anymail/mailgun/"
