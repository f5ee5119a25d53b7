"""Who calls, never based on what a client or a model says about itself."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from mailgun_mcp.identity.access import EVERYTHING, Access

LOGIN_ID = Path("/proc/self/loginuid")
"""The user who logged in, as Linux records it. Neither `su` nor `sudo` changes it."""
NOT_LOGGED_IN = 2**32 - 1
FORMER_LOCAL_USER = "local"
"""The principal of all calls in the state of version 0.1."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who makes calls, as identified by the server."""

    id: str
    """The name in approvals, limits, the audit log and policy rules."""
    authenticated: bool = True
    """Whether the transport proves who it is. If not, the caller could also answer the question in the client."""
    access: Access = EVERYTHING
    """What they may do at all."""
    expires: float | None = None
    """When their proof of identity expires; None for never."""
    credential: str = field(default="", compare=False)
    """Proof of identity, such as `token:ID`, so that what they began can end when it is revoked. Empty if unknown."""

    def __str__(self) -> str:
        return self.id


ANONYMOUS = Principal("anonymous", authenticated=False)
"""Anybody who can reach the port of an HTTP server that requires no token."""


def local_user() -> Principal:
    """Return the user that this process runs as, according to the system and not the environment."""
    return Principal(_name(_user_id()))


def login_user() -> Principal:
    """Return the user who logged in to this session, or the process's user if the system does not say.

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
