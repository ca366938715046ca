"""The words a report says of itself, in English and Chinese; everything else in it is the model's or a website's."""

from collections.abc import Mapping

from webfarer.core.text import is_chinese

_ENGLISH = {
    "question": "Question: {0}",
    "asked_back": "Asked back: {0}",
    "answered": "The answer was: {0}",
    "assumed": "Nobody answered; this report assumes: {0}",
    "no_model": "Written without a model: each section quotes what fits its question best on the pages that were read.",
    "model": "Written by {0} from the quotes shown; a quote was looked up on its page, not judged.",
    "ended": "The research ended early ({0}): {1}.",
    "nothing": "Nothing was found.",
    "nothing_at_all": "Nothing was found for any section; there is no report.",
    "also": "This also answers: {0}",
    "section_ended": "Research for this section ended early ({0}): {1}.",
    "table": "{0} of {1} rows and {2} of {3} cells were found.",
    "absent": "Nothing was found for: {0}.",
    "not_found": "not found",
    "disagree": "Sources disagree on: {0}",
    "unverified": "unverified: {0}",
    "no_date": "no date",
    "sources": "Sources",
    "fare": "Fare: {0}",
    "run": "Run: {0}",
}
_CHINESE = {
    "question": "问题：{0}",
    "asked_back": "反问：{0}",
    "answered": "回答：{0}",
    "assumed": "无人回答；本报告假定：{0}",
    "no_model": "未使用模型：各节只引用已读页面中最符合问题的原文。",
    "model": "由 {0} 依据所示引文撰写；引文已与页面核对，但未作评判。",
    "ended": "检索提前结束（{0}）：{1}。",
    "nothing": "未找到任何内容。",
    "nothing_at_all": "各节均未找到任何内容，无法成文。",
    "also": "本节亦回答：{0}",
    "section_ended": "本节检索提前结束（{0}）：{1}。",
    "table": "找到 {1} 行中的 {0} 行、{3} 格中的 {2} 格。",
    "absent": "未找到：{0}。",
    "not_found": "未找到",
    "disagree": "来源不一致：{0}",
    "unverified": "未核实：{0}",
    "no_date": "无日期",
    "sources": "来源",
    "fare": "花费：{0}",
    "run": "运行：{0}",
}


def wording(text: str) -> Mapping[str, str]:
    """Return the words in the language of `text`, by what they say."""
    return _CHINESE if is_chinese(text) else _ENGLISH
