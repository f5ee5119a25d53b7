"""Draws the pictures of the docs: what the commands print, a chat in a terminal, and the pages in Chromium.

Run from the repository as `python -m docs.pictures`, after a change to what a person is shown. `--page` takes pictures of
the approvals page too, `--chat` those of the chat, `--simulator` those of the simulator's page, with node, the packages of `tests/sdk/node`, and Chromium.
"""

import getpass
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

DIRECTORY = Path(__file__).parent / "pictures"
CALLS = (
    ("clear_bounces", "domain=mail.example.com"),
    ("delete_domain", "domain=news.example.org"),
    (
        "create_route",
        "expression=match_recipient('.*@mail.example.com')",
        "action=forward('https://hooks.example.net/in')",
        "--policy=strict",
    ),
)
"""What waits for an approval. The first is shown whole."""
COLUMNS = 96
LINE = 20
"""The height of a line, in pixels. A character is 8.4 wide in the font that a browser chooses."""
STANDING = ("3r5u7c6e", "k8w2n4dq", "b7x5j9ta")
"""The IDs of approvals in the pictures."""
SETTLED = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-27T09:30:00Z"),
    (r"\bkey [0-9a-f]{8}\b", "key 945fa521"),
    (r"by \S+ with command line", "by kim with Claude Code"),
    (rf"(?<=  simulator  ){re.escape(getpass.getuser())}(?=  )", "kim"),
)
"""Pattern -> what stands in the picture: what differs from run to run, and who called."""


CHAT_ENDS = "I can remove single addresses instead."
"""The last line of the chat that is shown."""
CHAT = """turns:
  - user: bounce
    steps:
      - say: "Let me look."
        calls: [{tool: list_bounces, arguments: {domain: mail.example.com, limit: 3}}]
      - say: "Four addresses of mail.example.com are on the bounce list. `nobody@novak.example` does not exist. None is a fault of ours."
  - user: chart
    steps:
      - calls: [{tool: chart_metrics, arguments: {metric: bounces, by: domain, days: 30}}]
      - say: "**mail.example.com** bounced most in the last 30 days."
  - user: clear
    steps:
      - calls: [{tool: clear_bounces, arguments: {domain: mail.example.com}}]
      - say: "The list is cleared. It can be undone."
"""
"""What the model says in the pictures of the chat's page."""
CHAT_SHOTS = {"light": "chat", "phone": "chat-phone"}
NODE = Path(__file__).parents[1] / "tests" / "sdk" / "node"
TWO_PEOPLE = """version: 1
extends: strict
rules:
  - match: {tool: delete_domain}
    decision: confirm
    level: two_people
"""
SHOTS = {"0-light": "page-list", "1-dark": "page-call-dark", "1-phone": "page-call-phone"}
"""Number and way of a screenshot -> the name of the picture."""
SIMULATOR_SHOTS = {
    "0-light": "simulator",
    "0-dark": "simulator-dark",
    "0-phone": "simulator-phone",
    "1-light": "simulator-try",
}
MAIL = {
    "from": "Example Shop <shop@mail.example.com>",
    "to": "Kim Novak <kim@novak.example>",
    "subject": "Your order 4711 is on its way",
    "text": "Hello Kim, your parcel left our warehouse today.",
    "html": """<div style="font-family: sans-serif; padding: 1rem">
<h1 style="color: #0b57b0">Your order is on its way</h1>
<p>Hello Kim,</p><p>your parcel left our warehouse today.</p>
<p><a href="https://shop.example.com/4711" style="background: #0b57b0; color: #fff; padding: .6rem 1rem;
border-radius: 6px; text-decoration: none">Track your parcel</a></p></div>""",
    "o:tag": "shipping",
}
"""The message that the pictures of the simulator show."""


def picture(title: str, lines: Sequence[str]) -> str:
    """Return an SVG of a terminal with these lines, which are wrapped."""
    rows = [row for line in lines for row in textwrap.wrap(line, COLUMNS, subsequent_indent="    ") or [""]]
    width, height = int(COLUMNS * 8.4) + 32, (len(rows) + 2) * LINE + 24
    texts = [
        f'<text x="16" y="{(number + 3) * LINE - 4}" xml:space="preserve">{escape(row)}</text>'
        for number, row in enumerate(rows)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#1f242a"/>',
            '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#e6e8eb">',
            f'<text x="16" y="{LINE + 4}" fill="#8b949e">$ {escape(title)}</text>',
            *texts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def settled(text: str, approvals: Sequence[str]) -> list[str]:
    """Return the lines of an output without what differs from run to run."""
    for approval, standing in zip(approvals, STANDING, strict=False):
        text = text.replace(approval, standing)
    for pattern, standing in SETTLED:
        text = re.sub(pattern, standing, text)
    return text.splitlines()


def _run(words: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailgun_mcp", *words]
    return subprocess.run(  # noqa: S603 - the commands are this file's
        command, env={**environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def main(directory: Path = DIRECTORY) -> None:
    """Make a call that waits for an approval, and draw what a person is shown of it."""
    directory.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="mailgun-mcp-pictures-") as state:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILGUN_")}
        environment = {**kept, "MAILGUN_MCP_STATE": state, "XDG_CONFIG_HOME": state, "NO_COLOR": "1"}
        approvals = [_pending(call, environment) for call in CALLS]
        listing = _run(["approvals", "list"], environment).stdout
        showing = _run(["approvals", "show", approvals[0]], environment).stdout
        chat(directory, environment)
    for name, words, text in (("confirmation", f"show {STANDING[0]}", showing), ("approvals", "list", listing)):
        drawn = picture(f"mailgun-mcp approvals {words}", settled(text, approvals))
        (directory / f"{name}.svg").write_text(drawn, encoding="utf-8", newline="\n")


def chat(directory: Path, environment: Mapping[str, str]) -> None:
    """Draw the first part of `mailgun-mcp chat --demo`, in its colours."""
    from rich.console import Console
    from rich.text import Text

    coloured = {**environment, "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)}
    del coloured["NO_COLOR"]
    printed = _run(["chat", "--demo"], coloured).stdout
    shown = printed[: printed.index(CHAT_ENDS) + len(CHAT_ENDS)]
    shown = re.sub(r"(?<=this\? \[)\w{8}(?=\])", STANDING[0], shown)
    user, text = getpass.getuser(), "\n".join(settled(shown, ()))
    # The frame stays as wide as it is.
    text = text.replace(f"called by {user} with ", "called by kim with ".ljust(len(f"called by {user} with ")))
    text = text.replace(f"by {user}:", "by kim:")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text))
    drawn = console.export_svg(title="mailgun-mcp chat --demo", unique_id="chat")
    # Its fonts would be loaded from another site.
    drawn = re.sub(r"\s*(?:@font-face \{.*?\}|<!--.*?-->)", "", drawn, flags=re.DOTALL).replace(
        "Fira Code", "ui-monospace, Menlo, Consolas"
    )
    lines = [line.rstrip() for line in drawn.splitlines()]
    (directory / "chat-terminal.svg").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _pending(call: Sequence[str], environment: Mapping[str, str]) -> str:
    """Make a call that waits for an approval, and return the ID of that."""
    done = _run(["tools", "call", *call, "--simulator"], environment)
    (approval,) = re.findall(r"Pending approval (\w{8})", done.stderr)
    return str(approval)


def page(directory: Path = DIRECTORY) -> None:
    """Take pictures of the approvals page: the list, and a call that two people must approve."""
    node, browser = _command("node"), _command("chromium")
    with TemporaryDirectory(prefix="mailgun-mcp-pictures-") as state:
        policy = Path(state) / "policy.yaml"
        policy.write_text(TWO_PEOPLE, encoding="utf-8")
        policy.chmod(0o600)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILGUN_")}
        environment = {**kept, "MAILGUN_MCP_STATE": state, "XDG_CONFIG_HOME": state}
        calls = [[*call[: 1 + sum("=" in word for word in call[1:])], f"--policy={policy}"] for call in CALLS]
        approvals = [_pending([word for word in call if word != "--policy=strict"], environment) for call in calls]
        command = [sys.executable, "-m", "mailgun_mcp", "serve", "--transport", "http", "--port", "0", "--simulator"]
        server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own
        try:
            first = server.stderr.readline() if server.stderr else ""
            (base,) = re.findall(r"listens on (http://[^/\s]+)", first)
            link = _run(["approvals", "page", "--url", base], environment).stdout.strip()
            urls = json.dumps([f"{base}/approvals", f"{base}/approvals/{approvals[1]}"])
            shots = Path(state) / "shots"
            shots.mkdir()
            variables = {"PAGE_URLS": urls, "SIGN_IN": link, "CHROMIUM": browser, "PICTURES": str(shots)}
            subprocess.run([node, "axe.mjs"], cwd=NODE, env={**environment, **variables}, check=True)  # noqa: S603
        finally:
            server.terminate()
            server.communicate()
        for shot, name in SHOTS.items():
            shutil.copy(shots / f"{shot}.png", directory / f"{name}.png")


def chat_page(directory: Path = DIRECTORY) -> None:
    """Take pictures of the page `/chat`: a whole conversation with a chart and an approval, and the approval on a phone."""
    node, browser = _command("node"), _command("chromium")
    with TemporaryDirectory(prefix="mailgun-mcp-pictures-") as state:
        script = Path(state) / "script.yaml"
        script.write_text(CHAT, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILGUN_")}
        environment = {**kept, "MAILGUN_MCP_STATE": state, "XDG_CONFIG_HOME": state}
        flags = ["--transport", "http", "--port", "0", "--simulator", "--agent", "--model", f"script:{script}"]
        command = [sys.executable, "-m", "mailgun_mcp", "serve", *flags]
        server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own
        try:
            first = server.stderr.readline() if server.stderr else ""
            (base,) = re.findall(r"listens on (http://[^/\s]+)", first)
            link = _run(["approvals", "page", "--url", base], environment).stdout.strip()
            variables = {"BASE": base, "LINK": link, "CHROMIUM": browser, "SHOTS": state}
            subprocess.run([node, "chat.mjs"], cwd=NODE, env={**environment, **variables}, check=True)  # noqa: S603
        finally:
            server.terminate()
            server.communicate()
        for shot, name in CHAT_SHOTS.items():
            shutil.copy(Path(state) / f"{shot}.png", directory / f"{name}.png")


def simulator(directory: Path = DIRECTORY) -> None:
    """Take pictures of the simulator's page: a message in light, in dark and on a phone, and the forms."""
    import httpx

    node, browser = _command("node"), _command("chromium")
    command = [sys.executable, "-m", "mailgun_mcp", "simulator", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        first = server.stdout.readline() if server.stdout else ""
        (base,) = re.findall(r"(http://[\d.]+:\d+)", first)
        files = {"attachment": ("delivery-note.svg", (DIRECTORY / "approvals.svg").read_bytes(), "image/svg+xml")}
        with httpx.Client(base_url=base, auth=("api", "simulator")) as api:
            api.post("/v3/mail.example.com/messages", data=MAIL, files=files).raise_for_status()
            found = api.get(
                "/v3/mail.example.com/events", params={"event": "accepted", "recipient": "kim@novak.example"}
            )
        key = found.json()["items"][0]["storage"]["key"]
        pages = [f"{base}/simulator/page/message?domain=mail.example.com&key={key}", f"{base}/simulator/page/try"]
        with TemporaryDirectory(prefix="mailgun-mcp-pictures-") as shots:
            variables = {"PAGE_URLS": json.dumps(pages), "CHROMIUM": browser, "PICTURES": shots, "SCREEN": "yes"}
            subprocess.run([node, "axe.mjs"], cwd=NODE, env={**os.environ, **variables}, check=True)  # noqa: S603
            for shot, name in SIMULATOR_SHOTS.items():
                shutil.copy(Path(shots) / f"{shot}.png", directory / f"{name}.png")
    finally:
        server.terminate()
        server.communicate()


def _command(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"{name} is not on the PATH")
    return path


if __name__ == "__main__":
    main()
    if "--page" in sys.argv:
        page()
    if "--chat" in sys.argv:
        chat_page()
    if "--simulator" in sys.argv:
        simulator()
