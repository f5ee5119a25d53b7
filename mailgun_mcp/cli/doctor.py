"""Check API key, region, network, permissions, clock and database. Only reads are sent. Each problem comes with what to do."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from time import time
from typing import TYPE_CHECKING, Any

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import out, paint, paint_state
from mailgun_mcp.cli.parser import CALL_SETTINGS, add_settings, settings_given
from mailgun_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.cli.checks import CheckResult
    from mailgun_mcp.mailgun.client import Client
    from mailgun_mcp.mailgun.endpoint import Endpoint

EXAMPLES = """\
  mailgun-mcp doctor
  mailgun-mcp doctor --api-key-file ~/.config/mailgun-mcp/key --region eu"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_settings(parser, only=(*CALL_SETTINGS, "mode"))


def run(arguments: argparse.Namespace) -> int:
    """Run all checks. Return FAILED if one of them failed, OK if there are only warnings."""
    checks = examine(settings_given(arguments))
    failed = any(check.state == "failure" for check in checks)
    if arguments.json:
        out(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}, ensure_ascii=False, indent=2))
    else:
        width = max(11, *(len(check.name) for check in checks))
        for check in checks:
            _show(check, width)
    return FAILED if failed else OK


def examine(flags: dict[str, Any], now: Callable[[], float] = time) -> "list[CheckResult]":
    """Return the results of the checks, in order, for the settings on the command line.

    If a check fails, the checks that depend on it are skipped.
    """
    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start
    from mailgun_mcp.cli import checks, personal_keys
    from mailgun_mcp.cli.checks import CheckResult

    results = [checks.package(), checks.python()]
    try:
        options = checks.patient(settings.load(flags))
        start.create_policy(options)
    except SettingsError as error:
        return [
            *results,
            CheckResult("settings", "failure", str(error), "Correct this first; everything else depends on it."),
        ]
    results += [CheckResult("settings", "ok", "readable"), _tools(options), *_database(options)]
    able = all(check.state != "failure" for check in results)
    return [*results, *_of_accounts(options, now, able=able), *personal_keys.check(options)]


def _database(options: Settings) -> "list[CheckResult]":
    if options.state_url is None:
        return []
    from mailgun_mcp.cli.database_checks import database

    return database(options)


def _of_accounts(options: Settings, now: Callable[[], float], *, able: bool) -> "list[CheckResult]":
    """Return the checks of the account, or those of each account in the configuration file, prefixed with its name."""
    from mailgun_mcp.app.account_settings import account_settings
    from mailgun_mcp.cli.checks import CheckResult

    try:
        accounts = account_settings(options)
    except SettingsError as error:
        return [CheckResult("accounts", "failure", str(error), "Correct the tables [accounts.NAME].")]
    if not accounts:
        return _of_account(options, now, able=able)
    results: list[CheckResult] = []
    for account in accounts:
        try:
            checks_of_account = _of_account(account.applied(options), now, able=able, source=account.source)
        except SettingsError as error:
            step = "Correct where the key is: a file, a variable, the keyring or a command."
            checks_of_account = [CheckResult("key", "failure", str(error), step)]
        results += [replace(check, name=f"{account.name}: {check.name}") for check in checks_of_account]
    return results


def _of_account(
    options: Settings, now: Callable[[], float], *, able: bool, source: str | None = None
) -> "list[CheckResult]":
    from mailgun_mcp.cli import checks

    key, endpoint = checks.key(options, source), _endpoint(options)
    if isinstance(endpoint, checks.CheckResult):
        return [key, endpoint]
    results = [key, checks.region(options, endpoint)]
    able = able and all(check.state != "failure" for check in results)
    return results + _online(options, endpoint, now, able=able)


def _online(options: Settings, endpoint: "Endpoint", now: Callable[[], float], *, able: bool) -> "list[CheckResult]":
    import anyio

    from mailgun_mcp.cli import checks

    reached = [] if options.simulator else [checks.network(endpoint, options.timeout)]
    if not able or any(check.state == "failure" for check in reached):
        return reached
    try:
        return reached + anyio.run(account, options, now)
    except SettingsError as error:
        return [*reached, checks.CheckResult("settings", "failure", str(error), "Correct this setting.")]


def _client(options: Settings) -> "Client":
    from mailgun_mcp.app import compose as start

    return start.create_services(options).client


async def account(
    options: Settings, now: Callable[[], float], client_of: "Callable[[Settings], Client]" = _client
) -> "list[CheckResult]":
    """Return the checks that send reads with the key. `client_of` makes the client for the settings of a region."""
    from mailgun_mcp.cli import checks
    from mailgun_mcp.errors import MailgunError

    catalogue = _whole_catalogue()
    async with client_of(options) as client:
        answers = await checks.KeyProbe(catalogue, client, options.subaccount).probe()
        time_received = now()
    first = answers["domains"]
    refused = isinstance(first, MailgunError) and first.status == 401
    other = client.endpoint.other_region if refused and not options.simulator else None
    elsewhere = await _accepts(catalogue, client_of(_in_region(options, other)), options.subaccount) if other else None
    login = checks.login(first, client.endpoint, elsewhere)
    if login.state == "failure":
        return [login]
    return [login, checks.permissions(answers), checks.clock(answers.values(), time_received)]


def _in_region(options: Settings, region: str) -> Settings:
    return replace(options, region=region, hostname=None, url=None)


async def _accepts(catalogue: "Catalogue", client: "Client", subaccount: str | None) -> bool | None:
    """Return whether the client's region accepts the key, or None if it did not answer clearly."""
    from mailgun_mcp.cli.checks import KeyProbe
    from mailgun_mcp.errors import MailgunError

    async with client:
        answer = await KeyProbe(catalogue, client, subaccount).read("list_domains", {"limit": 1})
    if isinstance(answer, MailgunError):
        return False if answer.status in (401, 403) else None
    return True


def _whole_catalogue() -> "Catalogue":
    from mailgun_mcp.catalogue.catalogue import Catalogue

    return Catalogue.load()


def _tools(options: Settings) -> "CheckResult":
    from mailgun_mcp.app import compose as start
    from mailgun_mcp.cli import checks

    try:
        return checks.tools(start.create_catalogue(options))
    except SettingsError as error:
        return checks.CheckResult("tools", "failure", str(error), "Correct the selection of tools.")


def _endpoint(options: Settings) -> "Endpoint | CheckResult":
    from mailgun_mcp.cli.checks import CheckResult
    from mailgun_mcp.mailgun.endpoint import EndpointError, resolve

    try:
        return resolve(region=options.region, hostname=options.hostname, url=options.url)
    except EndpointError as error:
        return CheckResult(
            "region", "failure", str(error), "Set one of MAILGUN_API_REGION, MAILGUN_API_HOSTNAME and MAILGUN_API_URL."
        )


def _show(check: "CheckResult", width: int) -> None:
    mark = paint_state(f"{check.state:<7}", check.state)
    out(f"{mark}  {check.name:<{width}}  {check.text}")
    if check.step:
        out(f"{'':<{width + 11}}{paint('->', 'dim')} {check.step}")
