"""The final reader: one answer from documents and notes, its quotes looked up where they were copied from.

With a model, one question to it; without, the sentences that fit best. It neither searches nor opens anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, StrictBool

from webfarer.agents.asker import Asker, Part, Parts, Prompt, Text
from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft, claims_from
from webfarer.agents.ending import Stop, limit_stop
from webfarer.agents.excerpts import best_passages, note_lines
from webfarer.agents.quotes import locate, merge
from webfarer.agents.reading import Reader
from webfarer.core.errors import BudgetExceeded
from webfarer.core.types import Note, Page, StopReason

_PASSAGE_CHARS = 12_000
_NOTE_CHARS = 4_000
_HEAD = 1_000  # of each document, where none has a word of the question
_SUFFICES = 0.7  # least score of the sentences that answer every part
_SHOWN = (1.0, 0.3, 0.1)  # how much of that is shown, until the budget pays for it

_READ = Prompt(
    "read",
    "You answer a question from documents that were found for it; nothing more can be looked up.",
    "Answer the question from what is shown, as short as it can be, in the language of the question. Rely on that "
    "alone, not on what you know. `sufficient` says whether it answers every part of the question. For each fact the "
    "answer rests on give a note: `statement` is the fact in one sentence, `quote` is copied character by character "
    "from where it stands.\n"
    'Reply with one JSON object and nothing else: {"sufficient": true, "answer": "…", "notes": [{"statement": "…", '
    '"quote": "…"}]}. When no part of the question is answered: sufficient is false, answer is "" and notes is empty.',
    drawn=True,  # with documents that were found at once, it is all that a system decides
)


class _Fact(BaseModel):
    statement: str
    quote: str


class FinalAnswer(BaseModel):
    """What the model makes of the documents."""

    sufficient: StrictBool
    answer: Text = ""
    notes: list[_Fact] = []


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best answer, and whether it answers every part of the question."""

    draft: Draft
    sufficient: bool

    @property
    def stop(self) -> Stop:
        """The end of a system that has nothing more to do."""
        return Stop(StopReason.ANSWERED, draft=self.draft)


class FinalReader:
    """Reads with the model of the gear, or without one."""

    def __init__(self, gear: Gear) -> None:
        model, settings = gear.metered(gear.run), gear.settings
        warmth = settings.temperature, settings.top_p
        self._run = gear.run
        self._asker = Asker(gear.run, model, settings.seed, warmth=warmth) if model else None

    async def read(
        self, question: str, pages: Mapping[str, Page], notes: Sequence[Note] = (), noted: Sequence[Page] = ()
    ) -> Verdict:
        """Return the answer of the documents and the notes.

        Args:
            question: what is asked.
            pages: the documents, by archive id.
            notes: facts found elsewhere; the model is shown them before the documents.
            noted: the pages these were found on.

        Raises:
            Stop: the model failed, or cannot be paid; its draft is what the notes say.
            ModelAuth: the model could not be asked.
        """
        documents = list(pages.values())
        everything = list({page.id: page for page in (*documents, *noted)}.values())
        if not everything:
            return Verdict(Draft(""), False)
        if self._asker is None:
            return _by_words(question, everything)

        def parts(share: float) -> list[Part]:
            return [
                Part("Notes taken before:", "notes", note_lines(notes, int(_NOTE_CHARS * share))),
                Part("Passages of the documents:", "passages", _passages(question, documents, share)),
            ]

        known = Draft("\n".join(note.text for note in notes), claims_from(notes), tuple(documents))
        said = await self._afforded(self._asker, question, parts, known)
        if said is None:
            raise Stop(StopReason.FAILED, "the model failed, see the run's trace", known)
        text = said.answer.strip()
        if not text:
            return Verdict(Draft(""), False)
        claims = claims_from(self._located(said.notes, everything))
        return Verdict(Draft(text, claims, tuple(documents)), said.sufficient)

    async def _afforded(self, asker: Asker, question: str, parts: Parts, known: Draft) -> FinalAnswer | None:
        """Ask with as much shown as the budget pays for; when it pays for nothing of use, what is known has to do."""
        stop = Stop(StopReason.BUDGET)
        for part in _SHOWN:

            def some(share: float, part: float = part) -> list[Part]:
                return parts(share * part)

            try:
                return await asker.ask(_READ, FinalAnswer, question, some)
            except BudgetExceeded as error:
                stop = limit_stop(error.detail["meter"])
        raise Stop(stop.reason, stop.detail, known)

    def _located(self, facts: Sequence[_Fact], pages: Sequence[Page]) -> list[Note]:
        """Return the facts whose quotes are on one of the pages; the trace has the others."""
        found: list[Note] = []
        for fact in facts:
            quote = next((quote for page in pages if (quote := locate(page, fact.quote))), None)
            if quote is None or not fact.statement.strip():
                why = "no statement" if quote else "the quote is on no page"
                self._run.trace.emit("note_dropped", page="", statement=fact.statement, quote=fact.quote, why=why)
            else:
                found.append(Note(text=fact.statement.strip(), quote=quote))
        return merge((), found)


def _by_words(question: str, pages: Sequence[Page]) -> Verdict:
    reader = Reader(question)
    for page in pages:
        reader.read(page)
    whole = reader.draft(_SUFFICES)
    return Verdict(whole or reader.draft() or Draft(""), whole is not None)


def _passages(question: str, pages: Sequence[Page], share: float) -> str:
    limit = int(_PASSAGE_CHARS * share)
    found = best_passages(pages, question, limit) or [(page, page.markdown[: int(_HEAD * share)]) for page in pages]
    return "\n\n".join(f"# {page.title}\n\n{text}" for page, text in found)
