"""The demo account's routes, mailing lists and webhooks, and a template's second version."""

from collections.abc import Sequence

from mailgun_mcp.simulator.mail.webhooks import enqueue_webhooks, webhook_event_type
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.routes import InboundMail, Route
from mailgun_mcp.simulator.model.templates import TemplateVersion
from mailgun_mcp.simulator.model.webhooks import AccountWebhook

HOOKS = "https://hooks.example.com/mailgun"

SUPPORT_NOTICE = f'store(notify="{HOOKS}/inbound")'
ROUTES = (
    (0, "Support mail is stored for the help desk", 'match_recipient("^support@mail.example.com$")', (SUPPORT_NOTICE,)),
    (
        10,
        "Answers to orders",
        r'match_recipient("^orders\+(.*)@mail.example.com$") and match_header("subject", ".*order")',
        (rf'forward("{HOOKS}/orders?number=\1")', "stop()"),
    ),
    (100, "Everything else", "catch_all()", ('forward("office@example.com")',)),
)
TEAM = (
    ("Ada Byron", "ada.byron@gmail.com", True),
    ("Emil Novak", "emil@novak.example", True),
    ("Hanna Berg", "hanna@berg.example", True),
    ("Former Colleague", "left.company@kovacs.example", False),
)
AUTUMN = (
    "<h1>Thank you, {{name}}</h1><p>Your order {{number}} is confirmed.</p>"
    "{{#if items}}<ul>{{#each items}}<li>{{this.title}}{{#unless this.in_stock}} (ships later){{/unless}}</li>"
    '{{/each}}</ul>{{/if}}{{#equal country "DE"}}<p>Free delivery in Germany.</p>{{/equal}}'
)


def add_mail_rules(account: Account, shop: Domain, news: Domain, readers: Sequence[tuple[str, str]]) -> None:
    """Add routes, lists and webhooks, and the records that they left. `readers` are the newsletter's subscribers."""
    now = account.clock.now()
    _add_routes(account, now)
    _add_lists(account, shop, news, readers, now)
    _add_webhooks(account, shop, now)
    _post_failures(account, shop)
    _receive(account, shop)
    template = shop.templates["order-confirmation"]
    comment = "With the ordered items; to be made active in December"
    autumn = TemplateVersion(account.uuid(), "with-items", AUTUMN, now - 6 * DAY, comment=comment)
    template.versions[autumn.tag] = autumn


def _add_routes(account: Account, now: float) -> None:
    for priority, description, expression, actions in ROUTES:
        route = Route(
            account.hex_id(), account.serial, expression, now - 300 * DAY, list(actions), priority, description
        )
        account.routes.by_id[route.id] = route


def _add_lists(account: Account, shop: Domain, news: Domain, readers: Sequence[tuple[str, str]], now: float) -> None:
    team = {address: Member(address, name, subscribed=subscribed) for name, address, subscribed in TEAM}
    monthly = {
        address: Member(address, name, {"first_name": name.split()[0], "customer": index % 3 == 0})
        for index, (name, address) in enumerate(readers)
    }
    for mailing_list in (
        MailingList(f"team@{shop.name}", now - 390 * DAY, "Team", "Everyone at Example", "members", members=team),
        MailingList(
            f"monthly@{news.name}",
            now - 180 * DAY,
            "Monthly news",
            "Readers of the newsletter",
            reply_preference="sender",
            members=monthly,
        ),
    ):
        account.lists[mailing_list.address] = mailing_list


def _add_webhooks(account: Account, shop: Domain, now: float) -> None:
    shop.webhooks["permanent_fail"] = [f"{HOOKS}/bounces", "https://crm.example.com/webhooks/mailgun"]
    shop.webhooks["clicked"] = [f"{HOOKS}/clicks"]
    hook = AccountWebhook(
        account.uuid(), f"{HOOKS}/reputation", ["complained", "unsubscribed"], now - 100 * DAY, "Reputation watch"
    )
    account.webhooks.by_id[hook.id] = hook


def _post_failures(account: Account, shop: Domain) -> None:
    """Add webhook calls for the bounces of the last days. All of them were accepted."""
    for event in [event for event in shop.events if webhook_event_type(event.record) == "permanent_fail"]:
        before = len(account.webhooks.outbox)
        enqueue_webhooks(account, shop, event)
        for posting in list(account.webhooks.outbox)[before:]:
            posting.created_at, posting.due_at, posting.outcome = event.at, None, "taken"
            posting.attempts = [(event.at + 1, 200)]


def _receive(account: Account, shop: Domain) -> None:
    """Record the stored messages as received through the support route."""
    route = account.routes.in_order()[0]
    for event in [event for event in shop.events if event.record["event"] == "stored"]:
        headers = event.record["message"]["headers"]
        received = InboundMail(event.at, event.record["recipient"], headers["from"], headers["subject"], shop.name)
        received.routes, received.actions = [route.id], [SUPPORT_NOTICE]
        received.storage_key = event.record["storage"]["key"]
        account.routes.received.append(received)
