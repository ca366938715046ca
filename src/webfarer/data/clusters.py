"""Questions over the nodes of a Ray cluster: every ground's batch is a task, made wherever there is room.

Ray spreads them; the order of their grounds is kept by who waits for them. A node needs no disk in common with ours.
"""

from collections.abc import Callable
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.data.batch import Batch, Plan, make_batch


def over_ray(plan: Plan) -> Callable[[int], Callable[[], Batch]]:
    """Return what begins the batch of a ground on the cluster that `RAY_ADDRESS` names, else on one started here.

    Raises:
        ConfigError: Ray is not installed.
    """
    ray = _ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    make = ray.remote(scheduling_strategy="SPREAD")(make_batch)
    shared = ray.put(plan)

    def begin(number: int) -> Callable[[], Batch]:
        under_way = make.remote(shared, number)
        return lambda: Batch.model_validate(ray.get(under_way))

    return begin


def cores() -> int:
    """Return how many tasks the cluster runs at a time."""
    return int(_ray().cluster_resources().get("CPU", 1))


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ConfigError("a Ray cluster needs one more package: pip install 'webfarer[ray]'") from error
    return ray
