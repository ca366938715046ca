"""Labelling as a page in the browser of the same machine: forms without scripts, and everything shown is escaped."""

import asyncio
from collections.abc import Mapping
from html import escape

from webfarer.apps.cli._labelling import NOTHING, result
from webfarer.core.errors import ConfigError
from webfarer.evals.sheet import document, notes
from webfarer.train.labels import Labelling
from webfarer.train.pool import PoolItem

_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;font:inherit"


def serve(labelling: Labelling, port: int) -> None:
    """Serve the page until the program is interrupted.

    Raises:
        ConfigError: the port is taken.
    """
    from webfarer.worlds.forms import serve_form

    page = LabelPage(labelling)

    async def run() -> None:
        async with serve_form(page.show, page.take, port) as address:
            print(f"{address}\nOpen it in a browser of this machine; Ctrl-C ends.", flush=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except OSError as error:
        raise ConfigError(f"cannot serve on port {port}: {error.strerror}; --port 0 takes a free one") from error


class LabelPage:
    """The page of one person."""

    def __init__(self, labelling: Labelling) -> None:
        self._labelling = labelling
        self._notice = ""

    def show(self) -> str:
        """Return the page as it is now."""
        item, progress = self._labelling.next(), self._labelling.progress
        counts = ", ".join(f"{number} {word}" for word, number in progress.items())
        parts = [
            f"<h1>{escape(self._labelling.person)}</h1>",
            f'<p class="soft">{counts}</p>',
            notes([self._notice] if self._notice else []),
            _asked(item) if item else _nothing(result(self._labelling)),
            f"<details><summary>Guidelines</summary>{_text(self._labelling.queue.guidelines)}</details>",
        ]
        return document("Labels", parts)

    def take(self, fields: Mapping[str, str]) -> None:
        """Do what a form says; one that was sent for another item than the next has no effect."""
        self._notice = ""
        item = fields.get("item", "")
        try:
            if fields.get("word") == "undo":
                if self._labelling.undo() is None:
                    self._notice = NOTHING
            elif fields.get("word") == "skip":
                self._labelling.skip(item)
            else:
                self._labelling.answer(item, fields.get("answer", "").replace("\r\n", "\n"))
        except ConfigError as error:
            self._notice = error.message


def _asked(item: PoolItem) -> str:
    if item.choices:
        answer = "".join(_button("answer", choice, choice) for choice in item.choices)
    else:
        answer = (
            '<textarea name="answer" rows="6" style="width:100%" autofocus aria-label="answer"></textarea>'
            + _button("word", "label", "Answer")
        )
    return (
        f'{_text(item.prompt)}<form method="post"><input type="hidden" name="item" value="{escape(item.id)}">'
        f"<p>{answer}</p><p>{_button('word', 'skip', 'Skip')}{_button('word', 'undo', 'Undo')}</p></form>"
    )


def _nothing(agreed: str) -> str:
    return (
        "<h2>Nothing waits for you now</h2><p>When the learning has picked more, load this page again.</p>"
        f'{_text(agreed)}<form method="post">{_button("word", "undo", "Undo")}</form>'
    )


def _button(name: str, value: str, label: str) -> str:
    return f'<button name="{name}" value="{escape(value)}" style="margin:.2rem">{escape(label)}</button>'


def _text(text: str) -> str:
    return f'<pre style="{_TEXT}">{escape(text)}</pre>'
