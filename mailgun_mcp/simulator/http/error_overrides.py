"""Operations whose error messages differ from the usual ones."""

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.http.checks import check
from mailgun_mcp.simulator.replies.reply import ApiError

PASSWORD = {
    True: "Password is too short. It must be between 5 and 32 characters.",
    False: "Password is too long. It must be between 5 and 32 characters.",
}
MOST_RECIPIENTS = 1000
BANDS = ("dynamic_good", "dynamic_poor", "dynamic_new")

RULES: dict[str, str] = {
    "update_account_settings": (
        "Either `name`, `absolute_timeout`, `inactive_timeout`, or `logout_redirect_url` must be provided "
        "to update account info."
    ),
    "update_subaccount_features": "No valid updates provided",
}
"""Operation -> its message when a request changes nothing."""


def check_with_overrides(operation: Operation, arguments: Arguments) -> None:
    """Raise ApiError for the first fault in `arguments`, with the operation's own message if it has one."""
    try:
        check(operation, arguments)
    except ApiError:
        raise_override(operation, arguments)
        raise


def raise_override(operation: Operation, arguments: Arguments) -> None:
    """Raise ApiError if the operation has its own message for the fault."""
    text = _own(operation.name, arguments)
    if text:
        raise ApiError(400, text)
    if operation.name == "override_dynamic_pool_assignment" and arguments.get("pool", BANDS[0]) not in BANDS:
        raise ApiError(400, "pool", "Field", Value=arguments["pool"])


def _own(name: str, arguments: Arguments) -> str | None:
    if name in RULES and (name == "update_subaccount_features" or not arguments):
        return RULES[name]
    if name == "set_account_sending_limit" and isinstance(arguments.get("limit"), int):
        return "The limit parameter minumum is 1000"
    if name == "list_api_keys" and arguments.get("kind", "user") not in ("domain", "user", "web"):
        return "expected `kind` param to be one of [domain user web] or absent"
    if name in ("send_message", "send_mime_message") and len(arguments.get("to", ())) > MOST_RECIPIENTS:
        return f"Too many recipients, max is {MOST_RECIPIENTS}"
    if name in ("create_smtp_credentials", "update_smtp_credential"):
        return _smtp(name, arguments)
    if name == "list_smtp_credentials" and arguments.get("limit", 0) > 1000:
        return "Limit parameter can't be larger than 1000"
    return None


def _smtp(name: str, arguments: Arguments) -> str | None:
    if name.startswith("create") and not {"login", "mailbox"} & arguments.keys():
        return "Parameter 'login' is missing"
    given = arguments.get("password", [])
    wrong = [text for text in ([given] if isinstance(given, str) else given) if not 5 <= len(text) <= 32]
    return PASSWORD[len(wrong[0]) < 5] if wrong else None
