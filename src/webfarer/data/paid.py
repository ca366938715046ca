"""A model whose calls are recorded in a file and charged to one budget: for work that is no run of an agent.

The same work again gets what was recorded and pays only for what is lacking. Not a cache: calls are matched in the
order in which they were made, as in every trace (:mod:`webfarer.core.run`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from webfarer.core.config import Settings
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.models.load import load_model
from webfarer.models.metered import Metered


@asynccontextmanager
async def paid_model(
    settings: Settings, path: Path | None, run_id: str
) -> AsyncIterator[tuple[Run, Metered] | tuple[None, None]]:
    """Open the model of the settings within their budget; (None, None) where they name none.

    Args:
        settings: model, budget and prices.
        path: where its calls are recorded; what lies there is not paid again; None: nowhere.
        run_id: of the run that the calls belong to.

    Raises:
        ConfigError: the model cannot work.
    """
    model = load_model(settings.model, settings)
    if model is None:
        yield None, None
        return
    try:
        trace = Trace.resume(path) if path and path.exists() else Trace.create(path)
        try:
            run = Run(run_id, trace, settings.budget)
            trace.emit("start", version=TRACE_VERSION, run=run_id)
            yield run, Metered(run, model, settings.price(model.name))
        finally:
            trace.close()
    finally:
        await model.close()
