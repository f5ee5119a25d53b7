"""The demo account's IPs, keys, users, subaccounts and thresholds."""

from mailgun_mcp.simulator.http.tracking_hosts import tracking_host
from mailgun_mcp.simulator.mail.dkim import keys_of
from mailgun_mcp.simulator.mail.sending_ips import SendingSource, assign_source, delegate_pool
from mailgun_mcp.simulator.model.access import OWN_KEY_ID, ApiKey, SmtpCredential, User
from mailgun_mcp.simulator.model.account import Account, Administration, Subaccount
from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import GOOD, NEW, POOR, SHARED_IP, Ip, Pool, PoolMove, Warmup
from mailgun_mcp.simulator.model.signing import Certificate, DomainKey, Rotation, Tracking
from mailgun_mcp.simulator.model.thresholds import Threshold

OWNER, DEVELOPER, ANALYST = "5f3b1e9a7c2d4f6081a3b601", "5f3b1e9a7c2d4f6081a3b602", "5f3b1e9a7c2d4f6081a3b603"
POOL_ID = "5f3b1e9a7c2d4f6081a3b701"
LABS, ARCHIVE = "5f3b1e9a7c2d4f6081a3b801", "5f3b1e9a7c2d4f6081a3b802"
LABS_DOMAIN = "labs.example.com"
POOL_IP, FREE_IP, WARMING_IP = "203.0.113.11", "203.0.113.12", "203.0.113.13"
DYNAMIC = {GOOD: ["203.0.113.21"], POOR: ["203.0.113.22"], NEW: ["203.0.113.23"]}
SENDING_SECRET = "0c3d6a2b9f184e57b6a1d2c3e4f50617-5e6f7081-92a3b4c5"  # noqa: S105 - documented, of the demo
DEVELOPER_SECRET = "1d4e7b3ca0295f68c7b2e3d4f5061728-6f708192-a3b4c5d6"  # noqa: S105


def add_administration(account: Account, shop: Domain, news: Domain, staging: Domain) -> None:
    """Add everything that is neither mail nor a suppression."""
    now = account.clock.now()
    _add_people(account, shop, now)
    _add_ips(account, shop, staging, now)
    _add_subaccounts(account, now)
    _add_thresholds(account, now)
    _add_signing(shop, news, now)


def _add_people(account: Account, shop: Domain, now: float) -> None:
    access = account.administration.access
    access.settings["name"] = "Example Inc"
    for user in (
        User(OWNER, "Olga Owner", "olga@example.com", "admin", now - 30 * DAY, master=True, two_factor_since=now - DAY),
        User(DEVELOPER, "Dev Patel", "dev@example.com", "developer", now - 90 * DAY),
        User(ANALYST, "Anna Lyst", "anna@example.com", "basic", now - 200 * DAY),
    ):
        access.users[user.id] = user
    for key in (
        ApiKey(OWN_KEY_ID, "", "admin", now - 400 * DAY, description="Primary key", user_id=OWNER),
        ApiKey("a7d81c3e-5b2f4460", DEVELOPER_SECRET, "developer", now - 90 * DAY, description="CI"),
        ApiKey(
            "c19e02fb-7d3a8851", SENDING_SECRET, "sending", now - 60 * DAY, "domain", "Shop backend", domain=shop.name
        ),
    ):
        access.keys[key.id] = key
    access.allowlist["198.51.100.0/24"] = "Office"
    account.administration.sending_limit.limit = 50_000
    login = f"orders@{shop.name}"
    shop.administration.credentials[login] = SmtpCredential(login, "simulated-password", now - 60 * DAY)


def _add_ips(account: Account, shop: Domain, staging: Domain, now: float) -> None:
    ips = account.administration.ips
    for address in (POOL_IP, FREE_IP, WARMING_IP, *(address for pool in DYNAMIC.values() for address in pool)):
        ips.ips[address] = Ip(address)
    ips.ips[WARMING_IP].warmup = Warmup(now - 2.5 * DAY)
    ips.pools[POOL_ID] = Pool(POOL_ID, "transactional", "Orders, invoices and passwords", [POOL_IP])
    assign_source(shop, SendingSource([POOL_IP], POOL_ID))
    ips.dynamic = {name: list(addresses) for name, addresses in DYNAMIC.items()}
    sending = staging.administration.sending
    sending.dynamic_pool, sending.ips, sending.registered_at = NEW, list(DYNAMIC[NEW]), now - DAY
    reason = "Enrolled in dynamic IP pools"
    move = PoolMove(
        "5f3b1e9a7c2d4f6081a3b901", now - DAY, staging.id, staging.name, "", NEW, reason, "user", 0.0, 0.0, 0
    )
    ips.history.append(move)


def _add_subaccounts(account: Account, now: float) -> None:
    for number, (identity, name, status) in enumerate(
        ((LABS, "Example Labs", "open"), (ARCHIVE, "Example Archive", "disabled")), 1
    ):
        below = Administration(parent=account)
        below.access.settings["name"] = name
        below.access.signing_key = f"key-{identity}{number:08d}"
        own = Account(
            account.clock, identity, serial=number << 32, administration=below, storage_url=account.storage_url
        )
        child = Subaccount(identity, name, own, now - 100 * DAY, now - 50 * DAY, status)  # type: ignore[arg-type]  # a literal of the table above
        account.administration.subaccounts[identity] = child
    labs = account.administration.subaccounts[LABS].account
    labs.domains[LABS_DOMAIN] = Domain("5f3b1e9a7c2d4f6081a3ba01", LABS_DOMAIN, now - 90 * DAY, "active")
    pool = account.administration.ips.pools[POOL_ID]
    pool.delegated_to.add(LABS)
    delegate_pool(account, labs, pool)
    assign_source(labs.domains[LABS_DOMAIN], SendingSource([SHARED_IP]))


def _add_thresholds(account: Account, now: float) -> None:
    thresholds, at = account.administration.thresholds, now - 40 * DAY
    identity = "7d1f0e6a-9b3c-4d58-8a21-0000000000{:02d}"
    bounces = Threshold(identity.format(1), "hard bounces", at, at, "hard_bounce_rate", ">", ".05", "domain", "1d")
    bounces.channels, bounces.description = ["email"], "More than one mail in twenty bounces"
    tests = Threshold(
        identity.format(2), "seed tests", at, at, "seed_test_count", ">=", "100", "subaccount", period="1d"
    )
    thresholds.alerts[bounces.name], thresholds.limits[tests.name] = bounces, tests


def _add_signing(shop: Domain, news: Domain, now: float) -> None:
    keys = keys_of(shop)
    keys["s2"] = DomainKey("s2", keys["pic"].public[::-1], now - 5 * DAY)
    for domain in (shop, news):
        domain.administration.tracking = Tracking(opens=True, clicks="htmlonly", unsubscribes=domain is news)
    news.administration.signing.rotation = Rotation(True, "30d", 30 * DAY, now - 12 * DAY)
    host = tracking_host(shop)
    shop.administration.certificates[host] = Certificate(host, now - 30 * DAY, 4097)
