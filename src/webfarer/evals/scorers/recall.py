"""Answers in whole sentences: how much of the reference they hold, and how much of them their quotes support.

`recall` is the share of the reference's words that stand in the answer; `knowledge_precision` the share of the
answer's words that stand in the passages it rests on, here the quotes of its claims. Words as SQuAD counts them.
Source: Adlakha et al., "Evaluating Correctness and Faithfulness of Instruction-Following Models for Question
Answering", TACL 2024.
"""

from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers._squad import common, tokens


class Recall(Averaged):
    """Correctness and faithfulness of verbose answers; an answer without words has no precision."""

    metrics = ("recall", "knowledge_precision")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer; the accepted form that fits best counts."""
        said = tokens(attempt.text)
        known = [words for form in attempt.item.accepted if (words := tokens(form))]
        values = {"recall": max((common(said, words) / len(words) for words in known), default=0.0)}
        if said:
            claims = attempt.answer.claims if attempt.answer else ()
            knowledge = set(tokens("\n".join(claim.quote.text for claim in claims if claim.quote)))
            values["knowledge_precision"] = sum(word in knowledge for word in said) / len(said)
        return Marks(values)


scorer = Recall()
