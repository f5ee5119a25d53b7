"""Every section is imported."""

from pathlib import Path

from mailgun_mcp.simulator import sections
from mailgun_mcp.simulator.sections.index import SECTIONS


def test_every_section_registers_its_handlers() -> None:
    directory = Path(str(sections.__file__)).parent
    modules = {path.stem for path in directory.glob("*.py")} - {"__init__", "index", "registry"}
    assert {section.__name__.rpartition(".")[2] for section in SECTIONS} == modules
