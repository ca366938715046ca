"""Where copies of published sets are shown: the pages that an evaluation keeps its agents from.

A hub shows a set on its pages and gives it in its API, under its short name and its mirror's, and one host serves rows
of any set. Not a list of all copies: anybody can make one. Invariant: what is listed fits :class:`Blocklist`.
"""

_HUBS = ("huggingface.co", "hf.co", "hf-mirror.com")
_ROWS = "datasets-server.huggingface.co"  # whole: which set it serves stands in the query


def hub_pages(repository: str = "") -> tuple[str, ...]:
    """Return the places of a data set ("owner/name"), or of all sets and spaces, for one that has many copies."""
    pages = (f"datasets/{repository}",) if repository else ("datasets", "spaces")
    return *(f"{hub}/{way}{page}" for hub in _HUBS for way in ("", "api/") for page in pages), _ROWS


def github_pages(repository: str) -> tuple[str, ...]:
    """Return the places of a code repository ("owner/name") that holds a data set."""
    hosts = ("github.com", "raw.githubusercontent.com", "codeload.github.com", "api.github.com/repos")
    return *(f"{host}/{repository}" for host in hosts), f"cdn.jsdelivr.net/gh/{repository}"
