"""Fine-tuning: what a step's loss is, what it does not depend on, and how it stops."""

import math
from itertools import pairwise

import pytest
import torch
from accelerate.state import AcceleratorState
from hypothesis import given
from hypothesis import strategies as st
from sft_kit import examples, tiny

from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.data.masking import IGNORED
from webfarer.train.example import Example
from webfarer.train.fitting import Settings, fitting
from webfarer.train.tuners.constrained import Constrained
from webfarer.train.tuners.full import Full
from webfarer.train.tuners.lora import Lora

ONCE = Settings(epochs=1, batch=64, rate=1e-3, clip=0.0)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def fitted(settings, rows, steps=None):
    model = Full().attach(tiny.llama(layers=1), 1)
    with fitting(model, Full(), rows, settings) as run:
        while run.step < (run.steps if steps is None else steps):
            run.advance()
    return run, weights(model)


@pytest.mark.parametrize("packed", [True, False])
def test_one_pass_or_sixty_four_are_the_same_step(packed: bool) -> None:
    rows = examples(64, 6)
    points, after = [], []
    for room in (10**6, 60, 1):
        settings = Settings(
            **{**{name: getattr(ONCE, name) for name in ONCE.__slots__}, "room": room, "packed": packed}
        )
        run, end = fitted(settings, rows)
        points.append(run.points[0])
        after.append(end)
    for point, end in zip(points, after, strict=True):
        assert point.loss == pytest.approx(points[0].loss, rel=1e-6)
        assert point.norm == pytest.approx(points[0].norm, rel=1e-6)
        torch.testing.assert_close(end, after[0], rtol=1e-6, atol=1e-6)


def test_a_loss_is_the_mean_over_all_taught_tokens_of_a_step() -> None:
    rows = examples(10, 12)
    model = tiny.llama(layers=1)
    each = [model(torch.tensor([row.ids])).logits[0].log_softmax(-1).detach() for row in rows]
    taught = [
        -float(said[place - 1, row.ids[place]])
        for row, said in zip(rows, each, strict=True)
        for place in range(1, len(row.ids))
        if row.labels[place] != IGNORED
    ]
    run, _ = fitted(ONCE, rows)
    assert run.points[0].loss == pytest.approx(sum(taught) / len(taught), rel=1e-6)
    assert run.points[0].taught == len(taught) == sum(row.taught for row in rows)
    assert run.points[0].tokens == sum(len(row.ids) for row in rows)


def test_layers_that_are_computed_again_give_the_same_step() -> None:
    rows = examples(6, 8)
    for tuner in (Full(), Lora(rank=2, dropout=0.3)):
        plain, again = (
            tuner.attach(tiny.llama(layers=2, dtype=torch.float32), 1).requires_grad_(True) for _ in range(2)
        )
        seen = []
        for model, checkpointing in ((plain, False), (again, True)):
            calls: list[int] = []
            layer = next(part for part in model.modules() if type(part).__name__ == "LlamaMLP")
            layer.register_forward_pre_hook(lambda *given, calls=calls: calls.append(1))
            with fitting(model, tuner, rows, Settings(epochs=1, batch=6, checkpointing=checkpointing)) as run:
                calls.clear()
                run.advance()
            seen.append(len(calls))
        assert seen == [1, 2]
        torch.testing.assert_close(weights(again), weights(plain), rtol=0, atol=0)


def test_a_pass_that_does_not_fit_says_what_to_do() -> None:
    model = Full().attach(tiny.llama(layers=1), 1)
    with fitting(model, Full(), examples(2, 5), ONCE) as run:
        model.model.layers[0].register_forward_pre_hook(_full)
        with pytest.raises(WebfarerError, match="lower --room"):
            run.advance()


def _full(*given: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_what_accelerate_is_configured_to_does_not_change_a_step(monkeypatch) -> None:
    rows = examples(6, 8)
    plain, after = fitted(Settings(epochs=1, batch=6, rate=1e-2), rows)
    monkeypatch.setenv("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "4")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    AcceleratorState._reset_state(reset_partial_state=True)
    configured, end = fitted(Settings(epochs=1, batch=6, rate=1e-2), rows)
    assert configured.points == plain.points
    torch.testing.assert_close(end, after, rtol=0, atol=0)


def test_processes_that_accelerate_does_not_see_are_refused(monkeypatch) -> None:
    fitted(ONCE, examples(2, 5))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="2 processes were launched, and accelerate sees 1"):
        fitted(ONCE, examples(2, 5))


def test_all_examples_come_once_an_epoch_in_another_order() -> None:
    rows = examples(10, 6)
    with fitting(Full().attach(tiny.llama(layers=1), 1), Full(), rows, Settings(epochs=2, batch=4)) as run:
        epochs = [[each.id for step in range(3) for each in run._chosen(step + 3 * epoch)] for epoch in range(2)]
        assert run.steps == 6
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(row.id for row in rows)
    assert epochs[0] != epochs[1]


def test_a_row_without_a_taught_token_and_no_row_at_all_are_refused() -> None:
    silent = Example("silent", (1, 2, 3), (IGNORED,) * 3)
    for rows, said in (([*examples(2, 5), silent], "silent: no token"), ([], "no example")):
        with pytest.raises(ConfigError, match=said), fitting(tiny.llama(layers=1), Full(), rows, ONCE):
            pass


def test_a_loss_that_is_no_number_stops_before_the_step_and_names_the_rows() -> None:
    rows = [Example(f"row{number}", (number, 7, 9), (IGNORED, 7, 9)) for number in range(3)]
    model = Full().attach(tiny.llama(layers=1), 1)
    with torch.no_grad():
        model.model.embed_tokens.weight[2] = math.nan
    settings = Settings(epochs=1, batch=1, seed=3)
    seen = []
    with (
        fitting(model, Full(), rows, settings) as run,
        pytest.raises(WebfarerError, match=r"loss nan.*row2") as error,
    ):
        run.run(lambda run: seen.append(weights(model)))
    assert error.value.detail["step"] == run.step + 1 == 3
    torch.testing.assert_close(weights(model), seen[-1], rtol=0, atol=0, equal_nan=True)


def test_dropout_and_penalty_are_at_work_and_repeatable() -> None:
    rows = examples(4, 8)

    def trained(tuner):
        model = tuner.attach(tiny.llama(layers=1, dtype=torch.float32), 1)
        with fitting(model, tuner, rows, Settings(epochs=6, batch=2, rate=1e-2)) as run:
            run.run()
        ups = [weight for name, weight in model.named_parameters() if "lora_B" in name]
        return run.points, sum(float(up.detach().square().sum()) for up in ups)

    plain, dropped = trained(Lora(rank=2)), trained(Lora(rank=2, dropout=0.5))
    assert trained(Lora(rank=2, dropout=0.5)) == dropped != plain
    assert trained(Constrained(rank=2, dropout=0.0, gamma=100.0))[1] < plain[1] / 2


def test_held_out_examples_are_scored_like_a_step() -> None:
    rows = examples(12, 9)
    with fitting(Full().attach(tiny.llama(layers=1), 1), Full(), rows, ONCE) as run:
        score = run.evaluate(rows)
        run.advance()
    assert score == pytest.approx(run.points[0].loss, rel=1e-6)
    assert run.scores == {0: score}


def test_accuracy_is_the_share_of_taught_tokens_that_are_the_likeliest() -> None:
    rows = examples(12, 9)
    model = tiny.llama(layers=1)
    best = [model(torch.tensor([row.ids])).logits[0].argmax(-1).tolist() for row in rows]
    taught = [
        best[number][place - 1] == row.labels[place]
        for number, row in enumerate(rows)
        for place in range(1, len(row.ids))
        if row.labels[place] != IGNORED
    ]
    # rows of which the model's own choice is taught too: else hardly any is right
    said = [Example(f"s{n}", (*row.ids, best[n][-1]), (*row.labels, best[n][-1])) for n, row in enumerate(rows)]
    for packed in (True, False):
        with fitting(model, Full(), rows, Settings(room=20, packed=packed)) as run:
            run.evaluate(said)
        assert run.accuracies[0] == pytest.approx((sum(taught) + len(said)) / (len(taught) + len(said)))


@given(st.sampled_from(["linear", "cosine", "constant"]), st.floats(0, 1), st.integers(1, 300), st.floats(1e-6, 1e-1))
def test_a_rate_rises_to_its_highest_and_falls(schedule: str, warmup: float, steps: int, rate: float) -> None:
    settings = Settings(schedule=schedule, warmup=warmup, rate=rate)
    rates = [settings.rate_at(step, steps) for step in range(steps)]
    rising = round(warmup * steps)
    assert all(0 <= each <= rate * (1 + 1e-12) for each in rates)
    assert all(low < high for low, high in pairwise(rates[: rising + 1]))
    assert all(high >= low for high, low in pairwise(rates[rising:]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        *({"rate": rate} for rate in (0.0, math.nan, math.inf)),
        *({"warmup": share} for share in (2.0, math.nan)),
        {"schedule": "steps"},
        *({"clip": most} for most in (-1.0, math.nan)),
        {"decay": math.nan},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        Settings(**wrong)
