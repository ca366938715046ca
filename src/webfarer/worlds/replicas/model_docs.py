"""A model vendor's documentation: only one guide, two clicks down, says which models take a schema.

The page of the model that is asked about speaks of another feature with nearly the same words, and what others wrote
(a blog, a forum) says yes. Right is the guide's restriction.
"""

from webfarer.worlds.replica import Frame, Replica, bullets, link, paragraphs, table

_DOCS, _FORUM, _BLOG = "docs.modelhouse.test", "community.modelhouse.test", "blog.promptcraft.test"
_GUIDES_AT, _MODELS_AT = "/guides/", "/models/"
_MENU = (("Home", "/"), ("Guides", _GUIDES_AT), ("Models", _MODELS_AT), ("Changes", "/changes"))
_FRAME = Frame("Modelhouse Docs", _MENU)
_ONLY = (
    'The response_format { type: "json_schema", ... } is supported only by gpt-4o-mini, gpt-4o-mini-2024-07-18, '
    "gpt-4o-2024-08-06 and later models."
)
_GUIDES: dict[str, tuple[str, ...]] = {
    "Text generation": ("A chat model continues a list of messages.", "Ask for one thing at a time."),
    "Function calling": (
        "The model names a function and its arguments.",
        "Your program calls it and sends the result.",
    ),
    "Vision": ("Images are sent as addresses or as base64.", "Large images are scaled down and cost more tokens."),
    "Embeddings": ("An embedding is a list of numbers that stands for a text.", "Near texts have near lists."),
    "Fine-tuning": ("A model learns from examples of conversations.", "Fifty good examples are a beginning."),
    "Batches": ("Requests that can wait a day cost half.", "Each line of the file is one request."),
    "Streaming": ("Tokens arrive as they are made.", "The last event carries the usage."),
    "Moderation": ("A classifier says whether a text is harmful.", "It is free of charge."),
    "Rate limits": ("Each organisation has limits per minute.", "A response with status 429 says when to try again."),
    "Prompt caching": ("The same beginning of a prompt is cheaper the second time.", "Put what changes last."),
    "Safety": ("Let people check what matters.", "Log who asked for what."),
    "Speech": ("Audio becomes text, and text becomes audio.", "Files may have 25 MB."),
}
_MODELS: dict[str, tuple[str, ...]] = {
    "gpt-4o": ("The large model for text and images.", "It reads 128,000 tokens."),
    "gpt-4o-mini": ("The small model for text and images.", "It reads 128,000 tokens at a low price."),
    "gpt-4-turbo": ("The large model before gpt-4o.", "JSON mode is supported."),
    "gpt-4": ("The first model of the fourth series.", "It reads 8,192 tokens."),
    "gpt-3.5-turbo": (
        "A fast model for simple tasks; gpt-4o-mini is cheaper and better.",
        'gpt-3.5-turbo supports JSON mode, with response_format { type: "json_object" }.',
        "It reads 16,385 tokens and supports streaming outputs.",
    ),
    "whisper-1": ("It turns speech into text.",),
    "tts-1": ("It turns text into speech.",),
    "text-embedding-3-small": ("It makes lists of 1,536 numbers.",),
}


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


def _structured() -> str:
    body = paragraphs(
        "A reply can be bound to a JSON schema, so that a program can rely on every field being there.",
        "JSON mode is the older way: the reply is valid JSON, whatever its fields are.",
    )
    body += "<h2>Which models take a schema</h2>" + paragraphs(_ONLY, "With other models, use JSON mode.")
    body += "<h2>Structured Outputs vs JSON mode</h2>" + table(
        ("", "Structured Outputs", "JSON mode"),
        ("Outputs valid JSON", "Yes", "Yes"),
        ("Adheres to schema", "Yes", "No"),
        (
            "Compatible models",
            "gpt-4o-mini, gpt-4o-2024-08-06 and later",
            "gpt-3.5-turbo, gpt-4-* and gpt-4o-* models",
        ),
        (
            "Enabling",
            'response_format: { type: "json_schema", json_schema: {"strict": true, "schema": ...} }',
            'response_format: { type: "json_object" }',
        ),
    )
    return _FRAME.page("Structured outputs", body, crumbs=(("Guides", _GUIDES_AT),), date="2024-08-07")


def _docs() -> dict[str, str]:
    guides = ["Structured outputs", *_GUIDES]
    pages = {
        "/": _FRAME.page("Overview", paragraphs("How to use the models of Modelhouse.", "Begin with the guides.")),
        _GUIDES_AT: _FRAME.page("Guides", bullets(*(link(name, _GUIDES_AT + _slug(name)) for name in sorted(guides)))),
        _MODELS_AT: _FRAME.page("Models", bullets(*(link(name, _MODELS_AT + name) for name in _MODELS))),
        "/changes": _FRAME.page("Changes", bullets("2024-08-06: a new snapshot of gpt-4o", "2024-07-18: gpt-4o-mini")),
        _GUIDES_AT + "structured-outputs": _structured(),
    }
    for name, texts in _GUIDES.items():
        pages[_GUIDES_AT + _slug(name)] = _FRAME.page(name, paragraphs(*texts), crumbs=(("Guides", _GUIDES_AT),))
    for name, texts in _MODELS.items():
        pages[_MODELS_AT + name] = _FRAME.page(name, paragraphs(*texts), crumbs=(("Models", _MODELS_AT),))
    return pages


def _others() -> dict[str, dict[str, str]]:
    forum, blog = Frame("Modelhouse Community"), Frame("Promptcraft Blog")
    return {
        _FORUM: {
            "/": forum.page("Topics", bullets(link("gpt-3.5-turbo and structured outputs?", "/t/118"))),
            "/t/118": forum.page(
                "gpt-3.5-turbo and structured outputs?",
                paragraphs(
                    "Does gpt-3.5-turbo support structured outputs with response_format json_schema?",
                    "Yes, gpt-3.5-turbo supports structured outputs, just pass response_format with type json_schema.",
                    "Thanks, that helped!",
                ),
                date="2024-11-02",
            ),
        },
        _BLOG: {
            "/": blog.page("Posts", bullets(link("Structured outputs in five minutes", "/structured-outputs"))),
            "/structured-outputs": blog.page(
                "Structured outputs in five minutes",
                paragraphs(
                    "Structured outputs end the guessing.",
                    "Every chat model supports structured outputs, gpt-3.5-turbo too: set response_format to the type "
                    "json_schema and you are done.",
                ),
                date="2025-01-15",
            ),
        },
    }


_PAGES = _docs()

replica = Replica(
    question='Does gpt-3.5-turbo support structured outputs, like response_format: {type: "json_schema", ...}?',
    truth=("only", "gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06 and later"),
    traps=("yes", "every chat model", "json_object"),
    sites={_DOCS: _PAGES, **_others()},
    gold=(f"http://{_DOCS}{_GUIDES_AT}structured-outputs",),
    known=(
        *(f"http://{_DOCS}{path}" for path in _PAGES if not path.startswith(_GUIDES_AT) or path == _GUIDES_AT),
        *(f"http://{host}{path}" for host, pages in _others().items() for path in pages),
    ),
)
