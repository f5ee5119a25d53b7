"""Mail by someone who wants to run something in the page that shows it."""

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.mail.inbound import deliver_inbound
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import Attachment, StoredMessage
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Bounce, Complaint, Unsubscribe

BEACON = "/beacon/"
"""Where a request comes to when an attack got through; its name follows."""

ATTACKS = {
    "script": "<script>fetch('/beacon/script')</script>",
    "handler": "<img src='data:,x' onerror=\"fetch('/beacon/handler')\">",
    "svg-handler": "<svg onload=\"fetch('/beacon/svg-handler')\"></svg>",
    "svg-script": "<svg><script>fetch('/beacon/svg-script')</script></svg>",
    "javascript-url": "<iframe src=\"javascript:fetch('/beacon/javascript-url')\"></iframe>",
    "srcdoc": "<iframe srcdoc=\"<script>fetch('/beacon/srcdoc')</script>\"></iframe>",
    "image": "<img src='/beacon/image'>",
    "stylesheet": "<link rel=stylesheet href='/beacon/stylesheet'>",
    "style": "<style>body { background: url(/beacon/style) }</style>",
    "object": "<object data='/beacon/object'></object>",
    "frame": "<iframe src='/beacon/frame'></iframe>",
    "video": "<video autoplay src='/beacon/video'></video>",
    "refresh": "<meta http-equiv=refresh content='1;url=/beacon/refresh'>",
}
EVERYTHING = "".join(ATTACKS.values())


def text(field: str) -> str:
    """Return what breaks out of an element, an attribute and a script, for a field that is not HTML."""
    return (
        f"\"'></pre></title></table></iframe><script>fetch('/beacon/{field}')</script><img src='/beacon/{field}'>\u202e"
    )


def fill(account: Account, domain: Domain) -> StoredMessage:
    """Fill the account with it wherever strangers can write, and return a message that has all of it."""
    message = _message(account, domain)
    domain.webhooks["delivered"] = [f"https://hooks.example/{text('hook')}"]
    accept(account, domain, message)
    now = account.clock.now()
    actions = ['store(notify="https://hooks.example/in")']
    account.routes.by_id["r"] = Route("r", 1, "catch_all()", now, actions, -1)
    fields = {"from": "a@x.example", "to": f"b@{domain.name}", "subject": text("inbound"), "html": EVERYTHING}
    deliver_inbound(account, fields, sender=f"{text('sender')}@x.example")
    address = f"{text('address')}@x.example"
    domain.bounces[address] = Bounce(address, now, text("code"), text("error"))
    domain.complaints[address] = Complaint(address, now)
    domain.unsubscribes[address] = Unsubscribe(address, now, "u", [text("tag")])
    domain.allowlist[address] = AllowlistEntry(address, now, reason=text("reason"))
    return message


def _message(account: Account, domain: Domain) -> StoredMessage:
    headers = {name: text(name) for name in ("From", "To", "Subject", "X-Evil")}
    return StoredMessage(
        key="hostile",
        id=f"{text('id')}@x.example",
        domain=domain.name,
        at=account.clock.now(),
        sender=f"{text('sender')}@x.example",
        recipients=[f"bounce{text('recipient')}@x.example", "b@x.example"],
        headers={**headers, text("name"): "x"},
        text=text("text") + EVERYTHING + "\ud800",
        html=EVERYTHING,
        attachments=[Attachment(text("file"), text("type"), b"x")],
        tags=[text("tag")],
        variables={text("variable"): text("value")},
        template=text("template"),
        fault="",
    )
