"""The search benchmark on generated websites, and what its queries are made of."""

import io

import pytest
from rich.console import Console
from site_kit import write_site

from webfarer.core.text import words
from webfarer.evals.bench import run_bench
from webfarer.evals.benches._search_texts import documentation, generated, known_items


def test_a_query_is_made_of_a_sentence_of_its_page_only():
    texts = generated(50, "en", 1)
    by_url = {text.url: text for text in texts}
    items = known_items(texts, 20, seed=1)
    assert [item.kind for item in items[:2]] == ["words", "half a sentence"]
    assert items == known_items(texts, 20, seed=1)
    for item in items:
        assert set(words(item.text)) <= set(words(by_url[item.url].text))
        if item.kind == "half a sentence":
            assert sum(item.text in text.text for text in texts) >= 1


def test_documentation_is_read_from_the_folders_of_its_language(tmp_path):
    write_site(tmp_path / "git-doc" / "usr")
    write_site(tmp_path / "reference-zh-cn" / "usr")
    assert len(documentation(tmp_path, 100, False, 1)) == 7
    assert all("git-doc" in text.url for text in documentation(tmp_path, 100, False, 1))
    assert len(documentation(tmp_path, 3, True, 1)) == 3
    assert documentation(tmp_path / "missing", 3, True, 1) == []


@pytest.mark.slow
def test_every_engine_finds_pages_in_both_languages(tmp_path):
    options = {"sites": str(tmp_path), "pages": 60, "pages_zh": 60, "queries": 20, "jobs": 1}
    report = run_bench("search", options, tmp_path / "search.json", Console(file=io.StringIO()))
    engines = [row["engine"] for row in report.rows if str(row["table"]).startswith("zh")]
    assert engines[:3] == ["webfarer", "SQLite FTS5", "SQLite FTS5, whole pages"]
    for row in report.rows:
        assert row["words_in_10"].share >= 0.8
        assert row["p95_ms"] >= row["p50_ms"] > 0
    assert report.n == 40
    assert report.headline.startswith("search finds the page")
