"""Mailgun's own OpenAPI document, which lies outside the repository: where it is, or a skip."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = Path(os.environ.get("MAILGUN_OPENAPI") or ROOT.parent / "shared" / "reference" / "mailgun-openapi.yaml")

needs_published = pytest.mark.skipif(
    not PUBLISHED.is_file(), reason="Mailgun's OpenAPI document is not here; MAILGUN_OPENAPI may name it"
)
