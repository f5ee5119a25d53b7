"""Access to an account: API keys, users, SMTP credentials and the allowed client addresses."""

from dataclasses import dataclass, field
from typing import Literal

KeyKind = Literal["domain", "user", "web"]
KeyRole = Literal["admin", "developer", "basic", "sending"]
UserRole = Literal["admin", "developer", "basic", "billing", "support"]

OWN_KEY_ID = "f2153fd0-f1277777"
"""The id of the key that the simulator was started with."""
KEY_LIMIT = 100
"""Maximum number of API keys in an account."""
SANDBOX_RECIPIENTS = 5


@dataclass(slots=True)
class ApiKey:
    """An API key and its role."""

    id: str
    secret: str
    role: KeyRole
    created_at: float
    kind: KeyKind = "user"
    description: str = ""
    domain: str | None = None
    expires_at: float | None = None
    user_id: str | None = None
    user_name: str | None = None
    requestor: str | None = None

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(slots=True)
class User:
    """A person who can log in to the account."""

    id: str
    name: str
    email: str
    role: UserRole
    password_updated_at: float
    master: bool = False
    activated: bool = True
    two_factor_since: float | None = None


@dataclass(slots=True)
class SmtpCredential:
    """A login for sending mail over SMTP."""

    login: str
    password: str
    created_at: float
    system: bool = False


@dataclass(slots=True)
class Access:
    """The keys, users and addresses of one account, and its settings."""

    keys: dict[str, ApiKey] = field(default_factory=dict)
    """Id -> key."""
    revoked: set[str] = field(default_factory=set)
    """Secrets of deleted keys. They are refused even when any other key is accepted."""
    public_key: str = "pubkey-5ogiflzbnjrljiky49qxsiozqef5jxp7"
    signing_key: str = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
    users: dict[str, User] = field(default_factory=dict)
    allowlist: dict[str, str] = field(default_factory=dict)
    """IP address or range -> description."""
    allowlist_binds_loopback: bool = False
    """Whether clients on the simulator's own machine must be on the allowlist too."""
    invited: dict[str, float] = field(default_factory=dict)
    """Sandbox recipient that has not confirmed yet -> time of the invitation."""
    settings: dict[str, str | int] = field(default_factory=dict)
