"""Token ids and log-probabilities in a trace: what the model drew, as likely as a forward pass says; else nothing."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from webfarer.core.config import Settings
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.models.base import Message, Reply, Sampling
from webfarer.models.load import load_model
from webfarer.models.metered import Metered
from webfarer.models.scripted import Scripted

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

import tiny

ASKED = [Message("user", "When does it open?")]
NAMES = ("prompt_ids", "token_ids", "logprobs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A small model whose every word is a surprise."""
    path = tmp_path_factory.mktemp("surprising")
    tiny.llama(dtype=torch.float32, layers=1).save_pretrained(path)
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = tiny.TEMPLATE
    tokenizer.save_pretrained(path)
    return path


@pytest.mark.parametrize("temperature", [0.0, 0.8])
async def test_ids_say_the_text_and_log_probabilities_are_the_model_s_own(folder: Path, temperature: float) -> None:
    model = load_model(f"local:{folder}", Settings(tokens=True))
    assert model is not None
    run = Run("r", Trace.create())
    reply = await Metered(run, model).complete(ASKED, sampling=Sampling(temperature, max_tokens=12, seed=3))
    await model.close()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    drawn = [number for number in reply.token_ids if number != tokenizer.eos_token_id]
    assert tokenizer.decode(drawn, clean_up_tokenization_spaces=False).strip() == reply.text
    assert len(reply.token_ids) == len(reply.logprobs) == reply.usage.tokens_out
    assert tokenizer.decode(reply.prompt_ids) == "<|user|>When does it open?<|end|><|assistant|>"
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder)(
            torch.tensor([[*reply.prompt_ids, *reply.token_ids]])
        ).logits
    before = logits[0, len(reply.prompt_ids) - 1 : -1].log_softmax(-1)
    expected = before[torch.arange(len(reply.token_ids)), torch.tensor(reply.token_ids)]
    torch.testing.assert_close(torch.tensor(reply.logprobs), expected, atol=1e-4, rtol=1e-4)
    recorded = next(event.data["value"] for event in run.trace.events if event.type == "result")
    assert [recorded[name] for name in NAMES] == [list(getattr(reply, name)) for name in NAMES]


async def test_unless_asked_for_nothing_of_them_is_recorded(folder: Path) -> None:
    model = load_model(f"local:{folder}", Settings())
    assert model is not None
    run = Run("r", Trace.create())
    reply = await Metered(run, model).complete(ASKED, sampling=Sampling(max_tokens=3))
    await model.close()
    assert [getattr(reply, name) for name in NAMES] == [(), (), ()]
    assert not any(name in event.line() for event in run.trace.events for name in NAMES)


async def test_a_recorded_reply_comes_back_with_them() -> None:
    said = replace(Reply("hm"), prompt_ids=(1, 2), token_ids=(3,), logprobs=(-0.5,))
    reply = await Metered(Run("r", Trace.create()), Scripted([said])).complete(ASKED)
    assert reply == said
    assert json.loads(json.dumps(reply.logprobs)) == [-0.5]
