"""Builds a server's parts from its settings."""

import time
from dataclasses import replace
from pathlib import Path

from mailgun_mcp.app.account_settings import AccountSettings, account_settings
from mailgun_mcp.app.mailgun_clients import create_client
from mailgun_mcp.call.services import NamedAccount, Services
from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation, offered
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.presets import tools_of_presets
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.mailgun.explain import IN_ENVIRONMENT, Advice
from mailgun_mcp.output import logs
from mailgun_mcp.policy.model import Policy
from mailgun_mcp.policy.profiles import PROFILES, profile
from mailgun_mcp.request.files import Files
from mailgun_mcp.settings import Settings, SettingsError, state_directory
from mailgun_mcp.store.opening import open_store, shared_keys
from mailgun_mcp.store.postgresql_url import password_in


def create_services(settings: Settings) -> Services:
    """Return the services that `settings` describe. Raises SettingsError, which says what to change."""
    services = _of_all_accounts(settings)
    if settings.otlp_endpoint:
        from mailgun_mcp.app.tracing import trace_calls

        trace_calls(services)
    return services


def _of_all_accounts(settings: Settings) -> Services:
    accounts = account_settings(settings)
    if not accounts:
        return _services(settings)
    first = _services(accounts[0].applied(settings), accounts[0].advice)
    if len(accounts) == 1 and accounts[0].principals is None:
        return first
    return replace(first, accounts=tuple(_named_account(account, settings) for account in accounts))


def _services(settings: Settings, advice: Advice = IN_ENVIRONMENT) -> Services:
    everything = _everything(settings)
    selected = _selected(settings, everything)
    policy = create_policy(settings, everything)
    if settings.scenario and not settings.simulator:
        raise SettingsError("scenario: only the simulator has one: add --simulator")
    if settings.account is not None:
        _check_account(settings.account)
    state = state_directory(settings.state)
    store = open_store(state, settings.state_url, settings.seal_keys) if settings.state_url else None
    if settings.state_url and (password := password_in(settings.state_url)):
        logs.withhold(password)
    personal_keys, without_account = None, False
    if settings.transport != "stdio" and (settings.personal_keys_secret or settings.personal_keys_secret_file):
        from mailgun_mcp.app.personal_keys import no_client, personal_key_options

        personal_keys = personal_key_options(settings)
        without_account = not (settings.api_key or settings.api_key_file or settings.simulator)
    client = no_client(settings) if without_account else create_client(settings, advice)
    return Services(
        catalogue=selected,
        exclude=frozenset(settings.exclude_tools) & set(OWN_TOOLS),
        full_catalogue=everything,
        state=state,
        state_store=store,
        seal_keys=shared_keys(state, settings.seal_keys) if settings.seal_keys or store else None,
        clock=store.clock if store else time.time,
        account_name=settings.account,
        simulator=settings.simulator,
        client=client,
        without_account=without_account,
        personal_keys=personal_keys,
        public_url=settings.public_url,
        policy=policy,
        files=Files(tuple(_directory(name) for name in settings.files)),
        subaccount=settings.subaccount,
        search_mode=settings.mode == "search",
        asks_person=_confirmed_tools(policy, selected) if settings.require_user_interaction else frozenset(),
    )


def _check_account(name: str) -> None:
    from mailgun_mcp.identity.accounts import NAME, NAME_RULE

    if not NAME.fullmatch(name):
        raise SettingsError(f"account: {name!r} is not the name of an account: {NAME_RULE}")


def _named_account(account: AccountSettings, settings: Settings) -> NamedAccount:
    client = create_client(account.applied(settings), account.advice)
    return NamedAccount(account.name, client, account.subaccount, account.principals)


def create_catalogue(settings: Settings) -> Catalogue:
    """Return the tools that `settings` select. Raises SettingsError, which says what to change."""
    return _selected(settings, _everything(settings))


def create_policy(settings: Settings, catalogue: Catalogue | None = None) -> Policy:
    """Return the policy of a profile or a file. Raises SettingsError, which lists everything that is wrong with it.

    A policy file may name any tool of `catalogue`, by default any tool that the settings know.
    """
    if settings.policy in PROFILES:
        return profile(settings.policy)
    from mailgun_mcp.policy.file.load import open_policy

    return open_policy(settings.policy, catalogue or _everything(settings))


def _everything(settings: Settings) -> Catalogue:
    # On stdio, clients ask for all tools at once.
    catalogue = Catalogue.load(packed=settings.transport != "stdio")
    if settings.spec:
        from mailgun_mcp.catalogue.openapi.importer import records_of

        records = records_of(Path(settings.spec), catalogue)
        catalogue = catalogue.extended(records, "spec", "Operations added by --spec")
    # A read-only server does not write files either.
    return catalogue.with_save_as() if settings.files and not _only_reads(settings) else catalogue


def _only_reads(settings: Settings) -> bool:
    return settings.read_only or settings.policy == "read-only"


def _selected(settings: Settings, catalogue: Catalogue) -> Catalogue:
    tools = [each for name in settings.tools for each in _with_its_reads(name)]
    catalogue = catalogue.select(
        toolsets=settings.toolsets,
        tools=[*tools, *tools_of_presets(settings.preset, catalogue)],
        exclude=[name for name in settings.exclude_tools if name not in OWN_TOOLS],
        read_only=_only_reads(settings),
        deprecated=not settings.no_deprecated,
    )
    return catalogue.with_subaccount_argument() if settings.subaccount_argument else catalogue


def _confirmed_tools(policy: Policy, catalogue: Catalogue) -> frozenset[str]:
    """Return the tools whose calls the policy always confirms or denies."""
    from mailgun_mcp.policy.file.table import rows

    operations = [*catalogue, *(builtin_operation(name) for name in offered(catalogue))]
    return frozenset(
        row.operation.name
        for row in rows(policy, operations)
        if row.effect == "confirm" and not any(exception.effect == "allow" for exception in row.exceptions)
    )


def _with_its_reads(tool: str) -> tuple[str, ...]:
    """Return the tool; for a workflow tool the tools that it calls, because it is offered along with them."""
    workflow = WORKFLOW_TOOLS.get(tool)
    return (tool,) if workflow is None else (*workflow.needs, *workflow.uses)


def _directory(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_dir():
        raise SettingsError(f"files: {name} is not a directory")
    return path
