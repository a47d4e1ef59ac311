"""A plan loads whole, or every problem of its file is said at once, with its place."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.plan.document import DEEPEST, MOST_BYTES, plain, read
from holdfast.plan.loader import PlanError, load, load_bytes
from unit.plan_texts import REFERENCE, TEXT, changed, line_of, loaded, only_problem, problems


def test_the_reference_plan_loads_and_knows_its_regions() -> None:
    plan = load(REFERENCE).plan
    assert (plan.primary_region(), plan.dr_region()) == ("eu-west-1", "eu-central-1")
    assert [phase.window for phase in plan.scenarios["regional-outage"].phases] == [
        (0, 300),
        (300, 600),
        (600, 900),
        (900, 1500),
        (1500, 1800),
    ]


def test_every_value_knows_its_line_and_column() -> None:
    positions = load(REFERENCE).positions
    fence = ("scenarios", "regional-outage", "phases", 2, "steps", 0)
    line = TEXT.splitlines()[positions[(*fence, "block")].line - 1]
    assert line[positions[(*fence, "block")].column - 1 :].startswith("fence, after")
    assert positions.nearest((*fence, "time_limit")) == positions[fence]
    assert positions.key(("objectives", "rto")).column == 3
    assert positions[("objectives", "rto")].column == 8


@pytest.mark.parametrize(
    "same",
    [
        TEXT + "\n# a remark at the end\n",
        changed(("rto: 60m", "rto: 1h")),
        changed(("  rto: 30m\n  rpo: 5m\n  avail", "  rpo: 5m\n  rto: 30m\n  avail")),
        changed(("replication: asynchronous\n", "")),
        changed(("timezone: Europe/Dublin", "timezone: 'Europe/Dublin'")),
    ],
    ids=["comment", "unit", "order", "default left out", "quotes"],
)
def test_the_digest_is_of_what_the_plan_says_and_not_of_how_it_is_written(same: str) -> None:
    assert loaded(same).digest == load(REFERENCE).digest


def test_the_digest_changes_with_any_number() -> None:
    assert loaded(changed(("answer_within: 30m", "answer_within: 29m"))).digest != load(REFERENCE).digest


def test_all_problems_come_out_in_one_run_in_the_files_order() -> None:
    found = problems(
        changed(
            ("rto: 15m", "rto: 15"),
            ("block: dns.switch", "block: dns.swich"),
            ("primary: aoife-brennan", "primary: aoife-brenan"),
            ("    impact: Calls", "    impct: Calls"),
            ("kind: network-lost", "kind: network-gone"),
        )
    )
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)
    said = "\n".join(map(str, found))
    for text in ("'15' is not a duration", "'dns.switch'", "'aoife-brennan'", "'impact'", "'network-lost'"):
        assert text in said, said
    assert len(found) == 6, said  # `impct` is unknown, so `impact` is missing as well


def test_a_problem_names_file_line_column_value_and_hint() -> None:
    line = line_of("{ id: fence, block: fence")
    column = TEXT.splitlines()[line - 1].index("block: fence") + len("block: ") + 1
    assert only_problem(("{ id: fence, block: fence", "{ id: fence, block: fenc")) == (
        f"plan.yaml:{line}:{column}: unknown block ('fenc') — did you mean 'fence'?"
    )


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [("every: ", "continuous", "continuously"), ("caller: ", '"+353 1 555 0199"', "null")],
    ids=["a word or a duration", "a value of a mapping"],
)
def test_a_value_that_may_have_several_forms_and_has_none_is_named_at_its_own_place(key: str, right: str, wrong: str) -> None:
    text = changed((key + right, key + wrong))
    line = line_of(key + wrong, text)
    column = text.splitlines()[line - 1].index(key + wrong) + len(key) + 1
    found = problems(text)
    assert {(one.line, one.column) for one in found} == {(line, column)}, "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("stands_on: [dns, loadbalancer, application, database]", "stands_on: [dns, databse]"), "no component of this name ('databse')"),
        (("needs: [database, cache]", "needs: [database, cachee]"), "did you mean 'cache'"),
        (("    needs: [network]\n  cache", "    needs: [application]\n  cache"), "database → application → database"),
        (("backup: matteo-ricci", "backup: nobody"), "no person of this name ('nobody')"),
        (("of: [platform-lead,", "of: [platform-led,"), "did you mean 'platform-lead'"),
        (("audience: [on-call, incident-commander]", "audience: [oncall]"), "did you mean 'on-call'"),
        (("channels: [pagerduty, slack]", "channels: [pager, slack]"), "did you mean 'pagerduty'"),
        (("{severity}: VoiceHive", "{severty}: VoiceHive"), "unknown field in the text ('{severty}') — did you mean 'severity'"),
        (("message: incident-alert", "message: incident-alarm"), "did you mean 'incident-alert'"),
        (("replicas: { voice: 4,", "replicas: { vioce: 4,"), "no function 'vioce'"),
        (("{ replicas: 1, region: source }", "{ replicas: 1, region: home }"), "'source' or 'target'"),
        (("{ replicas: 1, region: source }", "{ replicas: -1 }"), "a number of instances"),
        (('parameters: { version: "2" }', "parameters: { version: 2 }"), "it is text; put it in quotes"),
        (('parameters: { version: "2" }', 'parameters: { verson: "2", version: "2" }'), "did you mean 'version'"),
        (('            parameters: { version: "2" }\n', ""), "needs the parameter 'version'"),
        (("parameters: { for: 3s }", "parameters: { for: 3 }"), "it is a duration"),
        (("block: postgres.promote, component: database", "block: postgres.promote, component: cache"), "kind 'postgres'"),
        (("block: postgres.promote, component: database", "block: postgres.promote"), "names no component"),
        (("{ id: assess, block: assess }", "{ id: assess, block: assess, component: dns }"), "acts on no component"),
        (("{ id: alert,", "{ id: assess,"), "a step has this name already"),
        (("{ id: approve-return,", "{ id: approve,"), "a step has this name already"),
        (("after: [approve-return]", "after: [approve]"), "this run has no step of this name ('approve')"),
        (("after: [assess]", "after: [tell-stakeholders]"), "approve → tell-stakeholders → approve"),
        (("{ id: approve, block: approve, after: [assess] }", "{ id: approve, block: approve, after: [fence] }"), "a later phase"),
        (("role: dr", "role: standby"), "known here: dr, primary"),
        (("timezone: Europe/Dublin", "timezone: Europe/Dubln"), "did you mean 'Europe/Dublin'"),
        (("observers: [eu-central-1, witness, outside]", "observers: [witness, witness, outside]"), "a second time ('witness')"),
        (("availability_percent: 99.9", "availability_percent: 101"), "at most 100 (101)"),
        (("count: 2\n", "count: 0\n"), "at least 1 (0)"),
        (('version: "1.0"', "version: 1.0"), "this must be text (1.0) — put it in quotes"),
        (("objectives:\n", "objectives:\n  rot: 3m\n"), "unknown key ('rot') — did you mean 'rto'?"),
        (("  owner: Platform Engineering Team\n", ""), "the key 'owner' is missing — add it to 'document'"),
        (("kind: region-score, below", "below"), "the key 'kind' is missing"),
        (("  rpo: 5m\n", "  rpo: 5m\n  rpo: 6m\n"), "a second time, after line"),
        (("  on-call: {", "  technical-lead: { name: X, people: [] }\n  on-call: {"), "the name of a role"),
    ],
)
def test_what_a_plan_names_must_exist_and_mean_something(edit: tuple[str, str], says: str) -> None:
    found = [str(problem) for problem in problems(changed(edit))]
    assert any(says in problem for problem in found), "\n".join(found)


def test_exactly_one_primary_and_one_dr_region() -> None:
    found = "\n".join(map(str, problems(changed(("role: dr", "role: primary")))))
    assert "no region has the role 'dr'" in found
    assert "a second region has the role 'primary', besides 'eu-west-1' ('eu-central-1')" in found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file holds no plan"),
        (b"# only a comment\n", "the file holds no plan"),
        (b"a word", "this must be a mapping of keys"),
        (b"[1, 2]", "this must be a mapping of keys"),
        (b"name: caf\xe9", "plan.yaml:1:10: this is not UTF-8 (byte 0xe9)"),
        ("name: x".encode("utf-16"), "written in UTF-16"),
        (b"name: \x1b[31mred", "plan.yaml:1:7: a control character stands here (\\x1b)"),
        ("a: \ufffe".encode(), "plan.yaml:1:4: a character stands here"),
        (b"a: 'open", "this is not YAML"),
        (b"a:\n\t- b", "indented with a tab"),
        (b"a: 1\n---\nb: 2\n", "plan.yaml:2:1: a second document"),
        (b"a: &x 1\nb: *x\n", "an alias stands here ('*x')"),
        (b"a: &x 1\n", "an anchor stands here ('&x')"),
        (b"a: !!python/object/apply:os.system [echo]", "a tag stands here"),
        (b"a: 1\na: 2\n", "a second time, after line 1 ('a')"),
        (b"a: {b: 1, b: {c: 2}}\n", "a second time, after line 1 ('b')"),
        (b"? [a]\n: b", "a key is a list or a mapping"),
        (b"&x a: 1\n*x : 3", "a key is an alias"),
        (b"a: 12345678901234567890123", "too long"),
        (b"[" * 3_000_000, f"nested deeper than {DEEPEST} levels"),
        (b"- " * 200_000, f"nested deeper than {DEEPEST} levels"),
        (b"#" * (MOST_BYTES + 1), "larger than 16 MiB"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_a_file_that_is_no_plain_yaml_tree_is_refused_with_its_place(content: bytes, says: str) -> None:
    found = [str(problem) for problem in problems(content)]
    assert any(says in problem for problem in found), "\n".join(found)


def test_aliases_that_would_grow_without_bound_cost_nothing() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert any("alias" in problem.message for problem in problems(bomb))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("no", "no"),
        ("on", "on"),
        ("2024-01-01", "2024-01-01"),
        ("1.2.3", "1.2.3"),
        ("12:30:00", "12:30:00"),
        ("0x10", "0x10"),
        ("007", 7),
        ("99.95", 99.95),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("~", None),
    ],
)
def test_plain_words_are_what_they_look_like(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_a_path_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none.yaml", "there is no such file"), (tmp_path, "this is a directory")):
        with pytest.raises(PlanError) as error:
            load(path)
        assert says in str(error.value)


def test_a_byte_order_mark_is_no_problem() -> None:
    assert load_bytes(b"\xef\xbb\xbf" + TEXT.encode(), REFERENCE).digest == load(REFERENCE).digest


def test_what_is_shown_of_a_value_is_short_and_harmless_on_a_terminal() -> None:
    found = problems(changed(('version: "1.0"\n', 'version: "1.0"\n"\\e[31m' + "x" * 500 + '": 1\n')))
    assert [problem.message for problem in found] == ["unknown key"]
    assert "\x1b" not in str(found[0])
    assert len(str(found[0])) < 400


_LINES = TEXT.splitlines(keepends=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    line=st.integers(0, len(_LINES) - 1),
    cut=st.integers(0, 200),
    junk=st.sampled_from(
        ["", "- ", "[", "}", ": ", "'", "null", "{a: 1}", "[[1]]", "-1", "true", "&a ", "*a", "!x ", "\t", "é", "%", "\n\n", "1e400"]
    ),
)
def test_whatever_is_done_to_a_line_the_plan_loads_or_says_where_it_does_not(line: int, cut: int, junk: str) -> None:
    hurt = _LINES[line]
    place = min(cut, len(hurt) - 1)
    text = "".join([*_LINES[:line], hurt[:place] + junk + hurt[place + len(junk) :], *_LINES[line + 1 :]])
    for problem in problems(text):
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message


@settings(max_examples=8, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=6
    )
)
def test_a_wrong_value_anywhere_in_the_tree_never_ends_in_anything_but_problems(value: object) -> None:
    data = read(TEXT.encode(), "plan.yaml").data
    for section in data:
        problems(json.dumps({**data, section: value}))
    for section in ("functions", "components", "people", "roles", "audiences", "messages", "scenarios", "regions", "approval"):
        problems(json.dumps({**data, section: dict.fromkeys(data[section], value)}))
    scenario = data["scenarios"]["regional-outage"]
    for run in ("phases", "way_back", "triggers"):
        problems(
            json.dumps(
                {**data, "scenarios": {"regional-outage": {**scenario, run: [value, {"name": "x", "window": value, "steps": [value]}]}}}
            )
        )
