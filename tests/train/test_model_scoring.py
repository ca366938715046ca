"""Scoring in batches: equal to asking row by row, with dropout in the adapters only, and to the definitions."""

from random import Random

import numpy as np
import pytest
import scoring_kit as kit
import torch

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made
from webfarer.train import _thinning
from webfarer.train._logits import BUCKETS, bucketed
from webfarer.train.picker import PICKERS, Round, View
from webfarer.train.pool import PoolItem
from webfarer.train.scoring import Asked, Limits, Scorer
from webfarer.train.view import Views

PROMPTS = kit.prompts(11)
OUTPUTS = kit.prompts(11, longest=6, seed=1)
ASKED = [Asked(prompt, ((5, 1), (6, 7, 1), (8, 1))[: 2 + len(prompt) % 2]) for prompt in PROMPTS]
CLOSE = {"rtol": 0, "atol": 1e-9}


@pytest.fixture(scope="module")
def model():
    return kit.adapted()


def scorer(model, room=0, **values):
    return Scorer(model, [kit.END], Limits(longest=4, room=room), **values)


@pytest.fixture(scope="module")
def together(model):
    return scorer(model)


@pytest.fixture(scope="module")
def alone(model):
    return scorer(model, room=1)  # a batch holds one row at least


@pytest.mark.parametrize("passes", [0, 3])
def test_scores_of_a_batch_are_those_of_rows_alone(together, alone, passes):
    one, other = together.score(PROMPTS, OUTPUTS, passes), alone.score(PROMPTS, OUTPUTS, passes)
    for field in ("nll", "entropy", "information"):
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), **CLOSE)
    assert one.nll.shape == ((3, 11) if passes else (11,))
    for mine, yours in zip(together.choose(ASKED, passes), alone.choose(ASKED, passes), strict=True):
        np.testing.assert_allclose(mine, yours, **CLOSE)
        np.testing.assert_allclose(mine.sum(-1), 1, **CLOSE)


def test_outputs_and_states_of_a_batch_are_those_of_rows_alone(together, alone):
    draws = np.random.default_rng(0).random((11, 4))
    assert together.write(PROMPTS) == alone.write(PROMPTS)
    assert together.write(PROMPTS, draws) == alone.write(PROMPTS, draws) != together.write(PROMPTS)
    for field in ("mean", "last", "residual", "top"):
        one, other = (getattr(each.states(PROMPTS), field) for each in (together, alone))
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.parametrize("length", [3, 40])
@pytest.mark.parametrize("passes", [0, 3])
def test_what_all_prompts_begin_with_is_read_apart_and_changes_nothing(model, together, monkeypatch, length, passes):
    rng, read = Random(length), []
    begins = tuple(rng.randrange(2, len(kit.WORDS)) for _ in range(length))
    prompts = [begins + prompt for prompt in PROMPTS]
    asked = [Asked(begins + one.prompt, one.choices) for one in ASKED]
    draws = np.random.default_rng(0).random((11, 4))
    monkeypatch.setattr(
        Scorer,
        "_forward",
        lambda self, ids, *rest, kept=Scorer._forward: read.append(ids.shape) or kept(self, ids, *rest),
    )
    scores, chosen = together.score(prompts, OUTPUTS, passes), together.choose(asked, passes)
    written = together.write(prompts, draws)
    assert [shape for shape in read if shape[1] == length] == (
        [] if length == 3 else [(passes or 1, 40)] * 2 + [(1, 40)]
    )
    for row in range(11):
        one = together.score(prompts[row : row + 1], OUTPUTS[row : row + 1], passes)
        for field in ("nll", "entropy", "information"):
            np.testing.assert_allclose(getattr(scores, field)[..., row], getattr(one, field)[..., 0], **CLOSE)
        np.testing.assert_allclose(chosen[row], together.choose(asked[row : row + 1], passes)[0], **CLOSE)
        assert written[row] == together.write(prompts[row : row + 1], draws[row : row + 1])[0]


def test_scores_are_what_their_definitions_say(model, together):
    scores, chosen = together.score(PROMPTS, OUTPUTS), together.choose(ASKED)
    for row, (prompt, output) in enumerate(zip(PROMPTS, OUTPUTS, strict=True)):
        with torch.no_grad():
            logs = model.eval()(torch.tensor([prompt + output])).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        assert scores.nll[row] == pytest.approx(
            -sum(float(log[token]) for log, token in zip(logs, output, strict=True))
        )
        assert scores.entropy[row] == pytest.approx(float(-(logs.exp() * logs).sum()))
    assert not scores.information.any()
    for row, one in enumerate(ASKED):
        sums = together.score([one.prompt] * len(one.choices), one.choices).nll
        np.testing.assert_allclose(chosen[row], np.exp(-sums) / np.exp(-sums).sum(), **CLOSE)


@pytest.mark.parametrize("draws", [None, np.random.default_rng(1).random((11, 4))])
def test_what_is_written_is_scored_in_passing(together, draws):
    outputs, passing = together.answer(PROMPTS, draws)
    again = together.score(PROMPTS, outputs)
    for field in ("nll", "entropy", "information"):
        np.testing.assert_allclose(getattr(passing, field), getattr(again, field), **CLOSE)


def test_merged_matrices_give_what_masks_at_the_input_give(model, together, monkeypatch):
    merged, chosen = together.score(PROMPTS, OUTPUTS, 3), together.choose(ASKED, 3)
    monkeypatch.setattr(_thinning, "_plain", lambda layer, name: False)
    masked = together.score(PROMPTS, OUTPUTS, 3)
    for field in ("nll", "entropy", "information"):
        np.testing.assert_allclose(getattr(merged, field), getattr(masked, field), **CLOSE)
    for mine, yours in zip(chosen, together.choose(ASKED, 3), strict=True):
        np.testing.assert_allclose(mine, yours, **CLOSE)
    assert not any("forward" in vars(part) for part in model.modules())


def test_outputs_are_what_transformers_generates(model, together):
    for prompt, output in zip(PROMPTS[:4], together.write(PROMPTS[:4]), strict=True):
        found = model.eval().generate(input_ids=torch.tensor([prompt]), max_new_tokens=4, do_sample=False)
        assert output == tuple(found[0, len(prompt) :].tolist())


def test_sampled_tokens_have_the_models_probabilities(together, model):
    """Evenly spread draws give each token its probability to within one draw at either end."""
    draws = (np.arange(500)[:, None] + 0.5) / 500
    first = Scorer(model, [kit.END], Limits(longest=1)).write([PROMPTS[0]] * len(draws), draws)
    found = np.bincount([token for (token,) in first], minlength=len(kit.WORDS)) / len(draws)
    with torch.no_grad():
        chances = model.eval()(torch.tensor([PROMPTS[0]])).logits[0, -1].softmax(-1).numpy()
    assert np.abs(found - chances).max() <= 1 / len(draws) + 1e-9


def test_information_is_the_entropy_of_the_mean_less_the_mean_entropy(together):
    outputs = [output[:1] for output in OUTPUTS]
    scores = together.score(PROMPTS, outputs, 3)
    whole = [Asked(prompt, tuple((token,) for token in range(len(kit.WORDS)))) for prompt in PROMPTS]
    for row, p in enumerate(together.choose(whole, 3)):
        disorder = -(p.mean(0) * np.log(p.mean(0))).sum() + (p * np.log(p)).sum(-1).mean()
        assert scores.information[row] == pytest.approx(disorder)
        assert disorder > 0


@pytest.mark.parametrize("dora", [False, True])
def test_passes_differ_with_dropout_and_not_without(dora):
    for dropout in (0.0, 0.3):
        one = scorer(kit.adapted(dropout, dora=dora))
        passes, chosen = one.score(PROMPTS, OUTPUTS, 3).nll, one.choose(ASKED, 3)
        for found in (passes, *chosen):
            apart = np.ptp(found, axis=0)
            assert (apart > 1e-9).all() if dropout else not apart.any()


def test_a_pass_is_one_thinned_network_whatever_else_is_asked(model, together):
    three, five = (together.score(PROMPTS, OUTPUTS, passes).nll for passes in (3, 5))
    np.testing.assert_allclose(three, five[:3], **CLOSE)
    np.testing.assert_allclose(three[:, 4:6], together.score(PROMPTS[4:6], OUTPUTS[4:6], 3).nll, **CLOSE)
    other = Scorer(model, [kit.END], Limits(seed=1)).score(PROMPTS, OUTPUTS, 3).nll
    assert np.abs(three - other).max() > 1e-3


def test_nothing_but_the_input_of_a_is_dropped():
    """With B = 0 what A reads does not matter, so every pass is the base model."""
    model = kit.adapted(spread=0)
    plain = scorer(model, plain=True)
    np.testing.assert_allclose(
        scorer(model).score(PROMPTS, OUTPUTS, 3).nll, plain.score(PROMPTS, OUTPUTS, 3).nll, rtol=0, atol=1e-12
    )


def test_an_untrained_adapter_scores_exactly_as_the_base_model():
    model = kit.adapted(spread=0)
    one, other = scorer(model), scorer(model, plain=True)
    assert one.write(PROMPTS) == other.write(PROMPTS)
    for field in ("nll", "entropy"):
        assert (getattr(one.score(PROMPTS, OUTPUTS), field) == getattr(other.score(PROMPTS, OUTPUTS), field)).all()


def test_the_model_is_left_as_it_was(model):
    model.train()
    frozen = [weight.requires_grad for weight in model.parameters()]
    before = [part.training for part in model.modules()]
    one = scorer(model).score(PROMPTS, OUTPUTS, 2)
    assert [part.training for part in model.modules()] == before
    scorer(model, plain=True).write(PROMPTS)
    assert [part.training for part in model.modules()] == before
    assert [weight.requires_grad for weight in model.parameters()] == frozen
    assert (scorer(model).score(PROMPTS, OUTPUTS, 2).nll == one.nll).all()
    assert not any(part._forward_hooks for part in model.modules() if isinstance(part, torch.nn.Dropout))


def test_large_vocabularies_keep_inner_products_on_average():
    rows = torch.softmax(torch.randn(6, 50 * BUCKETS, generator=torch.Generator().manual_seed(1)).double() * 4, -1)
    found = bucketed(rows)
    assert found.shape == (6, BUCKETS)
    assert torch.allclose(found @ found.T, rows @ rows.T, atol=0.02)
    assert (bucketed(rows[:, :BUCKETS]) == rows[:, :BUCKETS]).all()


ITEMS = [
    PoolItem(id=str(row), prompt=" ".join(kit.WORDS[token] for token in prompt), choices=("a", "b c"))
    for row, prompt in enumerate(PROMPTS)
]
OPEN = [item.model_copy(update={"choices": ()}) for item in ITEMS]


@pytest.fixture(scope="module")
def views(model):
    return {
        closed: Views(model, kit.language(), items, Limits(longest=4))
        for closed, items in ((True, ITEMS), (False, OPEN))
    }


@pytest.fixture(scope="module")
def seen(views, model):
    return {closed: views[closed].at(model, range(2, 11)) for closed in views}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("name", PICKERS.ids())
def test_every_picker_picks_by_models(seen, name, closed):
    view: View = seen[closed]
    picker = made(PICKERS, "semantic:samples=2" if name == "semantic" else name)
    picks = [picker.pick(view, 4, Round(0, 9, Random(3))).rows for _ in range(2)]
    assert picks[0] == picks[1]
    assert len(set(picks[0])) == 4
    assert set(picks[0]) <= set(range(9))


def test_what_is_known_of_an_item_does_not_depend_on_the_others(views, model):
    some, all_ = (views[True].at(model, rows) for rows in ([3, 5, 9], range(11)))
    for who in ("base", "adapted"):
        np.testing.assert_allclose(some.nll(who), all_.nll(who)[[3, 5, 9]], **CLOSE)
        np.testing.assert_allclose(some.lengths(who), all_.lengths(who)[[3, 5, 9]])
        np.testing.assert_allclose(some.choices(who)[1], all_.choices(who)[5], **CLOSE)
    assert some.samples(2, seed=4) == [all_.samples(2, seed=4)[row] for row in (3, 5, 9)]
    assert some.samples(2, seed=4) != some.samples(2, seed=5)
    assert len(some) == 3


@pytest.mark.slow
@pytest.mark.parametrize("closed", [True, False])
def test_a_part_of_a_view_is_the_view_of_those_rows_and_asks_nothing_more(views, model, monkeypatch, closed):
    rows = [1, 4, 5, 8, 9]
    whole, fresh = views[closed].at(model, rows), views[closed].at(model, [4, 9])
    numbers = [
        *[
            lambda view, who=who, passes=passes: view.nll(who, passes)
            for who in ("base", "adapted")
            for passes in (0, 2)
        ],
        lambda view: view.entropy("adapted", 2),
        lambda view: view.information(2),
        lambda view: view.lengths("adapted"),
        lambda view: view.leaders(),
        lambda view: view.embeddings(),
        lambda view: np.sort(view.picked(), axis=0),
        *[lambda view, place=place: view.gradients()[place] for place in (0, 1)],
        *([lambda view: np.stack(view.choices("adapted", 2))] if closed else []),
    ]
    expected, texts = [number(fresh) for number in numbers], fresh.samples(2, 4)
    before = [number(whole) for number in numbers], whole.samples(2, 4)
    assert len(before[0]) == len(numbers)
    monkeypatch.setattr(whole.adapted, "_scorer", None)
    part = whole.part([0, 1, 4]).part([1, 2])
    for number, value in zip(numbers, expected, strict=True):
        np.testing.assert_allclose(number(part), value, **CLOSE)
    assert (part.samples(2, 4), part.closed, len(part)) == (texts, closed, 2)


def test_the_base_model_is_asked_once_and_the_adapted_model_in_every_round(model, monkeypatch):
    asked = []
    monkeypatch.setattr(
        Scorer, "answer", lambda self, *given, _old=Scorer.answer: asked.append(self) or _old(self, *given)
    )
    views = Views(model, kit.language(), ITEMS, Limits(longest=3))
    for rows in ([1, 2, 3], [1, 2]):
        view = views.at(model, rows)
        view.nll("base"), view.entropy("base"), view.nll("adapted"), view.entropy("adapted")
    assert len(asked) == 3
    assert len(set(map(id, asked))) == 3


def test_items_without_choices_have_no_probabilities_of_choices(views, model):
    view = views[False].at(model, [1, 2])
    assert not view.closed
    with pytest.raises(ConfigError, match="without choices"):
        view.choices("adapted")
