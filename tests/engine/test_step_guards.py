"""What a step must not do: wait for the device, move what stays, or change its shapes once the cache is full."""

import pytest
import torch
from driving import spec
from torch.utils._python_dispatch import TorchDispatchMode

from webfarer.engine.memory import Memory
from webfarer.engine.policy import parse

STEADY = [
    "scope:prompt=12,window=4,heavy=4,recent=4,kernel=3",
    "h2o:budget=16",
    "streaming:budget=16,sinks=4",
    "tova:budget=16",
]
READS_THE_DEVICE = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal")


class Watch(TorchDispatchMode):
    """Notes every operation with the shapes it is given."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        shapes = [tuple(a.shape) for a in args if isinstance(a, torch.Tensor)]
        self.seen.append((func.overloadpacket.__name__, shapes))
        return func(*args, **(kwargs or {}))


def run(memory, attend, count):
    """Hand made-up vectors of `count` tokens to every layer."""
    made = memory.spec
    for layer in range(made.layers):
        vectors = (torch.randn(count, heads, 8, dtype=made.dtype, device=made.device) for heads in (4, 2, 2))
        attend(layer, *vectors)


def filled(text, prompts=(20, 14), device="cpu"):
    """A memory whose rows have been generating for a while."""
    torch.manual_seed(0)
    memory = Memory(spec(device=torch.device(device)), parse(text), len(prompts))
    rows = [memory.open(prompt, 50) for prompt in prompts]
    run(memory, memory.prefill(rows, prompts), sum(prompts))
    for _ in range(20):
        run(memory, memory.decode(), len(prompts))
    return memory


@pytest.mark.parametrize("text", [*STEADY, "full"])
def test_no_step_reads_the_device_back(text):
    memory = filled(text)
    with Watch() as watch:
        run(memory, memory.decode(), 2)
    assert watch.seen
    assert not [name for name, _ in watch.seen if name in READS_THE_DEVICE]


@pytest.mark.parametrize("text", STEADY)
def test_shapes_stay_once_the_cache_is_full(text):
    memory, steps = filled(text), []
    for _ in range(3):
        with Watch() as watch:
            run(memory, memory.decode(), 2)
        steps.append(watch.seen)
    assert steps[0] == steps[1] == steps[2]


@pytest.mark.parametrize("text", STEADY)
@pytest.mark.parametrize("prompt", [40, 400])
def test_a_step_writes_one_slot_a_row_and_head_whatever_the_size(text, prompt):
    memory = filled(text.replace("=16", f"={prompt}").replace("=12", f"={prompt}"), prompts=(prompt,))
    before = [(slots.keys.clone(), slots.keys.data_ptr()) for slots in memory.layers]
    run(memory, memory.decode(), 1)
    for slots, (keys, place) in zip(memory.layers, before, strict=True):
        assert slots.keys.data_ptr() == place
        assert ((slots.keys != keys).any(-1).sum(-1) == 1).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("text", [*STEADY, "full"])
def test_no_step_waits_for_the_gpu(text):
    memory = filled(text, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        run(memory, memory.decode(), 2)
    finally:
        torch.cuda.set_sync_debug_mode("default")
