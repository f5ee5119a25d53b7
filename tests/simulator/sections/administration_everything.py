"""What `minimal` and `maximal` arguments name, for the sections that run an account."""

from collections.abc import Callable

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.mail.der import private_key
from mailgun_mcp.simulator.mail.dkim import keys_of, new_key
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source, delegate_pool
from mailgun_mcp.simulator.model.access import ApiKey, SmtpCredential, User
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import GOOD, NEW, POOR, Ip, Pool, PoolMove, Warmup
from mailgun_mcp.simulator.model.signing import Certificate
from mailgun_mcp.simulator.model.thresholds import Threshold
from mailgun_mcp.simulator.replies.page_tokens import encode_token
from mailgun_mcp.simulator.sections.subaccounts import new_subaccount
from tests.support.arguments import BY_FORMAT, BY_PLACE

NAME, ADDRESS, IP, TEXT = BY_FORMAT["hostname"], BY_FORMAT["email"], BY_FORMAT["ip"], "some text"
POOLED = "192.0.2.8"
DYNAMIC = {GOOD: ["192.0.2.21"], POOR: ["192.0.2.22"], NEW: ["192.0.2.23"]}
LOGIN = f"ann@{NAME}"
HOST = f"email.{NAME}"
PLACE = encode_token((0, 10, {}))
KEY = encode_token(("first", ""))
RULE: Arguments = {"limit": ".05", "period": "1h"}

CHOSEN: dict[str, Arguments] = {
    "remove_domain_ip": {"ip": IP, "replacement_ip": "shared"},
    "remove_domain_pool_ip": {"ip": IP, "replacement_ip": "shared"},
    "delete_ip_pool": {"replacement_ip": "shared"},
    "update_ip_pool": {"name": "another", "remove_ip": [POOLED], "link_domain": [NAME], "unlink_domain": []},
    "list_ip_pool_domains": {"page": KEY},
    "list_ip_warmups": {"page": KEY},
    "remove_ip_from_pool": {"ip": POOLED},
    "enroll_domain_in_dynamic_pools": {"replacement_ip": "shared"},
    "remove_domain_from_dynamic_pools": {"replacement_ip": ["shared"]},
    "replace_dynamic_pools": {
        "good_reputation": [IP],
        "poor_reputation": [DYNAMIC[POOR][0]],
        "new_senders": DYNAMIC[NEW],
    },
    "update_dynamic_pool": {"remove_ip": DYNAMIC[GOOD]},
    "list_dynamic_pool_domains": {"page": f"page={PLACE}"},
    "list_dynamic_pool_history": {"page": f"page={PLACE}"},
    "enable_subaccount": {"subaccount_id": "disabled"},
    "create_api_key": {"kind": "user", "expiration": 60},
    "create_smtp_credentials": {"login": [LOGIN], "password": ["secret-enough"]},
    "update_smtp_credential": {"spec": LOGIN, "password": "secret-enough"},
    "delete_smtp_credential": {"spec": LOGIN},
    **{f"{verb}_ip_allowlist_entry": {"address": IP} for verb in ("add", "update", "delete")},
    "create_send_alert": {"name": "new", **RULE},
    "update_send_alert": RULE,
    "create_threshold_limit": {"name": "new", **RULE},
    "update_threshold_limit": RULE,
    "list_account_domain_keys": {"page": KEY},
    "create_domain_key": {"selector": "new", "pem": {"text": private_key("test", 1024)}},
    "update_dkim_selector": {"dkim_selector": "new"},
    "update_dkim_rotation": {"rotation_interval": "30d"},
    **{f"{verb}_tracking_certificate": {"domain": HOST} for verb in ("get", "generate", "regenerate")},
}


def add_administration(account: Account, domain: Domain) -> None:
    """Add everything that is named."""
    now, whole = account.clock.now(), account.administration
    whole.access.keys[TEXT] = ApiKey(TEXT, "secret-of-some-text", "admin", now)
    whole.access.users[TEXT] = User(TEXT, "Ann", ADDRESS, "admin", now, master=True)
    whole.access.allowlist[IP] = "Office"
    whole.sending_limit.limit = 1_000_000
    account.authorized_recipients.add(ADDRESS)
    domain.administration.credentials[LOGIN] = SmtpCredential(LOGIN, "secret-enough", now)
    keys_of(domain)[TEXT] = new_key(account, domain, TEXT, 1024)
    keys_of(domain)[TEXT].verified = True
    domain.administration.certificates[HOST] = Certificate(HOST, now, 1)
    for kept in (whole.thresholds.alerts, whole.thresholds.limits):
        metric = "delivered_rate" if kept is whole.thresholds.alerts else "seed_test_count"
        kept[TEXT] = Threshold(account.uuid(), TEXT, now, now, metric, "<", ".9", "domain")
    _add_ips(account, domain)
    _add_subaccounts(account)


def _add_ips(account: Account, domain: Domain) -> None:
    ips = account.administration.ips
    for address in (IP, POOLED, *(address for held in DYNAMIC.values() for address in held)):
        ips.ips[address] = Ip(address)
    ips.pools[TEXT] = Pool(TEXT, TEXT, TEXT, [POOLED])
    ips.dynamic = {name: list(held) for name, held in DYNAMIC.items()}
    ips.history.append(PoolMove("1", account.clock.now(), domain.id, NAME, GOOD, POOR, TEXT, "user", 0.0, 0.0, 0))
    assign_source(domain, SendingSource([IP]))


def _add_subaccounts(account: Account) -> None:
    for identity in (TEXT, BY_PLACE["header"], "disabled"):
        child = new_subaccount(account, TEXT)
        child.id = child.account.id = identity
        child.account.administration.sending_limit.limit = 10
        account.administration.subaccounts[identity] = child
    child.status = "disabled"
    pool = account.administration.ips.pools[TEXT]
    pool.delegated_to.add(TEXT)
    delegate_pool(account, account.administration.subaccounts[TEXT].account, pool)


def _warm(account: Account) -> None:
    account.administration.ips.ips[IP].warmup = Warmup(account.clock.now() - 3.5 * DAY)


def _stop(account: Account) -> None:
    account.administration.sending_limit.limit = 0


def _enroll(account: Account) -> None:
    sending = account.domains[NAME].administration.sending
    sending.dynamic_pool, sending.ips, sending.override = GOOD, list(DYNAMIC[GOOD]), True


def _forget_certificates(account: Account) -> None:
    account.domains[NAME].administration.certificates.clear()


def _age_certificates(account: Account) -> None:
    account.domains[NAME].administration.certificates[HOST].requested_at -= 200 * DAY


PREPARED: dict[str, Callable[[Account], None]] = {
    "list_ip_warmups": _warm,
    "get_ip_warmup": _warm,
    "cancel_ip_warmup": _warm,
    "reenable_account": _stop,
    "remove_domain_from_dynamic_pools": _enroll,
    "override_dynamic_pool_assignment": _enroll,
    "remove_dynamic_pool_override": _enroll,
    "list_dynamic_pool_domains": _enroll,
    "generate_tracking_certificate": _forget_certificates,
    "regenerate_tracking_certificate": _age_certificates,
}
"""What has to be so before an operation can do anything."""
