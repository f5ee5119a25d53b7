"""A stateful simulator of Mailgun: the same HTTP API, without an account or a network.

It may use the catalogue of operations and the code that builds requests. It must not use the server, its guard
rails or its settings. Only `app`, `evals`, `cli` and tests may use the simulator. `Simulator` is the API for other
people's tests.

The names are imported on first use, because pytest imports this package in every run, for its plugin.
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
