"""What can be wrong with a catalogue document."""

from mailgun_mcp.settings import SettingsError


class CatalogueError(SettingsError):
    """A document that cannot become tools. The message names file, path and method."""


class StaleDataError(CatalogueError):
    """`_data/` was compiled from other sources than the checkout holds."""
