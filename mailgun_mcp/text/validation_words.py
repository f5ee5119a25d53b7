"""Says what pydantic found wrong with a YAML file, without the words of Python."""

from typing import Any

from mailgun_mcp.text.suggest import unknown

WORDS = {
    "a valid boolean": "true or false",
    "a valid dictionary": "a mapping",
    "a valid integer": "a whole number",
    "a valid list": "a list",
    "a valid tuple": "a list",
    "a valid number": "a number",
    "a valid string": "text",
}


def in_words(kind: str, message: str) -> str:
    """Return a fault's message, such as `should be text` for `Input should be a valid string`."""
    if kind == "model_type":
        return "should be a mapping"
    if kind == "too_short" and "at least 1 item" in message:
        return "should not be empty"
    if kind == "missing":
        return "is missing"
    message = message.removeprefix("Value error, ").replace("Input should", "should")
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    return message


def fault_in_words(fault: Any) -> str:
    """Return one of `ValidationError.errors()`: the key, such as `domains.0.name`, and what is wrong with it."""
    if fault["type"] == "extra_forbidden":
        text = "unknown key"
    elif fault["type"] == "union_tag_invalid":
        kinds = [kind.strip(" '") for kind in fault["ctx"]["expected_tags"].split(",")]
        text = unknown(fault["ctx"]["discriminator"].strip("'"), fault["ctx"]["tag"], kinds)
    elif fault["type"] == "union_tag_not_found":
        text = f"{fault['ctx']['discriminator'].strip(chr(39))} is missing"
    else:
        text = in_words(fault["type"], fault["msg"])
    where = ".".join(str(part) for part in fault["loc"])
    if where:
        return f"{where}: {text}"
    return f"the file {text}" if text.startswith("should") else text
