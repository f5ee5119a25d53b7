"""Marks fields that JSON has in another form, for whoever reads an account from JSON. Needs no pydantic to be loaded."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class JsonForm:
    """How a field's value is made of its JSON form, before pydantic checks its type."""

    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self.read, handler(source))


def _mapping(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in value):
        raise ValueError("a pair does not have two parts")
    return {_hashable(key): item for key, item in value}


def _hashable(key: Any) -> Any:
    return tuple(map(_hashable, key)) if isinstance(key, list) else key


def _bytes(value: Any) -> Any:
    return b64decode(value, validate=True) if isinstance(value, str) else value


PAIRS = JsonForm(_mapping)
"""A mapping whose keys are not texts: a list of pairs."""
BASE64 = JsonForm(_bytes)
"""Bytes: text in Base64."""
