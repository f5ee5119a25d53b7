"""stdin and stdout belong to the client while it is served."""

import os
import subprocess
import sys
from pathlib import Path

from mailgun_mcp.server.standard_streams import are_pipes

CODE = """
import os, sys
from mailgun_mcp.server.standard_streams import reserved
with reserved() as (stdin, stdout):
    print("printed", flush=True)
    assert os.read(0, 9) == b""
    os.write(stdout, os.read(stdin, 9))
print("after", os.read(0, 9), flush=True)
"""


def test_what_is_printed_meanwhile_goes_to_stderr_and_nobody_else_reads_stdin() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], input=b"asked", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"askedafter b''\n", b"printed\n")


def test_two_pipes_can_be_watched_and_a_file_cannot(tmp_path: Path) -> None:
    stdin, stdout = os.pipe()
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    assert are_pipes((stdin, stdout)) == (
        sys.platform != "win32" and not os.path.samestat(os.fstat(stdin), os.fstat(stdout))
    )
    assert not are_pipes((file, stdout))
    for each in (stdin, stdout, file):
        os.close(each)
