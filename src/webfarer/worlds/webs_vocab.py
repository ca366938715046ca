"""The words of a generated web: names of sites and of what they keep, relations between sites, attributes, questions.

Data only; :mod:`webfarer.worlds.webs_plan` draws from it. Values are of forms that the domains' own pages never use
(days of former centuries, made-up cities, their own family names), so that a planted value stands on its page alone.
"""

from dataclasses import dataclass

from webfarer.worlds.schema import Text, texts
from webfarer.worlds.values import Draw, Pen, code, day


def _pairs(block: str) -> tuple[Text, ...]:
    """Read words that alternate between English and Chinese."""
    words = block.split()
    return tuple(Text(en, zh) for en, zh in zip(words[::2], words[1::2], strict=True))


PLACES = _pairs(
    """
    Alderholm 青岚  Brightwater 明湖  Corvane 松陵  Dunhollow 沙洲  Eastmere 东泽  Fairhaven 和港  Greystone 灰岩
    Highbury 高坪
    """
)
SITES: dict[str, tuple[Text, Text]] = {
    "conference": (
        Text("{} Systems Conference", "{}系统学术会议"),
        Text("{} Networks Conference", "{}网络学术会议"),
    ),
    "education": (Text("{} University", "{}大学"), Text("{} Technical University", "{}理工大学")),
    "game": (Text("{} Chronicles", "{}编年史"), Text("{} Legends", "{}传说")),
    "organisation": (Text("{} Foundation", "{}基金会"), Text("{} Family Foundation", "{}家族基金会")),
}
"""Two names a domain; sites with the same place are easily taken for each other."""
ARTICLES = {"conference": "the ", "organisation": "the "}
ABOUT: dict[str, Text] = {
    "conference": Text("Programme and organisers of a scientific conference.", "学术会议的日程与组织机构。"),
    "education": Text("Teaching and research at a university.", "大学的教学与科研。"),
    "game": Text("Heroes, regions and tournaments of an online game.", "网络游戏的英雄、地图与赛事。"),
    "organisation": Text("Funding and projects of a foundation.", "基金会的资助与项目。"),
}
PATRONS = _pairs(
    """
    Abernathy 云帆  Bellweather 长庚  Cavendish 启明  Delacroix 望舒  Eddington 凌霄  Farnsworth 知远  Galsworthy 怀瑾
    Hargreaves 若谷  Inglewood 听泉  Jessamine 松筠  Kilbride 景行  Lockhart 致和  Montague 晴川  Northcote 玄圃
    Osbourne 清晖  Pemberton 逸兴  Quillfeather 守拙  Ravenscroft 含章  Somerville 抱朴  Thistlewood 养正
    Underhill 思源  Vandermeer 崇德  Wetherby 博雅  Yarborough 明德  Ackroyd 乐山  Birtwhistle 静海  Crowhurst 飞鸿
    Dalrymple 惊蛰  Elphinstone 谷雨  Fotheringay 白露  Gainsborough 霜降  Huddleston 立秋
    """
)
ITEMS = texts(
    """
    {} Medal
    {}奖章
    {} Lectureship
    {}讲座
    {} Library
    {}藏书
    {} Exhibition
    {}画展
    """
)


@dataclass(frozen=True, slots=True)
class Relation:
    """How a page names another site: `label` on the page, `asked` in a question, with `{x}` for whose it is."""

    label: Text
    asked: Text


RELATIONS: dict[str, Relation] = {
    "organisation": Relation(
        Text("endowing foundation", "出资基金会"), Text("the foundation that endows {x}", "出资设立{x}的基金会")
    ),
    "education": Relation(
        Text("supporting university", "协办大学"), Text("the university that supports {x}", "协办{x}的大学")
    ),
    "conference": Relation(
        Text("partner conference", "合作会议"), Text("the conference that is a partner of {x}", "与{x}合作的会议")
    ),
    "game": Relation(Text("featured game", "主推游戏"), Text("the game featured by {x}", "由{x}主推的游戏")),
}
"""By the domain of the site that is named."""


@dataclass(frozen=True, slots=True)
class Property:
    """Something that has one value per subject: `label` on the page, `ask` in a question."""

    label: Text
    ask: Text
    draw: Draw


_STEMS = _pairs(
    """
    Oster 澜  Varn 岱  Quell 鹿  Thal 雁  Mirr 砚  Zeph 浔  Kest 苍  Brun 邺  Lund 棠  Pell 汀  Sorr 岑  Wick 沅
    """
)
_ENDS = _pairs(
    """
    bergen 溪市  mouth 山市  stead 江市  gard 州市  haven 原市  dorf 陵市  minster 阳市  vik 津市
    """
)
_GIVEN = _pairs(
    """
    Agatha 承志  Bertram 望之  Cordelia 伯谦  Desmond 书瑶  Edwina 鸣岐  Fergus 采薇  Gwendolyn 廷玉  Horatio 令仪
    Imogen 慕白  Jasper 观澜  Lavinia 仲平  Mortimer 清和
    """
)
_FAMILY = _pairs(
    """
    Applegarth 沈  Blenkinsop 韩  Chumley 冯  Drinkwater 曹  Entwistle 彭  Fairweather 萧  Goodenough 程
    Heathcote 袁  Ironside 邓  Jellicoe 许
    """
)


def _city(pen: Pen) -> str:
    return pen.random.choice(_STEMS).of(pen.language) + pen.random.choice(_ENDS).of(pen.language)


def _person(pen: Pen) -> str:
    given, family = (pen.random.choice(pool).of(pen.language) for pool in (_GIVEN, _FAMILY))
    return family + given if pen.chinese else f"{given} {family}"


PROPERTIES = (
    Property(
        Text("registered city", "注册城市"), Text("in which city is {x} registered", "{x}的注册城市是哪里"), _city
    ),
    Property(
        Text("founding day", "创立日期"), Text("on which day was {x} founded", "{x}的创立日期是哪一天"), day(1801, 1949)
    ),
    Property(
        Text("honorary curator", "名誉主管"), Text("who is the honorary curator of {x}", "{x}的名誉主管是谁"), _person
    ),
    Property(
        Text("register number", "登记编号"),
        Text("what is the register number of {x}", "{x}的登记编号是什么"),
        code("REC", 5),
    ),
)

SECTION = Text("Institution and Records", "机构与档案")
COLLECTION = Text("Medals, Lectureships, Libraries, Exhibitions", "奖章、讲座、藏书与画展")
PARTICULARS = Text("{}: Particulars", "{}：详细资料")
LEGAL = Text("Founding and Registration", "创立与注册登记")
REGISTER = Text("Public Registers", "公共登记簿")
RECORD = Text("Register Entry of {}", "{}登记资料")
FORMER = Text("Former Records", "历史资料")
FAQ = Text("Frequently Asked", "常见问题")
FAQ_ANSWERS = texts(
    """
    We are often asked this; the answer stands in our records, which anybody may read.
    经常有人这样问，答案见本站档案，人人可查。
    This is not said here, since such things change; please look it up in the records.
    此类信息可能变动，本页不作说明，请查阅档案。
    """
)
PORTAL_TITLE = Text("Directory of Websites", "网站目录")
