"""Marks fields whose JSON form differs from their value, for reading an account. It does not import pydantic."""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class JsonForm:
    """Converts a field's JSON form to its value, before pydantic checks the type."""

    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(self.read, handler(source))


def _mapping(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in value):
        raise ValueError("a pair does not have two parts")
    return {hashable(key): item for key, item in value}


def hashable(key: Any) -> Any:
    """Turn JSON lists that were tuples back into tuples."""
    return tuple(map(hashable, key)) if isinstance(key, list) else key


def _bytes(value: Any) -> Any:
    return b64decode(value, validate=True) if isinstance(value, str) else value


def numbers_to_text(numbers: "array[int]") -> str:
    """Return numbers as Base64 of their bytes in little-endian order."""
    return b64encode(_little_endian(numbers)).decode()


def numbers_from_text(code: Literal["I", "Q"], text: str) -> "array[int]":
    """Return the numbers that `numbers_to_text` encoded, of four (I) or eight (Q) bytes each. Raises ValueError."""
    return _little_endian(array(code, b64decode(text, validate=True)))


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":  # pragma: no cover - the tests run on little-endian machines
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers


PAIRS = JsonForm(_mapping)
"""For a mapping whose keys are not strings. Its JSON form is a list of pairs."""
BASE64 = JsonForm(_bytes)
"""For bytes. Their JSON form is a Base64 string."""
