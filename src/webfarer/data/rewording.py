"""A question in a chat model's words, where they can be trusted; else in those of the template.

Accepted only while every constant of the formula still stands in it, no part of the answer does, and the language is
the same. What is asked is not understood here: a model may still bend it, so reworded questions are worth a look
(`made["by"]` names the model). Invariant: nothing but `question` and `made` changes.
"""

from pydantic import BaseModel

from webfarer.core.errors import BadReply
from webfarer.core.text import is_chinese
from webfarer.data.formula import constants, from_json
from webfarer.data.ground import LANGUAGES, Ground
from webfarer.data.question import Question
from webfarer.data.wording import stands_in
from webfarer.models.base import ChatModel, Message
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.models.structured import ask

_SYSTEM = (
    "You word questions for a quiz about a website. Reword the question that you are given so that it reads as a "
    "person would ask it. Ask for exactly the same thing under exactly the same conditions, and add nothing that you "
    "know. Keep every one of the listed names character by character. Use {language}. "
    'Reply with a JSON object: {{"question": "…"}}.\n' + FENCE_RULE
)
_LONGER = 3
_ROOM = 100


class Reworded(BaseModel):
    """What the model is asked for."""

    question: str


async def reworded(model: ChatModel, question: Question, ground: Ground) -> Question:
    """Return the question in the model's words, or as it is where those will not do or it has no formula.

    Raises:
        ModelError: what the model raised; a malformed reply is none that will do.
    """
    if question.formula is None:
        return question
    names = tuple(dict.fromkeys(constants(from_json(question.formula))))
    kept = "\n".join(_fenced(question, name, "name") for name in names)
    messages = (
        Message("system", _SYSTEM.format(language=LANGUAGES[ground.language])),
        Message("user", f"{_fenced(question, question.question, 'question')}\nNames to keep:\n{kept}"),
    )
    try:
        text = (await ask(model, messages, Reworded)).question.strip()
    except BadReply:
        return question
    if not _fits(text, names, question):
        return question
    return question.model_copy(update={"question": text, "made": {**question.made, "by": model.name}})


def _fenced(question: Question, text: str, source: str) -> str:
    return fence(text, nonce=nonce(question.id, text), source=source)


def _fits(text: str, names: tuple[str, ...], question: Question) -> bool:
    kept = all(name.casefold() in text.casefold() for name in names)
    told = any(stands_in(part, text) for part in question.wanted)
    brief = "\n" not in text and len(text) <= _LONGER * len(question.question) + _ROOM
    return kept and not told and brief and is_chinese(text) == is_chinese(question.question)
