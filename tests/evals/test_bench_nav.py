"""The navigation benchmark on a small site, and on the real ones where they are unpacked."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from site_kit import write_site

from webfarer.core.errors import ConfigError
from webfarer.evals.bench import Report, run_bench

SITES = Path(__file__).parents[2] / ".cache" / "sites"


def run(tmp_path: Path, **options: str | int) -> Report:
    return run_bench("nav", {"jobs": 1, **options}, tmp_path / "nav.json", Console(file=io.StringIO()))


def test_both_settings_on_a_small_site(tmp_path):
    write_site(tmp_path / "git-doc" / "usr" / "share" / "doc" / "git-doc")
    report = run(tmp_path, sites=str(tmp_path), per_site=3, per_site_search=2, clicks=6, fetches=8)
    rows = {(row["table"], row["policy"]): row for row in report.rows}
    walk, search = "walk of 6 clicks", "search of 8 pages"
    assert set(rows) == {
        *((walk, policy) for policy in ("lexical", "word_overlap", "breadth_first", "random_click")),
        *((search, policy) for policy in ("lexical", "breadth_first")),
    }
    assert rows[walk, "word_overlap"]["ratio"] == 1
    assert rows[walk, "breadth_first"]["found"].share == 1  # six clicks open the whole site
    assert rows[walk, "lexical"]["n"] == 3
    assert rows[search, "lexical"]["found"].hits == 2
    assert report.n == 3 * 4 + 2 * 2
    assert "git-doc" in report.headline


def test_a_click_too_few_misses(tmp_path):
    write_site(tmp_path / "git-doc" / "usr" / "share" / "doc" / "git-doc")
    report = run(tmp_path, sites=str(tmp_path), per_site=3, clicks=1, policies="lexical", search_policies="")
    (row,) = report.rows
    assert (row["found"].hits, row["ratio"], row["steps"]) == (0, None, 1)


def test_missing_sites_are_named_with_the_way_to_get_them(tmp_path):
    with pytest.raises(ConfigError, match="make sites"):
        run(tmp_path, sites=str(tmp_path))
    with pytest.raises(ConfigError, match="no site 'elsewhere'"):
        run(tmp_path, names="elsewhere")


@pytest.mark.sites
def test_a_real_site(tmp_path):
    report = run(tmp_path, sites=str(SITES), names="sqlite3-doc", per_site=4, policies="lexical", search_policies="")
    assert report.n == 4
    assert report.rows[0]["depth"] >= 2
