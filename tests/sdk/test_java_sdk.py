"""Mailgun's own SDK for Java does what it offers, against the simulator; only its base URL is set."""

import re

import pytest

from tests.sdk.conftest import KEY
from tests.support.sdk import CACHE, PROGRAMS, calls_of, check_results, need_command, run, without

FOLDER = PROGRAMS / "java"
BUILT = CACHE / "java"
SOURCES = ("Flows.java", "NewerFlows.java")
CLASS_PATH = f"{BUILT}/libs/*:{BUILT}/classes"


@pytest.fixture(scope="module")
def java() -> str:
    """The command `java`, with the program compiled; the SDK comes from Maven Central, as `pom.xml` says."""
    command, compiler, maven = need_command("java"), need_command("javac"), need_command("mvn")
    libraries = BUILT / "libs"
    pom = FOLDER / "pom.xml"
    if not libraries.is_dir() or libraries.stat().st_mtime < pom.stat().st_mtime:
        copy = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={libraries}"]
        downloaded = run(copy, FOLDER)
        if downloaded.returncode:
            without(f"the SDK cannot be downloaded: {downloaded.stdout[-300:]}", provided=False)
    built = run([compiler, "-nowarn", "-Xlint:none", "-cp", CLASS_PATH, "-d", f"{BUILT}/classes", *SOURCES], FOLDER)
    if built.returncode:
        pytest.fail(built.stderr)
    return command


@pytest.mark.slow
def test_every_call_goes_as_the_sdk_expects(java: str, simulator: str) -> None:
    done = run([java, "-cp", CLASS_PATH, "Flows"], FOLDER, MAILGUN_URL=simulator, MAILGUN_KEY=KEY)
    version = re.search(
        r"mailgun-java</artifactId>\s*<version>(\S+)</version>", (FOLDER / "pom.xml").read_text("utf-8")
    )
    assert version
    check_results("mailgun-java (Java)", version[1], calls_of(done))
