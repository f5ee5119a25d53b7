"""The URL of a database: how it is checked, and shown without its password."""

from urllib.parse import parse_qsl, unquote, urlsplit

from mailgun_mcp.errors import SettingsError

SCHEMES = ("postgresql", "postgres")
EXAMPLE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
SECRET_PARAMETERS = frozenset({"password", "sslpassword"})


def check_url(url: str) -> str:
    """Return the URL of a PostgreSQL database. Raises SettingsError for anything else, without repeating it."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in SCHEMES and parts.netloc.count("@") <= 1
        # If special characters in a password are not encoded, parts of it end up in the host or the path.
        valid = valid and (parts.port is None or parts.port > 0) and "@" not in parts.path and not parts.fragment
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(
            f"state-url: it is not the URL of a PostgreSQL database: write {EXAMPLE}, and encode the characters @ : / ? # % "
            "of a password as %40 %3A %2F %3F %23 %25"
        )
    return url


def shown_url(url: str) -> str:
    """Return the URL without user, password and parameters."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    given = dict(parse_qsl(parts.query)).get("host", "")
    return f"{SCHEMES[0]}://{host or given}{parts.path}"


def password_in(url: str) -> str | None:
    """Return the password in the URL, or None."""
    parts = urlsplit(url)
    if parts.password:
        return unquote(parts.password)
    return next((value for name, value in parse_qsl(parts.query) if name in SECRET_PARAMETERS), None)
