"""A conference's site: the deadline of one track and the venue lie on different pages, two clicks down.

Other tracks have deadlines of their own, earlier meetings had other venues, and another conference has both. Right are
the industry track's deadline and this year's venue.
"""

from webfarer.worlds.replica import Frame, Replica, bullets, link, paragraphs, table

_HOST, _OTHER = "2025.textmachines.test", "softcraft.test"
_MENU = (
    ("Home", "/"),
    ("Calls", "/calls/"),
    ("Attending", "/attend/"),
    ("Programme", "/programme/"),
    ("About", "/about/"),
)
_FRAME = Frame("Text Machines 2025", _MENU)
_TRACKS = {
    "Main Conference": ("February 15, 2025", "May 15, 2025"),
    "Industry Track": ("March 21, 2025", "May 12, 2025"),
    "System Demonstrations": ("March 28, 2025", "May 18, 2025"),
    "Student Research Workshop": ("April 3, 2025", "May 26, 2025"),
    "Tutorials": ("December 2, 2024", "January 20, 2025"),
    "Workshops": ("November 18, 2024", "December 12, 2024"),
}
_PAST = {2024: "Siam Congress Hall, Bangkok", 2023: "Westharbour Centre, Toronto", 2022: "Convention House, Dublin"}
_TALKS = {
    "Keynotes": ("Three invited talks open the days.", "Speakers are announced in June."),
    "Social events": ("The banquet is on Tuesday.", "Everybody with a badge may come."),
    "Sponsors": ("Sponsors pay for the student grants.", "Booths stand in the foyer."),
    "Schedule": ("Sessions last ninety minutes.", "Posters hang all day."),
}
_ATTEND = {
    "Registration": ("Registration opens in May.", "Students pay half."),
    "Visa": ("Letters of invitation are sent within a week.", "Ask early."),
    "Hotels": ("Rooms are held in four hotels until June.", "All are near the underground."),
}


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _call(track: str, due: str, notified: str) -> str:
    body = paragraphs(f"We invite contributions to the {track}.", "Papers are read by three people.")
    body += "<h2>Important dates</h2>" + table(
        ("What", "When"), ("Submission deadline", due), ("Notification of acceptance", notified)
    )
    return _FRAME.page(track, body, crumbs=(("Calls", "/calls/"),))


def _site() -> dict[str, str]:
    about = (
        paragraphs("The meeting has moved through the world since 2022.")
        + "<h2>Past venues</h2>"
        + table(("Year", "Venue"), *((str(year), venue) for year, venue in _PAST.items()))
    )
    pages = {
        "/": _FRAME.page("Text Machines 2025", paragraphs("A week of talks about machines that read and write.")),
        "/calls/": _FRAME.page("Calls", bullets(*(link(track, f"/calls/{_slug(track)}") for track in _TRACKS))),
        "/attend/": _FRAME.page(
            "Attending", bullets(*(link(page, f"/attend/{_slug(page)}") for page in [*_ATTEND, "Venue"]))
        ),
        "/programme/": _FRAME.page("Programme", bullets(*(link(page, f"/programme/{_slug(page)}") for page in _TALKS))),
        "/about/": _FRAME.page(
            "About", bullets(link("Earlier meetings", "/about/earlier"), link("Code of conduct", "/about/conduct"))
        ),
        "/about/earlier": _FRAME.page("Earlier meetings", about, crumbs=(("About", "/about/"),)),
        "/about/conduct": _FRAME.page("Code of conduct", paragraphs("Be kind.")),
        "/attend/venue": _FRAME.page(
            "Venue",
            paragraphs(
                "The venue is the Donau Forum, Salzgries 14, 1010 Vienna.", "The underground stops in front of it."
            ),
            crumbs=(("Attending", "/attend/"),),
        ),
    }
    pages |= {f"/calls/{_slug(track)}": _call(track, *days) for track, days in _TRACKS.items()}
    pages |= {f"/attend/{_slug(name)}": _FRAME.page(name, paragraphs(*texts)) for name, texts in _ATTEND.items()}
    pages |= {f"/programme/{_slug(name)}": _FRAME.page(name, paragraphs(*texts)) for name, texts in _TALKS.items()}
    return pages


_OTHERS = {
    "/": Frame("Softcraft 2025").page(
        "Softcraft 2025",
        paragraphs("The venue is the Old Mill in Ghent.", "The Industry Track deadline is July 7, 2025."),
    )
}

replica = Replica(
    question="When is the Industry Track deadline, and where is the venue?",
    truth=("March 21, 2025", "Donau Forum, Salzgries 14"),
    traps=("February", "March 28", "April 3", "July 7", "Bangkok", "Toronto", "Dublin", "Ghent"),
    sites={_HOST: _site(), _OTHER: _OTHERS},
    gold=(f"http://{_HOST}/calls/industry-track", f"http://{_HOST}/attend/venue"),
    known=(
        *(f"http://{_HOST}/{path}" for path in ("", "calls/", "attend/", "programme/", "about/", "about/earlier")),
        f"http://{_OTHER}/",
    ),
    start=f"http://{_HOST}/",
)
