"""From rows of every kind to examples: what is taught, and which rows are errors."""

import json

import pytest
from sft_kit import tiny

from webfarer.core.errors import ConfigError
from webfarer.data.masking import IGNORED
from webfarer.data.row import Row, Tokens, Turn, write_rows
from webfarer.train.examples import Reader, Reading

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
    ((example,),) = read(tmp_path, {"messages": CHAT}).rows
    assert taught(example) == "Ada.<|end|>1931.<|end|>"
    assert tiny.tokenizer().decode(example.ids).count("Be brief.") == 1
    assert example.id == "rows.jsonl:1"


def test_a_turn_of_weight_0_is_context(tmp_path) -> None:
    chat = [dict(message) for message in CHAT]
    chat[2]["weight"] = 0
    ((example,),) = read(tmp_path, {"id": "mine", "messages": chat}).rows
    assert (taught(example), example.id) == ("1931.<|end|>", "mine")


def test_prompts_and_completions_are_texts_or_messages(tmp_path) -> None:
    text = {"prompt": "Two and two are ", "completion": "four"}
    turns = {"prompt": CHAT[:-1], "completion": CHAT[-1:]}
    (plain,), (chat,) = read(tmp_path, text, turns).rows
    assert tiny.tokenizer().decode(plain.ids) == "Two and two are four<|end|>"
    assert taught(plain) == "four<|end|>"
    assert taught(chat) == "1931.<|end|>"


def test_the_whole_text_is_taught_on_demand(tmp_path) -> None:
    ((example,),) = read(tmp_path, {"prompt": "ab", "completion": "c"}, whole=True).rows
    assert example.labels == example.ids


def test_ids_that_this_model_drew_are_taken_and_others_are_made_of_the_text(tmp_path) -> None:
    turns = (Turn(role="user", content="Who?"), Turn(role="assistant", content="Ada.", weight=1))
    drawn = Tokens(ids=(5, 6, 7), mask=(0, 1, 1), logprobs=(-1.0, -2.0))
    row = Row(id="r", question="q", text="Who?", kind="act", messages=turns, tokens=drawn, reward=1.0)
    own, foreign = ({"model": name} for name in (f"local:{tmp_path}", "local:/elsewhere"))
    path = tmp_path / "rows.jsonl"
    write_rows(path, [row.model_copy(update={"made": made}) for made in (own, foreign)])
    (mine,), (theirs,) = reader(tmp_path).file(path).rows
    assert (mine.ids, mine.labels) == ((5, 6, 7), (IGNORED, 6, 7))
    assert taught(theirs) == "Ada.<|end|>"


LONG = {"id": "long", "prompt": "a" * 50, "completion": "b"}
SHORT = {"id": "short", "prompt": "a", "completion": "b"}


def test_a_long_row_is_an_error_or_is_counted(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"row 2 \(long\): 52 tokens, more than 20.*--drop-long"):
        read(tmp_path, SHORT, LONG, longest=20)
    corpus = read(tmp_path, SHORT, LONG, longest=20, drop_long=True)
    assert corpus.dropped == ("long",)
    assert [example.id for (example,) in corpus.rows] == ["short"]


WRONG = {
    "nothing to teach": ({"messages": CHAT[:2]}, "no token is taught"),
    "no messages": ({"text": "abc"}, "no messages, and no prompt"),
    "a role nobody has": ({"messages": [{"role": "critic", "content": "x"}]}, r"(?s)no row to learn from.*role"),
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
    assert len(Reader(tmp_path, tokenizer).file(path).rows) == 1
    path.write_text(json.dumps({"messages": CHAT}) + "\n")
    with pytest.raises(ConfigError, match="no chat template"):
        Reader(tmp_path, tokenizer).file(path)


def test_a_tokenizer_without_an_end_cannot_teach_texts(tmp_path) -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(ConfigError, match="no end-of-text token"):
        Reader(tmp_path, tokenizer).text("t", "a", "b")
