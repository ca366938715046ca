"""The simulator against closed forms, and what must hold of every schedule."""

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine.lengths import Costs, expected
from webfarer.engine.simulating import STRATEGIES, Work, simulate

K = 4
strategies = pytest.mark.parametrize("strategy", list(STRATEGIES))


def costs(drafting=0.3, batch=None):
    """A pass over one draft takes 1, its draft `drafting`; `batch` says how long a pass over how many of them takes."""
    more = ((batch[0] * (K + 1), batch[1]),) if batch else ()
    return Costs(((K + 1, 1.0), *more), ((1, drafting / K),))


def equal(branches, rounds=400, **options):
    return Work((rounds * (K + 1),) * branches, K, (1.0,) * branches, **options)


@pytest.mark.parametrize(
    ("branches", "drafting", "gain"), [(3, 0.3, 1.30), (3, 2.0, 3.0), (8, 0.3, 1.30), (2, 5.0, 2.0), (1, 0.3, 1.0)]
)
def test_first_come_first_served_gains_what_the_closed_form_says(branches, drafting, gain):
    assert gain == min(branches, 1 + drafting)
    serial = simulate("serial", equal(branches), costs(drafting))
    found = simulate("fcfs", equal(branches), costs(drafting))
    assert serial.wall == pytest.approx(400 * branches * (drafting + 1))
    assert serial.wall / found.wall == pytest.approx(gain, rel=0.01)
    assert found.utilisation == pytest.approx(branches / max(branches, drafting + 1), rel=0.01)
    assert serial.utilisation == pytest.approx(1 / (1 + drafting))


@pytest.mark.parametrize(("branches", "time", "gain"), [(8, 1.1, 7.43), (3, 1.1, 2.79)])
def test_one_pass_for_all_gains_what_the_closed_form_says(branches, time, gain):
    serial = simulate("serial", equal(branches), costs())
    found = simulate("batched", equal(branches), costs(batch=(branches, time)))
    assert serial.wall / found.wall == pytest.approx(gain, abs=0.005)
    assert serial.wall / found.wall == pytest.approx(branches * 1.3 / (0.3 + time))
    assert (found.passes, found.utilisation) == (400, pytest.approx(time / (0.3 + time)))


def test_plain_decoding_is_one_pass_a_token():
    found = simulate("autoregressive", Work((3, 5), K, (1.0, 1.0)), costs())
    assert (found.wall, found.passes, found.utilisation, found.rate) == (8, 8, 1, 1)
    assert (found.proposed, {span.kind for span in found.timeline}) == (0, {"decode"})
    together = simulate("batched", Work((3, 5), 0, (1.0, 1.0)), costs())
    assert (together.wall, together.passes, together.proposed) == (5, 5, 0)


def test_passes_without_drafts_have_their_own_cost():
    plain = Costs(((1, 0.5),))
    assert simulate("autoregressive", Work((3, 5), K, (1.0, 1.0)), costs(), plain).wall == 4
    # 5 tokens with a draft, and the last one alone
    assert simulate("serial", Work((6,), K, (1.0,)), costs(), plain).wall == pytest.approx(0.3 + 1 + 0.5)


@pytest.mark.parametrize(("strategy", "drafts"), [("autoregressive", 0), ("serial", 3), ("batched", 1)])
def test_the_first_draft_of_a_branch_takes_longer(strategy, drafts):
    known, new = (simulate(strategy, equal(3, 2, entering=time), costs()).wall for time in (0.0, 2.0))
    assert new - known == pytest.approx(2 * drafts)


def test_the_expected_number_of_tokens_stands():
    found = simulate("serial", Work((60_000,), K, (0.7,)), costs())
    assert sum(found.tokens) / found.passes == pytest.approx(expected(0.7, K), rel=0.02)


def test_a_record_is_played_and_begun_again():
    found = simulate("serial", Work((14,), K, record=((4, 0, 1),)), costs())
    # 5, 1, 2, 5 tokens, and the last one alone
    assert (found.passes, found.accepted, found.proposed) == (5, 9, 4 * K)


def test_a_chart_shows_who_waits_for_whom():
    found = simulate("fcfs", Work((5, 5, 5), K, (1.0,) * 3, workers=2), costs(2.0))
    bars = [(*span.numbers, span.kind, span.start, span.end) for span in found.timeline]
    assert bars == [
        (0, "draft", 0, 2),
        (1, "draft", 0, 2),
        (0, "verify", 2, 3),
        (2, "draft", 2, 4),
        (1, "verify", 3, 4),
        (2, "verify", 4, 5),
    ]


works = st.integers(1, 6).flatmap(
    lambda branches: st.builds(
        Work,
        st.tuples(*[st.integers(1, 30)] * branches),
        st.integers(0, 5),
        st.tuples(*[st.sampled_from([0.0, 0.4, 0.8, 1.0])] * branches),
        workers=st.integers(0, 3),
        room=st.integers(0, 3),
        seed=st.integers(0, 9),
    )
)
prices = st.builds(
    lambda v, slope, d: Costs(((1, v), (10, v + slope)), ((1, d), (4, d + slope))),
    st.sampled_from([1.0, 0.25]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.0625, 1.0]),
)


@strategies
@given(work=works, price=prices)
def test_what_holds_of_every_schedule(strategy, work, price):
    found = simulate(strategy, work, price)
    assert found.tokens == list(work.lengths)
    assert found.passes + found.accepted <= sum(work.lengths)
    assert 0 < found.utilisation <= 1 + 1e-9
    passes = sorted((s for s in found.timeline if s.kind != "draft"), key=lambda span: span.start)
    assert len(passes) == found.passes
    for one, other in pairwise(passes):
        assert other.start >= one.end  # there is one model
    for branch in range(len(work.lengths)):
        own = [span for span in found.timeline if branch in span.numbers]
        for one, other in pairwise(own):
            assert other.start >= one.end
            assert (one.kind, other.kind) != ("draft", "draft")
    drafts = [span for span in found.timeline if span.kind == "draft"]
    at_once = max((sum(s.start <= draft.start < s.end for s in drafts) for draft in drafts), default=0)
    assert at_once <= ((work.workers or len(work.lengths)) if strategy == "fcfs" else 1)


@given(work=works, price=prices)
def test_rounds_do_not_depend_on_the_strategy(work, price):
    speculative = [simulate(name, work, price) for name in ("serial", "fcfs", "batched")]
    for branch in range(len(work.lengths)):
        counts = {sum(branch in s.numbers and s.kind == "verify" for s in found.timeline) for found in speculative}
        assert len(counts) == 1
    assert len({(found.proposed, found.accepted) for found in speculative}) == 1


@given(work=works, price=prices)
def test_drafts_are_verified_in_the_order_in_which_they_were_ready(work, price):
    found = simulate("fcfs", work, price)
    ready, order = dict.fromkeys(range(len(work.lengths)), 0.0), []
    for span in sorted(found.timeline, key=lambda s: (s.end, s.start)):
        branch = span.numbers[0]
        if span.kind == "verify":
            order.append((span.start, ready[branch], branch))
        ready[branch] = span.end
    order.sort(key=lambda entry: entry[0])
    assert [entry[1] for entry in order] == sorted(entry[1] for entry in order)


@pytest.mark.slow
@strategies
@given(work=works, price=prices)
def test_nobody_starves(strategy, work, price):
    if strategy in ("autoregressive", "serial"):
        return
    found = simulate(strategy, work, price)
    room = 1 if strategy == "fcfs" else work.room or len(work.lengths)
    passes = sorted((s for s in found.timeline if s.kind == "verify"), key=lambda span: span.start)
    most = ceil(len(work.lengths) / room)
    for branch in range(len(work.lengths)):
        ready = 0.0
        for span in sorted((s for s in found.timeline if branch in s.numbers), key=lambda s: s.start):
            if span.kind == "verify":
                assert sum(ready <= other.start <= span.start for other in passes) <= most
            ready = span.end


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(ConfigError, match="known: autoregressive"):
        simulate("magic", equal(1), costs())
    with pytest.raises(ConfigError, match="acceptance"):
        Work((3, 4), K, (0.5,))
    with pytest.raises(ConfigError, match="record"):
        Work((3,), K, record=((),))
    with pytest.raises(ConfigError, match="at least one token"):
        Work((0,), K, (0.5,))
