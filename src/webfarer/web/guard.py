"""The guard: one spelling for each URL, and which URLs and addresses may be asked.

:meth:`Guard.resolve` looks a name up once, refuses when any answer is not public, and :class:`GuardedResolver` hands
aiohttp exactly the addresses that were checked, so a name cannot change its mind in between. Not a sandbox: it stands
between a page's links and the user's own network. Source: WHATWG URL; WHATWG Fetch, "port blocking"; RFC 3986 §6.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from webfarer.core.errors import AddressRefused, ConfigError, Refused
from webfarer.web.addresses import LOCAL, PUBLIC, canonical_host, kind_of

_PORTS = {"http": 80, "https": 443}
# Ports on which something else than HTTP listens and would take a request for its own language.
_BAD_PORTS = frozenset(
    map(
        int,
        """1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119
        123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990
        993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697
        10080""".split(),
    )
)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE = "!$&'()*+,;=:@/-._~%"
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_CONTROL_OR_SPACE = "".join(map(chr, range(33)))
_DROPPED = str.maketrans("", "", "\t\r\n")
_UNPAIRED = re.compile("[\ud800-\udfff]")


def split_fragment(url: str) -> tuple[str, str]:
    """Split `url` at its first `#` into what is fetched and the fragment (without `#`)."""
    before, _, fragment = url.partition("#")
    return before, fragment


def with_scheme(url: str) -> str:
    """Return `url` with a scheme, https where it has none: people and models leave it out."""
    return url if "://" in url else f"https://{url}"


def canonical_url(url: str, base: str | None = None) -> str:
    """Return the one spelling of `url`, without fragment; relative to `base` when given.

    Raises:
        Refused: not an http(s) URL, no host, a user name in it, or otherwise unreadable.
        AddressRefused: an IPv6 address with a zone id.
    """
    try:
        scheme, netloc, path, query = _absolute(url, base)
        host, port = _split_netloc(netloc)
    except (ValueError, UnicodeError) as error:
        raise Refused(f"cannot read the URL {url[:200]!r}: {error}", url=url[:2000]) from error
    authority = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    path = _without_dots(_escaped(path, _SAFE)) or "/"
    return f"{scheme}://{authority}{path}" + (f"?{_escaped(query, _SAFE + '?')}" if query else "")


def _absolute(url: str, base: str | None) -> tuple[str, str, str, str]:
    """Split into scheme, netloc, path and query, resolved against `base` (RFC 3986 §5.2)."""
    # Before the query, browsers read a backslash as a slash: "https://good.example\@evil.example" is good.example.
    body, mark, query = split_fragment(url.strip(_CONTROL_OR_SPACE).translate(_DROPPED))[0].partition("?")
    if _UNPAIRED.search(url):
        raise ValueError("not valid Unicode")
    parts = urlsplit(body.replace("\\", "/") + mark + query)
    scheme, netloc, path, query = parts.scheme, parts.netloc, parts.path, parts.query
    if not scheme and base is not None:
        whole = urlsplit(base)
        scheme = whole.scheme
        if not netloc:
            netloc = whole.netloc
            query = query if path or query else whole.query
            path = _merged(path, whole.path)
    if scheme not in _PORTS:
        raise ValueError(f"the scheme {scheme!r} is not http or https" if scheme else "not an absolute URL")
    return scheme, netloc, path, query


def _merged(path: str, base: str) -> str:
    if path.startswith("/"):
        return path
    return base[: base.rfind("/") + 1] + path if path else base


def _split_netloc(netloc: str) -> tuple[str, int | None]:
    """Split into canonical host and port."""
    if "@" in netloc:
        raise ValueError("user names and passwords in URLs are refused")
    host, colon, digits = netloc.rpartition(":")
    if not colon or digits.endswith("]"):
        host, digits = netloc, ""
    if not host:
        raise ValueError("no host")
    if host.startswith("[") and "%" in host:
        raise AddressRefused(f"the address {host} names a network interface", host=host)
    if digits and not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 65536):
        raise ValueError(f"{digits!r} is not a port")
    try:
        return canonical_host(host), int(digits) if digits else None
    except ValueError as error:
        raise ValueError(f"the host {host[:100]!r}: {error}") from error


def _escaped(text: str, safe: str) -> str:
    """Percent-encode what must be, decode what need not be; escapes in capitals."""
    return _PERCENT.sub(_escape, quote(text, safe=safe))


def _escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return "%25"
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else f"%{match[1].upper()}"


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name; raises OSError when there are none."""


async def system_lookup(host: str, port: int) -> Sequence[str]:
    """Ask the operating system for the addresses of `host`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


class _Allowed(NamedTuple):
    host: str
    port: int | None


class Guard:
    """Says which URLs and addresses may be asked.

    Args:
        allow_private: hosts that may be private, loopback or link-local ("localhost", "127.0.0.1:8000", "[::1]").
        lookup: how names are resolved.
        connect_to: hosts that are served on this machine instead, by name: "127.0.0.1:PORT".
    """

    def __init__(
        self,
        allow_private: Iterable[str] = (),
        lookup: Lookup = system_lookup,
        connect_to: Mapping[str, str] | None = None,
    ) -> None:
        self._allowed = frozenset(map(_read_allowed, allow_private))
        self._lookup = lookup
        self._elsewhere = {host: _read_place(host, place) for host, place in (connect_to or {}).items()}

    def allows_private(self, host: str, port: int) -> bool:
        """Say whether the user opened `host` for private addresses."""
        return host in self._elsewhere or _Allowed(host, None) in self._allowed or _Allowed(host, port) in self._allowed

    def check_url(self, url: str) -> str:
        """Return the canonical form of `url` when it may be asked, as far as that shows without looking its name up.

        Raises:
            Refused: not readable as a web address, or a port on which no web server listens.
            AddressRefused: its host is an address that may not be asked.
        """
        url = canonical_url(url)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.netloc.startswith("[") or host.rpartition(".")[2].isdigit():
            self.check_address(host, host, port)
        if port in _BAD_PORTS and not self.allows_private(host, port):
            raise Refused(f"port {port} is not for web pages", url=url, port=port)
        return url

    def check_address(self, ip: str, host: str, port: int) -> None:
        """Check an address that `host` stands for.

        Raises:
            AddressRefused: it is not public and not opened by the user; `detail["kind"]` says what it is.
        """
        kind = "interface-bound" if "%" in ip else kind_of(ip_address(ip))
        if kind == PUBLIC or (kind in LOCAL and self.allows_private(host, port)):
            return
        hint = f'; if that is meant, add "{host}" to the setting web.allow_private' if kind in LOCAL else ""
        subject = ip if ip == host else f"{host} ({ip})"
        message = f"{subject} is not a public address ({kind}){hint}"
        raise AddressRefused(message, host=host, address=ip, kind=kind)

    def elsewhere(self, host: str) -> tuple[str, int] | None:
        """Return address and port at which `host` is served on this machine instead, if it is."""
        return self._elsewhere.get(host)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Look `host` up once and return its addresses; one bad answer refuses them all.

        Raises:
            AddressRefused: one of the addresses may not be asked.
            OSError: there are no addresses.
        """
        addresses = list(await self._lookup(host, port))
        if not addresses:
            raise OSError(f"no address for {host}")
        for ip in addresses:
            self.check_address(ip, host, port)
        return addresses


def _read_allowed(entry: str) -> _Allowed:
    bare = entry.strip()
    try:
        host, port = _split_netloc(f"[{bare}]" if bare.count(":") > 1 and not bare.startswith("[") else bare)
    except (ValueError, AddressRefused) as error:
        raise ConfigError(f"web.allow_private: {entry!r} is no host: {error}", setting="web.allow_private") from error
    return _Allowed(host.strip("[]"), port)


def _read_place(host: str, place: str) -> tuple[str, int]:
    address, _, port = place.rpartition(":")
    if address != "127.0.0.1" or not port.isdecimal():
        raise ConfigError(f"connect_to: {host}={place!r}: write 127.0.0.1:PORT", setting="connect_to")
    return address, int(port)


class GuardedResolver(AbstractResolver):
    """aiohttp's resolver: it connects to the addresses given here and to no others."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of `host`."""
        here = self._guard.elsewhere(host)
        places = [here] if here else [(ip, port) for ip in await self._guard.resolve(host, port)]
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=at,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for ip, at in places
        ]

    async def close(self) -> None:
        """Hold nothing, release nothing."""
