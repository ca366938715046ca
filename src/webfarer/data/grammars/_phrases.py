"""How statements that grammar finds on a page are put into words, in English and Chinese.

`{x}` stays for the subject or the value; other braces are filled when a statement is found. Not a grammar of either
language: every phrase is written out.
"""

from webfarer.data.ground import Relation

_ENGLISH = {
    "added": Relation(
        "in which version was {x} added",
        "the version in which {x} was added",
    ),
    "deprecated": Relation(
        "since which version has {x} been deprecated",
        "the version since which {x} has been deprecated",
    ),
    "changed": Relation(
        "for which version is this change of {x} documented: “{text}”",
        "the version for which this change of {x} is documented: “{text}”",
    ),
    "retired": Relation(
        "since which version is this deprecation documented for {x}: “{text}”",
        "the version since which this deprecation is documented for {x}: “{text}”",
    ),
    "parameter": Relation(
        "what is the default value of the parameter “{name}” in the signature of {x}",
        "the default value of the parameter “{name}” in the signature of {x}",
    ),
    "default": Relation(
        "what is the documented default of {x}",
        "the documented default of {x}",
    ),
    "described": Relation(
        "which {sort} is described on {x} with the words “{text}”",
        "the {sort} that is described on {x} with the words “{text}”",
    ),
    "summary": Relation(
        "how does the documentation describe {x} in one line",
        "the one-line description of {x}",
        "the page whose one-line description is “{x}”",
    ),
    "measure": Relation(
        "what {be} {text}, according to {x}",
        "{text} according to {x}",
    ),
    "release": Relation("in which version {be} {text} {verb}, according to {x}"),
    "day": Relation("when {be} {text} {verb}, according to {x}"),
    "number": Relation("which number is missing from this sentence on {x}: “{text}”"),
    "date": Relation("which date is missing from this sentence on {x}: “{text}”"),
    "version": Relation("which version number is missing from this sentence on {x}: “{text}”"),
    "code": Relation("which name or piece of code is missing from this sentence on {x}: “{text}”"),
    "link": Relation(
        "which page is linked to in place of the gap in this sentence on {x}: “{text}”",
        "the page that is linked to in place of the gap in the sentence “{text}” on {x}",
    ),
    "next": Relation(
        "which page comes right after {x}",
        "the page right after {x}",
    ),
    "opening": Relation("with which section does {x} begin", "the first section of {x}"),
    "closing": Relation("with which section does {x} end", "the last section of {x}"),
    "cell": Relation(
        "what does {table} on {x} give as “{column}” for “{row}”",
        "what {table} on {x} gives as “{column}” for “{row}”",
    ),
    "row": Relation(
        "for which “{first}” does {table} on {x} give this as “{column}”: “{text}”",
        "the “{first}” for which {table} on {x} gives “{text}” as “{column}”",
    ),
    "column": Relation(
        "what does {table} on the page “{page}” give as “{column}” for {x}",
        "what {table} on the page “{page}” gives as “{column}” for {x}",
        "the “{first}” for which {table} on the page “{page}” gives “{x}” as “{column}”",
        "the entries of “{first}” for which {table} on the page “{page}” gives “{x}” as “{column}”",
    ),
    "listed": Relation(
        "under which title is {x} listed in a table on the page “{page}”",
        "the title of the table on the page “{page}” that lists {x}",
        those="the entries of “{first}” that the table under “{x}” on the page “{page}” lists",
    ),
}

_CHINESE = {
    "added": Relation("{x}是在哪个版本加入的", "加入{x}的版本"),
    "deprecated": Relation("{x}从哪个版本起被弃用", "弃用{x}的版本"),
    "changed": Relation("{x}的这项变更写的是哪个版本：“{text}”", "{x}的变更“{text}”所对应的版本"),
    "retired": Relation("{x}的这项弃用说明写的是哪个版本：“{text}”", "{x}的弃用说明“{text}”所对应的版本"),
    "parameter": Relation("{x}的签名中参数“{name}”的默认值是什么", "{x}的签名中参数“{name}”的默认值"),
    "default": Relation("文档给出的{x}的默认值是什么", "文档给出的{x}的默认值"),
    "described": Relation("{x}用“{text}”说明的是哪一项", "{x}用“{text}”说明的那一项"),
    "summary": Relation("文档用哪一句话介绍{x}", "{x}的一句话介绍", "一句话介绍为“{x}”的页面"),
    "number": Relation("{x}上的这句话缺了哪个数字：“{text}”"),
    "date": Relation("{x}上的这句话缺了哪个日期：“{text}”"),
    "version": Relation("{x}上的这句话缺了哪个版本号：“{text}”"),
    "code": Relation("{x}上的这句话缺了哪个名称或代码：“{text}”"),
    "link": Relation("{x}上的这句话在空缺处链接到哪个页面：“{text}”", "{x}上的句子“{text}”在空缺处链接到的页面"),
    "next": Relation("文档中紧接在{x}之后的是哪个页面", "文档中紧接在{x}之后的页面"),
    "opening": Relation("{x}的第一节叫什么", "{x}的第一节"),
    "closing": Relation("{x}的最后一节叫什么", "{x}的最后一节"),
    "cell": Relation(
        "{x}上{table}中“{row}”的“{column}”是什么",
        "{x}上{table}中“{row}”的“{column}”",
    ),
    "row": Relation(
        "{x}上{table}中，哪个“{first}”的“{column}”是“{text}”",
        "{x}上{table}中“{column}”为“{text}”的“{first}”",
    ),
    "column": Relation(
        "页面“{page}”上{table}中{x}的“{column}”是什么",
        "页面“{page}”上{table}中{x}的“{column}”",
        "页面“{page}”上{table}中“{column}”为“{x}”的“{first}”",
        "页面“{page}”上{table}中“{column}”为“{x}”的“{first}”",
    ),
    "listed": Relation(
        "页面“{page}”上列出{x}的表格叫什么",
        "页面“{page}”上列出{x}的表格的标题",
        those="页面“{page}”上表格“{x}”列出的“{first}”",
    ),
}

_QUOTED = ("{text}", "{row}")  # pieces of the line that states the value
_PHRASES = {"en": _ENGLISH, "zh": _CHINESE}
_TABLES = {
    "en": ("the table “{name}”", "the table under “{name}”", " (columns {columns})"),
    "zh": ("表格“{name}”", "“{name}”之下的表格", "（列为{columns}）"),
}
_OPTIONS = {"en": "the option “{name}” on {page}", "zh": "{page}上的选项“{name}”"}
_PAGES = {"en": "the page “{name}”", "zh": "页面“{name}”"}


def has_phrase(kind: str, language: str) -> bool:
    """Say whether a kind of statement can be put into words of a language."""
    return kind in _PHRASES[language]


def phrased(kind: str, language: str, **words: str) -> Relation:
    """Return the phrases of a kind of statement, `words` filled in."""
    pattern = _PHRASES[language][kind]

    def fill(text: str) -> str:
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", word)
        return text

    quotes = any(quoted in pattern.ask for quoted in _QUOTED)
    return Relation(fill(pattern.ask), fill(pattern.of), fill(pattern.whose), fill(pattern.those), quotes)


def page_phrase(name: str, language: str) -> str:
    """Return what a page of that name is called in a sentence."""
    return _PAGES[language].replace("{name}", name)


def option_phrase(name: str, page: str, language: str) -> str:
    """Return what an option on the page of that name is called in a sentence."""
    return _OPTIONS[language].replace("{page}", page_phrase(page, language)).replace("{name}", name)


def table_phrase(name: str, language: str, captioned: bool, columns: tuple[str, ...] = ()) -> str:
    """Return what a table is called in a sentence; `columns` tell tables of one name apart."""
    caption, under, with_columns = _TABLES[language]
    named = (caption if captioned else under).replace("{name}", name)
    joined = (", " if language == "en" else "、").join(f"“{column}”" for column in columns)
    return named + (with_columns.replace("{columns}", joined) if columns else "")
