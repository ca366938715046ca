"""A research lab's index behind filters: the newest publication stands only in the list filtered to publications.

The search engine knows an older publication and a digest that calls it the latest; newer items of other kinds stand
above it in the list of everything, which does not say what kind an item is. Right is the newest of the filtered list.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from webfarer.worlds.replica import Frame, Replica, bullets, link, paragraphs

_LAB, _DIGEST = "www.meridianlab.test", "digest.preprintwatch.test"
_MENU = (("Home", "/"), ("Research", "/research"), ("Careers", "/careers"), ("Safety", "/safety"))
_FRAME = Frame("Meridian Lab", _MENU)
_KINDS = ("Publication", "Release", "Milestone")
_ON_A_PAGE = 8


class _Item(NamedTuple):
    title: str
    kind: str
    day: date
    text: str

    @property
    def path(self) -> str:
        return "/research/" + "-".join(self.title.lower().replace(":", "").replace(",", "").split())

    @property
    def said_day(self) -> str:
        return f"{self.day:%B} {self.day.day}, {self.day.year}"


_ITEMS = [
    _Item("One million tutors", "Milestone", date(2025, 4, 18), "A million teachers have used Quill."),
    _Item("Quill Coder", "Release", date(2025, 4, 17), "An assistant for the command line."),
    _Item("Quill 3 and Quill 3 mini System Card", "Publication", date(2025, 4, 16), "What was measured before launch."),
    _Item("Quill 3 and Quill 3 mini", "Release", date(2025, 4, 16), "Two models that think before they answer."),
    _Item("Preparedness Charter, revised", "Publication", date(2025, 4, 15), "How risks are followed and bounded."),
    _Item("Quill 2.5 for developers", "Release", date(2025, 4, 14), "Longer inputs at a lower price."),
    _Item("BrowseDeep: finding what is hard to find", "Publication", date(2025, 4, 10), "Twelve hundred questions."),
    _Item("Images in Quill", "Release", date(2025, 4, 7), "Pictures are drawn by the same model."),
    _Item("RebuildBench: repeating research papers", "Publication", date(2025, 4, 2), "Twenty papers, from scratch."),
]
_SUBJECTS = "memory planning speech vision robotics privacy translation retrieval alignment safety".split()
_ITEMS += [
    _Item(
        f"Notes on {subject}", _KINDS[n % 3], date(2025, 3, 20) - timedelta(days=9 * n), f"What we learnt of {subject}."
    )
    for n, subject in enumerate(_SUBJECTS)
]


def _index(items: Sequence[_Item], path: str, further: str) -> str:
    filters = bullets(link("All", "/research"), *(link(kind, f"/research?type={kind.lower()}") for kind in _KINDS))
    rows = bullets(*(f"{link(item.title, item.path)} <time>{item.said_day}</time>" for item in items))
    more = f"<p>{link('Older', further)}</p>" if further else ""
    return _FRAME.page("Research index", f"{filters}\n{rows}{more}")


def _lab() -> dict[str, str]:
    pages = {
        "/": _FRAME.page("Meridian Lab", paragraphs("Meridian Lab builds careful machines.", "See our research.")),
        "/careers": _FRAME.page("Careers", paragraphs("We look for people who check their own results.")),
        "/safety": _FRAME.page("Safety", paragraphs("Every model is tested before people use it.")),
    }
    for kind in ("", *_KINDS):
        chosen = [item for item in _ITEMS if kind in ("", item.kind)]
        queries = [f"type={kind.lower()}"] if kind else []
        first, second = ("?".join(["/research", *queries]), f"/research?{'&'.join([*queries, 'page=2'])}")
        further = second if len(chosen) > _ON_A_PAGE else ""
        pages[first] = _index(chosen[:_ON_A_PAGE], first, further)
        if further:
            pages[second] = _index(chosen[_ON_A_PAGE:], second, "")
    for item in _ITEMS:
        body = paragraphs(item.kind, item.said_day, item.text)
        pages[item.path] = _FRAME.page(item.title, body, crumbs=(("Research", "/research"),), date=item.day.isoformat())
    return pages


_FOUND = next(item for item in _ITEMS if item.title.startswith("RebuildBench"))
_DIGEST_PAGES = {
    "/": Frame("Preprint Watch").page(
        "This week", bullets(link("The latest publication by Meridian Lab", "/meridian")), date="2025-04-03"
    ),
    "/meridian": Frame("Preprint Watch").page(
        "The latest publication by Meridian Lab",
        paragraphs(f"The latest publication by Meridian Lab is {_FOUND.title}.", "It appeared on 2 April 2025."),
        date="2025-04-03",
    ),
}

replica = Replica(
    question="What is the latest publication by Meridian Lab?",
    truth=("Quill 3 and Quill 3 mini System Card", "April 16, 2025"),
    traps=("RebuildBench", "Quill Coder", "One million tutors", "Preparedness Charter"),
    sites={_LAB: _lab(), _DIGEST: _DIGEST_PAGES},
    gold=(f"http://{_LAB}/research?type=publication",),
    known=(
        *(f"http://{_LAB}{path}" for path in ("/", "/careers", "/safety", "/research", _FOUND.path)),
        *(f"http://{_DIGEST}{path}" for path in _DIGEST_PAGES),
    ),
)
