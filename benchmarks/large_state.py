"""Measures a start of the simulator from a state file with ten million events, and queries after it.

    python -m benchmarks.large_state [--events N] [--copies N] [--domains N]

The events are those of one domain, which ten domains have each: so the file is made in a minute. Exits with 1 when
a limit is broken.
"""

import argparse
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.many_events import NAME, fill
from benchmarks.simulator import LARGE_MEGABYTES_AT_MOST, START
from mailgun_mcp.simulator.control.account_stream import account_lines
from mailgun_mcp.text.atomic_write import write_file

DOMAIN = b'{"path":["domains","%s"'


def with_domains(path: Path, number: int) -> Iterator[bytes]:
    """Yield the lines of a state file with `number` copies of its domain."""
    checksum = lines = 0
    for line in _lines(path, number):
        checksum, lines = zlib.crc32(line, checksum), lines + 1
        yield line
    yield json.dumps({"lines": lines, "crc32": checksum}).encode() + b"\n"


def _lines(path: Path, number: int) -> Iterator[bytes]:
    names = [NAME, *(f"mg{each}.example.com" for each in range(2, number + 1))]
    own = DOMAIN % NAME.encode()
    with path.open("rb") as file:
        yield file.readline()
        account = json.loads(file.readline())
        domains = account["account"]["domains"]
        domain = domains[NAME]
        domains |= {name: {**domain, "id": str(each), "name": name} for each, name in enumerate(names, 1)}
        yield json.dumps(account).encode() + b"\n"
        start = file.tell()
        for name in names:
            file.seek(start)
            for line in file:
                if line.startswith(own):
                    yield (DOMAIN % name.encode()) + line[len(own) :]
                elif name == NAME and line.startswith(b'{"path":'):
                    yield line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="of a domain")
    parser.add_argument("--copies", type=int, default=10, help="as for benchmarks.simulator")
    parser.add_argument("--domains", type=int, default=10)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        one, all_of_them = Path(folder) / "one", Path(folder) / "all"
        write_file(one, account_lines(fill(arguments.events, arguments.copies)[0]))
        write_file(all_of_them, with_domains(one, arguments.domains))
        print(f"{'MB of the state file':44} {all_of_them.stat().st_size / 1024 / 1024:>8.0f}")
        command = [sys.executable, "-c", START.format(path=str(all_of_them))]
        figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, figure in figures.items():
        print(f"{name:44} {figure:>8}")
    return int(max(figure for name, figure in figures.items() if name.startswith("peak")) > LARGE_MEGABYTES_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
