"""Seams: folders in which every file is one plugin.

The id is the module's name. Listing reads the folder and imports nothing; an unknown id raises with the known ones.
Not a plugin manager: there are no entry points and no registration calls.
"""

import importlib
import importlib.util
import pkgutil
from dataclasses import dataclass
from typing import Any

from webfarer.core.errors import UnknownPlugin


@dataclass(frozen=True)
class Seam:
    """One folder of plugins.

    Attributes:
        package: dotted name of the folder ("webfarer.agents.policies").
        attribute: the name every plugin module must define ("policy").
        noun: what one plugin is called in messages ("policy").
    """

    package: str
    attribute: str
    noun: str

    def ids(self) -> list[str]:
        """Return the ids of all plugins, sorted, without importing them."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.submodule_search_locations is None:
            raise UnknownPlugin(f"{self.package} is not a package")
        return sorted(
            m.name for m in pkgutil.iter_modules(spec.submodule_search_locations) if not m.name.startswith("_")
        )

    def load(self, plugin_id: str) -> Any:
        """Import the plugin `plugin_id` and return its `attribute`.

        Raises:
            UnknownPlugin: no such module in the folder; the message lists the known ids.
        """
        if plugin_id not in self.ids():
            raise UnknownPlugin(f"unknown {self.noun} {plugin_id!r}; known: {', '.join(self.ids())}")
        return getattr(importlib.import_module(f"{self.package}.{plugin_id}"), self.attribute)
