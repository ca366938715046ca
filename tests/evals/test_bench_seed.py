"""The benchmark of schedules: what it has written, what it counts, what the simulator is given and what is drawn."""

import io
import json
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.engine.drafters._apart import Apart
from webfarer.engine.drafting import DRAFTERS
from webfarer.engine.lengths import Costs
from webfarer.engine.loading import load
from webfarer.engine.speculation import Speculate
from webfarer.engine.timeline import Span
from webfarer.evals.bench import run_bench
from webfarer.evals.benches._seed_aims import aims, headline
from webfarer.evals.benches._seed_cases import AUTO, AUTOREGRESSIVE, FIXED, PLAIN, SEED, SERIAL, Case, Setting
from webfarer.evals.benches._seed_figures import draw
from webfarer.evals.benches._seed_predictions import Prices, _Timed, acceptance, gain, predicted
from webfarer.evals.benches._seed_runs import Phase, Run, Strategy, run
from webfarer.evals.benches._seed_work import Texts, heavier, parameters, phases
from webfarer.worlds.puzzle import PUZZLES

WORDS = ["<bos>", "<eos>", "<unk>", *sorted({word for name in PUZZLES.ids() for word in PUZZLES.load(name).words})]
IN_A_PROCESS = Apart.make
K = 3
TEXTS = Texts(9, fixed=True, temperature=0.2)
USUAL = Texts(9, fixed=False, temperature=0.2)


def write_model(folder, *, layers, seed):
    """A random model of the puzzles' words, whose next word leans on the last one, so that another may guess it."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    torch.manual_seed(0)
    torch.nn.init.normal_(model.model.embed_tokens.weight)
    model.save_pretrained(folder)
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", unk_token="<unk>").save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", autouse=True)
def drafts_here():
    """Draft in this process: to begin another takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Apart, "make", DRAFTERS.load("model").make)
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    return write_model(place / "target", layers=2, seed=1), write_model(place / "draft", layers=1, seed=2)


@pytest.fixture(scope="module")
def target(folders):
    return load(folders[0], "float32", "cpu")


def strategies(draft):
    drafts = Speculate(str(draft), K)
    return [
        Strategy(AUTOREGRESSIVE, "serial"),
        Strategy(SERIAL, "serial", drafts),
        Strategy(SEED, "fcfs", drafts),
        Strategy(FIXED, "batched", drafts),
        Strategy(PLAIN, "batched"),
    ]


@pytest.fixture(scope="module")
def runs(target, folders):
    work = phases(target, TEXTS, 3, seed=1)
    return {strategy.name: run(target, strategy, work) for strategy in strategies(folders[1])}


def test_a_level_is_thoughts_of_one_state_and_evaluations_of_several(target):
    thoughts, values = phases(target, TEXTS, 4, seed=5)
    assert len({request.tokens for request in thoughts}) == 1
    assert len({request.tokens for request in values}) == 4
    assert [request.params.seed for request in thoughts] == [0, 1, 2, 3]
    assert WORDS.index("<unk>") not in {token for request in thoughts + values for token in request.tokens}
    assert phases(target, TEXTS, 4, seed=9)[1] != [values]
    assert len(phases(target, Texts(9, fixed=False, temperature=0, levels=2), 2, seed=1)) == 4


def test_idle_layers_change_the_cost_and_not_a_token(folders, target, tmp_path):
    place = heavier(folders[0], tmp_path / "heavy", 3)
    deep = load(place, "float32", "cpu")
    assert deep.spec.layers == target.spec.layers + 3
    each = (parameters(place) - parameters(folders[0])) / 3
    assert each == pytest.approx((2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 32 + 2 * 32) / 1e6)
    work, plain = phases(target, TEXTS, 2, seed=2), Strategy(PLAIN, "batched")
    assert run(deep, plain, work).texts == run(target, plain, work).texts


def test_every_strategy_writes_the_same_texts_and_notes_what_stood(runs):
    for name, found in runs.items():
        assert found.texts == runs[AUTOREGRESSIVE].texts
        assert {len(text) for text in found.texts} == {TEXTS.new}
        assert found.tokens == 2 * 3 * (TEXTS.new - 1)
        for phase in found.phases:
            assert [sum(stood) + len(stood) for stood in phase.stood] == phase.lengths
        assert sum(sum(map(sum, phase.stood)) for phase in found.phases) == found.accepted, name
        assert 0 < found.busy <= 1
        assert 0 < found.decoding <= found.seconds
    drafted = {runs[name].drafted for name in (SERIAL, SEED, FIXED)}
    assert len(drafted) == 1
    assert runs[FIXED].accepted > 0
    assert runs[PLAIN].drafted == runs[AUTOREGRESSIVE].drafted == 0
    assert runs[AUTOREGRESSIVE].passes == runs[AUTOREGRESSIVE].tokens
    assert runs[PLAIN].passes * 3 == runs[PLAIN].tokens


def test_the_simulator_makes_as_many_passes_as_the_engine(runs, target, folders):
    prices = Prices(*[Costs(((1, 1.0), (99, 1.0)))] * 4)  # a second each, and drafts cost nothing
    may_end = phases(target, USUAL, 3, seed=2)
    for strategy in strategies(folders[1]):
        for found in (runs[strategy.name], run(target, strategy, may_end)):
            assert predicted(strategy, found, prices) == pytest.approx(found.passes)


def test_drafts_whose_length_was_chosen_are_replayed(target, folders):
    drafts_are_free = Costs(((1, 1.0), (101, 2.0)))
    chosen = Strategy(AUTO, "batched", Speculate(str(folders[1]), costs=drafts_are_free))
    found = run(target, chosen, phases(target, USUAL, 3, seed=2))
    assert sum(sum(phase.drafted) for phase in found.phases) == found.drafted > 0
    tokens = sum(len(stood) for phase in found.phases for stood in phase.stood) + found.drafted
    by_token = Costs(((1, 1.0), (101, 101.0)))
    assert predicted(chosen, found, Prices(*[by_token] * 4)) == pytest.approx(tokens)


def test_prices_are_positive_and_reach_as_far_as_drafts_do(target, folders):
    prices = Prices.of(target, str(folders[1]), phases(target, TEXTS, 2, seed=0), K)
    assert [count for count, _ in prices.plain.passes] == [1, 2]
    assert [count for count, _ in prices.one.passes] == [2, K + 1, 2 * K + 1]
    assert [count for count, _ in prices.all.passes][-1] == 2 * (2 * K + 1)
    assert [count for count, _ in prices.beside.passes] == [2, K + 1, 2 * K + 1]
    assert prices.all.draft(2, K) > 0
    assert 1 < prices.bound(2, K) <= 2
    assert prices.bound(1, K) == 1


def test_the_time_between_spans_belongs_to_what_comes_after_it():
    timed = _Timed()
    draft_and_pass = [("draft", 1, 3), ("verify", 4, 6)]
    rounds = [Span(kind, (0, 1), 10 * i + a, 10 * i + b) for i in range(3) for kind, a, b in draft_and_pass]
    timed._take(rounds, K, own=False)
    assert timed.passes == {2 * (K + 1): [3, 3]}, "from the end of the draft; the first is not counted"
    assert timed.drafts == {2: [7 / K, 7 / K]}, "from the end of the pass before"
    assert timed.entering() == 0, "the first took 2, which is no longer"


@settings(max_examples=30)
@given(
    chance=st.floats(0, 1),
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    drafting=st.floats(0, 2),
    slope=st.floats(0, 1),
)
def test_a_gain_is_the_seconds_of_a_batch_with_and_without_drafts(chance, lengths, drafting, slope):
    costs = Costs(((1, 1.0), (101, 1.0 + 100 * slope)), ((1, drafting),))
    with_drafts, without = gain(lengths, chance, Prices(*[costs] * 4))
    rows = [sum(length > step for length in lengths) for step in range(max(lengths))]
    assert without == pytest.approx(sum(1 + (count - 1) * slope for count in rows))
    if chance == 0:
        assert with_drafts == without


def made_up(seconds, drafted, decoding=1.0):
    """A run that took so long, whose one text had three rounds of one pass each."""
    spans = [Span("verify", (0,), 0.0, decoding)]
    return Run([Phase(seconds, [[1] * 7], [[2, 0, 1]], spans)], passes=3, drafted=drafted, accepted=3)


def case(seconds, drafted=0, *, slope=0.0):
    """Two texts at once; `seconds` by strategy. Passes cost more with every token where there is a slope."""
    costs = Costs(((1, 0.25), (101, 0.25 + 100 * slope)), ((1, 0.01),))
    made = {one.name: one for one in [*strategies("nowhere"), Strategy(AUTO, "batched", Speculate("nowhere"))]}
    setting = Setting("target", None, 2, K, made, [])
    runs = {name: [made_up(seconds[name], drafted)] * 3 for name in made}
    return Case(setting, USUAL, runs, [Prices(*[costs] * 4)] * 3)


SECONDS = {AUTOREGRESSIVE: 6.0, SERIAL: 3.0, SEED: 2.6, FIXED: 1.0, AUTO: 1.0, PLAIN: 2.0}


def test_the_chance_of_a_token_counts_no_token_behind_a_rejected_one():
    assert acceptance(made_up(1, 9), K) == 3 / 6
    assert acceptance(made_up(1, 9), 1) == 3 / 4


def test_aims_are_met_or_missed_by_what_was_measured():
    outcome = {row["aim"]: row["outcome"] for row in aims([case(SECONDS)])}
    assert outcome[f"{AUTO} over {SEED}"] == "met"
    assert outcome[f"{AUTO} over {AUTOREGRESSIVE}"] == "met"
    slower = {row["aim"]: row["outcome"] for row in aims([case(SECONDS | {AUTO: 2.1, SEED: 2.8})])}
    assert [found for aim, found in slower.items() if aim.startswith(AUTO)] == ["missed"] * 3


@pytest.mark.parametrize(
    ("seed", "outcome"),
    [
        ([2.8] * 3, "met"),
        ([2.8, 2.8, 3.1], "met"),
        ([3.0] * 3, "missed"),  # no gain
        ([3.4] * 3, "missed"),
        ([2.6] * 3, "missed"),  # 1.15 times as fast, where 1.12 is the most there can be
        ([2.6, 2.6, 2.8], "met"),  # one round keeps to it
    ],
)
def test_first_come_first_served_is_to_gain_and_no_more_than_the_cost_model_allows(seed, outcome):
    made = case(SECONDS)
    made.runs[SEED] = [made_up(seconds, 0) for seconds in seed]
    (row,) = [row for row in aims([made]) if row["aim"] == f"{SEED} over {SERIAL}"]
    assert (row["wanted"], row["outcome"]) == ("> 1, ≤ 1.12", outcome)


def test_where_drafts_do_not_pay_the_aim_is_to_leave_them_out():
    dear = [row for row in aims([case(SECONDS, slope=1.0)]) if "no gain simulated" in row["aim"]]
    drafting = [row for row in aims([case(SECONDS, 12, slope=1.0)]) if "no gain simulated" in row["aim"]]
    assert [row["outcome"] for row in dear + drafting] == ["met", "missed"]
    made = case(SECONDS, slope=1.0)
    made.runs[AUTO] = [made_up(seconds, 0) for seconds in (2.7, 2.7, 1.7)]  # one round of three is no median
    assert [row["outcome"] for row in aims([made]) if "no gain simulated" in row["aim"]] == ["missed"]


def test_the_headline_says_how_much_faster_than_whom():
    assert headline([case(SECONDS)]).endswith(
        "2 texts at once; target, texts as long as they are, temperature 0.2: 2.60 (2.60–2.60, n=3) times as fast as "
        "SEED's schedule, 6.00 (6.00–6.00, n=3) as autoregressive, 2.00 (2.00–2.00, n=3) as batched without drafts"
    )


def test_figures_show_every_span_and_what_waited(runs, tmp_path):
    spans = {name: runs[name].phases[0].spans for name in (AUTOREGRESSIVE, SERIAL, SEED, FIXED)}
    paths = draw(tmp_path / "new", spans, SEED)
    assert [path.name for path in paths] == ["seed-strategies.svg", "seed-schedule.svg"]
    strategies, schedule = (ElementTree.parse(path).getroot() for path in paths)
    bars = [part.get("d", "").count("M") for part in strategies.iter() if part.get("stroke-width") == "12.0"]
    assert sum(bars) == sum(len(span.numbers) for each in spans.values() for span in each)
    said = [part.text for part in schedule.iter() if part.tag.endswith("text")]
    assert {"text 1", "text 2", "text 3", "target"} <= set(said)
    for each in spans[SERIAL], spans[FIXED]:
        assert all(one.end <= other.start for one, other in pairwise(sorted(each, key=lambda span: span.start)))


@pytest.mark.slow
def test_the_whole_benchmark_with_small_models(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(Apart, "make", IN_A_PROCESS)
    options = {
        "model": str(folders[0]),
        "draft": str(folders[1]),
        "plots": tmp_path,
        "quick": True,
        "idle": 1,
        "new": 8,
    }
    path, console = tmp_path / "seed.json", Console(file=io.StringIO(), width=200)
    report = run_bench("seed", options, path, console)
    rows = json.loads(path.read_text())["rows"]
    assert console.file.getvalue().splitlines()[-1] == report.headline
    compared = [row["same_texts"].split("/") for row in rows if "same_texts" in row]
    assert len(compared) == report.n
    assert all(equal == count != "0" for equal, count in compared)
    assert {row["outcome"] for row in rows if row["table"] == "Aims"} <= {"met", "missed"}
    assert {file.name for file in tmp_path.glob("*.svg")} == {"seed-strategies.svg", "seed-schedule.svg"}
