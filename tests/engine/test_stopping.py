"""Text that comes token by token: whole characters, stop strings across tokens, end tokens and limits."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from webfarer.core.errors import ConfigError
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.stopping import Detokenizer, Stopper, StopStrings


def byte_level():
    """A GPT-2 style tokenizer: every byte is a token, and a few merges make longer ones."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("Ġ", "th"), ("Ã", "©"), ("s", "t"), ("st", "o"), ("â", "Ĥ")]
    vocab = {piece: i for i, piece in enumerate([*letters, *(a + b for a, b in merges)])}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<eos>", special=True)])
    return tokenizer


def sentence_piece():
    """A Llama-2 style tokenizer: words begin with ▁, unknown characters fall back to bytes."""
    pieces = ["<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), "▁", "▁the", "the", "▁cat", "s", "."]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken("<s>", special=True), AddedToken("</s>", special=True)])
    return tokenizer


BYTES, PIECES = byte_level(), sentence_piece()
EOS = BYTES.token_to_id("<eos>")


def ids_of(*pieces):
    return [PIECES.token_to_id(piece) for piece in pieces]


def stream(tokenizer, ids, prompt=()):
    detokenizer = Detokenizer(tokenizer, prompt)
    return [*(detokenizer.add(i) for i in ids), detokenizer.flush()]


@given(st.text(max_size=30), st.text(max_size=10))
@example("é€😀 the", "x")
@example("👩‍👩‍👧", "")
def test_pieces_are_whole_characters_and_join_to_the_text(text, before):
    pieces = stream(BYTES, BYTES.encode(text).ids, BYTES.encode(before).ids)
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces) or "\ufffd" in text


@given(st.lists(st.integers(0, 261), max_size=11))
def test_broken_bytes_are_shown_as_decoding_shows_them(ids):
    assert "".join(stream(BYTES, ids)) == BYTES.decode(ids)


def test_broken_bytes_for_ever_do_not_wait_for_ever():
    broken = BYTES.token_to_id("Ģ")
    assert any(stream(BYTES, [broken] * 20)[:-1])


def test_spaces_between_words_are_those_of_the_whole_text():
    assert stream(PIECES, ids_of("▁the", "▁cat", "s"), ids_of("<s>", "▁the")) == [" the", " cat", "s", ""]
    assert stream(PIECES, ids_of("▁the", "▁cat", "s"), ids_of("<s>")) == ["the", " cat", "s", ""]
    assert stream(PIECES, ids_of("▁", "the", "</s>", "▁cat"), ids_of("▁cat")) == [" ", "the", "", " cat", ""]


def test_characters_of_byte_fallback_come_whole():
    e_acute, euro = ids_of("<0xC3>", "<0xA9>"), ids_of("<0xE2>", "<0x82>", "<0xAC>")
    pieces = stream(PIECES, [*e_acute, *euro, *ids_of("s")], ids_of("▁the"))
    assert pieces == ["", "é", "", "", "€", "s", ""]


def test_the_rest_of_a_character_that_never_comes_is_shown_at_the_end():
    assert stream(PIECES, ids_of("s", "<0xC3>"), ids_of("▁the")) == ["s", "", "\ufffd"]


def reference(text, stops):
    """Return what is shown of `text` when it comes character by character."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)], True
    return text, False


@given(
    st.lists(st.text("ab<", max_size=4), max_size=12),
    st.lists(st.text("ab<", min_size=1, max_size=4), min_size=1, max_size=3),
)
@example(["aa", "b"], ["aab", "a"])
@example(["<", "a", "<", "ab"], ["<a<b", "<ab"])
def test_stop_strings_end_the_text_wherever_it_is_cut(pieces, stops):
    strings, shown, stopped = StopStrings(stops), "", False
    for piece in pieces:
        text, stopped = strings.feed(piece)
        shown += text
        assert not any(stop in shown for stop in stops)
        if stopped:
            break
    if not stopped:
        shown += strings.flush()
    assert (shown, stopped) == reference("".join(pieces), stops)


@given(st.text("ab", max_size=12), st.text("ab", min_size=1, max_size=4))
def test_no_more_is_held_back_than_may_become_a_stop_string(text, stop):
    strings, shown = StopStrings([stop]), ""
    for letter in text:
        piece, stopped = strings.feed(letter)
        shown += piece
        if stopped:
            return
    held = text[len(shown) :]
    assert stop.startswith(held)
    assert not any(text.endswith(stop[:n]) for n in range(len(held) + 1, len(stop)))


def run(params, ids, ends=(EOS,)):
    stopper, shown = Stopper(params, ends, BYTES, ()), ""
    for count, token in enumerate(ids, 1):
        assert token not in stopper.banned()
        text, reason = stopper.take(token)
        shown += text
        if reason:
            assert stopper.count == count
            return shown, reason, count
    return shown, None, len(ids)


def test_an_end_token_counts_and_shows_nothing_but_what_was_held():
    ids = BYTES.encode("the st").ids
    params = SamplingParams(stop=("stop",))
    assert run(params, ids) == ("the ", None, len(ids))
    assert run(params, [*ids, EOS, *ids]) == ("the st", "stop", len(ids) + 1)


def test_end_tokens_of_the_model_may_be_ignored_those_of_the_request_not():
    ids = [*BYTES.encode("a").ids, EOS, *BYTES.encode("bc").ids]
    assert run(SamplingParams(ignore_eos=True), ids) == ("abc", None, 4)
    params = SamplingParams(ignore_eos=True, stop_tokens=(BYTES.token_to_id("b"),))
    assert run(params, ids) == ("a", "stop", 3)


def test_a_stop_string_across_tokens_is_not_shown():
    ids = BYTES.encode("é sto").ids + BYTES.encode("p more").ids
    shown, reason, count = run(SamplingParams(stop=("o m", "stop")), ids)
    assert (shown, reason) == ("é ", "stop")
    assert BYTES.decode(ids[:count]) == "é stop"


def test_the_limit_is_exact_and_shows_what_was_held():
    ids = BYTES.encode("a st").ids
    params = SamplingParams(stop=("stop",), max_tokens=len(ids))
    assert run(params, [*ids, *ids]) == ("a st", "length", len(ids))
    assert run(SamplingParams(max_tokens=1), [EOS]) == ("", "stop", 1)
    half = BYTES.encode("é").ids[:1] if len(BYTES.encode("é").ids) > 1 else [BYTES.token_to_id("Ã")]
    assert run(SamplingParams(max_tokens=1), half) == ("\ufffd", "length", 1)


@pytest.mark.parametrize("least", [1, 3])
def test_ends_wait_for_the_least_number_of_tokens(least):
    stopper = Stopper(SamplingParams(min_tokens=least, stop=("a",)), [EOS], BYTES, ())
    letter = BYTES.token_to_id("a")
    for _ in range(least - 1):
        assert stopper.banned() == {EOS}
        assert stopper.take(letter) == ("a", None)
    assert stopper.banned() == {EOS}
    assert stopper.take(letter) == ("", "stop")
    assert not stopper.banned()


def test_without_a_tokenizer_there_is_no_text():
    stopper = Stopper(SamplingParams(max_tokens=2), [7], None, ())
    assert stopper.take(5) == ("", None)
    assert stopper.take(7) == ("", "stop")


def test_text_that_nobody_asked_for_is_not_made():
    stopper = Stopper(SamplingParams(detokenize=False), [EOS], BYTES, ())
    assert [stopper.take(token).text for token in (100, 101, EOS)] == ["", "", ""]
    with pytest.raises(ConfigError, match="stop needs detokenize"):
        SamplingParams(detokenize=False, stop=("a",))
