"""Filtering: rows are written as verdicts come, all of them or none."""

from pathlib import Path

import pytest
from trace_kit import QUESTION, Desk, said

from webfarer.core.errors import ModelError
from webfarer.data.filtering import filtered
from webfarer.data.row import read_rows
from webfarer.data.trajectory import Trajectory


class Second:
    """Has something to say of the second attempt."""

    stage, order, asks = "validity", 1, False

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def problem(self, trajectory: Trajectory, _: object) -> str:
        second = trajectory.result.number == 2
        if second and self.error:
            raise self.error
        return "second" if second else ""


async def test_rows_are_in_the_file_and_only_counted_in_memory(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "run", runs=3)
    for number in (1, 2, 3):
        desk.attempt(said(1, QUESTION, "1931"), number)
    out = tmp_path / "there" / "rows.jsonl"
    left = await filtered([desk.folder], [Second()], out)
    assert left.rows == left.funnel.kept.count == 2
    assert [row.id.rpartition(".")[2] for row in read_rows(out)] == ["1/1", "3/1"]
    before = out.read_bytes()
    with pytest.raises(ModelError):
        await filtered([desk.folder], [Second(ModelError("down"))], out)
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["rows.jsonl"]
