"""A chain of small pages in an archive in memory, and a model that always clicks on: a walk that costs only ourselves.

Nothing is fetched and no model thinks, so what a walk takes is the framework's own cost.
"""

import json

from webfarer.core.config import Settings
from webfarer.core.fare import Budget
from webfarer.evals.trials import lab_settings
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.fetch import Response

QUESTION = "When was the observatory on the hill opened to visitors?"
ROOT = "http://127.0.0.1/0.html"
# what the chat policy is told whatever it asks: nothing useful here, click the first link, nothing known
REPLY = json.dumps({"thought": "on", "action": "click", "link": 1, "useful": False, "notes": [], "known": False})
_LINKS = 10


def chain_settings(steps: int) -> Settings:
    """Return settings for a walk of `steps` clicks along the chain."""
    return lab_settings("replay").model_copy(update={"budget": Budget(steps=steps)})


def chain_web(settings: Settings, pages: int) -> Web:
    """Return a web that holds a chain of `pages` pages; the caller closes its archive."""
    archive = Archive()
    for number in range(pages):
        url = f"http://127.0.0.1/{number}.html"
        body = _page(number).encode()
        archive.keep(Response(url, url, 200, {"content-type": "text/html; charset=utf-8"}, body, len(body)))
    return Web(settings, archive)


def _page(number: int) -> str:
    links = "".join(f'<li><a href="/{number + n}.html">Chapter {number + n}</a></li>' for n in range(1, _LINKS + 1))
    text = f"Chapter {number} speaks of the hill, of the weather there, and of the years before the war. " * 6
    return (
        f'<!doctype html><html lang="en"><title>Chapter {number}</title><main><h1>Chapter {number}</h1>'
        f"<p>{text}</p><ul>{links}</ul></main></html>"
    )
