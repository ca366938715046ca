"""What a chat model finds stated on a page: facts with their wording, each with the quote that states it.

The page enters the prompt fenced, and nothing that the model says is believed: a fact whose quote does not stand on the
page, character by character, or does not hold the value, is dropped and counted. Invariant: every statement that is
returned has exact evidence; that it says what the wording asks is the model's word alone.
"""

from collections import Counter
from dataclasses import dataclass, field

from pydantic import BaseModel

from webfarer.core.errors import BadReply
from webfarer.core.text import is_chinese
from webfarer.core.types import Page
from webfarer.data.ground import LANGUAGES, Relation, Statement
from webfarer.data.question import Evidence
from webfarer.evals.scoring import normalise
from webfarer.models.base import ChatModel, Message, Sampling
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.models.structured import ask

_SAMPLING = Sampling(max_tokens=2048)
_LONGEST = 80  # characters of a value
_FACTS = 8
_TASK = (
    "You collect facts from a page of a website; questions will be made of them.\n"
    "Choose at most {facts} facts that the page states plainly, that hardly stand on any other page, and that have "
    "one short answer: a name, a date, a number, a version, a place. Leave out whatever depends on the reader, on "
    "examples, or on the words around it. For every fact give\n"
    "subject: what it is about, by its full name as the page writes it;\n"
    "ask: a clause in {language} that asks for the value, with {{x}} for the subject: when was {{x}} opened;\n"
    "of: a noun phrase for the value: the opening date of {{x}};\n"
    'whose: a noun phrase for the subject, with {{x}} for the value, or "" where several things may have that value: '
    "the observatory opened on {{x}};\n"
    "value: the answer, copied from the page, at most {longest} characters;\n"
    "quote: the sentence or table row that states it, copied from the page character by character, the value in it.\n"
    'Reply with JSON alone: {{"facts": [{{"subject": "…", "ask": "…", "of": "…", "whose": "…", "value": "…", '
    '"quote": "…"}}]}}. If there is no such fact: {{"facts": []}}.\n'
) + FENCE_RULE


class _Fact(BaseModel):
    subject: str
    ask: str
    of: str = ""
    whose: str = ""
    value: str
    quote: str


class _Facts(BaseModel):
    facts: list[_Fact]


@dataclass(slots=True)
class Facts:
    """What a model found on a page.

    Attributes:
        dropped: how many were not believed, by reason.
    """

    statements: list[Statement] = field(default_factory=list)
    relations: dict[str, Relation] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)


async def facts(model: ChatModel, page: Page, language: str) -> Facts:
    """Return what a model finds stated on a page, and what of its reply was dropped.

    Raises:
        ModelError: what the model raised; a reply that is no JSON is no facts.
    """
    found = Facts()
    try:
        reply = await ask(model, _messages(model, page, language), _Facts, _SAMPLING)
    except BadReply:
        found.dropped["fact reply"] += 1
        return found
    problems = [_problem(fact, page, language) for fact in reply.facts]
    found.dropped.update(f"fact {problem}" for problem in problems if problem)
    believed = [fact for fact, problem in zip(reply.facts, problems, strict=True) if not problem]
    told = Counter((fact.subject, fact.ask) for fact in believed)
    for fact in believed:
        if told[fact.subject, fact.ask] > 1:
            found.dropped["fact unique"] += 1
            continue
        key = f"read:{fact.ask}:{fact.of}:{fact.whose}"
        found.relations[key] = Relation(fact.ask.rstrip("?？"), fact.of, fact.whose)
        start = page.markdown.find(fact.quote)
        evidence = Evidence.at(page, start, start + len(fact.quote))
        found.statements.append(Statement(fact.subject, key, fact.value, evidence))
    return found


def _messages(model: ChatModel, page: Page, language: str) -> list[Message]:
    """Return the prompt, the page cut to what fits the model's context."""
    task = _TASK.format(facts=_FACTS, language=LANGUAGES[language], longest=_LONGEST)
    text = page.markdown
    while True:
        shown = fence(f"{page.title}\n\n{text}", nonce=nonce(page.id, text), source="page")
        messages = [Message("system", task), Message("user", shown)]
        if not text or model.count(messages) + _SAMPLING.max_tokens <= model.context:
            return messages
        text = text[: len(text) * 3 // 4]


def _problem(fact: _Fact, page: Page, language: str) -> str:
    """Return why a fact is not believed, or ""."""
    words = normalise(f"{page.title}\n{page.markdown}")
    checks = {
        "quote": fact.quote.strip() and fact.quote in page.markdown,
        "value": fact.value.strip() and len(fact.value) <= _LONGEST and fact.value in fact.quote,
        "subject": fact.subject.strip() and normalise(fact.subject) in words,
        "wording": _is_worded(fact, language),
        "given away": normalise(fact.value) not in normalise(f"{fact.ask} {fact.subject}"),
    }
    return next((name for name, good in checks.items() if not good), "")


def _is_worded(fact: _Fact, language: str) -> bool:
    """Say whether the phrases have one place for a name each, and are in the language."""
    phrases = [phrase for phrase in (fact.of, fact.whose) if phrase]
    return all(phrase.count("{x}") == 1 and is_chinese(phrase) == (language == "zh") for phrase in (fact.ask, *phrases))
