"""Who calls: never what a client or a model says of itself."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from mailgun_mcp.identity.access import EVERYTHING, Access

LOGIN_ID = Path("/proc/self/loginuid")
"""The user who logged in, as Linux keeps it. Neither `su` nor `sudo` changes it."""
NOT_LOGGED_IN = 2**32 - 1
FORMER_LOCAL_USER = "local"
"""The principal of every call in the state of version 0.1."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who makes calls, as the server knows them."""

    id: str
    """What approvals, limits, the audit log and the rules of a policy name them by."""
    authenticated: bool = True
    """Whether the way in proves who it is. If not, whoever calls could also answer the question in the client."""
    access: Access = EVERYTHING
    """What they may do at all."""
    expires: float | None = None
    """When what they proved it with ends; None for never."""
    credential: str = field(default="", compare=False)
    """What they proved it with, such as `token:ID`: what they began can end when that is revoked. Empty: nothing says."""

    def __str__(self) -> str:
        return self.id


ANONYMOUS = Principal("anonymous", authenticated=False)
"""Whoever reaches the port of an HTTP server that wants no token."""


def local_user() -> Principal:
    """Return the user that this process runs as, from the system and not from the environment."""
    return Principal(_name(_user_id()))


def login_user() -> Principal:
    """Return the user who logged in to this session, or the one that the process runs as where the system does not tell.

    So `sudo -u ann` does not turn another user into ann.
    """
    try:
        login_id = int(LOGIN_ID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return local_user()
    return local_user() if login_id == NOT_LOGGED_IN else Principal(_name(login_id))


def _user_id() -> int:
    return os.geteuid() if os.name == "posix" else 0


def _name(user_id: int) -> str:
    try:
        from pwd import getpwuid
    except ImportError:  # pragma: no cover - not on Windows
        return os.getlogin()
    try:
        return getpwuid(user_id).pw_name
    except KeyError:
        return f"uid {user_id}"
