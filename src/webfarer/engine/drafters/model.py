"""A small model of the same vocabulary drafts: "model:FOLDER", or just its folder."""

from functools import cache
from pathlib import Path

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches.full import Policy
from webfarer.engine.drafters._running import RunningDrafter
from webfarer.engine.loading import Loaded, load


class Drafter(RunningDrafter):
    """Drafts with a small model; one set of weights serves every batch of the process."""

    @classmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Drafter":
        """Load the model in the folder `argument`.

        Raises:
            ConfigError: there is none, or its tokens are not the target's.
        """
        folder = Path(argument).expanduser()
        if not argument or not folder.is_dir():
            raise ConfigError(f"no folder {argument!r}: a draft model is named by its folder, model:FOLDER")
        model = _loaded(folder.resolve(), target.spec.dtype, str(target.spec.device))
        ours, theirs = target.tokenizer.get_vocab(), model.tokenizer.get_vocab()
        if ours != theirs or model.spec.vocab > target.spec.vocab:
            differing = len(ours.items() ^ theirs.items())
            raise ConfigError(
                f"the draft model in {folder} has another vocabulary than {target.spec.name} ({differing} entries "
                "differ); take a small model of the same family, or draft with ngram"
            )
        # the same words, but their tables may be padded differently
        return cls(model, Policy(), rows, target.spec.vocab)


@cache
def _loaded(folder: Path, dtype: torch.dtype, device: str) -> Loaded:
    return load(folder, dtype, device)
