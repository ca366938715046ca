"""Small sites that exist only after JavaScript has run, and pages that misbehave with it.

For tests, benchmarks and demonstrations, on 127.0.0.1 only. The application's text and links are in no HTML it sends;
each hostile page tries one way to harm its visitor and says so in its text where it succeeds. Nothing here reaches
beyond the addresses it is given.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from webfarer.worlds.server import Site, html_response, listen, not_found

ROOMS: Mapping[str, str] = {
    "reading-room": "The reading room seats 84 visitors and closes at 21:30 on weekdays.",
    "map-cellar": "The map cellar keeps 1,912 sheets and may be entered with a curator only.",
    "print-shop": "The print shop was founded in 1874 by Ida Lorenz.",
}
"""The application's pages: id → the fact each one states."""

SHELL = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Loading</title></head><body>
<noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div>
<script src="/static/app.js" defer></script></body></html>"""
"""What the application's server sends for every address."""

_APP = """
const root = document.getElementById("root");
const el = (tag, text, more) => Object.assign(document.createElement(tag), {textContent: text || ""}, more || {});
async function show() {
  root.replaceChildren(el("p", "Loading"));
  const id = location.pathname.replace(/^\\/rooms\\//, "");
  const data = await (await fetch("/api/rooms" + (location.pathname === "/" ? "" : "/" + id))).json();
  const main = el("main");
  document.title = data.title;
  main.append(el("h1", data.title));
  for (const text of data.text) main.append(el("p", text));
  for (const room of data.rooms) {
    const link = el("a", room.title, {href: "/rooms/" + room.id});
    link.addEventListener("click", event => { event.preventDefault(); history.pushState({}, "", link.href); show(); });
    main.append(el("p"));
    main.lastChild.append(link);
  }
  root.replaceChildren(main);
}
addEventListener("popstate", show);
show();
"""

MISDEEDS: Mapping[str, str] = {
    "spin": "<p>Before</p><script>for (;;);</script>",
    "alerts": "<p>Before</p><script>for (;;) alert('again');</script>",
    "flood": """<p>Before</p><script>setInterval(() => { for (let i = 0; i < 100; i++)
        document.body.append(document.createElement("p")); }, 10)</script>""",
    "chase": "<p>Before</p><script>location.href = '/chase?' + Math.random()</script>",
    "poll": "<p>Before</p><script>setInterval(() => fetch('/poll?' + Math.random()), 20)</script>",
    "hoard": "<p>Before</p><script>const all = []; for (;;) all.push(new Array(1e6).fill(all.length));</script>",
    "popups": "<p>Before</p><script>setInterval(() => open('/popups'), 20)</script>",
    "heavy": "<p>Before</p><script>fetch('/fifty').then(r => r.text()).then(t => document.body.append(t))</script>",
    "leave": "<p>Before</p><script>onbeforeunload = () => 'stay'; setTimeout(() => location.reload(), 10)</script>",
}
"""Pages that never come to an end, each by another way."""

REACH: Mapping[str, str] = {
    "fetch": "fetch(U, {mode: 'no-cors'}).then(r => r.text()).then(t => got(t), () => 0)",
    "post": "fetch(U, {mode: 'no-cors', method: 'POST', body: 'x'}).then(() => got('opaque'), () => 0)",
    "xhr": "const x = new XMLHttpRequest(); x.onload = () => got('xhr'); x.open('GET', U); x.send()",
    "beacon": "navigator.sendBeacon(U, 'x')",
    "image": "const i = new Image(); i.onload = () => got('image'); i.src = U",
    "script": "add('script', {src: U, onload: () => got('script')})",
    "style": "add('link', {rel: 'stylesheet', href: U, onload: () => got('style')})",
    "frame": "add('iframe', {src: U})",
    "object": "add('object', {data: U})",
    "video": "add('video', {src: U, autoplay: true})",
    "prefetch": "add('link', {rel: 'prefetch', href: U}); add('link', {rel: 'preconnect', href: U})",
    "prerender": "add('script', {type: 'speculationrules', textContent: JSON.stringify("
    "{prerender: [{source: 'list', urls: [U], eagerness: 'immediate'}]})})",
    "events": "new EventSource(U).onopen = () => got('events')",
    "socket": "new WebSocket(U.replace(/^http/, 'ws')).onopen = () => got('socket')",
    "worker": "new Worker(URL.createObjectURL(new Blob(['fetch(\"' + U + '\", {mode: \"no-cors\"})'])))",
    "form": "const f = add('form', {action: U, method: 'POST'}); f.submit()",
    "form-get": "const f = add('form', {action: U, method: 'GET', target: '_blank'}); f.submit()",
    "open": "open(U)",
    "location": "location.href = U",
    "refresh": "document.head.append(Object.assign(document.createElement('meta'), {httpEquiv: 'refresh', "
    "content: '0;url=' + U}))",
    "ping": "const a = add('a', {href: '#', ping: U}); a.click()",
    "turn": "const c = new RTCPeerConnection({iceServers: [{urls: ['stun:' + H, 'turn:' + H + '?transport=udp', "
    "'turn:' + H + '?transport=tcp'], username: 'u', credential: 'c'}]}); c.createDataChannel('x'); "
    "c.onicecandidate = e => e.candidate && /typ (srflx|relay)/.test(e.candidate.candidate) && got('turn'); "
    "c.createOffer().then(o => c.setLocalDescription(o))",
}
"""Ways in which a page's script can try to reach the address U (host and port H)."""

_REACHING = """<!doctype html><title>Harmless</title><p id="said">Harmless words.</p><script>
const U = %s, H = new URL(U).host;
const got = text => { document.getElementById("said").textContent += " LEAKED " + text; };
const add = (tag, what) => document.body.appendChild(Object.assign(document.createElement(tag), what));
%s
</script>"""


def reaching(way: str, target: str) -> str:
    """Return a page that tries to reach `target` by one of the ways in REACH."""
    return _REACHING % (json.dumps(target), REACH[way])


@asynccontextmanager
async def serve_app(port: int = 0) -> AsyncIterator[Site]:
    """Serve a single-page application: `/` lists the rooms, `/rooms/ID` describes one."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/static/app.js":
            return web.Response(text=_APP, content_type="text/javascript")
        if request.path == "/api/rooms":
            rooms = [{"id": room, "title": _title(room)} for room in ROOMS]
            return web.json_response({"title": "The house", "text": ["Rooms of the house:"], "rooms": rooms})
        room = request.path.rpartition("/")[2]
        if request.path.startswith("/api/"):
            if room not in ROOMS:
                return web.json_response({"title": "Nothing here", "text": [], "rooms": []}, status=404)
            return web.json_response({"title": _title(room), "text": [ROOMS[room]], "rooms": []})
        return html_response(SHELL)

    async with listen(handle, port) as site:
        yield site


@asynccontextmanager
async def serve_misdeeds(port: int = 0) -> AsyncIterator[Site]:
    """Serve the pages of MISDEEDS, each at `/NAME`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.strip("/")
        if name == "fifty":
            return web.Response(body=b"x" * 50_000_000, content_type="text/plain")
        if name not in MISDEEDS:
            return not_found()
        return html_response(f"<!doctype html><title>{name}</title>{MISDEEDS[name]}")

    async with listen(handle, port) as site:
        yield site


def _title(room: str) -> str:
    return room.replace("-", " ").capitalize()
