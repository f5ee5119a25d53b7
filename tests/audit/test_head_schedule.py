"""The head is noted and exported on a schedule, and at the end."""

from pathlib import Path

from mailgun_mcp.audit.head_schedule import NOTED_EVERY, HeadSchedule
from mailgun_mcp.audit.heads import exported, noted
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.policy.model import HeadRules
from tests.support.audit_log import write
from tests.support.state import NOW


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_head_is_noted_once_in_a_while_and_exported_less_often(log: AuditLog, tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "heads.jsonl"
    schedule = HeadSchedule(log, lambda: NOW, clock, HeadRules(file=str(file), every=60.0))
    assert schedule.wait is None
    for clock.now in (0.0, 1.0, 2.0, NOTED_EVERY, 59.0, 61.0):
        write(log)
        schedule.wrote()
        schedule.run()
    assert [head.seq for head in exported(file)] == [1, 6]
    head = noted(tmp_path / "state")
    assert head is not None
    assert head.seq == 5
    assert schedule.wait == 3.0


def test_an_idle_log_is_exported_when_its_time_comes(log: AuditLog, tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "heads.jsonl"
    schedule = HeadSchedule(log, lambda: NOW, clock, HeadRules(file=str(file), every=3.0))
    for clock.now in (0.0, 1.0):
        write(log)
        schedule.wrote()
        schedule.run()
    assert schedule.wait == 2.0
    clock.now = 3.0
    schedule.run()
    assert [head.seq for head in exported(file)] == [1, 2]


def test_at_the_end_everything_is_noted_and_exported(log: AuditLog, tmp_path: Path) -> None:
    file = tmp_path / "heads.jsonl"
    schedule = HeadSchedule(log, lambda: NOW, Clock(), HeadRules(file=str(file)))
    for _ in range(2):
        write(log)
        schedule.wrote()
        schedule.run(now=True)
    assert [head.seq for head in exported(file)] == [1, 2]
