"""Imports all sections, which registers their handlers."""

from importlib import import_module
from pkgutil import iter_modules

from mailgun_mcp.simulator import sections
from mailgun_mcp.simulator.sections.registry import HANDLERS

__all__ = ["HANDLERS"]

for module in iter_modules(sections.__path__, f"{sections.__name__}."):
    if module.name != __name__:
        import_module(module.name)
