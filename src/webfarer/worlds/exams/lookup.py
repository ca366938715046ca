"""Lookup: a table stands in the prompt; questions ask for one cell or for the sum of two.

Every row holds every column, so a cell is found only by both names together. The output restates the cells it uses
before it answers: a sum needs text just generated, and nothing older.
"""

from random import Random

from webfarer.worlds.exam import COLUMNS, ROWS, Entry, Exam, practice_questions

_CELL_VALUES = 20
_SHARE_OF_SUMS = 0.6


def _compose(rng: Random, numbers: list[str], size: dict[str, int]) -> tuple[str, list[Entry]]:
    rows, columns = rng.sample(ROWS, size["rows"]), rng.sample(COLUMNS, size["columns"])
    table = {(row, column): rng.randrange(_CELL_VALUES) for row in rows for column in columns}
    given = " table" + "".join(f" {row} {column} {value:02d} ;" for (row, column), value in table.items())
    return given, [_entry(rng, table) for _ in numbers]


def _entry(rng: Random, table: dict[tuple[str, str], int]) -> Entry:
    (row, column), (other_row, other_column) = one, two = rng.sample(sorted(table), 2)
    if rng.random() < _SHARE_OF_SUMS:
        asked = f"sum {row} {column} and {other_row} {other_column}"
        worked = f"sum {row} {column} {table[one]:02d} and {other_row} {other_column} {table[two]:02d}"
        return Entry(asked, worked, f"{table[one] + table[two]:02d}")
    asked = f"cell {row} {column}"
    return Entry(asked, f"{asked} {table[one]:02d}", f"{table[one]:02d}")


def _practise(rng: Random, share: float) -> tuple[int, dict[str, int]]:
    questions, _ = practice_questions(rng, share, full=24)
    return questions, {"rows": rng.randint(2, max(2, round(share * 12))), "columns": rng.randint(2, 4)}


exam = Exam("lookup", _compose, _practise, {"rows": 8, "columns": 4})
