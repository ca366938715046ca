"""Local inference for open-weights models: long prompts, long outputs and many branches in little memory."""

import importlib
from typing import Any

_HOMES = {"compress": "stock"}

# Loaded when it is asked for: importing the package loads no torch.
__all__ = ["compress"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
