"""Every section is imported."""

from pathlib import Path

from mailgun_mcp.simulator import sections
from mailgun_mcp.simulator.sections.all_sections import SECTIONS

OF_UNDOCUMENTED_ROUTES = {"bulk_validation", "exports", "list_validation", "optimize_alerts", "undocumented"}
"""Their routes are of no operation, so they have no handlers."""


def test_every_section_registers_its_handlers() -> None:
    directory = Path(str(sections.__file__)).parent
    modules = (
        {path.stem for path in directory.glob("*.py")}
        - {"__init__", "all_sections", "registry"}
        - OF_UNDOCUMENTED_ROUTES
    )
    assert {section.__name__.rpartition(".")[2] for section in SECTIONS} == modules
