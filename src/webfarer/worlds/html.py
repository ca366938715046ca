"""HTML of a generated page: a builder that remembers the links it wrote, and the frame every page stands in.

Not a template engine. Links appear as websites write them: anchors, buttons with `onclick`, elements with `data-url`;
every target a browser would reach is remembered in document order, so that clicks can be counted.
"""

from dataclasses import dataclass, field
from html import escape

Link = tuple[str, str]


@dataclass(slots=True)
class Frame:
    """What surrounds the main content, the same on every page but for the breadcrumbs.

    Attributes:
        language: of the site.
        site: its name.
        nav: links of the navigation bar.
        footer: links at the bottom; the last leads to another site.
        plain: whether the breadcrumbs and the navigation are plain `div` elements, as on older sites.
    """

    language: str
    site: str
    nav: list[Link]
    footer: list[Link]
    plain: bool = False


@dataclass(slots=True)
class Html:
    """Main content under construction."""

    parts: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def text(self, element: str, text: str) -> None:
        """Add an element with plain text."""
        self.parts.append(f"<{element}>{escape(text)}</{element}>")

    def open(self, tag: str) -> None:
        """Add a tag as it is."""
        self.parts.append(tag)

    def link(self, label: str, path: str) -> str:
        """Return an anchor and remember it."""
        self.links.append((label, path))
        return f'<a href="{path}">{escape(label)}</a>'

    def button(self, label: str, path: str) -> str:
        """Return a button that leads on by script and remember it."""
        self.links.append((label, path))
        return f'<button type="button" onclick="location.href=\'{path}\'">{escape(label)}</button>'

    def tile(self, label: str, path: str) -> str:
        """Return a clickable element that leads on by `data-url` and remember it."""
        self.links.append((label, path))
        return f'<span class="tile" role="link" data-url="{path}">{escape(label)}</span>'

    def page(
        self, frame: Frame, title: str, crumbs: list[Link], aside: "Html | None" = None
    ) -> tuple[bytes, list[Link]]:
        """Return the whole document and all its links, in document order."""
        out = Html()
        bar = "div" if frame.plain else "nav"
        nav = "".join(f"<li>{out.link(label, path)}</li>" for label, path in frame.nav)
        head = (
            f'<header><div class="logo">{escape(frame.site)}</div>'
            f'<{bar} class="navbar menu"><ul>{nav}</ul></{bar}></header>'
        )
        trail = ""
        if crumbs:
            steps = " &gt; ".join(out.link(label, path) for label, path in crumbs)
            trail = f'<{bar} class="breadcrumb" aria-label="breadcrumb">{steps} &gt; {escape(title)}</{bar}>'
        out.links += self.links
        side = ""
        if aside is not None and aside.parts:
            out.links += aside.links
            side = f'<aside class="sidebar">{"".join(aside.parts)}</aside>'
        foot = " | ".join(out.link(label, path) for label, path in frame.footer)
        heading = escape(title if not crumbs else f"{title} - {frame.site}")
        document = (
            f'<!doctype html>\n<html lang="{frame.language}"><head><meta charset="utf-8"><title>{heading}</title>'
            f"</head>\n<body>{head}\n{trail}\n<main>\n{chr(10).join(self.parts)}\n</main>\n{side}\n"
            f'<footer class="footer">{foot}<p>© {escape(frame.site)}</p></footer></body></html>\n'
        )
        return document.encode(), out.links
