"""Taking a question apart without a model: what it is about, what links that to the answer, what is asked in the end.

"Who is the curator of the game featured by the Foo Library?" is about the *Foo Library*; its nearest relation is
"game featured", and what is asked in the end is the "curator". Names are runs of capitals, quoted words, or (Chinese)
what 的 joins. Two kinds of questions are told apart besides: those for the newest of a kind, and those for yes or no.
It is a heuristic over words, no parser: a question it cannot take apart is one hop about itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from webfarer.agents.reading import HOW
from webfarer.core.text import is_chinese, words

_CAPITAL = r"[A-Z][\w&'’.+-]*"
_NAME = re.compile(rf"{_CAPITAL}(?:\s+(?:(?:of|de|for|and|the)\s+){{0,2}}(?:{_CAPITAL}|\d+))*")
_IDENTIFIER = re.compile(r"(?<![\w.-])(?=[\w.-]*[\d_])[a-z]\w*(?:[._-]\w+)+(?![\w-])|(?<![\w.-])[a-z]+_\w+")
_QUOTED = re.compile(r"[\"“「『《]([^\"”」』》]{2,80})[\"”」』》]")
_WORD = re.compile(r"[\w-]+")
_OPENING = re.compile(
    r"^\W*(?:(?:in|on|at|from|to|of|by|for)\s+)?(?:which|what|who|whose|when|where|how|is|are|was|were|does|do|did|can)"
    rf"(?:\s+(?:is|are|was|were))?\b|^\W*{HOW}",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:which|what|whose)\s+(?:is\s+|are\s+|was\s+|were\s+)?(?:the\s+)?((?:[a-z-]+\s+){1,3}?)(?=is\b|are\b|was\b|were\b|"
    r"of\b|does\b|do\b|did\b|for\b|in\b|by\b|from\b|that\b|has\b)|\bwho\s+(?:is|was)\s+the\s+((?:[a-z-]+\s+){1,3}?)(?=of\b|for\b|in\b)",
    re.IGNORECASE,
)
_ASKED_ZH = re.compile(r"的([^的]{2,8})(?:是|为|在)(?:什么|谁|哪|多少|几)")
_RELATIONS_ZH = (  # what Chinese questions join names with
    "与 由 在 被 合作 合办 联合 主推 主办 承办 协办 举办 主持 资助 赞助 出资 捐资 设立 创立 创办 成立 "
    "建立 支持 支援 发布 出版 开发 研发 制作 管理 运营 负责 所在 所属 隶属 属于 位于 颁发 授予 使用 采用 推荐 收录 拥有"
).split()
_KINDS_ZH = (
    "会议 大会 论坛 游戏 作品 大学 学院 学校 院系 基金会 协会 学会 组织 机构 公司 企业 部门 团队 网站 项目 奖项 活动 "
    "城市 国家 地区 人 人物 作者 书 书籍 文章 软件 产品"
).split()
_JOINT_ZH = re.compile("|".join(["的", "(?<!^)和", *sorted(_RELATIONS_ZH, key=len, reverse=True), r"[，。？?、\s]+"]))
_PIECE_ZH = re.compile(rf"{_JOINT_ZH.pattern}|(?:(?!{_JOINT_ZH.pattern}).)+")
_NEWEST = re.compile(r"\b(?:latest|newest|most recent(?:ly)?)\b|最新|(?<![离距])最近", re.IGNORECASE)
_NEARNESS_ZH = re.compile("[离距].*最近")
_MADE = r"(?:written|published|released|issued|made|announced|posted)"
_NEWEST_OF = re.compile(
    rf"(?:{_NEWEST.pattern})\s+((?:[\w-]+\s+){{0,3}}?[\w-]+)"
    rf"(?:\s+{_MADE})?(?:\s+(?:by|of|from|in|at|on|for)\s+(?:the\s+)?(.+?)|\s+(?:that|which)\b.*)?\W*$",
    re.IGNORECASE,
)
_NEWEST_ZH = re.compile(
    r"(?:最新|最近)(?:一[篇个项份款次]|(?:发表|发布|公布|出版|推出|上线)|的)*(.{2,8}?)(?:[是叫为有]|在哪|$|[？?])"
)
_WHETHER = re.compile(
    r"^\W*(?:does|do|did|is|are|was|were|can|could|has|have|had|will|would|should)\b(?!.*\bor\b)\s*", re.IGNORECASE
)
_WHETHER_ZH = re.compile(r"是否|能否|可否|会不会|是不是|能不能|可不可以|支不支持|有没有|吗\W*$")
_VERB_ZH = re.compile(
    r"是否|能否|可否|会不会|是不是|能不能|可不可以|支不支持|有没有|支持|可以|能够|允许|需要|包含|提供"
)
_SUCH_AS = re.compile(r"\b(?:like|such as|e\.g\.|for example)|例如|比如", re.IGNORECASE)
_LEADS_ON = re.compile(r"\b(?:that|which|who|whose|where)\b|\b\w+(?:ed|en|wn|de|ld|lt|ght|un)\s+(?:by|in|at|for|to)\b")
_FURTHER_OUT = 3
_NEAR = 2  # words of one relation


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    Attributes:
        text: all of it, or what remains of it.
        subject: names it starts from, as they stand in it, or "".
        inner: words between the subject and what is asked, nearest to the subject first.
        asked: words of what is asked in the end; of a "newest", its kind; of a "whether", what may be true of the
            subject.
        shape: "newest" asks for the latest of a kind, "whether" for yes or no, "" for anything else.
    """

    text: str
    subject: str = ""
    inner: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    shape: Literal["", "newest", "whether"] = ""

    @property
    def names(self) -> list[list[str]]:
        """The names in the subject as index terms, the thing itself before what it belongs to."""
        found = [terms for part in re.split(r"\bof\b|的", self.subject) if (terms := words(part))]
        return found[::-1] if "的" in self.subject else found

    @property
    def relation(self) -> tuple[str, ...]:
        """Words of what is to be found out next about the subject."""
        return self.inner[:_NEAR] or self.asked

    @property
    def goal(self) -> str:
        """What to look for next."""
        return f"{self.subject} {' '.join(self.relation)}?" if self.inner else self.text

    def beyond(self, value: str, said: str) -> "Question":
        """Return what remains once the statement `said` led to the name `value`."""
        found = set(words(said))
        inner = tuple(word for word in self.inner[_NEAR:] if not found.issuperset(words(word)))
        return Question(f"{value} {' '.join((*inner, *self.asked))}?", value, inner, self.asked, self.shape)


def take_apart(question: str) -> Question:
    """Take `question` apart; one that names nothing is about itself."""
    chinese = is_chinese(question)
    if found := _newest(question, chinese):
        return found
    if found := _whether(question, chinese):
        return found
    return _chinese(question) if chinese else _english(question)


def says_newest(text: str) -> bool:
    """Say whether a text speaks of something as the newest."""
    return bool(_NEWEST.search(text)) and not _NEARNESS_ZH.search(text)


def _newest(question: str, chinese: bool) -> Question | None:
    """Take apart a question for the newest of a kind; None when it is no such question."""
    if not says_newest(question):
        return None
    if chinese:
        kind_zh, start = _NEWEST_ZH.search(question), _NEWEST.search(question)
        if not kind_zh or not start:
            return None
        subject = question[: start.start()].strip("请问关于的，, 《》“”")
        return Question(question, subject, asked=(kind_zh[1],), shape="newest")
    found = _NEWEST_OF.search(question)
    if not found:
        return None
    kind, of = _telling(found[1]), (found[2] or "").strip(" .,?!")
    whole = _english(question)
    kind = tuple(word for word in kind if word not in whole.subject)
    known = {*kind, *_telling(found[0][: found.start(1) - found.start()])}
    inner = tuple(word for word in whole.inner if word not in known and not re.fullmatch(_MADE, word))
    return replace(whole, subject=whole.subject or of, inner=inner if whole.subject else (), asked=kind, shape="newest")


def _whether(question: str, chinese: bool) -> Question | None:
    """Take apart a question for yes or no: the first name is what it is about; None when it is no such question."""
    if chinese:
        verb = _VERB_ZH.search(question)
        if not _WHETHER_ZH.search(question) or not verb:
            return None
        who, rest = question[: verb.start()].strip("请问，, "), question[verb.start() :]
        asked = tuple(part for part in re.split(r"[吗么呢？?，,\s]+|是否|能否|可否", rest) if words(part))
        return Question(question, who, asked=asked, shape="whether")
    opening = _WHETHER.match(question)
    if not opening:
        return None
    names = [match.span() for match in _names(question, opening.end())]
    start, end = min(names, default=(0, 0))
    what = _SUCH_AS.sub(" ", question[opening.end() : start] + " " + question[end:])
    subject = question[start:end].rstrip(".,?!")
    return Question(question, subject, asked=tuple(dict.fromkeys(_telling(what))), shape="whether")


def _names(text: str, start: int) -> Iterator[re.Match[str]]:
    """Yield the names of an English text from `start` on, by their form: runs of capitals, identifiers."""
    yield from _NAME.finditer(text, start)
    yield from _IDENTIFIER.finditer(text, start)


def _english(question: str) -> Question:
    opening = _OPENING.match(question)
    names = [m.span() for m in _names(question, opening.end() if opening else 0)]
    names += [m.span(1) for m in _QUOTED.finditer(question)]
    if not names:
        return Question(question, asked=_telling(question))
    start, end = max(names, key=lambda span: (span[1] - span[0], -span[0]))
    asked = [word for group in _ASKED.findall(question) for part in group for word in _telling(part)]
    before = _telling(question[:start])
    inner = [word for word in reversed(before) if word not in asked]
    if not _LEADS_ON.search(question, opening.end() if opening else 0, start):
        asked, inner = [word for word in before if word not in asked] + asked, []
    # what follows the name closes the outer clause: "the game ... is registered"
    asked += [word for word in _telling(question[end:]) if word not in asked]
    return Question(question, question[start:end].rstrip(".,?!"), tuple(dict.fromkeys(inner)), tuple(asked))


def _telling(text: str) -> tuple[str, ...]:
    """Return the words of an English text that are index terms."""
    return tuple(word for word in _WORD.findall(text) if words(word))


def _chinese(question: str) -> Question:
    found = _ASKED_ZH.search(question)
    if not found:
        return Question(question)
    rest = question[: found.start()]
    spans = [match.span() for match in _PIECE_ZH.finditer(rest)]
    names = [at for at in spans if at[1] - at[0] > 1 and not _JOINT_ZH.fullmatch(rest[slice(*at)])]
    names = [at for at in names if rest[slice(*at)] not in _KINDS_ZH]
    if not names:
        return Question(question, asked=(found[1],))
    start, end = names[0]
    for left, right in names[1:]:
        if rest[end:left] != "的":
            break
        end = right
    near = sorted((_distance(at, start, end), *at) for at in spans if at[1] <= start or at[0] >= end)
    inner = tuple(rest[at:stop] for _, at, stop in near if words(rest[at:stop]))
    return Question(question, rest[start:end], inner, (found[1],))


def _distance(span: tuple[int, int], start: int, end: int) -> int:
    """Return how far a piece stands from the name; what stands before it but not next to it belongs further out."""
    if span[0] >= end:
        return span[0] - end
    return start - span[1] + (_FURTHER_OUT if span[1] < start else 0)
