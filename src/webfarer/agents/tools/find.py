"""`find`: look for words in a page that was read already; costs nothing."""

import re
from typing import ClassVar

from webfarer.agents.dance import Desk, Observation
from webfarer.agents.decisions import Failure
from webfarer.core.types import Quote
from webfarer.models.base import Tool, ToolCall

_MOST = 5
_AROUND = 160
_SPACE = re.compile(r"\s+")


class Find:
    """Gives the places of a page where the words stand, as quotes."""

    spec: ClassVar[Tool] = Tool(
        "find",
        "Find words in a page that was visited before: gives the places where they stand, word for word. Free.",
        {
            "type": "object",
            "properties": {
                "url": {"type": "string", "description": "Address of a page that was visited."},
                "text": {"type": "string", "description": "The words, as they may stand on the page."},
            },
            "required": ["url", "text"],
        },
    )
    alone: ClassVar[bool] = False

    async def use(self, call: ToolCall, desk: Desk) -> Observation:
        """Search the page's text, letter case and white space aside."""
        url, text = str(call.arguments["url"]), str(call.arguments["text"]).strip()
        page = desk.dance.page_at(url)
        if page is None:
            return Observation(call, problems=(Failure(url, "NotRead", "this page was not visited; visit it first"),))
        if not text:
            return Observation(call, problems=(Failure(url, "NoText", "there are no words to look for"),))
        pattern = re.compile(r"\s+".join(map(re.escape, _SPACE.split(text))), re.IGNORECASE)
        quotes = []
        end = -1
        for match in pattern.finditer(page.markdown):
            if match.start() < end:
                continue  # inside the quote before
            start, end = _around(page.markdown, match.start(), match.end())
            quotes.append(Quote(page=page.id, url=page.url, text=page.markdown[start:end], start=start))
            if len(quotes) == _MOST:
                break
        return Observation(call, quotes=tuple(quotes), note="" if quotes else "these words are not on the page")


def _around(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a place to its line, or where that is long, to about `_AROUND` characters on each side."""
    first = max(text.rfind("\n", 0, start) + 1, start - _AROUND)
    last = text.find("\n", end)
    last = min(len(text) if last < 0 else last, end + _AROUND)
    return first, last


tool = Find()
