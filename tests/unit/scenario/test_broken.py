"""Kinds of broken scenario: each gives the right line, the path, what is wrong and the mend, and none a traceback."""

from collections.abc import Callable

import pytest

from simulator.errors import ProblemsError, render
from simulator.scenario import load

# What is replaced in the valid scenario, by what; the text whose line is told; path; part of what; part of the mend.
BROKEN = {
    "unknown section": ("seed: 7", "sead: 7", "sead", "sead", "is not a key of a scenario", "did you mean seed?"),
    "section outside base": ("seed: 7", "cluster: {}", "cluster: {}", "cluster", "is not a key of a scenario", "put it under base"),
    "no question": ("question: Is it enough?\n", "", "date", "", "question is missing", "add question"),
    "no date": ("date: 2022-06-01\n", "", "question", "", "date is missing", "add date: 2024-06-01"),
    "date that is none": ("2022-06-01", "2022-06-31", "06-31", "date", "is not a date", "2024-06-01"),
    "date of another form": ("2022-06-01", "1 June 2022", "June", "date", "is not a date", "year-month-day"),
    "negative seed": ("seed: 7", "seed: -7", "-7", "seed", "-7 is negative", "whole number"),
    "fraction of a replication": ("replications: 10", "replications: 1.5", "1.5", "replications", "not a whole number", "write"),
    "no replications": ("replications: 10", "replications: 0", "replications", "replications", "is 0", "at least 1"),
    "endless replications": (
        "replications: 10", "replications: {until: {half_width: 0}}", "half_width", "replications", "takes for ever", "1%",
    ),
    "no base": ("base:\n", "bass:\n", "question", "", "base is missing", "under base:"),
    "alternative is a name": ("  rented: {}", "  rented: base", "rented: base", "rented", "overrides of base are expected", "rented: {}"),
    "alternative without a value": ("  rented: {}", "  rented:", "rented:", "rented", "nothing where overrides", "rented: {}"),
    "alternative named like a section": (
        "  rented: {}", "  cluster: {}", "  cluster: {}", "alternatives", "cannot name an alternative", "-",
    ),
    "unknown key": (
        "precision: bf16", "precison: bf16", "precison", "training.precison", "is not a key of training", "did you mean precision?",
    ),
    "unknown key of a catalogue class": (
        "node: dgx-a100-80gb", "node: {like: dgx-a100-80gb, nicks: 4}", "nicks", "cluster.node.nicks", "not a key of node",
        "did you mean nics?",
    ),
    "missing field": ("    count: 128\n", "", "  cluster:", "cluster", "count is missing (nodes of the job", "add count: 8"),
    "missing entry": ("    grid: us-average\n", "", "  economics:", "economics", "grid is missing", "a name of the grids"),
    "missing kind": ("{kind: restart, restart", "{restart", "recovery", "reliability.recovery", "kind is missing", "add kind: restart"),
    "unknown kind": (
        "kind: on_demand", "kind: ondemand", "ondemand", "rented.economics.price.kind", "is not a kind of price", "did you mean on_demand?",
    ),
    "kind that is no text": ("kind: restart,", "kind: 3,", "kind: 3", "reliability.recovery.kind", "3 is not a kind", "kinds: restart"),
    "a kind alone": (
        "{kind: restart, restart: 10 min}", "restart", "recovery", "reliability.recovery", "mapping with a kind", "{kind: restart}",
    ),
    "unknown model": ("gpt3-175b", "gpt3-175", "gpt3-175", "training.model", "is not among the models", "did you mean gpt3-175b"),
    "unknown topology": (
        "dgx-a100-superpod", "dgx-a100-superpode", "superpode", "cluster.topology", "not among the topologies",
        "did you mean dgx-a100-superpod",
    ),
    "no such file": ("gpt3-175b", "./my.yaml", "my.yaml", "training.model", "there is no file './my.yaml'", "relative to the scenario"),
    "number for a name": ("model: gpt3-175b", "model: 175", "175", "training.model", "175 where a name of the models", "write"),
    "inline without a source": (
        "topology: dgx-a100-superpod", "topology: {kind: single_switch}", "single_switch", "cluster.topology", "needs a source",
        "add source",
    ),
    "like nothing known": (
        "node: dgx-a100-80gb", "node: {like: dgx-b100, nics: 4}", "b100", "cluster.node", "is not among the nodes", "did you mean dgx-",
    ),
    "bare number": ("300B tokens", "300", "tokens: 300", "training.tokens", "300 has no unit", "300 tokens"),
    "bytes for tokens": ("300B tokens", "300B", "300B", "training.tokens", "is an amount of data", "write 300B tokens"),
    "data for a rate": ("50 GB/s", "50 GB", "50 GB", "reliability.checkpoint.bandwidth", "a data rate is expected", "write 50 GB/s"),
    "wrong case": ("50 GB/s", "50 gb/s", "gb/s", "reliability.checkpoint.bandwidth", "unit 'gb/s' is not known", "did you mean 50 GB/s?"),
    "word nearly right": ("young", "yung", "yung", "reliability.checkpoint.interval", "is not a time", "did you mean young?"),
    "precision unknown": ("bf16", "bfloat16", "bfloat16", "training.precision", "is not one of fp32", "did you mean bf16?"),
    "precision of no unit": ("bf16", "fp8", "fp8", "training.precision", "a100-sxm-80gb has no peak for fp8", "it has fp32"),
    "text for a number": ("count: 128", "count: many", "many", "cluster.count", "'many' is not a whole number", "write for example 8"),
    "number in quotes": ("count: 128", "count: '128'", "'128'", "cluster.count", "'128' is not a whole number", "write 128"),
    "grouped number": ("count: 128", "count: 1_28", "1_28", "cluster.count", "is not a whole number", "write 128"),
    "yes": (
        "bandwidth: 50", "asynchronous: yes, bandwidth: 50", "yes", "reliability.checkpoint.asynchronous", "neither true nor", "write true",
    ),
    "list for a mapping": (
        "spares: {hot: 2, pool: 8}", "spares: [2, 8]", "[2, 8]", "reliability.spares", "a list where a mapping", "write",
    ),
    "mapping for a number": ("pue: 1.1", "pue: {a: 1}", "{a: 1}", "economics.pue", "a mapping where a ratio is expected", "1.1"),
    "nothing for a number": ("pue: 1.1", "pue:", "pue:", "economics.pue", "nothing where a ratio is expected", "1.1"),
    "no nodes": ("count: 128", "count: 0", "count: 0", "cluster.count", "count is 0", "at least 1"),
    "no sequence": ("sequence: 2048", "sequence: 0", "sequence: 0", "training.sequence", "sequence is 0", "at least 1"),
    "no tokens": ("300B tokens", "0 tokens", "0 tokens", "training.tokens", "tokens is 0", "300B tokens"),
    "impossible PUE": ("pue: 1.1", "pue: 0.9", "0.9", "economics.pue", "cooling for less than nothing", "at least 1"),
    "two microbatches": (
        "bf16", "bf16\n    microbatch: 4", "microbatch", "training.microbatch", "that of the layout 1", "layout.microbatch: 4",
    ),
    "schedules for a layout that is given": (
        "bf16", "bf16\n    schedules: [zb_v]", "schedules", "training.schedules", "nothing is chosen from these", "layout: auto",
    ),
    "layout too large": (
        "data: 8}", "data: 9}", "data: 9", "training.layout", "tensor 8 × pipeline 16 × data 9 = 1 152 accelerators, the cluster has 1 024",
        "data: 8 would fit",
    ),
    "layout too large for a batch that seven do not share": (
        "count: 128", "count: 112", "data: 8}", "training.layout", "= 1 024 accelerators, the cluster has 896", "data: 6 would fit",
    ),
    "one replica too large": (
        "pipeline: 16, data: 8", "pipeline: 256", "256", "training.layout", "= 2 048 accelerators",
        "even data: 1 needs 2 048; lower pipeline",
    ),
    "degree of zero": ("tensor: 8", "tensor: 0", "tensor: 0", "training.layout.tensor", "tensor is 0, at least 1", ""),
    "virtual without schedule": (
        "tensor: 8", "virtual: 2", "virtual", "training.layout.virtual", "interleaved schedule", "schedule: interleaved",
    ),
    "layout of a wrong word": (
        "{tensor: 8, pipeline: 16, data: 8}", "atuo", "atuo", "training.layout", "auto or a mapping", "did you mean auto?",
    ),
    "given step without a figure": (
        "precision: bf16", "step: {kind: given, source: x}", "step", "training.step", "either a time or a flop_rate", "time: 12.4 s",
    ),
    "phases out of order": (
        "precision: bf16", "phases: [{until: 60%}, {until: 50%}]", "phases", "training.phases.1.until", "ends at 0.5", "in order",
    ),
    "phases without a list": ("precision: bf16", "phases: {until: 60%}", "phases", "training.phases", "a list is expected", "[.., ..]"),
    "more donated than there is": (
        "count: 128\n", "count: 128\n    availability: {kind: schedule, changes: [{at: 0 s, nodes: 200}]}\n", "200",
        "cluster.availability.changes.0.nodes", "200 nodes, the cluster has 128", "at most 128",
    ),
    "schedule that starts late": (
        "count: 128\n", "count: 128\n    availability: {kind: schedule, changes: [{at: 1 d, nodes: 2}]}\n", "1 d", "cluster.availability",
        "a schedule starts at 0 s", "add {at: 0 s",
    ),
    "no price of the accelerator": (
        "list: cloud-2022", "list: v100-lambda-2020", "lambda", "rented.economics.price.list", "has no price of a100-sxm-80gb",
        "it has v100",
    ),
    "fault of a link that is none": (
        "    count: 128\n", "    count: 128\n    network_faults:\n      - {kind: degraded_link, link: leaf9 -> spin, rate: 50%}\n", "leaf9",
        "cluster.network_faults.0.link", "'leaf9 -> spin' is none of this network", "did you mean leaf",
    ),
    "fault of a node that is none": (
        "    count: 128\n", "    count: 128\n    network_faults: [{kind: slow_nic, nodes: [128], rate: 50%}]\n", "[128]",
        "cluster.network_faults.0.nodes", "names node 128, the network has 128", "places in the machine room",
    ),
    "neighbours without room": (
        "    count: 128\n", "    count: 128\n    neighbours: [{kind: job, nodes: 8, sends: 30%}]\n", "nodes: 8",
        "cluster.neighbours.0.nodes", "8 are needed, 0 of the machine room are free", "cluster.placement.among",
    ),
    "fault that cuts off": (
        "    count: 128\n", "    count: 128\n    network_faults: [{kind: dead_link, link: leaf1 -> spine}]\n", "kind: dead_link",
        "cluster.network_faults.0", "nothing but the dead link leaf1 -> spine leads there", "degraded_link",
    ),
    "fault of all switches": (
        "    count: 128\n", "    count: 128\n    network_faults: [{kind: lost_switches, lost: 8, of: 8}]\n", "lost: 8",
        "cluster.network_faults.0.lost", "lost is 8 of 8", "leave at least one",
    ),
    "price later than the date": (
        "date: 2022-06-01", "date: 2020-06-01", "list: cloud-2022", "rented.economics.price.list", "on or before 2020-06-01",
        "it has prices of 202",
    ),
    "accelerator later than the date": (
        "date: 2022-06-01", "date: 2019-06-01", "node:", "cluster.node", "was launched in 2020", "hindsight: true",
    ),
    "software later than the date": (
        "megatron-2021", "megatron-2025", "megatron-2025", "training.software", "is of 2025, later than the scenario's", "hindsight: true",
    ),
    "term that no list has": (
        "economics.price: {kind: donated",
        "economics.price: {kind: reserved, list: cloud-2022, term: 2 y}\n  c:\n    economics.price: {kind: donated", "2 y",
        "given.economics.price", "a term of 2 y", "write term: 1 y",
    ),
    "costs of another accelerator": (
        "kind: on_demand, list: cloud-2022", "kind: owned, costs: h100-sxm-2023", "h100", "rented.economics.price.costs",
        "are those of h100-sxm", "costs of",
    ),
    "sweep of a path that is none": (
        "cluster.count:", "cluster.cuont:", "cuont", "sweep.cluster.cuont", "no 'cuont'", "did you mean count?",
    ),
    "sweep too deep": ("cluster.count:", "cluster.count.x:", "count.x", "sweep.cluster.count.x", "inside a single value", "leave .x out"),
    "sweep without a list": ("[128, 256]", "128", "sweep", "sweep.cluster.count", "a list of values is expected", "[.., ..]"),
    "sweep value of a wrong kind": ("[128, 256]", "[128, lots]", "lots", "sweep.cluster.count.1", "'lots' is not a whole number", "write"),
    "expectation of nobody": ("rented.run", "renter.run", "renter", "expect", "no alternative 'renter'", "did you mean rented?"),
    "expectation of no figure": (
        "run.goodput", "run.godput", "godput", "expect", "'godput' is not a figure of run", "did you mean goodput?",
    ),
    "expectation of many figures": ("run.goodput", "run.wall_clock_s", "wall_clock", "expect", "not a single figure", "mean"),
    "condition that is none": ("'> 0.8'", "'about 0.8'", "about", "expect", "is not a condition", "'> 0.8'"),
    "condition without text": ("'> 0.8'", "0.8", "0.8", "expect.0.rented.run.goodput", "0.8 where text is expected", "quotes"),
    "condition of another dimension": ("'> 0.8'", "'> 8 d'", "8 d", "expect", "is a time, a fraction is expected", "25%"),
    "dotted and nested at once": (
        "    count: 128\n", "    count: 128\n  cluster.count: 256\n", "cluster.count: 256", "base.cluster.count",
        "is said twice: in line 17 and in line 18", "one",
    ),
    "dots without names": ("    count: 128\n", "    count: 128\n    a..b: 3\n", "a..b", "base.cluster", "has an empty part", "single dots"),
    "key twice": ("    count: 128\n", "    count: 128\n    count: 64\n", "count: 64", "", "in line 17 and in line 18", "keep one"),
    "tag": ("count: 128", "count: !!int 128", "!!int", "", "the tag tag:yaml.org,2002:int", "plain value"),
    "merge key": ("  rented: {}", "  rented: &r {}\n  b: {<<: *r}", "<<", "", "merge keys", "base and alternatives"),
    "key that is no text": ("  rented: {}", "  rented: {1: 2}", "{1: 2}", "", "the key 1 is not text", '"1"'),
    "list as a key": ("  rented: {}", "  rented: {? [a] : 2}", "[a]", "", "where a key is expected", "key: value"),
    "alias of nothing": ("model: gpt3-175b", "model: *m", "*m", "", "is not defined above", "anchor &name"),
    "alias of itself": ("model: gpt3-175b", "model: &m [*m]", "*m", "", "refers to itself", "anchor"),
    "infinite": ("pue: 1.1", "pue: .inf", ".inf", "", "is not a finite number", ""),
    "tab": ("    count: 128", "\tcount: 128", "count", "", "not YAML", "indent with spaces"),
    "bracket left open": ("list: cloud-2022}", "list: cloud-2022", "grid", "", "not YAML", "close the bracket"),
    "quotes left open": ("question: Is it enough?", 'question: "Is it enough?', "", "", "not YAML", "close the quotes"),
    "colon in text": ("question: Is", "question: So: is", "So:", "", "not YAML", "into quotes"),
    "control character": ("question: Is", "question: \x07Is", "\x07", "", "does not belong into YAML", "delete it"),
    "two documents": ("alternatives:\n", "---\nalternatives:\n", "---", "", "a second document", "one document"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_kind_of_broken_scenario_is_told_with_its_line_and_the_mend(name: str, text: str, write: Callable[..., str]) -> None:
    old, new, needle, path, what, mend = BROKEN[name]
    assert text.count(old) >= 1
    broken = text.replace(old, new, 1)
    line = broken[: broken.index(needle, broken.index(new) if needle in new else 0)].count("\n") + 1
    with pytest.raises(ProblemsError) as caught:
        load(write(broken))
    told = [(p.line, p.path, p.what, p.mend) for p in caught.value.problems]
    meant = [p for p in caught.value.problems if what in p.what and mend in p.mend and p.path == path]
    assert meant, told
    if needle:
        assert meant[0].line == line, told
    shown = render(caught.value.problems)
    assert shown.endswith("s.yaml; nothing was run")
    assert len(caught.value.problems) == len(set(caught.value.problems))


def test_all_problems_come_at_once_in_the_order_of_their_lines(text: str, write: Callable[..., str]) -> None:
    broken = (
        text.replace("gpt3-175b", "gpt4").replace("count: 128", "count: lots").replace("pue: 1.1", "pue: soon").replace("seed: 7", "sed: 7")
    )
    with pytest.raises(ProblemsError) as caught:
        load(write(broken), ["cluster.nods=3"])
    assert [p.line for p in caught.value.problems] == [3, 7, 17, 26, 0]
    assert render(caught.value.problems).endswith("5 problems in s.yaml, --set cluster.nods=3; nothing was run")


def test_a_problem_of_one_alternative_carries_its_name(text: str, write: Callable[..., str]) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(write(text.replace("rented: {}", "rented: {cluster.count: 4, training.layout: {tensor: 64}}")))
    assert [(p.path, p.line) for p in caught.value.problems] == [("rented.training.layout", 28)]


def test_the_caret_stands_under_what_is_meant(text: str, write: Callable[..., str]) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(write(text.replace("50 GB/s", "50 GB")))
    assert render(caught.value.problems) == (
        "s.yaml:22:46: reliability.checkpoint.bandwidth: '50 GB' is an amount of data, a data rate is expected; write 50 GB/s\n"
        "    22 |     checkpoint: {interval: young, bandwidth: 50 GB}\n"
        "       |                                              ^^^^^\n"
        "1 problem in s.yaml; nothing was run"
    )


FILES = {
    "empty": (b"", "is empty"),
    "comments alone": (b"# nothing\n", "is empty"),
    "a list": (b"[1, 2]", "a list where a scenario is expected"),
    "a word": (b"hello", "'hello' where a scenario is expected"),
    "not UTF-8": (b"question: \xff\n", "is not UTF-8"),
    "NUL": (b"question: a\0b\n", "does not belong into YAML"),
    "NUL by escape": (b'"a\\0": 1\n', "is not text"),
    "too long": (b"#" * (8 * 2**20 + 1), "at most 8388608 are read"),
    "too deep": (b"[" * 50_000, "more than 64"),
    "too deep in blocks": (b"".join(b" " * n + b"- \n" for n in range(100)), "more than 64"),
    "too many": (b"[" + b"1," * 100_001 + b"]", "more than 100000 values"),
    "laughs": (
        b"a0: &a0 [ha, ha]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
        "more than 100000 values",
    ),
    "long number": (b"seed: " + b"9" * 5000, "is too long a number"),
    "overflow": (b"seed: 1e999", "is not a finite number"),
    "byte order mark and nothing": (b"\xef\xbb\xbf", "is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_scenario(name: str, write: Callable[..., str]) -> None:
    content, what = FILES[name]
    with pytest.raises(ProblemsError) as caught:
        load(write(content))
    assert any(what in problem.what for problem in caught.value.problems), str(caught.value)
    assert all(problem.file == "s.yaml" for problem in caught.value.problems)


def test_no_such_scenario(write: Callable[..., str]) -> None:
    write("", "folder/x")
    for asked in ("nowhere.yaml", "nowhere", "folder", "a\0b", "x" * 5000):
        with pytest.raises(ProblemsError):
            load(asked)
