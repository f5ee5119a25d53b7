"""Paths that Mailgun still answers and its own SDKs still call, for operations that moved elsewhere since."""

LEGACY_PATHS = (
    ("GET", "/v3/domains", "list_domains"),
    ("POST", "/v3/domains", "create_domain"),
    ("GET", "/v3/domains/{name}", "get_domain"),
    ("PUT", "/v3/domains/{name}", "update_domain"),
    ("PUT", "/v3/domains/{name}/verify", "verify_domain"),
    ("GET", "/v3/{domain}/tags/{tag}", "get_domain_tag"),
    ("PUT", "/v3/{domain}/tags/{tag}", "update_domain_tag"),
    ("DELETE", "/v3/{domain}/tags/{tag}", "delete_domain_tag"),
    ("GET", "/v3/{domain}/tags/{tag}/stats", "get_domain_tag_stats"),
)
"""Method, path template and the operation that answers. What its own path does not hold goes to its query."""
