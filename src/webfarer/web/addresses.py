"""Hosts: one spelling for each, and which IP addresses a client may reach.

:func:`canonical_host` reads a host the way browsers do, so that no disguise (octal, hex, one number, full-width digits)
hides an address; :func:`kind_of` names the special range an address lies in. Not a firewall: it judges addresses and
opens no connection. Source: WHATWG URL, host parsing; IANA special-purpose address registries; clouds' manuals.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

import idna

PUBLIC = ""
METADATA = "cloud metadata"
LOCAL = frozenset({"loopback", "private", "link-local", "carrier-grade NAT"})
"""Kinds that a user may open for a host of theirs; all other special kinds stay closed."""

# Whoever reaches one of these reads the credentials of the machine it runs on.
_METADATA = frozenset(
    map(
        ip_address,
        """169.254.169.254 169.254.169.253 169.254.169.123 169.254.170.2 169.254.170.23 169.254.42.42 169.254.0.23
        168.63.129.16 100.100.100.200 192.0.0.192
        fd00:ec2::254 fd00:ec2::253 fd00:ec2::123 fd00:ec2::23 fd20:ce::254 fd00:42::42 fd00:c1::a9fe:a9fe
        fe80::a9fe:a9fe""".split(),
    )
)

_SPECIAL_V4 = {
    "loopback": "127.0.0.0/8",
    "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16",
    "link-local": "169.254.0.0/16",
    "carrier-grade NAT": "100.64.0.0/10",
    "unspecified": "0.0.0.0/8",
    "protocol-assignment": "192.0.0.0/24",
    "documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24",
    "6to4 relay": "192.88.99.0/24",
    "benchmarking": "198.18.0.0/15",
    "multicast": "224.0.0.0/4",
    "reserved": "240.0.0.0/4",
}
# In this order: the first network that holds an address names it. The tunnels carry an IPv4 address of anybody's choice
# to a relay that cannot be checked from here, so they are closed whatever they carry.
_SPECIAL_V6 = {
    "loopback": "::1/128",
    "unspecified": "::/128",
    "IPv4-mapped": "::ffff:0:0/96",
    "IPv4-translated": "::ffff:0:0:0/96",
    "IPv4-compatible": "::/96",
    "local NAT64": "64:ff9b:1::/48",
    "Teredo tunnel": "2001::/32",
    "protocol-assignment": "2001::/23",
    "6to4 tunnel": "2002::/16",
    "documentation": "2001:db8::/32 3fff::/20",
    "private": "fc00::/7",
    "link-local": "fe80::/10",
    "site-local": "fec0::/10",
    "multicast": "ff00::/8",
}


def _networks(table: dict[str, str]) -> list[tuple[str, IPv4Network | IPv6Network]]:
    return [(kind, ip_network(net)) for kind, nets in table.items() for net in nets.split()]


_NETWORKS_V4 = _networks(_SPECIAL_V4)
_NETWORKS_V6 = _networks(_SPECIAL_V6)
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = IPv6Network("2000::/3")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


@lru_cache(maxsize=4096)
def kind_of(ip: IPv4Address | IPv6Address) -> str:
    """Return what is special about `ip`, or PUBLIC when anybody on the internet may reach it."""
    if ip in _METADATA:
        return METADATA
    if isinstance(ip, IPv4Address):
        return next((kind for kind, net in _NETWORKS_V4 if ip in net), PUBLIC)
    if ip in _NAT64:  # networks without IPv4 see every public IPv4 host under this prefix
        return f"NAT64 of {inner}" if (inner := kind_of(IPv4Address(int(ip) & 0xFFFF_FFFF))) else PUBLIC
    for kind, net in _NETWORKS_V6:
        if ip in net:
            return kind
    if ip not in _GLOBAL_V6:
        return "reserved"
    return "ISATAP tunnel" if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP else PUBLIC


_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@lru_cache(maxsize=4096)
def canonical_host(host: str) -> str:
    """Return `host` in lower-case ASCII without final dot; addresses in their plain form, IPv6 in brackets.

    Raises:
        ValueError: no host can be spelled so; the message says why.
    """
    if host.startswith("["):
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    if "%" in host:
        host = unquote(host, errors="strict")
    host = host.lower()
    if not host.isascii():
        host = idna.uts46_remap(host, std3_rules=False, transitional=False)
        if not host.isascii():
            host = idna.encode(host.removesuffix("."), uts46=True).decode("ascii")
    host = host.removesuffix(".")
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("not a host name")
    address = _numeric(host)
    return str(address) if address is not None else host


def _numeric(host: str) -> IPv4Address | None:
    """Read 1 to 4 decimal, octal or hexadecimal numbers as an address; None for a name."""
    parts = host.split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise ValueError("ends in a number and is no IPv4 address")
    *head, last = [_integer(part) for part in parts]
    if any(number > 255 for number in head) or last >= 256 ** (4 - len(head)):
        raise ValueError("the numbers are too large for an IPv4 address")
    return IPv4Address(last + sum(number << 8 * (3 - place) for place, number in enumerate(head)))


def _integer(digits: str) -> int:
    if digits.startswith("0x"):
        return int(digits[2:] or "0", 16)
    return int(digits, 8 if digits.startswith("0") else 10)
