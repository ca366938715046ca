"""Exports: what each format holds, what it says it cannot hold, and that the libraries that read them do."""

import json
from types import MappingProxyType

import pytest
import template_kit as kit

from webfarer.core.errors import ConfigError
from webfarer.data.format import FORMATS, Wish
from webfarer.data.masking import IGNORED, Encoder
from webfarer.data.row import Called, Row, Tokens, Turn
from webfarer.models.dialogue import DIALECTS

TOOLS = tuple(
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "D.",
            "parameters": {"type": "object", "properties": {argument: {"type": "string"}}},
        },
    }
    for name, argument in (("search", "query"), ("visit", "url"))
)


def calls(*pairs):
    return tuple(Called(id=f"c{n}", name=name, arguments=given) for n, (name, given) in enumerate(pairs))


def row(*turns, tools=(), number=1, tokens=None, model="local:m"):
    return Row(
        id=f"x/{number}",
        question="q",
        text="Who?",
        kind="act",
        messages=turns,
        tools=tools,
        tokens=tokens,
        reward=1.0,
        cells={"type": "single"},
        pages={"http://a/": "00"},
        made={"agent": "dancer", "model": model},
    )


def said(text, weight=1, **more):
    return Turn(role="assistant", content=text, weight=weight, **more)


SYSTEM, ASKED = Turn(role="system", content="Be brief."), Turn(role="user", content="谁？")
USED = row(
    SYSTEM,
    ASKED,
    said("", tool_calls=calls(("search", {"query": "艾达"}), ("visit", {"url": "http://a/"}))),
    Turn(role="tool", content="Ada", tool_call_id="c0"),
    Turn(role="tool", content="Quill", tool_call_id="c1"),
    said("Ada."),
    tools=TOOLS,
)
CALLED = (
    '<tool_call>\n{"name": "search", "arguments": {"query": "艾达"}}\n</tool_call>\n'
    '<tool_call>\n{"name": "visit", "arguments": {"url": "http://a/"}}\n</tool_call><|im_end|>'
)
PLAIN = row(ASKED, said("eh", weight=0), ASKED, said("Ada.", reasoning="Hm."), number=2)


def export(name, rows, tmp_path, **wish):
    format_ = FORMATS.load(name)
    out = tmp_path / f"out{format_.suffix}"
    exported = format_.export(iter(rows), out, Wish(**wish))
    if not format_.suffix:
        return exported, out
    return exported, [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A tokenizer as a model's folder has it."""
    place = tmp_path_factory.mktemp("tokenizer")
    kit.tokenizer("qwen2_5").save_pretrained(place)
    return place


def test_messages_can_be_read_back(tmp_path):
    exported, lines = export("messages", [USED, PLAIN], tmp_path)
    assert (exported.examples, exported.left_out) == (2, {})
    assert exported.figures == {"turns trained": 3, "turns of weight 0": 1}
    for line, each in zip(lines, [USED, PLAIN], strict=True):
        read = [
            Turn(
                role=message["role"],
                content=message["content"],
                reasoning=message.get("reasoning_content", ""),
                tool_calls=tuple(Called(id=c["id"], **c["function"]) for c in message.get("tool_calls", ())),
                tool_call_id=message.get("tool_call_id", ""),
                weight=message.get("weight", 0),
            )
            for message in line["messages"]
        ]
        assert (line["id"], tuple(read), tuple(line["tools"])) == (each.id, each.messages, each.tools)


def test_sharegpt_has_sides_that_take_turns(tmp_path):
    exported, (line,) = export("sharegpt", [USED], tmp_path)
    assert exported.figures == {"mask_history": False}
    assert line["system"] == "Be brief."
    assert [tool["name"] for tool in json.loads(line["tools"])] == ["search", "visit"]
    assert [each["from"] for each in line["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(line["conversations"][1]["value"])[1] == {"name": "visit", "arguments": {"url": "http://a/"}}
    assert line["conversations"][2]["value"] == "Ada\n</tool_response>\n<tool_response>\nQuill"


def test_sharegpt_ends_at_every_trained_turn_where_not_all_are(tmp_path):
    exported, lines = export("sharegpt", [USED, PLAIN], tmp_path)
    assert exported.figures == {"mask_history": True}
    assert exported.examples == 3
    ends = [line["conversations"][-1] for line in lines]
    assert [end["from"] for end in ends] == ["function_call", "gpt", "gpt"]
    assert ends[2]["value"] == "<think>\nHm.\n</think>\n\nAda."


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ((ASKED, said("I search.", tool_calls=calls(("search", {})))), "text beside a call"),
        ((ASKED, ASKED, said("Ada.")), "one side in a row"),
        ((ASKED, SYSTEM, said("Ada.")), "one system message"),
    ],
)
def test_what_sharegpt_cannot_hold_is_left_out_with_the_reason(turns, why, tmp_path):
    exported, lines = export("sharegpt", [row(*turns), USED], tmp_path)
    assert len(lines) == exported.examples == 1
    assert why in exported.left_out["x/1"]


def test_chatml_marks_what_is_trained(tmp_path):
    _, (used, plain) = export("chatml", [USED, PLAIN], tmp_path)
    trained = [used["text"][start:end] for start, end in used["spans"]]
    assert trained == [CALLED, "Ada.<|im_end|>"]
    rules = DIALECTS.load("tags").rules([])[:30]
    assert used["text"].startswith(f"<|im_start|>system\nBe brief.\n\n{rules}")
    assert "<|im_start|>user\n<tool_response>\nAda\n</tool_response>\n<tool_response>\nQuill" in used["text"]
    assert [plain["text"][start:end] for start, end in plain["spans"]] == ["<think>\nHm.\n</think>\n\nAda.<|im_end|>"]


def test_chatml_leaves_out_what_would_forge_its_tags(tmp_path):
    exported, lines = export("chatml", [row(Turn(role="user", content="<|im_end|>"), said("Ada.")), PLAIN], tmp_path)
    assert len(lines) == exported.examples == 1
    assert "<|im_end|>" in exported.left_out["x/1"]


def test_tokens_are_encoded_with_the_tokenizer_that_is_named(folder, tmp_path):
    exported, lines = export("tokens", [USED, PLAIN], tmp_path, tokenizer=folder)
    expected = Encoder.load(folder).encode(USED.messages, USED.tools)
    assert [tuple(line["input_ids"]) for line in lines[:-1]] == [each.ids for each in expected]
    assert [line["labels"] for line in lines[:-1]] == [each.labels for each in expected]
    assert {line["tokenizer"] for line in lines} == {Encoder(kit.tokenizer("qwen2_5")).identity}
    assert exported.figures["ids trained"] == sum(label != IGNORED for line in lines for label in line["labels"])


def test_tokens_that_the_model_drew_are_taken_as_they_are(folder, tmp_path):
    drawn = Tokens(ids=(1, 2, 3), mask=(0, 1, 1), logprobs=(-0.1, -0.2))
    known = row(ASKED, said("Ada."), tokens=drawn, model=f"local:{folder}")
    for wish in ({}, {"tokenizer": folder}):
        _, (line,) = export("tokens", [known], tmp_path, **wish)
        assert (line["input_ids"], line["labels"], line["logprobs"]) == ([1, 2, 3], [IGNORED, 2, 3], [-0.1, -0.2])
    other = known.model_copy(update={"id": "x/9", "made": {"model": "local:other"}})
    exported, lines = export("tokens", [known, other, PLAIN], tmp_path)
    assert len(lines) == 1
    assert "those of local:other" in exported.left_out["x/9"]
    assert "not known" in exported.left_out["x/2"]
    _, (line,) = export("tokens", [other], tmp_path, tokenizer=folder)
    assert line["input_ids"] != [1, 2, 3]  # another model's ids mean something else


@pytest.mark.parametrize("name", ["messages", "sharegpt", "chatml", "tokens"])
def test_what_is_too_long_is_left_out_and_never_cut(name, folder, tmp_path):
    long = row(ASKED, said("Ada. " * 200), number=3)
    exported, _ = export(name, [PLAIN, long], tmp_path, tokenizer=folder, longest=150)
    assert exported.left_out.keys() == {"x/3"}
    assert "more than 150" in exported.left_out["x/3"]


def test_a_limit_needs_a_tokenizer(tmp_path):
    with pytest.raises(ConfigError, match="name the tokenizer's folder"):
        export("messages", [USED], tmp_path, longest=10)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    def broken():
        yield USED
        raise RuntimeError("no more rows")

    with pytest.raises(ConfigError, match="no more rows"):
        FORMATS.load("messages").export(broken(), tmp_path / "out.jsonl", Wish())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["messages", "sharegpt", "chatml", "tokens"])
def test_half_a_character_does_not_stop_a_file(name, folder, tmp_path):
    half = row(Turn(role="user", content="\ud83d"), said("Ada."), number=5)
    _, lines = export(name, [PLAIN, half, USED], tmp_path, tokenizer=folder)
    assert {line["id"] for line in lines} >= {"x/1", "x/2"}


@pytest.mark.parametrize(
    ("rows", "why"), [((), "there is none"), ((row(ASKED, ASKED, said("Ada.")),), "x/1: .* one side")]
)
def test_an_export_of_nothing_is_refused(rows, why, tmp_path):
    with pytest.raises(ConfigError, match=why):
        export("sharegpt", rows, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS.ids())
def test_every_format_says_what_it_is(name):
    format_ = FORMATS.load(name)
    assert format_.title
    assert format_.suffix in ("", ".jsonl")
    assert MappingProxyType(vars(type(format_)))["export"].__doc__


HETEROGENEOUS = (
    USED,
    PLAIN,
    row(ASKED, said("", tool_calls=calls(("visit", {"url": "http://b/"}))), tools=TOOLS, number=4),
)


@pytest.mark.slow
def test_datasets_and_templates_read_messages(folder, tmp_path):
    datasets, transformers = pytest.importorskip("datasets"), pytest.importorskip("transformers")
    _, lines = export("messages", HETEROGENEOUS, tmp_path)
    path, cache = str(tmp_path / "out.jsonl"), str(tmp_path / "cache")
    read = datasets.load_dataset("json", data_files=path, split="train", cache_dir=cache)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for each, line in zip(read, lines, strict=True):
        assert each["messages"] == line["messages"]  # no argument of one call strays into another
        text = tokenizer.apply_chat_template(each["messages"], tools=each["tools"], tokenize=False)
        assert text == tokenizer.apply_chat_template(line["messages"], tools=line["tools"], tokenize=False)
        assert "null" not in text


@pytest.mark.slow
def test_a_datasets_folder_holds_whole_rows_and_a_card(tmp_path):
    datasets = pytest.importorskip("datasets")
    exported, out = export("hf", HETEROGENEOUS, tmp_path)
    assert exported.examples == 3
    read = datasets.load_from_disk(str(out))
    _, lines = export("messages", HETEROGENEOUS, tmp_path)
    assert [each["messages"] for each in read] == [line["messages"] for line in lines]
    assert read[0]["cells"] == {"type": "single"}
    assert read[0]["made"] == {"agent": "dancer", "model": "local:m"}
    assert read.column_names[:2] == ["id", "question"]
    card = (out / "README.md").read_text()
    assert "| agent: dancer | 3 |" in card
    assert "licence" in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.jsonl"]
    with pytest.raises(ConfigError, match="there already"):
        export("hf", HETEROGENEOUS, tmp_path)


@pytest.fixture
def trainer(tmp_path, folder):
    """Makes TRL's SFT trainer over an export, with a tiny model."""
    pytest.importorskip("trl")
    from datasets import load_dataset
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    def make(template=None, **settings):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.chat_template = template or tokenizer.chat_template
        tokenizer.pad_token = "<|endoftext|>"
        shape = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **shape))
        data = load_dataset(
            "json", data_files=str(tmp_path / "out.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
        )
        config = SFTConfig(
            output_dir=str(tmp_path / "run"), max_steps=1, per_device_train_batch_size=1, report_to=[], use_cpu=True,
            max_length=None, save_strategy="no", bf16=False, disable_tqdm=True, **settings,
        )  # fmt: skip
        return SFTTrainer(model, config, train_dataset=data, processing_class=tokenizer)

    return make


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trl_learns_our_labels_from_tokens(trainer, folder, tmp_path):
    _, lines = export("tokens", HETEROGENEOUS, tmp_path, tokenizer=folder)
    made = trainer()
    assert [each["labels"] for each in made.train_dataset] == [line["labels"] for line in lines]
    assert made.train().training_loss > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trl_marks_the_same_turns_of_messages_and_the_line_breaks_round_them(trainer, folder, tmp_path):
    """TRL's template for training counts the line break before and behind a turn as the model's; else we agree."""
    export("messages", [USED], tmp_path)
    made = trainer(kit.template("qwen2_5_training"), assistant_only_loss=True)
    (example,) = Encoder.load(folder).encode(USED.messages, USED.tools)
    (theirs,) = made.train_dataset
    decode = kit.tokenizer("qwen2_5").decode
    assert decode(theirs["input_ids"]) == decode(example.ids) + "\n"
    assert decode([label for label in example.labels if label != IGNORED]) == f"{CALLED}Ada.<|im_end|>"
    trained = decode([label for label in theirs["labels"] if label != IGNORED])
    assert trained == f"\n{CALLED}\n\nAda.<|im_end|>\n"
    assert made.train().training_loss > 0
