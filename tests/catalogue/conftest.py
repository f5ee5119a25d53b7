"""How the properties of the catalogue are tried."""

from hypothesis import settings

# The first example loads what the others find loaded: how long one takes says nothing.
settings.register_profile("mailgun-mcp", deadline=None)
settings.load_profile("mailgun-mcp")
