"""Sentences: filler, statements of facts, and the words every website uses, in English and Chinese.

Not HTML. Everything is drawn from one random generator, so that a page reads differently from its siblings. Filler
holds no digits and no people's names; a fact's value therefore stands only where it is stated.
"""

import re
from random import Random

from webfarer.worlds.schema import Text
from webfarer.worlds.types import Language

_CHOICE = re.compile(r"\[([^\[\]]*)\]")

WORDS: dict[str, Text] = {
    "home": Text("Home", "首页"),
    "news": Text("News", "新闻动态"),
    "more": Text("More", "更多"),
    "details": Text("View details", "查看详情"),
    "about": Text("About", "关于我们"),
    "contact": Text("Contact", "联系我们"),
    "privacy": Text("Privacy", "隐私政策"),
    "partner": Text("Partner organisations", "友情链接"),
    "updated": Text("Last updated", "更新时间"),
    "published": Text("Published", "发布时间"),
    "inside": Text("Find out more", "栏目导航"),
    "overview": Text("Overview", "概述"),
    "facts": Text("At a glance", "基本信息"),
    "notes": Text("Good to know", "温馨提示"),
    "see_also": Text("See also", "相关链接"),
    "latest": Text("Latest news", "最新消息"),
    "next": Text("Older items", "下一页"),
    "previous": Text("Newer items", "上一页"),
    "page": Text("page", "第{}页"),
    "item": Text("Item", "项目"),
    "link": Text("Link", "链接"),
    "old_address": Text("The pages have moved. The former address still works", "网站已改版，原网址仍可访问"),
    "old_link": Text("Go to the former address", "访问旧版网址"),
}
DEAD_LINKS = (
    Text("Photo gallery", "图片集锦"),
    Text("Printable brochure", "宣传册下载"),
    Text("Press kit", "媒体资料"),
    Text("Newsletter archive", "往期简报"),
    Text("Video portal", "视频专区"),
)
_COMMON = (
    Text(
        "[Please|Kindly] read the whole page before you [write to us|get in touch]; most points are covered.",
        "来信来电前请先通读本页，多数[问题|疑问]已有说明。",
    ),
    Text(
        "[The office|Our office] [answers|replies to] messages on working days, usually within [two|three] days.",
        "办公室工作日回复邮件，一般[两|三]天之内答复。",
    ),
    Text(
        "Changes are [announced|published] on this page first; there is no separate notice by post.",
        "如有变动，以本页面[公布|发布]的内容为准，不再另行通知。",
    ),
    Text(
        "[If you spot an error|Should anything look wrong], tell the web team and it will be put right.",
        "如发现页面内容有误，欢迎[告知|联系]网站维护人员。",
    ),
    Text(
        "This site carries no advertising, and every page [prints|reads] well on paper.",
        "本站[不含|没有]广告，各页面均支持打印。",
    ),
    Text(
        "[Earlier|Former] versions of this page are kept for reference and are marked as such.",
        "本页面的历史版本予以保留，仅供[参考|查阅]。",
    ),
    Text(
        "We thank [everyone|all the people] who helped to prepare this [information|text].",
        "感谢所有为本页面内容提供[帮助|支持]的同事。",
    ),
    Text(
        "All changes can be [followed|subscribed to] with any feed reader, without an account.",
        "可通过订阅功能[关注|获取]全站更新，无需注册账号。",
    ),
)
_STATEMENTS = (
    Text("The {n} is {v}.", "{n}为{v}。"),
    Text("For {e}, the {n} is {v}.", "{e}的{n}为{v}。"),
    Text("Please note the {n}: {v}.", "请注意，{n}：{v}。"),
    Text("As announced earlier, the {n} is {v}.", "经确认，{n}定为{v}。"),
    Text("It has been confirmed that the {n} is {v}.", "根据最新安排，{n}是{v}。"),
)
_INTROS = (
    Text("This page [tells you about|is about|describes] {t}.", "本页面[介绍|说明]{t}的[有关|相关]情况。"),
    Text("Here you find [what you need to know|the essentials] about {t}.", "以下是{t}的[主要|基本]内容。"),
    Text(
        "Below is an [overview|outline] of {t}, kept up to date by the team in charge.",
        "{t}的相关信息如下，由专人负责更新。",
    ),
)
_BLURBS = (
    Text("Scope, people and practical matters.", "内容简介与有关事项。"),
    Text("[What to expect|What it is about] and how to take part.", "[基本介绍|总体介绍]与参与方式。"),
    Text("Background and [everything practical|all particulars].", "背景资料及具体说明。"),
    Text("[Open to all who are interested|For everybody interested].", "欢迎感兴趣的朋友了解。"),
)


class Writer:
    """Writes sentences for one page.

    Args:
        random: draws everything; one generator per page keeps pages independent of each other.
        language: of the sentences.
        filler: sentences about anything.
        slots: values of `{site}`, `{year}` and the like.
    """

    def __init__(self, random: Random, language: Language, filler: tuple[Text, ...], slots: dict[str, str]) -> None:
        self.random, self.language = random, language
        self._slots = slots
        chosen = [*filler, *random.sample(_COMMON, 3)]
        self._filler = random.sample(chosen, len(chosen))
        self._statements = random.sample(_STATEMENTS, len(_STATEMENTS))

    def word(self, key: str) -> str:
        """Return one of the words every website uses."""
        return WORDS[key].of(self.language)

    def say(self, text: Text, **slots: str) -> str:
        """Return `text` with its choices drawn and its slots filled."""
        drawn = _CHOICE.sub(lambda match: self.random.choice(match[1].split("|")), text.of(self.language))
        return fill(drawn, {**self._slots, **slots})

    def paragraph(self, least: int = 2, most: int = 4) -> str:
        """Return a paragraph of filler; sentences do not repeat within a page while the supply lasts."""
        count = min(self.random.randint(least, most), len(self._filler))
        return self.join([self.say(self._filler.pop()) for _ in range(count)])

    def intro(self, topic: str) -> str:
        """Return an opening sentence."""
        return self.say(self.random.choice(_INTROS), t=topic)

    def labelled(self, label: str, value: str) -> str:
        """Return "label: value"."""
        return capital(label) + ("：" if self.language == "zh" else ": ") + value

    def blurb(self) -> str:
        """Return a line that describes a page without naming it."""
        return self.say(self.random.choice(_BLURBS))

    def statement(self, attribute: str, value: str, entity: str) -> str:
        """Return a sentence that states a fact."""
        template = self._statements[0]
        self._statements = [*self._statements[1:], template]
        return capital(self.say(template, n=attribute, v=value, e=entity))

    def join(self, sentences: list[str]) -> str:
        """Join sentences into a paragraph."""
        return ("" if self.language == "zh" else " ").join(sentences)


def fill(template: str, slots: dict[str, str]) -> str:
    """Replace every `{name}` in `template`."""
    for key, value in slots.items():
        template = template.replace(f"{{{key}}}", value)
    return template


def capital(sentence: str) -> str:
    """Return `sentence` with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]
