"""Every task: its card fits the other seams, nothing is fetched at import, and what is missing is a clear error."""

import asyncio
import subprocess
import sys
from typing import get_args

import pytest

from webfarer.agents.system import Setting
from webfarer.core.errors import ConfigError
from webfarer.evals.scorer import SCORERS
from webfarer.evals.task import TASKS, Source, open_web
from webfarer.web.scope import Blocklist

GENERATED = ("needle", "web", "world")


@pytest.mark.parametrize("name", TASKS.ids())
def test_a_card_names_what_there_is(name):
    card = TASKS.load(name).card
    assert card.title
    assert card.source
    assert card.settings
    assert set(card.settings) <= set(get_args(Setting))
    assert card.scorers
    assert set(card.scorers) <= set(SCORERS.ids())
    Blocklist(card.blocked)  # refuses what is no site


@pytest.mark.parametrize("name", [name for name in TASKS.ids() if TASKS.load(name).card.hub])
def test_what_is_published_on_a_hub_is_blocked_there(name):
    card = TASKS.load(name).card
    blocked = Blocklist(card.blocked)
    for url in (
        f"https://huggingface.co/datasets/{card.hub}/viewer",
        f"https://huggingface.co/api/datasets/{card.hub}/parquet",
        f"https://huggingface.co/datasets/{card.hub.upper()}",
        f"https://hf.co/datasets/{card.hub.replace('/', '%2F')}",
        f"https://hf-mirror.com//datasets//{card.hub}",
        f"https://datasets-server.huggingface.co/rows?dataset={card.hub}",
    ):
        assert blocked.holds(url), url
    assert not blocked.holds("https://huggingface.co/docs/datasets")


@pytest.mark.parametrize("name", ["browsecomp", "browsecomp_zh", "browsecomp_plus", "gaia", "simpleqa"])
def test_of_a_set_with_many_copies_every_data_set_is_blocked(name):
    blocked = Blocklist(TASKS.load(name).card.blocked)
    assert blocked.holds("https://hf.co/api/datasets/someone/a-copy")
    assert blocked.holds("https://huggingface.co/spaces/someone/a-copy")


@pytest.mark.parametrize("name", TASKS.ids())
async def test_a_missing_file_is_named(name, tmp_path):
    if name in GENERATED:
        return
    with pytest.raises(ConfigError) as raised:
        await TASKS.load(name).items(Source(path=tmp_path / "none.jsonl"))
    assert "none.jsonl" in raised.value.message or "--root" in raised.value.message


@pytest.mark.parametrize("name", [name for name in TASKS.ids() if name not in (*GENERATED, "webnav", "multisite")])
async def test_an_unknown_split_or_subset_is_named(name, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n")
    with pytest.raises(ConfigError):
        await TASKS.load(name).items(Source(path=path, split="nonsense"))
    with pytest.raises(ConfigError):
        await TASKS.load(name).items(Source(path=path, subset="nonsense"))


@pytest.mark.parametrize("name", GENERATED)
async def test_generated_items_are_the_same_every_time_and_a_smaller_run_is_the_beginning_of_a_larger(name):
    task = TASKS.load(name)
    many = await task.items(Source(seed=3, size=8))
    assert many[:5] == await task.items(Source(seed=3, size=5))
    assert len({item.id for item in many}) == 8
    assert not {item.question for item in many} & {item.question for item in await task.items(Source(seed=4, size=8))}
    for wrong in (Source(size=-1), Source(seed=-1), Source(subset="nonsense")):
        if name != "web" or not wrong.subset:
            with pytest.raises(ConfigError):
                await task.items(wrong)


@pytest.mark.slow
def test_ids_do_not_depend_on_the_process():
    program = (
        "import asyncio; from webfarer.evals.task import TASKS, Source; "
        "print([i.id for i in asyncio.run(TASKS.load('needle').items(Source(size=3)))])"
    )
    here = [item.id for item in asyncio.run(TASKS.load("needle").items(Source(size=3)))]
    there = subprocess.check_output([sys.executable, "-c", program], text=True, env={"PYTHONHASHSEED": "7"})
    assert there.strip() == str(here)


async def test_the_open_web_changes_nothing():
    async with open_web() as venue:
        assert venue == {}


@pytest.mark.slow
def test_importing_every_task_loads_neither_the_hub_nor_torch():
    program = (
        "import sys; from webfarer.evals.task import TASKS; [TASKS.load(name) for name in TASKS.ids()]; "
        "print({'torch', 'huggingface_hub', 'inspect_ai', 'ray'} & sys.modules.keys())"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"
