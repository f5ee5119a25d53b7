"""mailgun-mcp: every Mailgun operation as a typed, guarded MCP tool.

`Toolkit` offers the tools to a Python program. It is imported on first use, so importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_mcp.app.toolkit import Toolkit

__all__ = ["Toolkit", "__version__"]

__version__ = "0.1.0"

DISTRIBUTION = "mailgun-mcp-server"
"""Our name in package indexes. `mailgun-mcp` is the command; on PyPI, that name belongs to somebody else."""


def __getattr__(name: str) -> Any:
    if name != "Toolkit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mailgun_mcp.app.toolkit import Toolkit

    return Toolkit
