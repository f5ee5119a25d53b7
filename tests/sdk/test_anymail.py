"""django-anymail sends to the simulator, and takes its webhooks and its inbound mail with their signatures."""

import importlib.util
import sys
from importlib.metadata import version

import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import ROOT, calls_of, check_results, run, without


@pytest.mark.slow
def test_a_django_site_sends_and_receives(simulator: str) -> None:
    if importlib.util.find_spec("anymail") is None:
        without("django-anymail is not installed", provided=True)
    done = run([sys.executable, "-m", "tests.sdk.django.shop"], ROOT, MAILGUN_URL=simulator, MAILGUN_KEY=KEY)
    check_results("django-anymail (Python)", version("django-anymail"), calls_of(done))
