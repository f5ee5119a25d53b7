"""Errors of catalogue documents."""

from mailgun_mcp.settings import SettingsError


class CatalogueError(SettingsError):
    """A document that cannot be turned into tools. The message names the file, path and method."""


class StaleDataError(CatalogueError):
    """`_data/` was compiled from sources that differ from those in the checkout."""
