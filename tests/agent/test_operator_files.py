"""The operator's YAML files: everything that is wrong is said at once, with its line."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from mailgun_mcp.agent.operator_files import read_file
from mailgun_mcp.errors import SettingsError


class Team(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    size: int


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text("name: ops\nsize: 3\n")
    assert read_file(file, Team, "team") == Team(name="ops", size=3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: ops\nsize: many\nextra: 1\n", "team: {0}:2: size: should be a whole number"),
        (b"name: ops\nsize: many\nextra: 1\n", "\n{0}:3: extra: unknown key"),
        (b"name: [\n", "team: {0}:"),
        (b"\xff", "team: cannot read {0}: "),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "team.yaml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_file(file, Team, "team")
    assert said.format(file) in str(caught.value)
