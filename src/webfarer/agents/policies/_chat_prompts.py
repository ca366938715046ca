"""Every prompt of the chat policy, and the JSON each of them asks for; the asker puts them together."""

from typing import Literal

from pydantic import BaseModel, StrictBool

from webfarer.agents.asker import Prompt, Text


class Choice(BaseModel):
    """The explorer's move."""

    thought: Text = ""
    action: Literal["click", "back", "enough"]
    link: int | None = None


class Finding(BaseModel):
    """One fact and the words of the page that state it."""

    statement: str
    quote: str


class Findings(BaseModel):
    """The critic's first verdict: is the page useful, and what is to be kept of it."""

    useful: StrictBool
    notes: list[Finding] = []


class Verdict(BaseModel):
    """The critic's second verdict: do the notes suffice, and what is the answer."""

    sufficient: StrictBool
    answer: Text = ""
    used: list[int] = []


class LastAnswer(BaseModel):
    """The answer when the walk is over, from notes; "" when they give none."""

    answer: Text = ""
    used: list[int] = []


class Conclusion(BaseModel):
    """The answer when the walk is over, from passages: what is known, and the words that state it."""

    known: StrictBool
    answer: Text = ""
    notes: list[Finding] = []


EXPLORE = Prompt(
    "choose",
    "You find information inside one website by opening its links, one at a time. You see the page you stand on and "
    "the links that can be opened from it. You do not answer the question; you decide where to go next.",
    "Decide on the next action.\n"
    '- "click": open the link that most probably leads to the missing information; give its number.\n'
    '- "back": return to the page before, when nothing here leads on.\n'
    '- "enough": stop, only when the notes answer the whole question or no page of this site can.\n'
    'Reply with one JSON object and nothing else: {"thought": "one or two sentences", "action": "click", "link": 7}. '
    "For back and enough, link is null.",
    drawn=True,
)
NOTE = Prompt(
    "note",
    "You read one page of a website and keep what helps to answer a question.",
    "Say whether the page holds facts that answer the question or a part of it. Keep each fact as a note: `statement` "
    "is the fact in one sentence that can be understood alone; `quote` is copied from the page character by character, "
    "as short as it can be while it states the fact. A page that only links to the answer is not useful.\n"
    'Reply with one JSON object and nothing else: {"useful": true, "notes": [{"statement": "…", "quote": "…"}]}. '
    "When nothing is useful: useful is false and notes is empty.",
)
JUDGE = Prompt(
    "judge",
    "You decide whether notes taken from a website answer a question.",
    "Do the notes answer every part of the question? Rely on the notes alone, not on what you know. If they do, give "
    "the answer, short and complete, in the language of the question, and the numbers of the notes it rests on, the "
    "most important first.\n"
    'Reply with one JSON object and nothing else: {"sufficient": true, "answer": "…", "used": [1]}. '
    'When they do not: sufficient is false, answer is "" and used is empty.',
)
CONCLUDE = Prompt(
    "conclude",
    "You give the best answer that notes taken from a website allow; the search is over.",
    "Answer the question as far as the notes do, short, in the language of the question, and say what remains open. "
    "Rely on the notes alone, not on what you know. Give the numbers of the notes it rests on, the most important "
    "first.\n"
    'Reply with one JSON object and nothing else: {"answer": "…", "used": [1]}. '
    'When the notes answer no part of it: answer is "" and used is empty.',
)
CONCLUDE_FROM_PAGES = Prompt(
    "conclude",
    "You give the best answer that passages of a website allow; the search is over.",
    "Answer the question as far as the passages do, short, in the language of the question. Rely on the passages "
    "alone, not on what you know. For each fact you use give a note: `statement` is the fact in one sentence, `quote` "
    "is copied from a passage character by character.\n"
    'Reply with one JSON object and nothing else: {"known": true, "answer": "…", "notes": [{"statement": "…", '
    '"quote": "…"}]}. When the passages answer no part of it: known is false, answer is "" and notes is empty.',
)
