"""What fine-tuning reads: token ids, and for each of them whether the loss is taken there.

Made of rows by :mod:`webfarer.data.masking`, of plain chat rows and of labels alike. Not text: a trainer never
tokenises. Invariant: `labels` equals `ids` where the model is taught, and IGNORED elsewhere.
"""

from dataclasses import dataclass

from webfarer.data.masking import IGNORED


@dataclass(frozen=True, slots=True)
class Example:
    """One sequence.

    Attributes:
        id: of the row it was made of, for messages.
        ids: tokens.
        labels: as long as `ids`; the token itself where it is taught, else IGNORED.
    """

    id: str
    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def taught(self) -> int:
        """How many tokens the loss is taken of; the first token has nothing before it to be foretold from."""
        return sum(label != IGNORED for label in self.labels[1:])
