"""CritiQ: planted criteria are found again from thirty pairs, and order pairs it has not seen."""

import json
from random import Random

import pytest

from webfarer.core.errors import BadReply, ConfigError
from webfarer.data.row import Called, Row, Turn
from webfarer.data.selector import SELECTORS, Pool
from webfarer.data.selectors.critiq import learn
from webfarer.models.scripted import Scripted

SELECT = SELECTORS.load("critiq").select
VOCABULARY = [f"word{n}" for n in range(400)]


def row(number, draw):
    """Return a row whose every measure is drawn on its own."""
    pages = draw.randrange(1, 12)
    calls = [f"https://a.test/{draw.randrange(pages)}" for _ in range(draw.randrange(1, 9))]
    read = " ".join(draw.choices(VOCABULARY, k=draw.randrange(20, 300)))
    said = " ".join(draw.choices(VOCABULARY[: draw.randrange(20, 400)], k=draw.randrange(10, 200)))
    turns = [Turn(role="user", content="what is word1 of word2"), Turn(role="tool", content=read)]
    turns += [
        Turn(role="assistant", content="", weight=1, tool_calls=(Called(id="1", name="visit", arguments={"url": url}),))
        for url in calls
    ]
    turns.append(Turn(role="assistant", reasoning=said, content=" ".join(draw.choices(VOCABULARY, k=9)), weight=1))
    values = {"text": "what is word1 of word2", "kind": "act", "messages": turns, "answer": draw.choice(VOCABULARY)}
    return Row(id=f"r{number}", question=f"q{number}", reward=draw.choice([0.0, 1.0]), fare={}, **values)


def worth(one):
    """Return what the planted person goes by: pages are not visited again, and little is said."""
    calls = [call.arguments["url"] for turn in one.messages for call in turn.tool_calls]
    length = len(one.messages[-1].reasoning.split())
    return -4 * (len(calls) - len(set(calls))) / len(calls) - length / 60


def pairs_of(rows, draw, count):
    drawn = (draw.sample(rows, 2) for _ in range(count))
    return [tuple(sorted(pair, key=worth, reverse=True)) for pair in drawn]


def write(path, pairs):
    path.write_text("".join(json.dumps({"better": b.id, "worse": w.id}) + "\n" for b, w in pairs))
    return path


@pytest.mark.parametrize("seed", [1, 2])
async def test_planted_criteria_are_found_and_unseen_pairs_are_ordered(tmp_path, seed):
    draw = Random(seed)
    rows = [row(n, draw) for n in range(150)]
    pool = Pool(rows, pairs=write(tmp_path / "pairs.jsonl", pairs_of(rows[:50], draw, 30)))
    found = await learn(pool)
    weights = found.weights
    assert weights["actions done again"] < 0
    assert weights["length of thought"] < 0
    assert len(weights) <= 5
    place = {rows[number].id: rank for rank, number in enumerate(await SELECT(pool, 150))}
    held_out = pairs_of(rows[50:], draw, 300)
    assert sum(place[better.id] < place[worse.id] for better, worse in held_out) / 300 > 0.9


async def test_lots_teach_nothing(tmp_path):
    draw = Random(0)
    rows = [row(n, draw) for n in range(60)]
    pairs = write(tmp_path / "pairs.jsonl", [tuple(draw.sample(rows, 2)) for _ in range(30)])
    with pytest.raises(ConfigError, match="better than chance would; give more pairs"):
        await SELECT(Pool(rows, pairs=pairs), 5)


async def test_pairs_are_needed_and_name_rows_of_the_pool(tmp_path):
    rows = [row(n, Random(n)) for n in range(3)]
    with pytest.raises(ConfigError, match="preferences are needed"):
        await SELECT(Pool(rows), 1)
    (tmp_path / "pairs.jsonl").write_text('{"better": "r0", "worse": "gone"}\n')
    with pytest.raises(ConfigError, match=r"pairs\.jsonl, row 1: there is no row 'gone'"):
        await SELECT(Pool(rows, pairs=tmp_path / "pairs.jsonl"), 1)


POLITE, LONG = "Is it polite?", "Is it long?"


def model(bad=()):
    """Return a model that first proposes a criterion of no use, then the one that the pairs were made by."""
    asked = []

    def say(messages):
        asked.append(messages)
        prompt = messages[1].content
        if "Criteria:\n" not in prompt:
            return json.dumps({"criteria": [POLITE, " Is it\nlong? "] if "tried so far" in prompt else [LONG]})
        names = [line.split(". ", 1)[1] for line in prompt.split("Criteria:\n")[1].splitlines()]
        if len(asked) in bad:
            return json.dumps({"ratings": []})
        return json.dumps({"ratings": [9 if name == POLITE and "kindly" in prompt else 1 for name in names]})

    return Scripted([say] * 400), asked


async def test_a_model_words_criteria_that_no_program_measures(tmp_path):
    def worded(number, draw):
        made = row(number, draw)
        last = made.messages[-1].model_copy(update={"content": "kindly" if number % 2 else "bluntly"})
        return made.model_copy(update={"messages": (*made.messages[:-1], last)})

    draw = Random(4)
    rows = [worded(n, draw) for n in range(60)]
    pairs = [(draw.choice(rows[1::2]), draw.choice(rows[::2])) for _ in range(30)]
    asking, asked = model(bad={3})
    found = await learn(Pool(rows, pairs=write(tmp_path / "pairs.jsonl", pairs), model=asking))
    assert found.weights[POLITE] > 0
    assert LONG not in found.weights
    assert all(found.scores[b] > found.scores[w] for b in range(1, 60, 2) for w in range(0, 60, 2))
    assert sum("0% of the pairs agree: Is it long?" in each[1].content for each in asked) == 1
    assert all("<untrusted-" in each[1].content for each in asked)


async def test_a_model_that_does_not_rate_is_an_error(tmp_path):
    rows = [row(n, Random(n)) for n in range(4)]
    pairs = write(tmp_path / "pairs.jsonl", [(rows[0], rows[1])])
    asking, _ = model(bad=range(400))
    with pytest.raises(BadReply, match="ratings"):
        await SELECT(Pool(rows, pairs=pairs, model=asking), 1)
