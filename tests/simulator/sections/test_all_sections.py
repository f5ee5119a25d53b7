"""Every section is imported."""

import subprocess
import sys
from pathlib import Path

from mailgun_mcp.simulator import sections


def test_every_section_is_imported() -> None:
    modules = {f"{sections.__name__}.{path.stem}" for path in Path(str(sections.__file__)).parent.glob("[a-z]*.py")}
    code = "import sys, mailgun_mcp.simulator.sections.all_sections; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert modules - {*done.stdout.split()} == set()
