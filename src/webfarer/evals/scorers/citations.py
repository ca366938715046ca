"""Citations: which of the pages that state the answer are cited, and whether the quotes are really there.

A page is cited when a claim quotes it. Source: Gao et al., "Enabling Large Language Models to Generate Text with
Citations" (ALCE), EMNLP 2023, for the two sides of it; pages stand here for their passages.
"""

from webfarer.evals.matching import f1, page_key
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged


class Citations(Averaged):
    """Cited pages against the gold pages.

    Without gold pages there is only `verified`, the share of the claims whose quote was found; without claims not even
    that. Who cites nothing has a recall of 0 and no precision.
    """

    metrics = ("f1", "precision", "recall", "verified")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer's claims."""
        claims = attempt.answer.claims if attempt.answer else ()
        cited = {page_key(claim.quote.url) for claim in claims if claim.quote}
        gold = {page_key(url) for url in attempt.item.gold}
        values: dict[str, float] = {}
        if gold:
            precision, recall = len(cited & gold) / max(1, len(cited)), len(cited & gold) / len(gold)
            values = {"f1": f1(precision, recall), "recall": recall} | ({"precision": precision} if cited else {})
        if claims:
            values["verified"] = sum(claim.verified for claim in claims) / len(claims)
        return Marks(values, {"cited": sorted(cited)})


scorer = Citations()
