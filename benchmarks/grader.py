"""Grades the tool definitions with mcpgauge, a public offline grader. Its command needs SDK 1.x; its scoring does not.

    pip install mcpgauge
    python benchmarks/grader.py [--worst N]

Exits with 1 if a score is below its limit.
"""

import argparse
import sys
from importlib import import_module
from typing import Any

from mailgun_mcp.catalogue.catalogue import Catalogue

LEAST = 4.3
LEAST_PARAMETERS = 4.6


def main() -> int:
    parser = argparse.ArgumentParser(description="Grade the tool definitions with mcpgauge.")
    parser.add_argument("--worst", type=int, default=5, metavar="N", help="show so many of the lowest grades")
    worst = parser.parse_args().worst
    try:
        score_server = import_module("mcpgauge.score").score_server
    except ImportError:
        print("mcpgauge is not installed: pip install mcpgauge")
        return 2
    graded: Any = score_server(Catalogue.load().tools())
    dimensions = list(graded.tools[0].dimensions)
    means = {name: sum(tool.dimensions[name] for tool in graded.tools) / len(graded.tools) for name in dimensions}
    print(f"score {graded.score:.2f} of 5, mean {graded.mean_tool_score:.2f}, lowest {graded.min_tool_score:.2f}")
    for name, mean in means.items():
        print(f"{mean:6.2f} {name.replace('_', ' ')}")
    for tool in sorted(graded.tools, key=lambda tool: tool.score)[:worst]:
        print(f"{tool.score:6.2f} {tool.name}")
    return int(graded.score < LEAST or means["parameter_semantics"] < LEAST_PARAMETERS)


if __name__ == "__main__":
    sys.exit(main())
