"""Answer pending approvals, and grant calls for a limited time. No model can use this command."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import get_args

from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.cli.answering import answering
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.flag_values import positive_integer, seconds
from mailgun_mcp.cli.output import as_json, fitted, note, out, table, visible_json
from mailgun_mcp.cli.page_url import page_url
from mailgun_mcp.cli.parser import STATE_SETTINGS, Parser, add_settings, open_store
from mailgun_mcp.cli.recorded_commands import recorded
from mailgun_mcp.cli.terminal import read_line
from mailgun_mcp.confirm.approvals import Approval, Approvals, ApprovalStatus
from mailgun_mcp.confirm.argument_lines import full_lines
from mailgun_mcp.confirm.grants import Grant, Grants
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.accounts import Accounts, StoredAccount
from mailgun_mcp.identity.approvers import Approvers
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.settings import SettingsError, shell_command
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.characters import excerpt, show_invisible
from mailgun_mcp.text.durations import in_words, iso
from mailgun_mcp.text.suggest import unknown

LONGEST_TARGET = 40
"""Maximum length of a target in the list, in characters."""
ACTIONS = {
    "list": "list the approvals, by default those that wait for an answer",
    "show": "show the call that an approval is about",
    "approve": "approve a pending call; the same call runs once when it is made again",
    "deny": "deny a pending call",
    "watch": "print pending approvals as they arrive, until interrupted",
    "grant": "allow matching calls for a limited time",
    "grants": "list the active grants",
    "revoke": "end a grant",
    "approvers": "list the people who identify themselves with a secret",
    "add-approver": "give a person a secret, which is shown once",
    "remove-approver": "revoke a person's secret",
    "page": "print a link that signs you in to the approvals page, once and within 5 minutes",
    "clear": "mark the third-party text shown so far as harmless, so that calls are no longer confirmed because of it",
}
APPROVER_ACTIONS = ("add-approver", "remove-approver")
NAMED = {"show": "approval", "approve": "approval", "deny": "approval", "revoke": "grant"}
ANSWERING = ("approve", "deny", "grant", "page")
RENAMED = {"elevate": "grant", "elevations": "grants"}
EXAMPLES = """\
  mailgun-mcp approvals list
  mailgun-mcp approvals show 3r5u7c6e
  mailgun-mcp approvals approve 3r5u7c6e
  mailgun-mcp approvals deny 3r5u7c6e --reason "ask support first"
  mailgun-mcp approvals watch
  mailgun-mcp approvals grant --match "tool=delete_*,domain=staging.*" --for 20m
  mailgun-mcp approvals grants
  mailgun-mcp approvals revoke 9k2m4p6q
  mailgun-mcp approvals add-approver kim
  mailgun-mcp approvals approvers
  mailgun-mcp approvals remove-approver kim
  mailgun-mcp approvals page
  mailgun-mcp approvals clear"""
CHAT = "chat:"
"""What the names of the agent's clients begin with. A turn that waits for a person goes on after the answer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    for name, kind in NAMED.items():
        added[name].add_argument("id", metavar="ID", help=f"id of the {kind}")
    for name in ANSWERING:
        added[name].add_argument("--by", metavar="NAME", help="who answers; default: the user who is logged in")
        added[name].add_argument(
            "--secret-file", metavar="FILE", help="file with the secret of --by, instead of a prompt"
        )
    for name in APPROVER_ACTIONS:
        added[name].add_argument("name", metavar="NAME", help="the person's name")
    for name in ("list", "show", "watch", "grants", "approvers"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
    added["show"].add_argument("--full", action="store_true", help="show every argument in full")
    statuses = (*get_args(ApprovalStatus), "all")
    added["list"].add_argument(
        "--status", default="pending", choices=statuses, help="only with this status; default pending"
    )
    added["approve"].add_argument(
        "--typed", metavar="NAME", help="the name that the call asks for, instead of a prompt"
    )
    added["deny"].add_argument(
        "--reason", default="", metavar="TEXT", help="why not; the model sees it when it makes the call again"
    )
    added["watch"].add_argument("--interval", default="1s", metavar="TIME", help="time between checks; default 1s")
    added["watch"].add_argument("--count", metavar="N", help="stop after N approvals")
    added["grant"].add_argument(
        "--match",
        required=True,
        metavar="KEY=GLOB,...",
        help='conditions as in a policy rule: "tool=delete_*,domain=staging.*", or as JSON',
    )
    added["grant"].add_argument(
        "--for", dest="span", default="15m", metavar="TIME", help="how long, at most 24h; default 15m"
    )
    added["grant"].add_argument("--account", metavar="NAME", help="the account; default: the only one")
    added["clear"].add_argument("--principal", metavar="NAME", help="only for this principal; default: for all")
    added["page"].add_argument(
        "--url", metavar="URL", help="base URL of the server; default: its public-url, or host and port of the settings"
    )
    for action in added.values():
        add_settings(action, only=STATE_SETTINGS)
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        "list": _list,
        "show": _show,
        "approve": _approve,
        "deny": _deny,
        "watch": _watch,
        "grant": _grant,
        "grants": _grants,
        "revoke": _revoke,
        "clear": _clear,
        "page": _page,
        "approvers": _approvers,
        "add-approver": _add_approver,
        "remove-approver": _remove_approver,
    }
    with closing(open_store(arguments)) as store, recorded(store, "approvals", arguments):
        actions[arguments.action](store, arguments)
    return OK


def _approvers(store: Store, arguments: argparse.Namespace) -> None:
    approvers = Approvers(store).list()
    if arguments.json:
        as_json([{"name": approver.name, "created": iso(approver.created)} for approver in approvers])
    elif not approvers:
        out("No approvers. `mailgun-mcp approvals add-approver NAME` gives a person a secret.")
    else:
        table([(approver.name, f"since {iso(approver.created)}") for approver in approvers])


def _add_approver(store: Store, arguments: argparse.Namespace) -> None:
    secret = Approvers(store).add(arguments.name, store.clock())
    note(f"The secret of {arguments.name}, which is shown only now. Hand it to them and keep no copy:")
    out(secret)


def _remove_approver(store: Store, arguments: argparse.Namespace) -> None:
    Approvers(store).remove(arguments.name)
    out(f"Removed: {arguments.name}. Answers that they gave before stay.")


def _clear(store: Store, arguments: argparse.Namespace) -> None:
    cleared = Untrusted(store).clear(arguments.principal)
    if cleared:
        out(f"Cleared for {', '.join(cleared)}. Calls are confirmed again after the next third-party text is shown.")
    else:
        out("There is nothing to clear: no third-party text was shown since the last time.")


def _page(store: Store, arguments: argparse.Namespace) -> None:
    by = answering(store, arguments.by, arguments.secret_file, level="two_people")
    url = page_url(arguments.url)
    out(f"{url}/sign-in?link={Sessions(store).create_link(by, store.clock())}")
    note(f"Open it in a browser. It signs you in as {by}, once and within 5 minutes. Do not give it to anyone else.")


def _list(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    status = None if arguments.status == "all" else arguments.status
    approvals = Approvals(store).list(now, status)
    if arguments.json:
        as_json([approval.record for approval in approvals])
    elif not approvals:
        out(f"No {'' if status is None else f'{status} '}approvals in {store.name}.")
    else:
        table([_row(approval, now) for approval in approvals])


def _row(approval: Approval, now: float) -> tuple[str, ...]:
    when = f"{in_words(approval.expires - now)} left" if approval.status in ("pending", "approved") else ""
    return (
        *(approval.id, approval.status, approval.level, approval.tool, _short_target(approval)),
        *(approval.account, approval.principal, when),
    )


def _short_target(approval: Approval) -> str:
    target = " ".join(show_invisible(_recipients(approval) or _named_by_arguments(approval) or approval.target).split())
    return excerpt(target, LONGEST_TARGET)


def _recipients(approval: Approval) -> str:
    """Return who gets mail. The target of a send is only its domain, so that all sends would look alike."""
    recipients, count = approval.details.get("recipients") or [], int(approval.details.get("recipient_count") or 0)
    more = max(count, len(recipients)) - 1
    return f"{recipients[0]} and {more:,} more" if recipients and more > 0 else str(recipients[0]) if recipients else ""


def _named_by_arguments(approval: Approval) -> str:
    """Return what tells a call apart whose target has no name yet: where a new route forwards, or its first argument."""
    if approval.target != approval.tool:
        return ""
    named = approval.details.get("destinations") or list((approval.details.get("arguments") or {}).values())
    return str(named[0]) if named else ""


def _show(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    approval = Approvals(store).get(arguments.id, now)
    if arguments.json:
        as_json(approval.full_record)
    else:
        out(fitted(_described(approval, now, full=arguments.full)))


def _described(approval: Approval, now: float, *, full: bool = False) -> str:
    """Return the text of the form, with the approval's status above it and the time left below.

    With `full`, no argument is shortened. An approval of version 0.1 has only the text of its form.
    """
    details = approval.details
    text = "\n".join([*details["facts"], *full_lines(details["arguments"])]) if full and details else approval.text
    state = f"{approval.id}: {approval.status}"
    if approval.answers:
        state += "".join(
            f", {'approved' if answer.yes else 'denied'} by {answer.by} at {iso(answer.at)}"
            for answer in approval.answers
        )
    if approval.status not in ("pending", "approved"):
        return f"{state}\n\n{text}"
    left = f"Pending since {iso(approval.created)}, {in_words(approval.expires - now)} left."
    people = " Two people must approve it." if approval.level == "two_people" else ""
    return f"{state}\n\n{text}\n\n{left}{people}"


def _confirm(approval: Approval) -> None:
    """Ask the person if this is a terminal. A program that runs the command asks in its own way."""
    if sys.stdin.isatty() and read_line("\nApprove this call? [y/N] ").strip().lower() not in ("y", "yes"):
        raise StateError(f"{approval.id} is still pending: it was not approved")


def _approve(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    approval = Approvals(store).get(arguments.id, now)
    typed = arguments.typed
    if approval.status == "pending":
        out(fitted(_described(approval, now)))
        if approval.typed is None:
            _confirm(approval)
        elif typed is None:
            typed = _typed(approval)
    by = answering(store, arguments.by, arguments.secret_file, level=approval.level)
    # The time is read again, because the approval may have expired while the person was thinking.
    answered = Approvals(store).approve(approval.id, by=by, now=store.clock(), typed=typed)
    if answered.status == "approved":
        chat = answered.client.startswith(CHAT)
        then = "The chat continues." if chat else "Make the same call again: it runs once."
        out(f"\nApproved by {answered.people}. {then}")
    else:
        out(f"\nApproved by {answered.people}. One more person must approve it.")


def _typed(approval: Approval) -> str:
    if not sys.stdin.isatty():
        raise SettingsError(f"{approval.id} asks for the name of its target: add --typed NAME")
    return read_line("\nType the name: ")


def _deny(store: Store, arguments: argparse.Namespace) -> None:
    denied = Approvals(store).deny(
        arguments.id,
        by=answering(store, arguments.by, arguments.secret_file),
        now=store.clock(),
        reason=arguments.reason,
    )
    out(f"Denied: {denied.title}. The call will not be made.")


def _watch(store: Store, arguments: argparse.Namespace) -> None:
    interval = seconds("interval", arguments.interval)
    count = None if arguments.count is None else positive_integer("count", arguments.count)
    for number, approval in enumerate(_arriving(store, interval), 1):
        out(visible_json(approval.record) if arguments.json else f"{_described(approval, store.clock())}\n")
        sys.stdout.flush()
        if number == count:
            return


def _arriving(store: Store, interval: float) -> Iterator[Approval]:
    """Yield the pending approvals, then new ones as they arrive. Never ends."""
    seen: set[str] = set()
    while True:
        pending = Approvals(store).list(store.clock(), "pending")
        yield from (approval for approval in pending if approval.id not in seen)
        seen = {approval.id for approval in pending}
        time.sleep(interval)


def _grant(store: Store, arguments: argparse.Namespace) -> None:
    from mailgun_mcp.policy.file.match_text import parse_match

    now = store.clock()
    match = parse_match(arguments.match, "--match")
    until = now + seconds("for", arguments.span)
    account = _account(store, arguments.account)
    grant = Grants(store).add(
        match, account=account.id, until=until, by=answering(store, arguments.by, arguments.secret_file), now=now
    )
    out(f"{grant.id}: calls in {account.name} that match {_matching(grant)} are allowed until {iso(until)}.")
    out(f"End it with: {shell_command('approvals', 'revoke', grant.id, state=store.command_directory)}")


def _account(store: Store, name: str | None) -> StoredAccount:
    """Return the account with that name, or the only account. Raises UnknownNameError, SettingsError."""
    accounts = Accounts(store).list() if store.exists else ()
    if not accounts:
        raise SettingsError("this state has no account yet: let the server make one call first")
    if name is None and len(accounts) > 1:
        raise SettingsError(
            f"there are {len(accounts)} accounts: add --account {'|'.join(one.name for one in accounts)}"
        )
    matching = [account for account in accounts if name in (None, account.name)]
    if not matching:
        raise UnknownNameError(unknown("account", str(name), [account.name for account in accounts]))
    return matching[0]


def _grants(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    active, names = Grants(store).active(now), Accounts(store).names()
    if arguments.json:
        as_json(
            [
                {
                    "id": grant.id,
                    "account": names.get(grant.account, ""),
                    "until": iso(grant.until),
                    "match": grant.match,
                    "by": grant.by,
                }
                for grant in active
            ]
        )
    elif not active:
        out(f"No active grants in {store.name}.")
    else:
        table(
            [
                (
                    *(grant.id, f"{in_words(grant.until - now)} left", f"by {grant.by}"),
                    *(names.get(grant.account, ""), _matching(grant)),
                )
                for grant in active
            ]
        )


def _revoke(store: Store, arguments: argparse.Namespace) -> None:
    Grants(store).revoke(arguments.id, store.clock())
    out(f"Revoked: {arguments.id}.")


def _matching(grant: Grant) -> str:
    return visible_json(grant.match)
