"""A generated web as it is served: sites, portal, request counts, and a search engine that does not know it all."""

import aiohttp
import pytest

from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.evals.scoring import normalise
from webfarer.evals.trials import lab_web
from webfarer.worlds.web import generate_web
from webfarer.worlds.webs_server import Coverage, known, serve_web

WEB = generate_web(5)


async def results(url: str, **params: str) -> list[dict[str, str]]:
    async with aiohttp.ClientSession() as client, client.get(f"{url}/search", params=params) as reply:
        return (await reply.json())["results"]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_oracle_that_knows_the_pages_answers_within_one_page_a_hop(language) -> None:
    web = generate_web(5, language=language)
    async with serve_web(web) as served, lab_web() as lab:
        for question in web.questions:
            served.forget()
            run = Run(question.id, Trace.create(None), Budget(pages=question.hops))
            for fact in question.chain:
                page = await lab.open(run, served.url(fact.url))
                assert normalise(fact.statement) in normalise(page.markdown)
            assert normalise(question.answers[0]) in normalise(page.markdown)
            assert served.requested() == set(question.gold)
            assert run.ledger.fare.pages == question.hops


async def test_links_between_sites_lead_to_served_ones() -> None:
    fact = next(fact for fact in WEB.facts if fact.linked)
    async with serve_web(WEB) as served, lab_web() as lab:
        page = await lab.open(Run("r", Trace.create(None)), served.url(fact.url))
        home = next(link.url for link in page.links if link.label == fact.value)
        assert home == served.sites[fact.target].url
        assert served.written(home) == f"http://{fact.target}/"
        assert served.written("http://elsewhere.example/x") == "http://elsewhere.example/x"
        portal = await lab.open(Run("p", Trace.create(None)), served.portal)
        assert {link.url for link in portal.links} == {served.sites[site.host].url for site in WEB.sites}


def test_the_engine_knows_shallow_pages_only() -> None:
    depth = {url: depth for url, depth, _ in WEB.pages()}
    found = {document.url for document in known(WEB, Coverage(2, 0.5))}
    assert {url for url in depth if depth[url] < 2} <= found
    assert max(depth[url] for url in found) == 2
    at_edge = [url in found for url in depth if depth[url] == 2]
    assert 0.35 < sum(at_edge) / len(at_edge) < 0.65
    assert known(WEB) == known(WEB)
    homes = {document.url for document in known(WEB, Coverage(0, 1.0))}
    assert homes == {site.url for site in WEB.sites}
    deep = [fact for fact in WEB.facts if fact.depth > 2 and not fact.target]
    texts = [document.text for document in known(WEB)]
    assert not any(fact.value in text for fact in deep for text in texts)


def test_more_coverage_keeps_what_less_covers() -> None:
    few, many = ({doc.url for doc in known(WEB, Coverage(2, share))} for share in (0.2, 0.8))
    assert few < many


async def test_the_engine_answers_for_the_served_sites() -> None:
    site = WEB.sites[1]
    async with serve_web(WEB) as served:
        found = await results(served.search_url, q=site.name, format="json")
        assert served.queries == 1
        assert served.requested() == set()
        assert len(found) == 10
        assert any(result["url"].startswith(served.sites[site.host].url) for result in found[:3])
        host = served.sites[site.host].url.split("/")[2]
        inside = await results(served.search_url, q=f"records (site:{host}/institution OR site:nowhere.example)")
        assert inside
        assert all(result["url"].startswith(f"{served.sites[site.host].url}institution/") for result in inside)
        assert await results(served.search_url, q="xyzzy") == []


async def test_dates_of_pages_that_have_one_are_given() -> None:
    fact = next(fact for fact in WEB.facts if fact.depth == 2)
    async with serve_web(WEB, Coverage(2, 1.0)) as served:
        found = await results(served.search_url, q=f"{fact.subject} {fact.value}")
        page = next(result for result in found if served.written(result["url"]) == fact.url)
        assert page["publishedDate"] == fact.date
