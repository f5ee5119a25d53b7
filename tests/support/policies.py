"""Policies and facts to test with, from as little as the test is about."""

import re
from pathlib import Path
from typing import Any

from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.file.load import parse_policy
from mailgun_mcp.policy.model import Policy
from tests.support.operations import catalogue, find

GUIDE = Path(__file__).parents[2] / "docs" / "policies.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
"""Every policy of the guide."""
TEAM = """extends: read-only
rules:
  - {match: {risk: send, recipients: {more_than: 1}}, decision: confirm, level: approval}
  - {match: {domain: "*.prod.example.com"}, decision: deny}
  - {match: {tool: create_smtp_credentials, arguments: {password: "123*"}}, decision: deny}
  - {name: broken, match: {tool: send_message, arguments: {subject: {more_than: 1}}}, decision: deny}
  - {name: bounces, match: {toolset: bounces}, decision: allow}
send: {recipients_per_call: 5, duplicate_window: 1m}
"""
"""A policy with a rule of each kind."""


def policy(text: str) -> Policy:
    """Return the policy of a file that says `version: 1` and `text`."""
    return parse_policy(f"version: 1\n{text}", catalogue())


def rule(match: str, decision: str = "deny") -> str:
    """Return the YAML of rules: this one, and then everything is allowed (or denied, after an allow)."""
    return f"rules:\n  - match: {match}\n    decision: {decision}\n"


def facts(tool: str, arguments: dict[str, Any] | None = None, **context: Any) -> Facts:
    """Return the facts of a call."""
    return gather(find(tool), arguments or {}, Context(**context))


def send(*to: str, tool: str = "send_message", **given: Any) -> Facts:
    """Return the facts of a message to `to`; what is not an argument of the tool goes to the context."""
    known = {argument.name for argument in find(tool).arguments}
    sender = {"from": "a@mg.example.com"} if "from" in known else {}
    arguments = {"domain": "mg.example.com", **sender, "to": list(to)}
    arguments |= {name: value for name, value in given.items() if name in known}
    return facts(tool, arguments, **{name: value for name, value in given.items() if name not in known})
