"""Creates the client of one account, connected to Mailgun or to the simulator."""

from typing import TYPE_CHECKING

from mailgun_mcp import __version__
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.mailgun.explain import IN_ENVIRONMENT, Advice
from mailgun_mcp.output import logs
from mailgun_mcp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from mailgun_mcp.simulator.worlds.scenario import Scenario

SIMULATOR_KEY = "simulator"
ON_SIMULATOR = Advice(only_here="This server runs on the simulator: list_domains lists its domains.")


def create_client(settings: Settings, advice: Advice = IN_ENVIRONMENT) -> Client:
    """Return the client of the only account in `settings`. Raises SettingsError, which says what to change.

    `advice` says where the account is configured, for errors.
    """
    key = (settings.api_key or SIMULATOR_KEY) if settings.simulator else settings.key()
    if not settings.simulator:
        logs.withhold(key)
    endpoint = resolve(region=settings.region, hostname=settings.hostname, url=settings.url)
    connect = _simulator(settings.scenario, endpoint.region or "us") if settings.simulator else None
    return Client(
        endpoint,
        key,
        user_agent=f"mailgun-mcp/{__version__}",
        timeout=settings.timeout,
        rate_limit=(settings.rate_limit, 10.0),
        connect=connect,
        advice=ON_SIMULATOR if settings.simulator else advice,
    )


def _simulator(name: str | None, region: str) -> "Callable[[], httpx.AsyncBaseTransport]":
    """Return a function that connects to the simulator, which knows every operation, even those not offered."""
    scenario = _scenario(name) if name else None

    def connect() -> "httpx.AsyncBaseTransport":
        from mailgun_mcp.simulator import create_app as create_simulator
        from mailgun_mcp.simulator.transport import InProcessTransport

        if scenario is None:
            return InProcessTransport(create_simulator(Catalogue.load(), region=region))
        from mailgun_mcp.simulator.model.clock import SystemClock
        from mailgun_mcp.simulator.worlds.scenario_history import scenario_account

        account = scenario_account(scenario, SystemClock())
        return InProcessTransport(create_simulator(Catalogue.load(), account=account, region=region))

    return connect


def _scenario(name: str) -> "Scenario":
    from mailgun_mcp.simulator.worlds.scenario import open_scenario

    return open_scenario(name)
