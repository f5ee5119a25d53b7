"""Whatever happens in whatever order: no call goes through without the yes that it needs, and none twice."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.errors import StateError
from mailgun_mcp.policy.model import LEVELS, Level
from mailgun_mcp.store.database import Store
from tests.support.state import NOW, asked, granted, request_approval

MEMORY = Path("/dev/shm")
"""Where there is one: a disk's time is not what is tested."""
CALLER = "carol"
PEOPLE = ("ann", "bob", "Ann", CALLER, "")
LEVEL = st.sampled_from(LEVELS)
REQUEST = st.sampled_from(["one", "two"])
PREVIEW = st.sampled_from(["seen", "changed"])


@dataclass
class Known:
    """What the machine knows of a pending call without asking the store."""

    level: Level
    request: str
    preview: str
    expires: float
    yes: set[str] = field(default_factory=set)
    no: bool = False
    used: bool = False


class ApprovalsMachine(RuleBasedStateMachine):
    """Callers hold and redeem, persons answer, time passes, processes start anew."""

    ids = Bundle("ids")

    @initialize()
    def begin(self) -> None:
        self.directory = TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.store = Store(Path(self.directory.name) / "state")
        self.now = NOW
        self.known: dict[str, Known] = {}

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(target=ids, level=LEVEL, request=REQUEST, preview=PREVIEW, ttl=st.sampled_from([5.0, 50.0]))
    def hold(self, level: Level, request: str, preview: str, ttl: float) -> str:
        approval = request_approval(
            self.store, asked(level, request=request, preview=preview, principal=CALLER), self.now, ttl
        )
        known = self.known.setdefault(approval.id, Known(approval.level, request, preview, self.now + ttl))
        assert (approval.status, known.request, known.preview) == ("pending", request, preview)
        assert LEVELS.index(known.level) >= LEVELS.index(level)
        assert self.now < known.expires
        assert not known.no
        return approval.id

    @rule(name=ids, by=st.sampled_from(PEOPLE), typed=st.sampled_from(["mail.example.com", "wrong", None]))
    def approve(self, name: str, by: str, typed: str | None) -> None:
        try:
            Approvals(self.store).approve(name, by=by, now=self.now, typed=typed)
        except StateError:
            return
        known = self.known[name]
        assert self.now < known.expires
        assert not known.no
        assert by != ""
        assert known.level == "ask" or typed == "mail.example.com"
        known.yes.add(by.lower())

    @rule(name=ids, by=st.sampled_from(PEOPLE))
    def deny(self, name: str, by: str) -> None:
        try:
            Approvals(self.store).deny(name, by=by, now=self.now)
        except StateError:
            return
        self.known[name].no = True

    @rule(level=LEVEL, request=REQUEST, preview=PREVIEW)
    def redeem(self, level: Level, request: str, preview: str) -> None:
        found = granted(self.store, asked(level, request=request, preview=preview, principal=CALLER), self.now)
        if found is not None:
            assert Approvals(self.store).consume(found.id, self.now)
            self._went_through(found, level, request, preview)

    @rule(name=ids)
    def use_at_once(self, name: str) -> None:
        if Approvals(self.store).consume(name, self.now):
            known = self.known[name]
            self._went_through(Approvals(self.store).get(name, self.now), known.level, known.request, known.preview)

    def _went_through(self, approval: Approval, level: Level, request: str, preview: str) -> None:
        known = self.known[approval.id]
        assert (known.request, known.preview) == (request, preview)
        assert LEVELS.index(known.level) >= LEVELS.index(level)
        assert not known.used
        assert not known.no
        assert self.now < known.expires
        assert len(known.yes) == (2 if known.level == "two_people" else 1)
        known.used = True

    @rule(seconds=st.sampled_from([1.0, 10.0, -3.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def start_anew(self) -> None:
        self.store.close()
        self.store = Store(self.store.directory)

    @invariant()
    def what_is_over_is_listed_as_over(self) -> None:
        for approval in Approvals(self.store).list(self.now):
            known = self.known[approval.id]
            if known.used or known.no:
                assert approval.status == ("used" if known.used else "denied")
            if approval.status in ("pending", "approved"):
                assert self.now < known.expires


ApprovalsMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
test_no_call_goes_through_without_its_yes_and_none_twice = ApprovalsMachine.TestCase
