"""Apps in the test's own process, pointed at a stub."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.pipeline import App
from tests.support.operations import catalogue

KEY = "key-of-the-tests"


def app_at(url: str, **options: Any) -> App:
    """Return an app whose Mailgun is at `url`."""
    options.setdefault("state", Path(mkdtemp(prefix="mailgun-mcp-")))
    client = Client(resolve(url=url), KEY, user_agent="tests", timeout=options.pop("timeout", 10.0))
    return App(catalogue=options.pop("catalogue", catalogue()), client=client, **options)
