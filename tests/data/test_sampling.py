"""Samples: as many as were asked for, each with its own seed, the same again, and gone on with when they were cut."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling_kit import write_questions

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.core.trace import read_events
from webfarer.data.sampling import Mixture, Samples, folders_in, parts, sample
from webfarer.data.trajectories import trajectories
from webfarer.data.trajectory import Trajectory
from webfarer.evals.records import Folder
from webfarer.evals.runner import Spread
from webfarer.models.faulty import planted

ONE = Spread(jobs=2)


def samples(tmp_path: Path, questions: int, **changes: object) -> Samples:
    """Ask for two samples of each question by the model that errs on purpose."""
    path = write_questions(tmp_path / "questions.jsonl", questions)
    settings = load_settings(home=tmp_path / "home", ask={"dialect": "tags"}, seed=7)
    plain = Samples(path, settings, setting="search", count=2, mixture=Mixture((f"faulty:{path}",)))
    return replace(plain, **changes)  # type: ignore[arg-type]


def told(folders: list[Folder]) -> list[tuple[object, ...]]:
    """What is the same from run to run."""
    return [
        (
            one.result.run,
            one.plan.seed,
            one.result.answer and one.result.answer.text,
            one.result.marks,
            one.actions,
            [call.reply and call.reply.text for call in one.said],
            one.hashes,
        )
        for folder in folders
        for one in trajectories(folder)
    ]


def everything(folders: list[Folder]) -> list[Trajectory]:
    return [one for folder in folders for one in trajectories(folder)]


@given(
    st.integers(1, 12),
    st.sets(st.sampled_from(["a:b", "c:d", ""]), min_size=1),
    st.sets(st.sampled_from([0.0, 0.7, 1.0]), min_size=1),
)
def test_samples_are_split_evenly_and_share_no_seed(count: int, models: set[str], temperatures: set[float]) -> None:
    mixture = Mixture(tuple(sorted(models)), tuple(sorted(temperatures)), ("withheld", "kept"))
    made = parts(Samples(Path("q"), load_settings(seed=3), count=count, mixture=mixture))
    seeds = [part.seed + number for part in made for number in range(part.count)]
    assert sorted(seeds) == list(range(3, 3 + count))
    assert max(part.count for part in made) - min(part.count for part in made) <= 1
    assert len({part.name for part in made}) == len(made)


def test_a_mixture_names_nothing_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name each model"):
        parts(Samples(tmp_path, load_settings(), mixture=Mixture(temperatures=(0.5, 0.5))))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mixture": Mixture(("ruled:overlap",), temperatures=(0.0, 3.0))}, "temperature"),
        ({"mixture": Mixture(("ruled:overlap",), temperatures=(float("nan"),))}, "temperature"),
        ({"mixture": Mixture(("ruled:overlap",), thoughts=("foo",))}, "ask.thoughts"),  # type: ignore[arg-type]
        ({"mixture": Mixture(("ruled:overlap", "nosuch:model"))}, "write provider:model"),
        ({"judge": "nosuch:model"}, "write provider:model"),
        ({"agent": "nobody"}, "unknown agent"),
        ({"setting": "nonsense"}, "another --setting"),
        ({"questions": Path("missing.jsonl")}, "missing.jsonl"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        sample(replace(samples(tmp_path, 1), **changes), tmp_path / "out", ONE)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_another_mixture_may_follow_one_of_which_nothing_was_begun(tmp_path: Path) -> None:
    first = samples(tmp_path, 1, ceiling=Budget(tokens=0))
    assert [list(folder.results()) for folder in sample(first, tmp_path / "out", ONE)] == [[]]
    second = replace(first, mixture=replace(first.mixture, temperatures=(0.5,)))
    (folder,) = sample(second, tmp_path / "out", ONE)
    assert Path(folder.plan.source).is_absolute()


@pytest.mark.slow
def test_a_mixture_is_sampled_and_what_each_part_was_is_recorded(tmp_path: Path) -> None:
    asked = samples(tmp_path, 1)
    both = replace(asked, mixture=replace(asked.mixture, temperatures=(0.0, 0.6), thoughts=("kept",)))
    sample(both, tmp_path / "out", ONE)
    folders = folders_in(tmp_path / "out")
    found = everything(folders)
    assert [(one.plan.seed, one.result.number) for one in found] == [(7, 1), (8, 1)]
    drawn = {one.plan.seed: {call.sampling["temperature"] for call in one.said} for one in found}
    assert drawn == {7: {0.0}, 8: {0.6, 0.0}}  # decisions are drawn, readings are not
    recorded = read_events(folders[1].trace(found[1].result.run))[0].data["settings"]
    assert (recorded["temperature"], recorded["ask"]["thoughts"]) == (0.6, "kept")
    shown = [message["content"] for message in found[0].said[-1].messages if message["role"] == "assistant"]
    assert shown
    assert all(text.startswith("<think>\n") for text in shown)
    with pytest.raises(ConfigError, match="another mixture"):
        sample(asked, tmp_path / "out", ONE)
    with pytest.raises(ConfigError, match="holds no runs"):
        folders_in(tmp_path / "home")


@pytest.mark.slow
def test_a_limit_on_the_whole_is_looked_at_before_each_attempt(tmp_path: Path) -> None:
    asked = samples(tmp_path, 1, count=3, ceiling=Budget(tokens=1))
    part = replace(asked.mixture, temperatures=(0.0, 1.0))
    out = tmp_path / "out"
    first, second = sample(replace(asked, mixture=part), out, Spread(jobs=1))
    assert [len(list(folder.results())) for folder in (first, second)] == [1, 0]
    sample(replace(asked, mixture=part, ceiling=None), out, ONE)
    assert [len(list(folder.results())) for folder in (first, second)] == [2, 1]
    with pytest.raises(ConfigError, match="one process"):
        sample(replace(asked, mixture=part), out, Spread(processes=2))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_read_on_other_nodes_comes_home(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    asked = samples(tmp_path, 3)
    here = sample(asked, tmp_path / "here", ONE)
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        there = sample(asked, tmp_path / "there", Spread(jobs=2, ray=True))
    finally:
        ray.shutdown()
    assert told(there) == told(here)
    assert all(one.hashes for one in everything(there))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_questions_twice_cut_and_gone_on_with(tmp_path: Path) -> None:
    asked = samples(tmp_path, 20)
    mixture = replace(asked.mixture, models=(*asked.mixture.models, "ruled:overlap"))
    asked = replace(asked, mixture=mixture, count=4)
    whole = sample(asked, tmp_path / "whole", Spread(jobs=4))
    found = everything(whole)
    assert Counter(one.plan.model for one in found) == dict.fromkeys(mixture.models, 40)
    for one in found:
        if one.plan.model.startswith("faulty"):
            kind = planted(one.item.question, one.plan.seed + one.result.number - 1)
            assert one.right == (kind != "wrong_answer")
            assert any(action.unnamed for action in one.actions) == (kind == "made_up_address")

    cut = sample(asked, tmp_path / "cut", Spread(jobs=2, processes=2))
    for number, path in enumerate(sorted(cut[0].path.glob("runs/*.jsonl"))):
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) * (number % 4) // 3]))
        cut[0].marking(path.stem).unlink()
    skipped: Counter[str] = Counter()
    assert list(trajectories(cut[0], skipped)) == []
    assert skipped["unfinished"] == 40
    assert told(sample(asked, tmp_path / "cut", ONE)) == told(whole)
