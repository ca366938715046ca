"""Exit codes: one per stop reason, so that a script need not read the answer to know how a walk ended.

A walk that a limit ended has the limit's code, also when it brings an answer.
"""

ERROR = 1
USAGE = 2
EXIT_CODES = {
    "answered": 0,
    "failed": ERROR,
    "budget": 3,
    "loop": 4,
    "turns": 5,
    "timeout": 6,
    "no_sources": 7,
    "cancelled": 130,
}
EXIT_HELP = (
    "Exit codes by how the walk ended: "
    + ", ".join(f"{code} {reason}" for reason, code in EXIT_CODES.items())
    + f"; {USAGE} wrong usage or settings, {ERROR} any other error."
)
