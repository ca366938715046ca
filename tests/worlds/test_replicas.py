"""Every replica is a case worth having: it states the truth, hides it from the search engine, and is served whole."""

from urllib.parse import urlsplit

import aiohttp
import pytest

from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.evals.trials import lab_web
from webfarer.web.extract import read_page
from webfarer.worlds.replica import REPLICAS, Replica, serve_replica

ALL = pytest.mark.parametrize("replica", [REPLICAS.load(name) for name in REPLICAS.ids()], ids=REPLICAS.ids())


def pages(replica: Replica) -> dict[str, str]:
    """Return the text of every page, by address."""
    addresses = [f"http://{host}{path}" for host, site in replica.sites.items() for path in site]
    return {at: read_page(replica.html(at).encode(), url=at, content_type="text/html").markdown for at in addresses}


@ALL
def test_gold_states_the_truth_and_the_search_engine_does_not_know_it(replica: Replica) -> None:
    texts = pages(replica)
    gold = " ".join(texts[address] for address in replica.gold)
    assert all(part in gold for part in replica.truth)
    assert not {*replica.gold} & {*replica.known}
    assert {*replica.gold, *replica.known} <= set(texts)
    known = " ".join(texts[address] for address in replica.known)
    assert any(trap.casefold() in known.casefold() for trap in replica.traps)


@ALL
def test_right_answers_hold_all_of_the_truth_and_no_trap(replica: Replica) -> None:
    truth = ", and ".join(replica.truth)
    assert replica.right(f"It is:\n{truth.upper()}.")
    assert not replica.right("")
    assert not replica.right(replica.truth[0] + replica.traps[0])
    assert not any(replica.right(f"{truth}, or {trap}") for trap in replica.traps)


@ALL
async def test_every_link_leads_to_a_page_and_gold_is_two_clicks_from_a_known_page(replica: Replica) -> None:
    async with serve_replica(replica) as served, lab_web() as web:
        run = Run("r", Trace.create())
        found = {url: await web.open(run, url) for url in map(served.url, pages(replica))}
        ways = {url: {link.url for link in page.links} for url, page in found.items()}
        assert set().union(*ways.values()) <= set(found)
        reached = set(map(served.url, replica.known))
        for _ in range(2):
            reached |= set().union(*(ways[url] for url in reached))
        assert set(map(served.url, replica.gold)) <= reached
        assert served.search.asked == []


@ALL
async def test_the_search_engine_gives_served_addresses_of_known_pages(replica: Replica) -> None:
    async with serve_replica(replica) as served, aiohttp.ClientSession() as client:
        async with client.get(f"{served.searxng}/search", params={"q": replica.question}) as reply:
            urls = [row["url"] for row in (await reply.json())["results"]]
        assert urls
        assert set(urls) <= set(map(served.url, replica.known))
        async with client.get(urls[0]) as page, client.get(f"{served.url(replica.known[0])}no-such-page") as missing:
            assert (page.status, missing.status) == (200, 404)
        ports = {urlsplit(site.url).port for site in served.sites.values()}
        assert len(ports) == len(replica.sites)
