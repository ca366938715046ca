"""The machinery of benchmarks: options, the report, what is printed. And every benchmark keeps the contract."""

import io
import json
import re

import pytest
from pydantic import ValidationError
from rich.console import Console
from site_kit import write_site

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.evals.bench import BENCHES, BenchOptions, Report, options_of, run_bench, spread

SMALL = {"worlds": 1, "size": 20, "steps": "3", "policies": "lexical,random_click", "jobs": 1}


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("name", BENCHES.ids())
def test_every_benchmark_says_what_it_takes(name):
    kind = options_of(name)
    assert issubclass(kind, BenchOptions)
    assert all(field.description and not field.is_required() for field in kind.model_fields.values())
    usual, quick = kind(), kind(quick=True)
    assert kind.QUICK
    assert quick == kind(**{**kind.QUICK, "quick": "true"})
    for option, value in kind.QUICK.items():
        assert getattr(quick, option) == value != getattr(usual, option)


def test_what_the_caller_gives_counts_more_than_a_quick_default():
    options = options_of("walk").model_validate({"quick": True, "worlds": "2", "languages": "zh"})
    assert (options.worlds, options.languages) == (2, ("zh",))
    with pytest.raises(ValidationError):
        options.worlds = 3


@pytest.mark.slow
def test_the_report_is_what_is_printed_and_written(tmp_path):
    path, console = tmp_path / "new" / "walk.json", Console(file=io.StringIO(), width=160)
    report = run_bench("walk", SMALL, path, console)
    printed = console.file.getvalue().splitlines()
    assert printed[-1] == report.headline
    assert Report.model_validate_json(path.read_text()) == report
    assert (report.name, report.n, report.options["worlds"]) == ("walk", 2 * 2 * 6, 1)
    assert re.fullmatch(r"([0-9a-f]{7,}\+?)?", report.commit)
    assert report.machine["cores"] > 0
    raw = json.loads(path.read_text())
    assert {row["table"] for row in raw["rows"]} >= {"Fare of a walk"}
    assert {"hits", "n", "share", "low", "high"} == set(raw["rows"][0]["all"])


def test_without_a_path_the_report_lies_where_git_does_not_look(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_site(tmp_path / "sites" / "git-doc" / "usr" / "share" / "doc" / "git-doc")
    options = {"sites": "sites", "jobs": 1, "policies": "random_click", "search_policies": ""}
    run_bench("nav", options, console=Console(file=io.StringIO()))
    assert (tmp_path / "results" / "local" / "nav.json").is_file()


@pytest.mark.parametrize(
    "options", [{"planets": 9}, {"worlds": "many"}, {"worlds": 0}, {"languages": "en,fr"}, {"quick": "perhaps"}]
)
def test_an_option_that_cannot_be_is_named(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        run_bench("walk", options)


@pytest.mark.parametrize("peer", ["llama", "kvpress"])
def test_a_python_that_is_not_there_is_named_before_anything_is_measured(peer, tmp_path):
    with pytest.raises(ConfigError, match=peer):
        run_bench("decode", {peer: str(tmp_path / "python")}, console=Console(file=io.StringIO()))


def test_an_unknown_benchmark_is_answered_with_the_known_ones():
    with pytest.raises(UnknownPlugin, match=r"ask, .*walk"):
        run_bench("speed", {})


@pytest.mark.slow
def test_work_is_spread_over_processes_in_order():
    assert spread(double, range(5), jobs=2) == [0, 2, 4, 6, 8]
