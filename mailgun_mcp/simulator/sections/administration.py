"""The handlers of all sections that run the account rather than its mail."""

from mailgun_mcp.simulator.replies.simulated_request import Handler
from mailgun_mcp.simulator.sections import (
    account,
    account_limits,
    api_keys,
    dkim_security,
    domain_keys,
    dynamic_pools,
    ip_allowlist,
    ip_pools,
    ip_warmup,
    ips,
    smtp_credentials,
    subaccounts,
    thresholds,
    tracking,
    users,
)

HANDLERS: dict[str, Handler] = {
    **account.HANDLERS,
    **account_limits.HANDLERS,
    **api_keys.HANDLERS,
    **dkim_security.HANDLERS,
    **domain_keys.HANDLERS,
    **dynamic_pools.HANDLERS,
    **ip_allowlist.HANDLERS,
    **ip_pools.HANDLERS,
    **ip_warmup.HANDLERS,
    **ips.HANDLERS,
    **smtp_credentials.HANDLERS,
    **subaccounts.HANDLERS,
    **thresholds.HANDLERS,
    **tracking.HANDLERS,
    **users.HANDLERS,
}
