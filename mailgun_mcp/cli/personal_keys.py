"""What `mailgun-mcp accounts` and `doctor` do with people's own Mailgun keys. No key is shown."""

import argparse
from typing import TYPE_CHECKING

from mailgun_mcp.cli.output import out
from mailgun_mcp.errors import UnknownNameError
from mailgun_mcp.settings import Settings, load
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.cli.checks import CheckResult
    from mailgun_mcp.identity.personal_keys import PersonalKeys
    from mailgun_mcp.store.database import Store

STATES = {
    "current": "",
    "older": "encrypted with an older key",
    "unknown": "cannot be decrypted with the keys of this environment",
}


def personal_keys(store: "Store", settings: Settings) -> "PersonalKeys":
    """Return the store of people's keys, with the encryption keys from the settings. Raises SettingsError."""
    from mailgun_mcp.app.personal_keys import encryption_keys
    from mailgun_mcp.identity.personal_keys import PersonalKeys

    return PersonalKeys(store, encryption_keys(settings))


def rows(store: "Store") -> list[tuple[str, ...]]:
    """Return the rows for personal keys in `accounts list`."""
    return [
        (f"own key of {key.principal}", "", f"region {key.region}", f"since {iso(key.created)}", STATES[key.encryption])
        for key in personal_keys(store, load({})).list()
    ]


def records(store: "Store") -> list[dict[str, object]]:
    """Return the records for personal keys in `accounts list --json`."""
    return [
        {
            "name": f"own key of {key.principal}",
            "created": iso(key.created),
            "own_key": {"principal": key.principal, "region": key.region, "encryption": key.encryption},
        }
        for key in personal_keys(store, load({})).list()
    ]


def remove(store: "Store", arguments: argparse.Namespace) -> None:
    """Remove the key of a person. Raises UnknownNameError."""
    keys = personal_keys(store, load({}))
    if not keys.remove(arguments.principal):
        people = [key.principal for key in keys.list()]
        raise UnknownNameError(unknown("person", arguments.principal, people, none="nobody has stored a Mailgun key"))
    out(f"Removed the Mailgun key of {arguments.principal}. It still works at Mailgun until it is deleted there.")


def encrypt(store: "Store", _: argparse.Namespace) -> None:
    """Encrypt all keys with the first encryption key. Raises StateError."""
    count = personal_keys(store, load({})).encrypt_again()
    out(f"Encrypted again: {count} of people's own keys. No key needs an older encryption key any more.")


def check(settings: Settings) -> "list[CheckResult]":
    """Check that the stored keys can be used. No checks if nobody stores keys. Nothing is created."""
    from contextlib import closing

    from mailgun_mcp.cli.checks import CheckResult
    from mailgun_mcp.errors import CallError, SettingsError
    from mailgun_mcp.settings import state_directory
    from mailgun_mcp.store.opening import open_store

    name = "people's keys"
    try:
        with closing(open_store(state_directory(settings.state), settings.state_url, settings.seal_keys)) as store:
            stored = personal_keys(store, settings).list()
    except (SettingsError, CallError) as error:
        return [CheckResult(name, "failure", str(error), "Correct this first.")]
    given = bool(settings.personal_keys_secret or settings.personal_keys_secret_file)
    lost = [key.principal for key in stored if key.encryption == "unknown"]
    older = [key.principal for key in stored if key.encryption == "older"]
    if lost:
        step = "Add the encryption key that was used, after the first one; or these people store their keys again."
        return [CheckResult(name, "failure", f"{len(lost)} of {len(stored)} cannot be decrypted", step)]
    if older:
        step = "Run `mailgun-mcp accounts encrypt-keys`."
        return [CheckResult(name, "warning", f"{len(older)} of {len(stored)} are encrypted with an older key", step)]
    return [CheckResult(name, "ok", f"people can store keys of their own; {len(stored)} have")] if given else []
