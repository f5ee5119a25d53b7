"""Stands for a program that the fork server runs: see `tests/support/forked.py`.

    python fork_client.py SOCKET ARGUMENTS...

It hands its streams, directory and environment over, passes signals on, and ends as the program ends. It imports next
to nothing, so it starts in some milliseconds.
"""

import marshal
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the program and end with its exit code, or by the signal that ended it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    request = marshal.dumps((os.getcwd(), dict(os.environ), sys.argv[2:]))
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(sys.argv[1])
        socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(request)
        pid = number_from(server)
        let_go_of_the_streams()
        for number in PASSED_ON:
            signal.signal(number, lambda received, _: send(pid, received))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        try:
            code = number_from(server)
        except (AssertionError, OSError):
            # Nobody waits for the program now: it must not outlive this process.
            send(pid, signal.SIGKILL)
            raise
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def number_from(server: socket.socket) -> int:
    """Return the next number. Numbers have a fixed length: of a program that ends at once, both may be there already."""
    number = server.recv(8, socket.MSG_WAITALL)
    assert len(number) == 8, "the fork server has ended"
    return int.from_bytes(number, "big", signed=True)


def send(pid: int, number: int) -> None:
    """Send the program a signal. It may have ended, with its exit code on the way to here."""
    try:  # noqa: SIM105 # contextlib takes longer to import than all else here
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def let_go_of_the_streams() -> None:
    """Leave them to the program: who reads its output sees the end when the program closes it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)


main()
