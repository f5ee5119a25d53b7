"""What the operations on routes, lists and webhooks name in the tests that loop over all operations."""

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.lists import MailingList, Member
from mailgun_mcp.simulator.model.routes import Route
from mailgun_mcp.simulator.model.webhooks import AccountWebhook
from tests.support.arguments import BY_FORMAT

ADDRESS, TEXT, NEW = BY_FORMAT["email"], "some text", "new@mg.example.com"

CHOSEN: dict[str, dict[str, object]] = {
    "create_template": {"name": "new"},
    "create_account_template": {"name": "new"},
    "create_account_template_version": {"version": "new"},
    "create_template_version": {"version": "new"},
    "create_route": {"expression": "catch_all()", "action": ["stop()"]},
    "update_route": {"expression": "catch_all()", "action": ["store()"]},
    "create_mailing_list": {"address": NEW},
    "update_mailing_list": {"address": NEW},
    "add_mailing_list_member": {"address": NEW},
    "update_mailing_list_member": {"address": NEW},
    "bulk_add_mailing_list_members": {"members": [{"address": NEW}]},
    "import_mailing_list_members": {"members": {"text": f"address\n{NEW}"}},
    "create_domain_webhook": {"id": "clicked"},
    "create_domain_webhook_url": {"event_types": ["clicked"]},
}
"""Arguments that a handler looks into, where any text would not do."""


def add_mail_rules(account: Account, domain: Domain) -> None:
    """Add everything that `tests.support.arguments.minimal` names of these sections."""
    now = account.clock.now()
    account.routes.by_id[TEXT] = Route(TEXT, 1, "catch_all()", now, ["store()"])
    members = {ADDRESS: Member(ADDRESS, "Ann", {"age": 26})}
    account.lists[ADDRESS] = MailingList(ADDRESS, now, "News", members=members)
    hook = AccountWebhook(TEXT, "https://example.com/account", ["opened"], now)
    account.webhooks.by_id[TEXT] = hook
    domain.webhooks["accepted"] = [BY_FORMAT["uri"]]
