"""Sets with a fixed corpus: its documents are pages, found by an engine of their own."""

import json
from pathlib import Path

import pytest

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.evals.task import TASKS, Source
from webfarer.evals.tasks._corpus import Documents, address, identified
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.search import Search

ARTICLES = [
    {"title": f"The {name} light", "source": "A paper", "url": f"https://paper.example/{name}", "body": body}
    for name, body in (
        ("north", "The northern lighthouse was built in 1861.\nIt is <white>."),
        ("south", "The southern lighthouse was built in 1902."),
        ("bread", "Bread is baked at night."),
    )
]
QUESTION = {
    "query": "Which lighthouse is older, the northern or the southern?",
    "answer": "the northern",
    "question_type": "comparison_query",
    "evidence_list": [{"url": article["url"], "fact": "…"} for article in ARTICLES[:2]],
}
DOCUMENTS = [
    {"docid": "5", "url": "https://x.example/5?a=1", "text": "---\ntitle: Of lamps\n---\nThe lamp burns oil."},
    {"docid": "81", "url": "https://x.example/81?a=1", "text": "The keeper counts ships.\nEvery day."},
]
PLUS = {
    "query_id": "769",
    "query": "What does the lamp burn?",
    "answer": "oil",
    "gold_docs": [{"docid": "5", "text": "…"}],
    "evidence_docs": [{"docid": "5"}, {"docid": "81"}],
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def multihop(folder: Path, *questions) -> Path:
    (folder / "MultiHopRAG.json").write_text(json.dumps(questions or [QUESTION]))
    (folder / "corpus.json").write_text(json.dumps(ARTICLES))
    return folder


def plus(folder: Path) -> Path:
    (folder / "browsecomp_plus_decrypted.jsonl").write_text(json.dumps(PLUS))
    (folder / "corpus.jsonl").write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    return folder


async def look(venue, query, urls):
    """Return the addresses found for a query, and the texts of pages."""
    settings = load_settings(model="", **venue)
    with Archive() as archive:
        async with Web(settings, archive) as web, Search(settings) as search:
            hits = await search.find(Run("r", Trace.create()), query)
            pages = [await web.open(Run("r", Trace.create()), url) for url in urls]
    return [hit.url for hit in hits], [page.markdown for page in pages]


async def test_multihop_rag_is_answered_from_its_articles(tmp_path, home):
    task = TASKS.load("multihop_rag")
    (item,) = await task.items(Source(path=multihop(tmp_path)))
    assert item.gold == ("http://multihop-rag.test/paper.example/north", "http://multihop-rag.test/paper.example/south")
    async with task.venue([item], load_settings()) as venue:
        found, (text,) = await look(venue, "northern lighthouse built", item.gold[:1])
        assert found[0] == item.gold[0]
        assert "built in 1861" in text
        assert "<white>" in text.replace("\\", "")
        assert "paper.example/north" in text
    (index,) = home.rglob("multihop-rag.test.db")
    written = index.stat().st_mtime_ns
    async with task.venue([item], load_settings()) as venue:  # on another port, from the same index
        assert (await look(venue, "northern lighthouse built", ()))[0] == found
    assert index.stat().st_mtime_ns == written


async def test_a_corpus_may_lie_elsewhere_and_is_then_the_same(tmp_path, home):
    task, elsewhere = TASKS.load("multihop_rag"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (item,) = await task.items(Source(path=multihop(tmp_path)))
    (moved,) = await task.items(Source(path=multihop(elsewhere)))
    assert moved.data.pop("place") != item.data.pop("place")
    assert moved == item
    (elsewhere / "corpus.json").write_text(json.dumps(ARTICLES[:2]))
    (changed,) = await task.items(Source(path=elsewhere))
    assert changed.data["corpus"] != item.data["corpus"]
    for name in ("one", "two"):  # a document's name is its file's
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("text")
    assert identified(tmp_path / "one")["corpus"] != identified(tmp_path / "two")["corpus"]


async def test_the_index_is_kept_in_the_home_that_is_given(tmp_path, home):
    task = TASKS.load("browsecomp_plus")
    items = await task.items(Source(path=plus(tmp_path)))
    async with task.venue(items, load_settings(home=tmp_path / "another")):
        pass
    assert list((tmp_path / "another").rglob("*.db"))
    assert not list(home.rglob("*.db"))


async def test_multihop_rag_names_what_is_wrong(tmp_path):
    task = TASKS.load("multihop_rag")
    null = {**QUESTION, "query": "Nobody knows?", "evidence_list": []}
    assert (await task.items(Source(path=multihop(tmp_path, QUESTION, null))))[1].gold == ()
    with pytest.raises(ConfigError, match="row 2: 'evidence_list'"):
        await task.items(Source(path=multihop(tmp_path, QUESTION, {**QUESTION, "evidence_list": ["x"]})))
    with pytest.raises(ConfigError, match="row 1: 'evidence_list'"):
        await task.items(Source(path=multihop(tmp_path, {**QUESTION, "evidence_list": [{"url": 5}]})))
    (tmp_path / "corpus.json").unlink()
    with pytest.raises(ConfigError, match=r"corpus\.json is missing"):
        await task.items(Source(path=tmp_path))


async def test_browsecomp_plus_reads_documents_from_the_disk(tmp_path):
    task = TASKS.load("browsecomp_plus")
    (item,) = await task.items(Source(path=plus(tmp_path)))
    assert item.gold == ("http://browsecomp-plus.test/5",)
    assert list(item.data["evidence"]) == ["http://browsecomp-plus.test/5", "http://browsecomp-plus.test/81"]
    async with task.venue([item], load_settings()) as venue:
        assert venue["search"]["results"] == 5
        found, texts = await look(venue, "lamp oil", item.data["evidence"])
    assert found == ["http://browsecomp-plus.test/5"]
    assert "Of lamps" in texts[0]
    assert "Every day" in texts[1]
    (tmp_path / "corpus.jsonl").unlink()
    with pytest.raises(ConfigError, match="lies beside"):
        await task.items(Source(path=tmp_path))


def test_a_corpus_may_be_a_folder_of_texts(tmp_path):
    (tmp_path / "one.txt").write_text("First line\nSecond line")
    (tmp_path / "two.md").write_text("Another")
    documents = Documents(tmp_path)
    assert list(documents) == ["/one", "/two"]
    assert b"<h1>First line</h1>" in documents["/one"].html
    before = documents.fingerprint
    (tmp_path / "two.md").write_text("Another text")
    assert Documents(tmp_path).fingerprint != before


def test_what_is_wrong_with_a_corpus_is_named(tmp_path):
    with pytest.raises(ConfigError, match="is no corpus"):
        Documents(tmp_path)
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"docid": "1", "text": "a"}\n{"docid": "1", "text": "b"}\n')
    with pytest.raises(ConfigError, match="'1' is there twice"):
        Documents(path)
    path.write_text('{"docid": "1", "text": "a"}\n{"text": "b"}\n')
    with pytest.raises(ConfigError, match="row 2: no 'docid'"):
        Documents(path)
    path.write_text('{"docid": "\\ud83d", "text": "a"}\n', encoding="utf-8-sig")
    assert len(Documents(path)) == 1
    path.write_text('{"docid": "1"\n')
    with pytest.raises(ConfigError, match="row 1: no JSON"):
        Documents(path)


@pytest.mark.parametrize("document", ["https://a.example/x?y=1", "../../etc", "a b", "/x", "..", "a/./b", "注", "a//b"])
def test_a_document_whose_name_is_no_path_gets_another(document):
    assert address("c.test", document).removeprefix("http://c.test/").isalnum()
