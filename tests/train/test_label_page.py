"""`webfarer label`: at the terminal and as a page, which only those can use who know its address."""

import asyncio

import aiohttp
import pytest

from webfarer.apps.cli._label_page import LabelPage
from webfarer.apps.cli.main import main
from webfarer.train.labels import Labelling, Queue
from webfarer.train.pool import PoolItem
from webfarer.worlds.forms import serve_form

ITEMS = [
    PoolItem(id='q"1', prompt="<script>alert(1)</script>\nwhich is odd", choices=('one & "only"', "two")),
    PoolItem(id="q2", prompt="why is that"),
]


@pytest.fixture
def folder(tmp_path):
    Queue(tmp_path).extend(ITEMS, "Be <b>kind</b>.")
    return tmp_path


@pytest.fixture
def ann(folder):
    with Labelling(folder, "ann") as labelling:
        yield labelling


def test_what_is_shown_is_escaped_and_nothing_is_loaded(ann):
    page = LabelPage(ann).show()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'value="one &amp; &quot;only&quot;"' in page
    assert 'name="item" value="q&quot;1"' in page
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "0 answered, 0 skipped, 2 left" in page


def test_forms_answer_skip_and_take_back(ann):
    page = LabelPage(ann)
    page.take({"item": 'q"1', "answer": 'one & "only"'})
    assert "why is that" in page.show()
    page.take({"item": 'q"1', "answer": "two"})
    assert "not the one that is asked now" in page.show()
    assert "not the one" not in (page.take({"word": "undo"}), page.show())[1]
    page.take({"item": 'q"1', "word": "skip"})
    page.take({"item": "q2", "word": "label", "answer": "line one\r\nline two"})
    assert "Nothing waits for you now" in page.show()
    assert ann.queue.said()["ann"]["q2"].answer == "line one\nline two"
    for _ in range(3):
        page.take({"word": "undo"})
    assert "Nothing can be taken back" in page.show()


async def test_only_who_knows_the_address_can_use_it(ann):
    page = LabelPage(ann)
    async with serve_form(page.show, page.take) as address, aiohttp.ClientSession() as session:
        root = address.split("/", 3)[:3]
        for wrong in ("/".join([*root, ""]), "/".join([*root, "guess", ""]), f"{address}more", address[:-2]):
            assert (await session.get(wrong)).status == 404
            assert (await session.post(wrong, data={"item": 'q"1', "word": "skip"})).status == 404
        assert ann.progress["left"] == 2
        assert (await session.put(address)).status == 405
        got = await session.get(address)
        assert got.headers["Referrer-Policy"] == "no-referrer"
        assert "which is odd" in await got.text()
        posted = await session.post(address, data={"item": 'q"1', "answer": "two"})
        assert [seen.status for seen in posted.history] == [303]
        assert "why is that" in await posted.text()
        assert ann.progress == {"answered": 1, "skipped": 0, "left": 1}


async def test_every_page_has_an_address_of_its_own(ann):
    async with serve_form(str, dict) as one, serve_form(str, dict) as other:
        assert one.rsplit("/", 2)[1] != other.rsplit("/", 2)[1]
        assert all(address.startswith("http://127.0.0.1:") for address in (one, other))


def test_at_the_terminal_a_choice_is_its_number(folder, monkeypatch, capsys):
    said = iter(["3", "1", "/u", "2", "/s"])
    monkeypatch.setattr("builtins.input", lambda *_: next(said))
    with pytest.raises(SystemExit) as end:
        main(["label", str(folder), "--as", "ann"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "Be <b>kind</b>." in out
    assert "an answer is one of" in out
    assert "ann: 1 answered, 1 skipped, 0 left" in out
    assert Queue(folder).said()["ann"]['q"1'].answer == "two"


def test_at_the_terminal_a_choice_that_is_a_number_is_typed(tmp_path, monkeypatch, capsys):
    Queue(tmp_path).extend([PoolItem(id="q", prompt="one and one", choices=("2", "1"))], "")
    said = iter(["/u", "1\udcc3", "1"])
    monkeypatch.setattr("builtins.input", lambda *_: next(said))
    with pytest.raises(SystemExit):
        main(["label", str(tmp_path)])
    out = capsys.readouterr().out
    assert "Nothing can be taken back" in out
    assert "no text in UTF-8; type it again" in out
    assert Queue(tmp_path).said()["me"]["q"].answer == "1"


def test_two_people_are_compared_in_the_end(folder, monkeypatch, capsys):
    for name, answers in {"ann": ["1", "because"], "bob": ["1", "Because."]}.items():
        said = iter(answers)
        monkeypatch.setattr("builtins.input", lambda *_, said=said: next(said))
        with pytest.raises(SystemExit):
            main(["label", str(folder), "--as", name])
    assert "with ann: 2 labelled by both, 100 % alike, kappa 1.00" in capsys.readouterr().out


def test_whoever_stops_in_the_middle_hears_how_far_it_went(folder, monkeypatch, capsys):
    def gone(*_):
        raise EOFError

    monkeypatch.setattr("builtins.input", gone)
    with pytest.raises(SystemExit):
        main(["label", str(folder)])
    assert "me: 0 answered, 0 skipped, 2 left" in capsys.readouterr().out


def test_a_port_that_is_taken_is_an_error(folder, capsys):
    async def hold():
        async with serve_form(str, dict) as address:
            port = address.split(":")[2].split("/")[0]
            with pytest.raises(SystemExit) as end:
                await asyncio.to_thread(main, ["label", str(folder), "--web", "--port", port])
            return end.value.code

    assert asyncio.run(hold()) == 2
    assert "cannot serve on port" in capsys.readouterr().err
