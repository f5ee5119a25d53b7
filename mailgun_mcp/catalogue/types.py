"""Names for the kinds of JSON in the catalogue."""

from typing import Any, Literal

Record = dict[str, Any]
"""A JSON object: a part of the compiled catalogue, or of what the simulator stores and returns."""
Schema = dict[str, Any]
"""A JSON Schema."""
Arguments = dict[str, Any]
"""The arguments of a call, by name."""
Risk = Literal["read", "write", "send", "destructive", "credential", "billing"]
"""What a call can do, by its effect."""
RISKS: tuple[Risk, ...] = ("read", "write", "send", "billing", "destructive", "credential")
"""All risks, from the lowest to the highest."""
FormatName = Literal["openai", "openai-strict", "anthropic", "gemini", "json-schema"]
"""A form in which model providers take tools."""
