"""Log records go to stderr, and no secret that `withhold` was given appears in one."""

import logging
from collections.abc import Iterator

import pytest

from mailgun_mcp.output import logs

SECRET = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_secrets", set())
    caches = (logs.logger, logs._redactor)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_record_is_on_stderr_without_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.withhold(SECRET)
    logs.logger().error("refused", reason=f"the key {SECRET} is not valid")

    out, err = capsys.readouterr()
    assert out == ""
    assert "refused" in err
    assert "the key [redacted] is not valid" in err


def test_a_secret_in_a_traceback_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.withhold(SECRET)
    try:
        raise ValueError(SECRET)
    except ValueError:
        logs.logger().exception("failed")

    err = capsys.readouterr().err
    assert "ValueError" in err
    assert SECRET not in err


def test_a_secret_learned_after_the_first_record_is_redacted_too() -> None:
    first = logs.redactor()
    logs.withhold(SECRET)

    assert first.text(SECRET) == SECRET
    assert logs.redactor().text(SECRET) == "[redacted]"


def test_records_of_libraries_are_redacted() -> None:
    logs.withhold(SECRET)
    record = logging.LogRecord("httpx", logging.WARNING, __file__, 1, "sent %s", (SECRET,), None)

    assert logs._Redacting("%(levelname)s %(message)s").format(record) == "WARNING sent [redacted]"
