"""Results of requests as they are on the wire."""

import mcp_types as types
from pydantic import ConfigDict


class AnyResult(types.Result):
    """A result with all of its fields."""

    model_config = ConfigDict(extra="allow")
