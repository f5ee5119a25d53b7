"""The checks that `doctor` makes of a state in PostgreSQL. They only read, and make no tables."""

from collections import Counter
from typing import TYPE_CHECKING

from mailgun_mcp.cli.checks import MAX_SKEW, CheckResult
from mailgun_mcp.errors import StateError
from mailgun_mcp.settings import Settings, SettingsError, state_directory
from mailgun_mcp.text.sizes import count_of

if TYPE_CHECKING:
    from mailgun_mcp.store.postgresql_facts import DatabaseFacts
    from mailgun_mcp.store.sealing import SealKeys

OLDEST = 14
"""The oldest supported major version of PostgreSQL."""


def database(settings: Settings) -> list[CheckResult]:
    """Return the checks of the database and of the keys that open its sealed values; none for a state in a file."""
    if settings.state_url is None:
        return []
    from mailgun_mcp.call.reseal import SEALED
    from mailgun_mcp.store.opening import shared_keys
    from mailgun_mcp.store.postgresql_url import check_url, password_in, shown_url

    keys = shared_keys(state_directory(settings.state), settings.seal_keys)
    try:
        url = check_url(settings.state_url)
        from mailgun_mcp.store.postgresql_facts import database_facts

        facts = database_facts(url, SEALED)
    except ImportError:
        step = "Install it: pip install 'mailgun-mcp-server[postgres]'."
        return [CheckResult("database", "failure", "PostgreSQL needs the extra `postgres`", step)]
    except SettingsError as error:
        return [CheckResult("database", "failure", str(error), "Correct --state-url.")]
    except StateError as error:
        password = password_in(settings.state_url)
        reason = str(error).strip().splitlines()[0]
        reason = reason.replace(password, "***") if password else reason
        step = "Check --state-url, and that the database runs and lets this machine in."
        return [CheckResult("database", "failure", f"{shown_url(url)}: {reason}", step)]
    return [_reached(facts, shown_url(url)), _tables(facts), _clock(facts), _connections(facts), _sealed(facts, keys)]


def _reached(facts: "DatabaseFacts", name: str) -> CheckResult:
    text = f"{name}, PostgreSQL {facts.release}"
    if facts.is_read_only:
        return CheckResult("database", "failure", f"{text}, a standby: it can only be read", "Name the primary.")
    if facts.release < OLDEST:
        return CheckResult("database", "failure", text, f"Use PostgreSQL {OLDEST} or later.")
    return CheckResult("database", "ok", text)


def _tables(facts: "DatabaseFacts") -> CheckResult:
    from mailgun_mcp.store.migrations import MIGRATIONS

    newest = len(MIGRATIONS)
    if facts.version > newest:
        text = f"version {facts.version}; this program knows up to {newest}"
        return CheckResult("tables", "failure", text, "Update mailgun-mcp.")
    if facts.version == newest:
        return CheckResult("tables", "ok", f"version {newest}")
    text = f"version {facts.version}, older than this program ({newest})" if facts.version else "none yet"
    return CheckResult("tables", "ok", f"{text}: the first server to start brings them to version {newest}")


def _clock(facts: "DatabaseFacts") -> CheckResult:
    if abs(facts.clock_ahead) <= MAX_SKEW:
        return CheckResult("database clock", "ok", f"within {MAX_SKEW} s of this computer's")
    text = f"{abs(facts.clock_ahead):.0f} s {'ahead of' if facts.clock_ahead > 0 else 'behind'} this computer's"
    step = "Run NTP on both. A person's answer is refused when the clocks of the servers differ by more than a minute."
    return CheckResult("database clock", "warning", text, step)


def _connections(facts: "DatabaseFacts") -> CheckResult:
    from mailgun_mcp.store.postgresql import MOST_CONNECTIONS

    free = facts.most_connections - facts.connections
    text = f"{facts.connections} of {facts.most_connections} in use; a server opens up to {MOST_CONNECTIONS}"
    if free >= MOST_CONNECTIONS:
        return CheckResult("connections", "ok", text)
    step = "Raise max_connections, run fewer servers, or use a connection pool."
    return CheckResult("connections", "warning", text, step)


def _sealed(facts: "DatabaseFacts", keys: "SealKeys") -> CheckResult:
    try:
        ages = Counter(keys.age_of(value) for value in facts.sealed)
    except StateError as error:
        return CheckResult("seal keys", "failure", str(error), "Give every server the same file.")
    unknown, total = ages.pop(None, 0), len(facts.sealed)
    if unknown:
        text = f"{unknown} of {total} sealed values were sealed with a key that is not in {keys.source}"
        return CheckResult("seal keys", "failure", text, "Add the missing key to the file of --seal-keys.")
    if older := sum(count for age, count in ages.items() if age):
        text = f"{older} of {total} sealed values have a key that is no longer the first"
        step = "Run `mailgun-mcp secrets reseal` before you remove it."
        return CheckResult("seal keys", "warning", text, step)
    return CheckResult("seal keys", "ok", f"{count_of(total, 'sealed value')}, all with the first key")
