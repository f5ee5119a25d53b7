"""A policy file is taken as it is written or refused with every line that is wrong; nothing in between."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.file.load import PolicyError, load_policy, open_policy, parse_policy, read_call
from mailgun_mcp.policy.file.schema import json_schema
from mailgun_mcp.policy.model import ConfirmationRules, NotifyRules, Policy, SendRules, SpendRules, WebhookRules
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.text.yaml import read
from tests.support.operations import catalogue
from tests.support.policies import EXAMPLES, facts, policy

SCHEMA = Path(__file__).parents[3] / "docs" / "policy.schema.json"

DESIGN = """version: 1
extends: guarded                 # read-only | guarded | strict | unguarded
rules:
  - match: {toolset: [bounces, complaints], domain: "sandbox*.mailgun.org"}
    decision: allow
  - match: {tool: "delete_*", domain: "*.prod.example.com"}
    decision: deny
    reason: production domains are changed by the platform team
  - match: {risk: send, recipients: {more_than: 50}}
    decision: confirm
  - match: {risk: [send, destructive], after_untrusted: 15m}
    decision: confirm
    level: approval
send:
  allow_recipients: ["*@example.com"]       # unset, empty and "*" mean three different things
  recipients_per_hour: 2000
  duplicate_window: 10m
confirmation:
  methods: [elicitation, approval]
  ttl: 10m
tests:
  - call: delete_domain {domain: mg.prod.example.com}
    expect: deny
"""


def problems(text: str) -> list[str]:
    """Return what is wrong with a file."""
    with pytest.raises(PolicyError) as raised:
        parse_policy(text, catalogue())
    return list(raised.value.problems)


SEVERAL_KINDS = """version: 1
rules:
  - name: a b
    match: {tool: [delete_bonce, 5], risk: destroy, toolset: bouncs}
    decision: alow
  - name: c
    match: {tool: get_domian, domain: {one_of: x}, recipients: {more_than: ten}}
    decision: confirm
    level: twice
  - name: c
    match: {}
    decision: allow
send: {allow_recipients: [], max_recipients: -3}
"""


def test_faults_in_rules_hide_no_other_faults() -> None:
    found = "\n".join(problems(SEVERAL_KINDS))
    named = (
        *("'a b'", "'delete_bonce'", "'destroy'", "'bouncs'", "'alow'", "'get_domian'", "rules[1].match.domain"),
        *("more_than", "'twice'", "rule 2 has the same name", "'max_recipients'"),
    )
    assert [name for name in named if name not in found] == []


def test_a_whole_file_is_read() -> None:
    read_in = parse_policy(DESIGN, catalogue(), "team.yaml")

    assert [(rule.name, str(rule.match), rule.effect, rule.level) for rule in read_in.rules[:4]] == [
        ("team.yaml:4 (rule 1)", "toolset: bounces or complaints, domain: sandbox*.mailgun.org", "allow", None),
        ("team.yaml:6 (rule 2)", "tool: delete_*, domain: *.prod.example.com", "deny", None),
        ("team.yaml:9 (rule 3)", "risk: send, recipients.more_than: 50", "confirm", None),
        ("team.yaml:11 (rule 4)", "risk: send or destructive, after_untrusted: 15m", "confirm", "approval"),
    ]
    assert read_in.rules[4:] == profile("guarded").rules
    assert read_in.rules[1].reason == "production domains are changed by the platform team"
    assert read_in.send == (
        SendRules(allow_recipients=("*@example.com",), recipients_per_hour=2000, duplicate_window=600.0),
        *profile("guarded").send,
    )
    assert read_in.confirmation == ConfirmationRules(("elicitation", "approval"), 600.0)
    assert [(example.line, example.tool, example.arguments) for example in read_in.tests] == [
        (22, "delete_domain", {"domain": "mg.prod.example.com"})
    ]


def test_the_other_settings_are_read() -> None:
    read_in = policy(
        "timezone: Europe/Berlin\nsecrets: reveal\nspend: {monthly_budget: 12, currency: EUR}\n"
        "notify: {command: [notify, --now], url: http://localhost:9/x}\nconfirmation: {methods: [approval]}\n"
    )

    assert (str(read_in.timezone), read_in.secrets) == ("Europe/Berlin", "reveal")
    assert read_in.spend == (SpendRules(12.0, "EUR"),)
    assert read_in.notify == NotifyRules(("notify", "--now"), "http://localhost:9/x")
    assert read_in.confirmation == ConfirmationRules(("approval",), 600.0)


def test_webhooks_are_read_and_what_is_not_signed_is_refused() -> None:
    read_in = policy(
        "notify:\n  webhooks:\n    - {url: 'https://a.example.com/', secret_file: /s}\n"
        "    - {url: 'https://b.example.com/', format: slack, events: [approval.pending]}\n"
    )
    assert read_in.notify == NotifyRules(
        webhooks=(
            WebhookRules("https://a.example.com/", secret_file="/s"),
            WebhookRules("https://b.example.com/", "slack", ("approval.pending",)),
        )
    )
    with pytest.raises(PolicyError, match="what is sent in the format standard is signed"):
        policy("notify: {webhooks: [{url: 'https://a.example.com/'}]}\n")
    with pytest.raises(PolicyError, match="is not an https URL"):
        policy("notify: {webhooks: [{url: 'http://a.example.com/', format: teams}]}\n")


def test_what_is_left_out_has_defaults() -> None:
    alone = policy("")

    assert replace(alone, digest="") == Policy("policy.yaml", ())
    assert decide(alone, facts("list_domains")).effect == "deny"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("{}", SendRules()),
        ("{allow_recipients: []}", SendRules(allow_recipients=())),
        ('{allow_recipients: ["*"]}', SendRules(allow_recipients=("*",))),
        ("{test_mode: true, deny_domains: [a.b]}", SendRules(test_mode=True, deny_domains=("a.b",))),
    ],
)
def test_unset_empty_and_everything_differ(written: str, kept: SendRules) -> None:
    assert policy(f"send: {written}").send == (kept,)


WRONG: list[tuple[str, str]] = [
    ("", "policy.yaml:1: a policy must be a mapping: version, rules, …"),
    ("[]", "policy.yaml:1: a policy must be a mapping: version, rules, …"),
    ("extends: guarded", "policy.yaml:1: version is missing"),
    ("version: 2", "policy.yaml:1: version: unknown value '2': choose from 1"),
    ("version: 1\nruls: []", "policy.yaml:2: unknown key 'ruls': did you mean 'rules'?"),
    ("version: 1\nversion: 1", "policy.yaml:2: duplicate key 'version' (first on line 1)"),
    ("version: 1\nrules: [", "policy.yaml:2: a value is missing, or a bracket is not closed"),
    ("version: 1\nrules: &a []", "policy.yaml:2: anchors and aliases are not supported: write it out"),
    ("version: 1\nrules: *a", "policy.yaml:2: anchors and aliases are not supported: write it out"),
    (
        "version: 1\nsecrets: !!python/name:os.system x",
        "policy.yaml:2: the tag 'python/name:os.system' is not supported",
    ),
    ("version: 1\n1: x", "policy.yaml:2: unknown key '1'"),
    ("version: 1\n? [a]\n: b", "policy.yaml:2: a key must be text"),
    ("version: 1\nspend: {monthly_budget: 1e999}", "policy.yaml:2: the number is too large"),
    (
        "version: 1\nspend: {monthly_budget: -1}",
        "policy.yaml:2: spend.monthly_budget: should be greater than or equal to 0",
    ),
    (
        "version: 1\nspend: {monthly_budget: 1, currency: euro}",
        "policy.yaml:2: spend.currency: 'euro' is not a currency: write its three letters, such as USD",
    ),
    (
        "version: 1\nextends: gaurded",
        "policy.yaml:2: unknown profile 'gaurded': did you mean 'guarded'? (write the name of a file with its suffix)",
    ),
    (
        "version: 1\ntimezone: Europe/Berln",
        "policy.yaml:2: timezone: unknown time zone 'Europe/Berln': did you mean 'Europe/Berlin'?",
    ),
    ("version: 1\ntimezone: ../etc", "policy.yaml:2: timezone: unknown time zone '../etc'"),
    ("version: 1\nrules:\n  - decision: deny", "policy.yaml:3: rules[0].match is missing"),
    (
        "version: 1\nrules:\n  - {match: {}, decision: denied}",
        "policy.yaml:3: rules[0].decision: unknown value 'denied': did you mean 'deny'?",
    ),
    (
        "version: 1\nrules:\n  - {match: {}, decision: deny, level: ask}",
        "policy.yaml:3: rules[0]: only decision: confirm has a level, not deny",
    ),
    (
        "version: 1\nrules:\n  - {match: {tol: x}, decision: deny}",
        "policy.yaml:3: unknown key 'tol': did you mean 'tool'? (in rules[0].match)",
    ),
    (
        "version: 1\nrules:\n  - {match: {tool: []}, decision: deny}",
        "policy.yaml:3: rules[0].match.tool: should not be empty",
    ),
    (
        "version: 1\nrules:\n  - {match: {tool: delete_domian}, decision: deny}",
        "policy.yaml:3: unknown tool 'delete_domian': did you mean 'delete_domain'? (a rule that never matches protects nothing)",
    ),
    (
        "version: 1\nrules:\n  - {match: {tool: 'delte_*'}, decision: deny}",
        "policy.yaml:3: unknown tool 'delte_*': did you mean",
    ),
    (
        "version: 1\nrules:\n  - {match: {toolset: [bounces, bouncy]}, decision: deny}",
        "policy.yaml:3: unknown toolset 'bouncy': did you mean 'bounces'?",
    ),
    (
        "version: 1\nrules:\n  - {match: {tool: delete_bounce, toolset: domains}, decision: deny}",
        "policy.yaml:3: no operation matches all of this",
    ),
    (
        "version: 1\nrules:\n  - {match: {tool: delete_bounce, arguments: {adress: x}}, decision: deny}",
        "policy.yaml:3: unknown argument 'adress': did you mean 'address'?",
    ),
    (
        "version: 1\nrules:\n  - {match: {arguments: {to: {more_then: 1}}}, decision: deny}",
        "policy.yaml:3: unknown condition 'more_then': did you mean 'more_than'?",
    ),
    (
        "version: 1\nrules:\n  - {match: {arguments: {to: {not: {at_most: x}}}}, decision: deny}",
        "policy.yaml:3: at_most needs a number, not 'x'",
    ),
    (
        "version: 1\nrules:\n  - {match: {arguments: {to: {exists: 1}}}, decision: deny}",
        "policy.yaml:3: exists needs true or false, not 1",
    ),
    ("version: 1\nrules:\n  - {match: {arguments: {to: {any: x}}}, decision: deny}", "policy.yaml:3: any needs a list"),
    (
        "version: 1\nrules:\n  - {match: {arguments: {to: []}}, decision: deny}",
        "policy.yaml:3: an empty list matches nothing",
    ),
    (
        "version: 1\nrules:\n  - {match: {arguments: {to: {}}}, decision: deny}",
        "policy.yaml:3: the condition is empty",
    ),
    (
        "version: 1\nrules:\n  - {match: {arguments: {}}, decision: deny}",
        "policy.yaml:3: rules[0].match.arguments: should not be empty",
    ),
    (
        "version: 1\nrules:\n  - {match: {recipients: {}}, decision: deny}",
        "policy.yaml:3: rules[0].match.recipients: it is empty: leave it out",
    ),
    (
        "version: 1\nrules:\n  - {match: {after_untrusted: 15}, decision: deny}",
        "policy.yaml:3: rules[0].match.after_untrusted: '15' is not a duration: write 30s, 15m, 2h or 7d",
    ),
    ("version: 1\nrules:\n  - {match: {hour: 9-25}, decision: deny}", "policy.yaml:3: rules[0].match.hour[0]"),
    (
        "version: 1\nrules:\n  - {match: {weekday: monday}, decision: deny}",
        "policy.yaml:3: rules[0].match.weekday[0]: 'monday' is not a weekday",
    ),
    (
        "version: 1\nrules:\n  - {match: {bulk: yes}, decision: deny}",
        "policy.yaml:3: rules[0].match.bulk: should be true or false",
    ),
    (
        "version: 1\nrules:\n  - {match: {domain: 5}, decision: deny}",
        "policy.yaml:3: rules[0].match.domain[0]: should be text",
    ),
    (
        "version: 1\nrules:\n  - {name: a, match: {}, decision: deny}\n  - {name: a, match: {}, decision: deny}",
        "policy.yaml:4: rule 1 has the same name 'a'",
    ),
    (
        "version: 1\nsend:\n  allow_recipients:",
        "policy.yaml:3: send.allow_recipients has no value: give it one, or leave it out",
    ),
    (
        "version: 1\nsend: {allow_domains: ['a@b']}",
        "policy.yaml:2: send.allow_domains[0]: 'a@b' is an address, not a domain: leave out the part up to @",
    ),
    ("version: 1\nsend: {allow_recipients: 'a@b'}", "policy.yaml:2: send.allow_recipients: should be a list"),
    ("version: 1\nsend: {duplicate_window: soon}", "policy.yaml:2: send.duplicate_window: 'soon' is not a duration"),
    ("version: 1\nnotify: {}", "policy.yaml:2: notify: it is empty: leave it out"),
    (
        "version: 1\nnotify: {url: 'http://example.com/'}",
        "policy.yaml:2: notify.url: 'http://example.com/' is not an https URL",
    ),
    ("version: 1\nconfirmation: {methods: [email]}", "policy.yaml:2: confirmation.methods[0]: unknown value 'email'"),
    (
        "version: 1\nconfirmation: {methods: [elicitation]}\nrules:\n  - {match: {}, decision: confirm, level: two_people}",
        "policy.yaml:4: level two_people needs approval among confirmation.methods",
    ),
    (
        "version: 1\ntests:\n  - {call: delete_bouce, expect: deny}",
        "policy.yaml:3: tests[0]: unknown tool 'delete_bouce': did you mean 'delete_bounce'?",
    ),
    (
        "version: 1\ntests:\n  - {call: 'delete_bounce {adress: x}', expect: deny}",
        "policy.yaml:3: tests[0]: unknown argument of delete_bounce 'adress': did you mean 'address'?",
    ),
    (
        "version: 1\ntests:\n  - {call: 'delete_bounce x', expect: deny}",
        "policy.yaml:3: tests[0]: write arguments as {name: value}, not 'x'",
    ),
    ("version: 1\ntests:\n  - {call: 'delete_bounce {', expect: deny}", "policy.yaml:3: tests[0]: "),
    ("version: 1\nnotify: 3", "policy.yaml:2: notify: should be a mapping"),
    ("version: 1\ntests:\n  - {expect: deny}", "policy.yaml:3: tests[0]: name the call once: by tool and arguments"),
    (
        "version: 1\ntests:\n  - {tool: list_domains, call: list_domains, expect: deny}",
        "policy.yaml:3: tests[0]: name the call once: by tool and arguments",
    ),
    (
        "version: 1\ntests:\n  - {call: list_domains, arguments: {}, expect: deny}",
        "policy.yaml:3: tests[0]: arguments belong to tool, not to call",
    ),
    (
        "version: 1\ntests:\n  - {tool: delete_bounce, arguments: {adress: x}, expect: deny}",
        "policy.yaml:3: tests[0]: unknown argument of delete_bounce 'adress': did you mean 'address'?",
    ),
    (
        "version: 1\ntests:\n  - {tool: delete_bouce, expect: deny}",
        "policy.yaml:3: tests[0]: unknown tool 'delete_bouce': did you mean 'delete_bounce'?",
    ),
    (
        "version: 1\ntests:\n  - {call: 'delete_bounce {address: !x y}', expect: deny}",
        "policy.yaml:3: tests[0]: the tag '!x' is not supported",
    ),
    (
        "version: 1\ntests:\n  - {call: list_domains, expect: deny, facts: {at: noon}}",
        "policy.yaml:3: tests[0]: 'noon' is not a time",
    ),
    (
        "version: 1\ntests:\n  - {call: list_domains, expect: deny, facts: {principle: a}}",
        "policy.yaml:3: unknown key 'principle': did you mean 'principal'? (in tests[0].facts)",
    ),
    ("version: 1\n---\nversion: 1", "policy.yaml:2: a second document starts here (---). Write only one"),
    ('version: 1\nextends: "\\ud800"', "policy.yaml:2: invalid character (lone surrogate)"),
    ('version: 1\nextends: "\\UFFFFFFFF"', "policy.yaml:1: not YAML"),
    ("version: 1\nextends: \x00", "policy.yaml:1: unacceptable character"),
    ("version: " + "1" * 30, "policy.yaml:1: the number is too long"),
    ("[" * 20_000, "policy.yaml:1: nested too deeply"),
    ("#" * 1_000_001, "policy.yaml:1: longer than 1,000,000 characters"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG, ids=[problem[:60] for _, problem in WRONG])
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    (told,) = problems(text)

    assert told.startswith(problem)


def test_all_that_is_wrong_with_the_shape_is_told_at_once() -> None:
    told = problems("version: 1\nruls: []\nsend: {test_mode: no}\nrules:\n  - {match: {risk: sned}, decision: allow}\n")

    assert told == [
        "policy.yaml:2: unknown key 'ruls': did you mean 'rules'?",
        "policy.yaml:3: send.test_mode: should be true or false",
        "policy.yaml:5: rules[0].match.risk[0]: unknown value 'sned': did you mean 'send'?",
    ]


def test_all_that_is_wrong_with_the_names_is_told_at_once() -> None:
    told = problems(
        "version: 1\nextends: strickt\nrules:\n  - {match: {tool: x9}, decision: deny}\ntests:\n  - {call: y9, expect: deny}"
    )

    assert [line.partition(": ")[0] for line in told] == ["policy.yaml:2", "policy.yaml:4", "policy.yaml:6"]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_extends_another_that_is_found_from_it(tmp_path: Path) -> None:
    write(
        tmp_path / "base.yaml",
        "version: 1\nextends: read-only\ntimezone: Europe/Berlin\nsecrets: reveal\nconfirmation: {ttl: 5m}\n"
        "rules: [{match: {toolset: domains}, decision: deny}]\nsend: {recipients_per_call: 9}\nspend: {monthly_budget: 1}",
    )
    path = write(
        tmp_path / "team" / "own.yaml",
        "version: 1\nextends: ../base.yaml\nrules: [{match: {}, decision: allow}]\n"
        "confirmation: {methods: [approval]}\nsend: {recipients_per_call: 99}\nspend: {monthly_budget: 2}",
    )
    own = load_policy(path, catalogue())

    assert [rule.name for rule in own.rules] == ["own.yaml:3 (rule 1)", "../base.yaml:6 (rule 1)", "read-only/reads"]
    assert (str(own.timezone), own.secrets, own.otherwise.rule) == ("Europe/Berlin", "reveal", "read-only/otherwise")
    assert own.confirmation == ConfirmationRules(("approval",), 300.0)
    assert own.send == (SendRules(recipients_per_call=99), SendRules(recipients_per_call=9))
    assert own.spend == (SpendRules(2.0), SpendRules(1.0))
    assert decide(own, facts("delete_domain")).effect == "deny"


def test_a_circle_of_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "version: 1\nextends: b.yaml")
    write(tmp_path / "b.yaml", "version: 1\nextends: ./a.yaml")

    with pytest.raises(
        PolicyError,
        match=r"b.yaml:2: ./a.yaml extends this file: files cannot extend each other in a "
        r"circle",
    ):
        load_policy(tmp_path / "a.yaml", catalogue())


def test_what_is_wrong_in_both_files_is_told(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "version: 1\nrules: [{match: {tool: x9}, decision: deny}]")
    path = write(tmp_path / "own.yaml", "version: 1\nextends: base.yaml\nrules: [{match: {tool: y9}, decision: deny}]")

    with pytest.raises(PolicyError) as raised:
        load_policy(path, catalogue())
    assert [problem[:11] for problem in raised.value.problems] == ["own.yaml:3:", "base.yaml:2"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "own.yaml: cannot be read: No such file or directory"), (b"\xff\xfe\x00", "own.yaml:1: not UTF-8 text")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / "own.yaml").write_bytes(content)

    with pytest.raises(PolicyError) as raised:
        load_policy(tmp_path / "own.yaml", catalogue())
    assert raised.value.problems == (problem,)


def test_a_directory_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: Is a directory"):
        load_policy(tmp_path, catalogue())


def test_a_policy_is_opened_by_profile_or_file(tmp_path: Path) -> None:
    path = write(tmp_path / "own.yaml", "version: 1")

    assert open_policy("strict") is profile("strict")
    assert open_policy(str(path), catalogue()).name == "own.yaml"
    with pytest.raises(PolicyError, match="unknown policy 'strickt': did you mean 'strict'"):
        open_policy("strickt", catalogue())


def test_the_digest_is_of_what_the_policy_says() -> None:
    same = [
        DESIGN,
        "# a comment\n" + DESIGN,
        DESIGN.replace("extends: guarded ", "extends: 'guarded' "),
        DESIGN.replace("expect: deny", "expect: deny\n    level: ask"),
        DESIGN.replace(
            '{tool: "delete_*", domain: "*.prod.example.com"}', "{domain: ['*.prod.example.com'], tool: delete_*}"
        ),
    ]
    other = [
        DESIGN.replace("guarded", "strict"),
        DESIGN.replace("15m", "16m"),
        DESIGN.replace('["*@example.com"]', "[]"),
        DESIGN.replace("decision: deny", "decision: allow"),
        DESIGN.replace("ttl: 10m", "ttl: 11m"),
    ]
    digests = [parse_policy(text, catalogue()).digest for text in [*same, *other]]

    assert len(set(digests[: len(same)])) == 1
    assert len(set(digests)) == 1 + len(other)


def test_calls_are_written_as_yaml_or_json() -> None:
    wanted = ("delete_bounce", {"domain": "a.example.com", "address": "a@b.c"})

    assert read_call("delete_bounce {domain: a.example.com, address: a@b.c}", catalogue()) == wanted
    assert read_call(' delete_bounce {"domain": "a.example.com", "address": "a@b.c"}', catalogue()) == wanted
    assert read_call("list_domains", catalogue()) == ("list_domains", {})


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(), "run `mailgun-mcp policy schema`"
    Draft202012Validator.check_schema(json_schema())


QUOTED = DESIGN.replace("delete_domain {domain: mg.prod.example.com}", "'delete_domain {domain: mg.prod.example.com}'")


@pytest.mark.parametrize("text", [QUOTED, *EXAMPLES], ids=["design", "solo", "team", "bot"])
def test_good_files_satisfy_the_schema(text: str) -> None:
    assert list(Draft202012Validator(json_schema()).iter_errors(read(text).value)) == []


@pytest.mark.parametrize(
    "text",
    [
        "version: 2",
        "version: 1\nruls: []",
        "version: 1\nsend: {allow_recipients: null}",
        "version: 1\nrules: [{match: {tool: []}, decision: deny}]",
        "version: 1\nrules: [{match: {arguments: {to: {more_then: 1}}}, decision: deny}]",
        "version: 1\nrules: [{match: {after_untrusted: 15}, decision: deny}]",
    ],
)
def test_bad_files_do_not_satisfy_the_schema(text: str) -> None:
    assert list(Draft202012Validator(json_schema()).iter_errors(read(text).value)) != []


def parses_or_is_refused(text: str) -> bool:
    """Return whether something was told; anything but a PolicyError is raised."""
    try:
        read_in = parse_policy(text, catalogue())
    except PolicyError as error:
        return bool(error.problems) and all(error.problems)
    return bool(decide(read_in, facts("delete_domain", {"domain": "a.example.com"})).rule)


@given(st.text() | st.text(alphabet="version: 1\n-[]{}&*!|>'\"%@`#,?~\\\u0085\ud7ff").map("version: 1\n".__add__))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    assert parses_or_is_refused(text)


@given(
    text=st.sampled_from([DESIGN, *EXAMPLES]),
    place=st.floats(0, 1),
    length=st.integers(0, 12),
    new=st.text(alphabet="abv019 \n:-[]{}&*!|>'\"%@\\.#,?~é\x07", max_size=6),
)
def test_a_garbled_policy_is_a_policy_or_refused(text: str, place: float, length: int, new: str) -> None:
    begin = int(place * len(text))
    assert parses_or_is_refused(text[:begin] + new + text[begin + length :])


KEYS = st.sampled_from(
    ["rules", "match", "decision", "send", "tests", "call", "facts", "arguments", "to", "not", "any", "extends", "hour"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_any_structure_is_a_policy_or_refused(value: dict[str, Any]) -> None:
    assert parses_or_is_refused(json.dumps({"version": 1, **value}))


def test_faults_of_every_kind_are_reported_in_one_pass() -> None:
    text = """\
version: 1
extends: gaurded
rules:
  - match: {tol: x}
    decision: allow
  - match: {tool: delete_domian}
    decision: alow
  - match: {tool: delete_domian}
    decision: allow
notify: {}
send: {recipients_per_call: x}
tests:
  - call: delete_domian {name: x}
    expect: deny
  - {call: list_domains, expect: refuse}
"""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, catalogue())
    assert [int(problem.split(":")[1]) for problem in caught.value.problems] == [2, 4, 6, 7, 8, 10, 11, 13, 15]
    assert not any("Document" in problem or "Model" in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        "send: {deny_domains: [bad.example.]}",
        "send: {deny_recipients: ['eve@bad .example']}",
        "send: {deny_destinations: ['https://bad.example']}",
        "rules: [{match: {domain: .prod.example.com}, decision: deny}]",
        "rules: [{match: {destinations: ['bad.example:443']}, decision: deny}]",
        "rules: [{match: {recipients: {domains: 'b\u200bad.example'}}, decision: deny}]",
    ],
)
def test_a_name_that_could_match_nothing_is_refused(text: str) -> None:
    (problem,) = problems(f"version: 1\nextends: guarded\n{text}\n")
    assert "can match no domain" in problem
