"""A stateful simulator of Mailgun: the same HTTP API, without an account or a network.

It knows the catalogue of operations, and how requests are built. It must not know the server, its guard
rails or its settings: only `app`, `evals`, `cli` and tests know the simulator. `Simulator` is the API for other people's tests.

The names are imported when they are first used: pytest imports this package in every run, for its plugin.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_mcp.simulator.app import create_app
    from mailgun_mcp.simulator.model.account import Account
    from mailgun_mcp.simulator.testing import Simulator

__all__ = ["Account", "Simulator", "create_app"]
HOMES = {"Account": "model.account", "Simulator": "testing", "create_app": "app"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
