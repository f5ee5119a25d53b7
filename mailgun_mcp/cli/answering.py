"""Who answers an approval: the user who is logged in, or an approver who proves with a secret who they are."""

from pathlib import Path

from mailgun_mcp.cli.terminal import read_secret
from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.identity.approvers import Approvers
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.policy.model import Level
from mailgun_mcp.settings import SettingsError, shell_command
from mailgun_mcp.store.database import Store


def answering(store: Store, name: str | None, secret_file: str | None, *, level: Level = "approval") -> str:
    """Return the name of the person who answers, as it is recorded.

    At level `two_people`, the operating system or a secret proves the name. Below that, an unproven name is recorded
    together with the user who gave it. Raises SettingsError, StateError.
    """
    user = login_user().id
    if name is None or name.strip().casefold() == user.casefold():
        return user
    if not name.strip():
        raise StateError("an answer needs the name of the person who gives it")
    approvers = Approvers(store)
    if name in approvers:
        return approvers.prove(name, _secret(name, secret_file))
    if level == "two_people":
        command = shell_command("approvals", "add-approver", name, state=store.command_directory)
        raise SettingsError(
            f"by: {name} must prove who they are here: they run the command after a login of their own, "
            f"or with a secret from `{command}`"
        )
    return f"{name} (said by {user})"


def _secret(name: str, file: str | None) -> str:
    if file is None:
        return read_secret(f"Secret of {name}: ").strip()
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"secret-file: cannot read {file}: {reason_of(error)}") from error
