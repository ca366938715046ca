import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webfarer.core.errors import AddressRefused, ConfigError, Refused
from webfarer.web.addresses import LOCAL, METADATA, PUBLIC, kind_of
from webfarer.web.guard import Guard, GuardedResolver, Lookup, canonical_url

REFUSED = """0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.1
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe
    64:ff9b::10.0.0.1 64:ff9b::100.100.100.200 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:0:a9fe:a9fe::1 2001:2::1
    2001:10::1 2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe::1 2002:808:808::1 2606:4700::5efe:7f00:1
    2606:4700::200:5efe:10.0.0.1 3fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1""".split()
METADATA_ADDRESSES = """169.254.169.254 169.254.170.2 169.254.170.23 168.63.129.16 100.100.100.200 192.0.0.192
    169.254.42.42 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42 fe80::a9fe:a9fe""".split()
ACCEPTED = """1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0
    192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.15
    2606:4700:4700::1111 2a00:1450:4001::8a 2001:4860:4860::8888 2400:cb00::1 64:ff9b::8.8.8.8""".split()


def url_of(ip: str) -> str:
    return f"http://[{ip}]/" if ":" in ip else f"http://{ip}/"


def answering(*addresses: str) -> Lookup:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return addresses

    return lookup


@pytest.mark.parametrize("ip", REFUSED + METADATA_ADDRESSES)
def test_special_addresses_are_refused(ip: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        Guard().check_url(url_of(ip))
    assert caught.value.detail["kind"] in caught.value.message


async def test_one_special_address_refuses_all_answers_for_a_name() -> None:
    for ip in REFUSED + METADATA_ADDRESSES:
        with pytest.raises(AddressRefused) as caught:
            await Guard(lookup=answering("8.8.8.8", ip)).resolve("innocent.example", 443)
        assert caught.value.detail["address"] == ip


async def test_public_addresses_are_accepted() -> None:
    for ip in ACCEPTED:
        assert Guard().check_url(url_of(ip)) == canonical_url(url_of(ip))
        assert await Guard(lookup=answering(ip)).resolve("innocent.example", 443) == [ip]


@pytest.mark.parametrize("ip", [*METADATA_ADDRESSES, "0.0.0.0", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "224.0.0.1"])
def test_what_no_user_can_open(ip: str) -> None:
    guard = Guard(["box", f"[{ip}]" if ":" in ip else ip])
    for host in ("box", ip):
        with pytest.raises(AddressRefused):
            guard.check_address(ip, host, 80)


NOT_FOR_US = [
    ip_network(net)
    for net in """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4""".split()
]


@st.composite
def closed_v4(draw: st.DrawFn) -> IPv4Address:
    net = draw(st.sampled_from(NOT_FOR_US))
    return IPv4Address(int(net.network_address) + draw(st.integers(0, net.num_addresses - 1)))


@given(closed_v4(), st.integers(0, 2**16 - 1))
def test_a_closed_address_is_refused_in_every_embedding(inner: IPv4Address, salt: int) -> None:
    v4 = int(inner)
    forms: list[IPv4Address | IPv6Address] = [inner]
    forms += [
        IPv6Address(value)
        for value in (
            v4,  # compatible
            0xFFFF << 32 | v4,  # mapped
            0xFFFF << 48 | v4,  # translated
            0x64_FF9B << 96 | v4,  # NAT64
            0x64_FF9B_0001 << 80 | salt << 32 | v4,  # local NAT64
            0x2002 << 112 | v4 << 80 | salt,  # 6to4
            0x2001_0000 << 96 | v4 << 64 | salt,  # Teredo, as the server
            0x2001_0000 << 96 | salt << 64 | (v4 ^ 0xFFFF_FFFF),  # Teredo, as the client
            0x2606_4700 << 96 | salt << 64 | 0x5EFE << 32 | v4,  # ISATAP
            0x2606_4700 << 96 | salt << 64 | 0x0200_5EFE << 32 | v4,
        )
    ]
    for form in forms:
        assert kind_of(form) != PUBLIC, form
        with pytest.raises(AddressRefused):
            Guard().check_url(url_of(str(form)))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6) | st.ip_addresses(network="2000::/3"))
def test_the_table_is_never_laxer_than_the_standard_library(ip: IPv4Address | IPv6Address) -> None:
    if kind_of(ip) == PUBLIC:
        assert ip.is_global
        assert not ip.is_multicast
        assert not ip.is_reserved or ip in IPv6Network("64:ff9b::/96")


@given(st.ip_addresses(v=4))
def test_every_global_ipv4_address_is_accepted(ip: IPv4Address) -> None:
    if ip.is_global and not any(ip in net for net in NOT_FOR_US) and kind_of(ip) != METADATA:
        assert Guard().check_url(f"http://{ip}/")


@given(st.ip_addresses(network="2400::/6"))
def test_every_allocated_ipv6_address_is_accepted(ip: IPv6Address) -> None:
    assume((int(ip) >> 32) & 0xFDFF_FFFF != 0x5EFE)
    assert Guard().check_url(f"http://[{ip}]/")


@given(st.integers(0, 2**32 - 1), st.data())
def test_every_spelling_of_an_address_is_the_same_address(value: int, data: st.DataObject) -> None:
    parts = data.draw(st.integers(1, 4))
    octets = value.to_bytes(4, "big")
    numbers = [*octets[: parts - 1], int.from_bytes(octets[parts - 1 :], "big")]
    spelled = ".".join(data.draw(st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}"])).format(n) for n in numbers)
    assert canonical_url(f"http://{spelled}/") == f"http://{IPv4Address(value)}/"


# --- what the user opens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "url", "opened"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/", True),
        ("127.0.0.1:8000", "http://2130706433:8000/", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001/", False),
        ("127.0.0.1:8000", "http://127.0.0.1/", False),
        ("127.0.0.1", "http://127.0.0.2/", False),
        ("localhost", "http://127.0.0.1/", False),
        ("[::1]", "http://[::1]:9000/", True),
        ("::1", "http://[0:0::1]/", True),
        ("[::1]:9000", "http://[::1]:9000/", True),
        ("[::1]:9000", "http://[::1]/", False),
        ("192.168.1.10", "http://192.168.1.10:22/", True),
        ("100.64.0.7", "http://100.64.0.7/", True),
    ],
)
def test_private_addresses_open_by_host_and_port(entry: str, url: str, opened: bool) -> None:
    guard = Guard([entry])
    if opened:
        assert guard.check_url(url) == canonical_url(url)
    else:
        with pytest.raises(AddressRefused, match="allow_private"):
            guard.check_url(url)


async def test_a_name_opens_private_answers_for_itself_only() -> None:
    lookup = answering("127.0.0.1", "::1")
    guard = Guard(["Box.Example."], lookup)
    assert await guard.resolve("box.example", 8080) == ["127.0.0.1", "::1"]
    with pytest.raises(AddressRefused, match=r"other\.example \(127\.0\.0\.1\).*loopback"):
        await guard.resolve("other.example", 8080)


@pytest.mark.parametrize("entry", ["", "http://localhost", "a b", "localhost:x", "fe80::1%eth0", "u@localhost"])
def test_entries_that_are_no_hosts_are_a_configuration_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="allow_private"):
        Guard([entry])


@pytest.mark.parametrize("port", [1, 22, 25, 110, 143, 587, 2049, 6000, 6667, 10080])
def test_ports_of_other_protocols_are_refused(port: int) -> None:
    with pytest.raises(Refused, match=f"port {port}"):
        Guard().check_url(f"http://example.com:{port}/")
    assert Guard(["box"]).check_url(f"http://box:{port}/") == f"http://box:{port}/"


@pytest.mark.parametrize("port", [80, 443, 3000, 5000, 8000, 8080, 8443])
def test_ports_of_web_servers_pass(port: int) -> None:
    assert Guard().check_url(f"http://example.com:{port}/")


def test_local_kinds_are_the_ones_a_user_may_open() -> None:
    opened = {str(ip) for ip in map(ip_address, REFUSED) if kind_of(ip) in LOCAL}
    assert opened == set(
        """10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.1 172.16.0.1
        172.31.255.255 192.168.0.1 ::1 fc00::1 fd12:3456::1 fe80::1""".split()
    )


# --- the resolver --------------------------------------------------------------------------------------------------


async def test_the_resolver_hands_on_checked_addresses_with_their_families() -> None:
    lookup = answering("93.184.216.34", "2606:4700::1")
    found = await GuardedResolver(Guard(lookup=lookup)).resolve("a.example", 443)
    assert [(r["hostname"], r["host"], r["port"], r["family"]) for r in found] == [
        ("a.example", "93.184.216.34", 443, socket.AF_INET),
        ("a.example", "2606:4700::1", 443, socket.AF_INET6),
    ]


async def test_a_name_without_addresses_is_an_os_error() -> None:
    lookup = answering()
    with pytest.raises(OSError, match="no address"):
        await Guard(lookup=lookup).resolve("a.example", 443)


async def test_interface_bound_answers_are_refused() -> None:
    lookup = answering("fe80::1%eth0")
    with pytest.raises(AddressRefused, match="interface-bound"):
        await Guard(["a.example"], lookup).resolve("a.example", 443)


async def test_the_system_lookup_finds_loopback_and_the_guard_refuses_it() -> None:
    assert set(await Guard(["localhost"]).resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(AddressRefused):
        await Guard().resolve("localhost", 80)


async def test_a_host_that_is_served_on_this_machine_instead():
    async def lookup(host, port):
        raise AssertionError("it is not looked up")

    guard = Guard(lookup=lookup, connect_to={"site.test": "127.0.0.1:8080"})
    (found,) = await GuardedResolver(guard).resolve("site.test", 80)
    assert (found["host"], found["port"]) == ("127.0.0.1", 8080)
    assert guard.allows_private("site.test", 80)  # no pauses between requests
    with pytest.raises(AssertionError):
        await GuardedResolver(guard).resolve("other.site.test", 80)


@pytest.mark.parametrize("place", ["192.168.0.1:80", "127.0.0.1", "localhost:80", "127.0.0.1:x", ""])
def test_hosts_are_served_on_this_machine_only(place):
    with pytest.raises(ConfigError, match="connect_to"):
        Guard(connect_to={"site.test": place})
