"""What a query says in the language of its ground: a question, or an instruction to list something.

Every phrase comes from the ground's relations, and what joins them from :mod:`webfarer.data._tongues`. Phrases within
phrases, and long ones, are hard to read, so they are found first: "Find the lens whose maker is A. Who uses this lens?"
Where a relation has no phrase for its place, there is no question. Invariant: every constant of the query stands in the
question as it is written.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from webfarer.data._tongues import TONGUES, Tongue
from webfarer.data.formula import Both, Count, Each, Either, Entity, Every, Of, Query, Term, Whose, hops
from webfarer.data.ground import Ground
from webfarer.evals.scoring import normalise
from webfarer.worlds.prose import capital

_DEEP = 2  # phrases within each other at the end of a sentence; one less in its middle


class _Wordless(Exception):
    """There is no phrase for a term at its place; never leaves this module."""


def question_of(query: Query, ground: Ground) -> str | None:
    """Return the question that asks for `query`; None where the ground's relations cannot say it."""
    with suppress(_Wordless):
        return _Speaker(ground, TONGUES[ground.language]).question(query)
    return None


def noun_of(term: Term, ground: Ground) -> str | None:
    """Return a noun phrase for the one thing that a term denotes; None where it has none, or takes a sentence."""
    with suppress(_Wordless):
        speaker = _Speaker(ground, TONGUES[ground.language])
        noun = speaker.noun(term, _DEEP - 1)
        return None if speaker.found else noun
    return None


def refilled(text: str, term: Term, ground: Ground) -> str | None:
    """Return a sentence with the one thing that a term denotes in the place of `{x}`; None where it has no phrase."""
    with suppress(_Wordless):
        speaker = _Speaker(ground, TONGUES[ground.language])
        return speaker.said(speaker.phrase(text, term, _DEEP))
    return None


def stands_in(part: str, text: str) -> bool:
    """Say whether a part of an answer stands in a text as whole words; one of signs alone, as signs."""
    words = normalise(part)
    return words in normalise(text) if words.strip() else part in text


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Words one query; `found` are the sentences that come before the question."""

    ground: Ground
    tongue: Tongue
    found: list[str] = field(default_factory=list)

    def question(self, query: Query) -> str:
        asked, told = self.tongue.ends
        match query:
            case Every(inner):
                return self.said(_filled(self.tongue.every, self.plural(inner)) + told)
            case Each(parts):
                return self.said(self.tongue.also.join(map(self.clause, parts)) + asked)
        return self.said(self.clause(query) + asked)

    def said(self, sentence: str) -> str:
        return self.tongue.space.join([*self.found, capital(sentence)])

    def clause(self, term: Term) -> str:
        match term:
            case Of(relation, inner):
                return self.phrase(self.ground.relations[relation].ask, inner, _DEEP)
            case Count(inner):
                return self.tongue.count(self.plural(inner))
            case Entity():
                raise _Wordless
        return _filled(self.tongue.name, self.noun(term, _DEEP - 1))

    def noun(self, term: Term, room: int) -> str:
        """Return a noun phrase for one thing."""
        match term:
            case Entity(name):
                return self.ground.shown.get(name, name)
            case Both(parts):
                return self.both([(self.ground.relations[_whose(part).relation].whose, part) for part in parts])
            case Of(_, inner) | Whose(_, inner):
                return self.phrase(self.template(term), inner, room)
        raise _Wordless

    def template(self, term: Term) -> str:
        match term:
            case Of(relation, _):
                return self.ground.relations[relation].of
            case Whose(relation, _):
                return self.ground.relations[relation].whose
        return ""

    def plural(self, term: Term) -> str:
        """Return a noun phrase for several things."""
        match term:
            case Whose(relation, inner):
                return self.phrase(self.ground.relations[relation].those, inner, _DEEP - 1)
            case Both(parts):
                return self.both([(self.ground.relations[_whose(part).relation].those, part) for part in parts])
            case Of(relation, inner):
                return _worded(self.tongue.each(_worded(self.ground.relations[relation].of), self.plural(inner)))
            case Either((first, Of(relation, inner))) if inner == first:
                return _worded(self.tongue.beside(_worded(self.ground.relations[relation].of), self.plural(first)))
            case Either(parts):
                return self.tongue.either([self.plural(part) for part in parts])
        raise _Wordless

    def phrase(self, template: str, inner: Term, room: int) -> str:
        """Return a template with a term in it; of a deep or long one, "this" and what it is. Quotes hold only a name.

        Args:
            room: how many phrases there may be within each other; one less where the template goes on after them.
        """
        quoted = "“{x}”" in template
        if isinstance(inner, Entity):
            return _filled(template, inner.name if quoted else self.noun(inner, 0))
        if quoted:
            raise _Wordless
        room = room if template.endswith("{x}") else room - 1
        noun = self.noun(inner, (room if room > 0 else _DEEP) - 1)
        head = self.tongue.head(self.template(inner))
        if head and (room <= 0 or len(noun) > self.tongue.long):
            self.found.append(_filled(self.tongue.find[bool(self.found)], noun))
            noun = _filled(self.tongue.this, head)
        return self.tongue.nested(_worded(template), noun)

    def both(self, parts: Sequence[tuple[str, Term]]) -> str:
        """Return one phrase for what is several things at once."""
        ordered = sorted(parts, key=lambda part: hops(part[1]))  # long ones last
        nouns = [self.noun(_whose(part).inner, _DEEP - 1) for _, part in ordered]
        return _worded(self.tongue.both([template for template, _ in ordered], nouns))


def _whose(part: Term) -> Whose:
    if not isinstance(part, Whose):
        raise _Wordless
    return part


def _filled(template: str, noun: str) -> str:
    return _worded(template).replace("{x}", noun)


def _worded(template: str) -> str:
    if not template:
        raise _Wordless
    return template
