"""From rows of every kind to examples: what is taught, and which rows are errors."""

import json

import pytest
from scoring_kit import language
from sft_kit import tiny
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from webfarer.core.errors import ConfigError
from webfarer.data.masking import IGNORED
from webfarer.data.row import Row, Tokens, Turn, write_rows
from webfarer.train.examples import Reader, Reading
from webfarer.train.language import Language

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Who?"},
    {"role": "assistant", "content": "Ada."},
    {"role": "user", "content": "When?"},
    {"role": "assistant", "content": "1931."},
]


def reader(tmp_path, **how):
    return Reader(tmp_path, tiny.tokenizer(), Reading(**how))


def read(tmp_path, *lines, **how):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return reader(tmp_path, **how).file(path)


def taught(example) -> str:
    return tiny.tokenizer().decode([label for label in example.labels if label != IGNORED])


def test_every_turn_of_the_assistant_is_taught_and_nothing_else(tmp_path) -> None:
    ((example,),) = read(tmp_path, {"messages": CHAT}).questions
    assert taught(example) == "Ada.<|end|>1931.<|end|>"
    assert tiny.tokenizer().decode(example.ids).count("Be brief.") == 1
    assert example.id == "rows.jsonl:1"


def test_a_turn_of_weight_0_is_context(tmp_path) -> None:
    chat = [dict(message) for message in CHAT]
    chat[2]["weight"] = 0
    ((example,),) = read(tmp_path, {"id": "mine", "messages": chat}).questions
    assert (taught(example), example.id) == ("1931.<|end|>", "mine")


def test_prompts_and_completions_are_texts_or_messages(tmp_path) -> None:
    text = {"prompt": "Two and two are ", "completion": "four"}
    turns = {"prompt": CHAT[:-1], "completion": CHAT[-1:]}
    (plain,), (chat,) = read(tmp_path, text, turns).questions
    assert tiny.tokenizer().decode(plain.ids) == "Two and two are four<|end|>"
    assert taught(plain) == "four<|end|>"
    assert taught(chat) == "1931.<|end|>"


def test_the_whole_text_is_taught_on_demand(tmp_path) -> None:
    ((example,),) = read(tmp_path, {"prompt": "ab", "completion": "c"}, whole=True).questions
    assert example.labels == example.ids


def test_ids_that_this_model_drew_are_taken_and_others_are_made_of_the_text(tmp_path) -> None:
    turns = (Turn(role="user", content="Who?"), Turn(role="assistant", content="Ada.", weight=1))
    drawn = Tokens(ids=(5, 6, 7), mask=(0, 1, 1), logprobs=(-1.0, -2.0))
    row = Row(id="r", question="q", text="Who?", kind="act", messages=turns, tokens=drawn, reward=1.0)
    own, foreign = ({"model": name} for name in (f"local:{tmp_path}", "local:/elsewhere"))
    path = tmp_path / "rows.jsonl"
    write_rows(path, [row.model_copy(update={"made": made}) for made in (own, foreign)])
    ((mine, theirs),) = reader(tmp_path).file(path).questions  # of one question
    assert (mine.ids, mine.labels) == ((5, 6, 7), (IGNORED, 6, 7))
    assert taught(theirs) == "Ada.<|end|>"


LONG = {"id": "long", "prompt": "a" * 50, "completion": "b"}
SHORT = {"id": "short", "prompt": "a", "completion": "b"}


def test_a_long_row_is_an_error_or_is_counted(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"row 2 \(long\): 52 tokens, more than 20.*--drop-long"):
        read(tmp_path, SHORT, LONG, longest=20)
    corpus = read(tmp_path, SHORT, LONG, longest=20, drop_long=True)
    assert corpus.dropped == ("long",)
    assert [example.id for (example,) in corpus.questions] == ["short"]


def test_special_tokens_in_a_text_stay_text(tmp_path) -> None:
    ((example,),) = read(tmp_path, {"prompt": "a<|end|>b", "completion": "c<|end|>d<|end|>"}).questions
    end = tiny.tokenizer().eos_token_id
    assert [place for place, each in enumerate(example.ids) if each == end] == [len(example.ids) - 1]
    assert taught(example) == "c<|end|>d<|end|>"


def test_a_completion_is_written_behind_its_prompt_or_refused(tmp_path) -> None:
    words = {"<unk>": 0, "<bos>": 1, "<eos>": 2, "\u2581oak": 3, "\u2581milk": 4}
    core = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    core.pre_tokenizer, core.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 1)])
    core.add_special_tokens(["<unk>", "<bos>", "<eos>"])
    made = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<bos>", eos_token="<eos>", unk_token="<unk>")
    (example,) = Reader(tmp_path, made).text("t", "oak", " milk")
    assert (example.ids, example.labels) == ((1, 3, 4, 2), (IGNORED, IGNORED, 4, 2))
    for wrong in ("milk", " oaken", " <eos> milk"):
        with pytest.raises(ConfigError, match="cannot write this as it is behind its prompt"):
            Reader(tmp_path, made).text("t", "oak", wrong)
    assert Language(made).example("t", "oak", "milk") == example  # an answer is a word of its own


def test_a_tokenizer_whose_words_hold_no_space_may_have_it_on_either_side(tmp_path) -> None:
    read_by = language()
    ways = [Reader(tmp_path, read_by.tokenizer).text("t", *pair) for pair in (("a b ", "c"), ("a b", " c"))]
    assert ways == [(read_by.example("t", "a b", "c"),)] * 2
    assert read_by.tokenizer.decode(ways[0][0].ids) == "a b c <eos>"


def test_messages_are_read_as_chat_completions_write_them(tmp_path) -> None:
    parts = [{"type": "text", "text": "An"}, {"type": "text", "text": "n."}]
    chat = [{"role": "developer", "content": "Be brief."}, CHAT[1], {"role": "assistant", "content": parts}]
    ((example,),) = read(tmp_path, {"messages": [*chat[:2], {**chat[2], "weight": None}]}).questions
    assert taught(example) == "Ann.<|end|>"
    assert "<|system|>Be brief." in tiny.tokenizer().decode(example.ids)


def test_a_file_without_rows_is_an_error_that_says_why(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no row to learn from; it is empty"):
        read(tmp_path)
    with pytest.raises(ConfigError, match="no row to learn from; all were too long"):
        read(tmp_path, LONG, longest=20, drop_long=True)
    with pytest.raises(ConfigError, match="longest length is -5"):
        Reading(longest=-5)


WRONG = {
    "an empty completion": ({"prompt": "a", "completion": ""}, "no token is taught: the completion is empty"),
    "a text and messages": ({"prompt": "a", "completion": CHAT[-1:]}, "two texts, or two such lists"),
    "a picture": (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        r"no row to learn from: content: Input should be a valid string$",
    ),
    "a weight that is none": (
        {"messages": [CHAT[1], {**CHAT[2], "weight": 2}]},
        r"no row to learn from: weight: Input should be 0 or 1$",
    ),
    "nothing to teach": ({"messages": CHAT[:2]}, "no token is taught"),
    "no messages": ({"text": "abc"}, "no messages, and no prompt"),
    "a role nobody has": ({"messages": [{"role": "critic", "content": "x"}]}, r"no row to learn from: role: .*$"),
    "a message without a role": ({"messages": [{"content": "x"}]}, r"(?s)no row to learn from.*role"),
    "a row of another version": (
        {"version": 9, "id": "r", "question": "q", "text": "t", "kind": "act", "messages": [], "reward": 1.0},
        "version 9",
    ),
    "arguments that are no JSON": (
        {"messages": [CHAT[1], {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]},
        "no row to learn from",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_row_is_named(tmp_path, case: str) -> None:
    line, said = WRONG[case]
    with pytest.raises(ConfigError, match=said) as error:
        read(tmp_path, SHORT, line)
    assert error.value.detail["row"] == 2


def test_without_a_chat_template_only_texts_are_read(tmp_path) -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = None
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(SHORT) + "\n")
    assert len(Reader(tmp_path, tokenizer).file(path).questions) == 1
    path.write_text(json.dumps({"messages": CHAT}) + "\n")
    with pytest.raises(ConfigError, match="no chat template"):
        Reader(tmp_path, tokenizer).file(path)


def test_a_tokenizer_without_an_end_cannot_teach_texts(tmp_path) -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(ConfigError, match="no end-of-text token"):
        Reader(tmp_path, tokenizer).text("t", "a", "b")
