"""Questions from a file: what is read of them, and the place where generated sites among them are served."""

import json
from pathlib import Path
from typing import Any

import pytest

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.data.question import Evidence, Question, write_questions
from webfarer.evals.runner import Asked, Spread, evaluate
from webfarer.evals.task import TASKS, Item, Source
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.worlds.catalogue import CatalogueSpec, generate_catalogue

TASK = TASKS.load("questions")
SPEC = CatalogueSpec(3, size=60)
ROOT = f"http://{SPEC.host}/"


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def chain() -> Question:
    """Ask for the instrument's home by way of a survey: two pages."""
    site = generate_catalogue(SPEC)
    said = {(fact.subject, fact.relation): fact for fact in site.facts}
    first = next(fact for fact in site.facts if fact.relation == "survey.instrument")
    last = said[first.value, "instrument.home"]
    gold = [ROOT + fact.page[1:] for fact in (first, last)]
    return Question(
        id="made-1",
        question=f"At which observatory does the instrument that {first.subject} uses stand?",
        answer=last.value,
        root=ROOT,
        sites=(ROOT,),
        gold=tuple(gold),
        cells={"type": "multi_hop", "language": "en"},
        synth="crawlqa",
        ground="catalogue",
        evidence=tuple(Evidence(url=url, sha256="0", text="", start=0) for url in gold),
    )


def marks(home: Path, path: Path, agent: str, setting: Any) -> dict[str, Any]:
    settings = load_settings(home=home, model="", budget=Budget(steps=15), seed=0)
    asked = Asked("questions", settings, Source(path), agent, setting=setting, scorers=("named", "gold_page"))
    (result,) = evaluate(asked, home / f"{agent}-{setting}", Spread(jobs=1)).results()
    assert not result.error
    return {"opened": result.opened, **result.marks}


async def test_what_was_made_is_read_as_items_without_what_an_agent_is_not_to_be_told(tmp_path):
    made = chain()
    write_questions(tmp_path / "q.jsonl", [made])
    (item,) = await TASK.items(Source(tmp_path / "q.jsonl"))
    assert type(item) is Item
    assert item == Item(**{name: getattr(made, name) for name in Item.model_fields})


async def test_a_question_and_an_answer_are_enough(tmp_path):
    rows = [{"question": f"Who was number {n}?", "answer": "Ann", "comment": "?"} for n in (1, 2)]
    items = await TASK.items(Source(lines(tmp_path / "q.jsonl", *rows)))
    assert [(item.question, item.answer, item.root) for item in items] == [
        (row["question"], row["answer"], "") for row in rows
    ]
    assert len({item.id for item in items}) == 2
    assert await TASK.items(Source(tmp_path / "q.jsonl")) == items
    async with TASK.venue(items, load_settings(model="")) as changes:
        assert changes == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answer": "a"}, "question"),
        ({"question": "q"}, "answer"),
        ({"question": "q", "answer": "a", "gold": 3}, "row 1"),
    ],
)
async def test_a_row_that_makes_no_question_is_named(tmp_path, row, said):
    with pytest.raises(ConfigError, match=said):
        await TASK.items(Source(lines(tmp_path / "q.jsonl", row)))


def test_the_oracle_answers_a_catalogues_question_and_the_walker_finds_its_pages(tmp_path):
    path = tmp_path / "q.jsonl"
    write_questions(path, [chain()])
    told = marks(tmp_path, path, "oracle", "click")
    assert told["named"] == {"correct": 1.0}
    assert told["gold_page"]["correct"] == 1.0
    walked = marks(tmp_path, path, "walker", "click")
    assert walked["gold_page"]["share"] >= 0.5
    assert all(url.startswith(ROOT) for url in walked["opened"])


async def served(items: list[Item]) -> None:
    """Open every gold page where the items are to be answered."""
    async with TASK.venue(items, load_settings(model="")) as changes:
        settings = load_settings(model="", **changes)
        with Archive() as archive:
            async with Web(settings, archive) as web:
                for item in items:
                    texts = [(await web.open(Run("r", Trace.create()), url)).markdown for url in item.gold]
                    assert any((item.parts or item.forms or (item.answer,))[0] in text for text in texts)


async def test_every_generated_site_of_a_file_is_served(tmp_path):
    worlds = await TASKS.load("world").items(Source(size=1))
    await served([*worlds, Item(**chain().model_dump(include=set(Item.model_fields)))])


@pytest.mark.slow
async def test_webs_are_served_too():
    await served(await TASKS.load("web").items(Source(size=2)))


async def test_beside_the_web_other_peoples_sites_are_read_as_the_settings_say():
    items = [
        Item(**chain().model_dump(include=set(Item.model_fields))),
        Item(id="real", question="?", answer="!", root="https://www.example.org/"),
    ]
    for others in (items, [items[0], Item(id="plain", question="?", answer="!")]):
        async with TASK.venue(others, load_settings(model="")) as changes:
            assert SPEC.host in changes["connect_to"]
            assert "www.example.org" not in changes["connect_to"]
            assert not {"web", "browser"} & changes.keys()
    async with TASK.venue(items[:1], load_settings(model="")) as changes:
        assert changes["web"]["robots"] is False
