"""The attacker is one person, or an agent with one person's login, and wants to be the two people that a call needs."""

import os
import time
from pathlib import Path

import pytest

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.identity.approvers import Approvers
from mailgun_mcp.store.database import Store
from tests.support.processes import environment
from tests.support.state import asked, request_approval, unmeasured

NAME = "mail.example.com"


@pytest.fixture
def approval(tmp_path: Path) -> Approval:
    return request_approval(Store(tmp_path / "state"), asked("two_people"), time.time(), 600)


def approve(home: Path, approval: Approval, *flags: str, **variables: str) -> int:
    """Run the command as a process of its own, as an agent with a shell would, without a terminal."""
    import subprocess

    from tests.support.processes import command

    return subprocess.run(
        command("approvals", "approve", approval.id, "--typed", NAME, *flags),
        env={**unmeasured(), **environment(home), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    ).returncode


def test_names_and_variables_are_not_people(tmp_path: Path, approval: Approval) -> None:
    assert approve(tmp_path, approval) == 0
    attempts = [
        approve(tmp_path, approval),
        approve(tmp_path, approval, "--by", "olga"),
        approve(tmp_path, approval, "--by", "root\u200b"),
        approve(tmp_path, approval, USER="olga", LOGNAME="olga", SUDO_USER="olga", SUDO_UID="54321"),
    ]
    assert 0 not in attempts
    store = Store(tmp_path / "state")
    assert (Approvals(store).get(approval.id, time.time()).status, len(Approvers(store).list())) == ("pending", 0)
    store.close()


def test_somebody_elses_secret_is_needed_and_a_guess_is_none(tmp_path: Path, approval: Approval) -> None:
    store = Store(tmp_path / "state")
    secret = Approvers(store).add("olga", time.time())
    assert approve(tmp_path, approval) == 0
    for guess in ("", "olga", secret[:-1], secret.swapcase()):
        (tmp_path / "guess").write_text(guess, encoding="utf-8")
        assert approve(tmp_path, approval, "--by", "olga", "--secret-file", str(tmp_path / "guess")) != 0
    assert Approvals(store).get(approval.id, time.time()).status == "pending"
    (tmp_path / "guess").write_text(secret, encoding="utf-8")
    assert approve(tmp_path, approval, "--by", "olga", "--secret-file", str(tmp_path / "guess")) == 0
    assert Approvals(store).get(approval.id, time.time()).status == "approved"
    store.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root becomes another user")
def test_another_user_cannot_open_the_state_at_all(tmp_path: Path, approval: Approval) -> None:
    import subprocess
    import sys

    code = "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534); open(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "state" / "state.db")], capture_output=True)
    assert done.returncode != 0
