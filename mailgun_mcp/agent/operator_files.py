"""Reads the YAML files that an operator writes for the agent."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mailgun_mcp.errors import SettingsError, reason_of
from mailgun_mcp.text.validation_words import fault_in_words
from mailgun_mcp.text.yaml import YamlError, read

M = TypeVar("M", bound=BaseModel)


def read_file(path: Path, kind: type[M], setting: str) -> M:
    """Return the file of a setting. Raises SettingsError, which lists everything that is wrong, with its lines."""
    try:
        document = read(path.read_text(encoding="utf-8")).checked()
        return kind.model_validate(document.value)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting}: cannot read {path}: {reason_of(error)}") from error
    except YamlError as error:
        raise SettingsError(f"{setting}: {path}:{error.line}: {error}") from error
    except ValidationError as error:
        faults = (
            f"{path}:{document.line(tuple(fault['loc']))}: {fault_in_words(fault)}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise SettingsError(f"{setting}: " + "\n".join(faults)) from error
