"""The words of a generated catalogue of astronomy: kinds of entities, what is said of them and how it is asked for.

Data only; :mod:`webfarer.worlds.catalogue` draws from it. Relations between kinds run in a circle, so that chains of
any length exist. Invariant: of two kinds, one refers to the other by one relation; and words that several entities
share, such as a wave band, belong to one property alone.
"""

from dataclasses import dataclass

from webfarer.worlds.schema import Text, texts
from webfarer.worlds.values import Draw, Pen, code, day, number

_FIRST_EN = """Al Bar Cor Dal El Fen Gar Hol Ist Jar Kel Lor Mar Nor Os Pel Quin Ros Sar Tor Ul Var Wen Yar Zel Bran Cal
Dun Esk Fal""".split()
_MIDDLE_EN = "a an ar e el en er i in o on or".split()
_LAST_EN = "den vik mere holt wyn dor gard lund more neth rick by ton vale wick zor bay crest fell stow".split()
_FIRST_ZH = "云岚青玉苍松碧瑶枫雪霞芦沁银凤鹤龙虎鹿雁梅兰竹菊桂荷莲柏桐榆"
_LAST_ZH = "岭溪泽洲原谷峰川湾岩塘浦台坡渡津港陵泉崖"
_GIVEN_EN = """Agnes Boris Cecily Dmitri Esther Frank Greta Henrik Irene Josef Klara Leon Magda Nils Olga Piet Renata
Sigrid Tilda Ulrich""".split()
_FAMILY_ZH = "沈韩冯曹彭萧程袁邓许傅曾吕苏卢蒋蔡魏薛叶"


def stem(pen: Pen) -> str:
    """Draw the part that is a name's own."""
    pools = (_FIRST_ZH, _FIRST_ZH, _LAST_ZH) if pen.chinese else (_FIRST_EN, _MIDDLE_EN, _LAST_EN)
    return "".join(map(pen.random.choice, pools))


def _named(*patterns: str) -> Draw:
    """Draw a name by one of the patterns, each "English | Chinese"."""

    def draw(pen: Pen) -> str:
        en, zh = pen.random.choice(patterns).split(" | ")
        return (zh if pen.chinese else en).format(stem(pen), pen.random.randint(11, 98))

    return draw


def _person(pen: Pen) -> str:
    if pen.chinese:
        return "".join(map(pen.random.choice, (_FAMILY_ZH, _FIRST_ZH, _FIRST_ZH)))
    return f"{pen.random.choice(_GIVEN_EN)} {stem(pen)}"


@dataclass(frozen=True, slots=True)
class Property:
    """Something that is said of every entity of a kind.

    Attributes:
        slug: its name within the kind.
        words: "label | clause that asks | noun phrase for the value | what is added to the kind's name for the
            entities that have the value"; `{x}` is the entity, in the last one the value.
        to: kind of the entity that it names, or "".
        shared: values of which several entities have the same; () where each has its own.
        draw: draws a value of its own.
    """

    slug: str
    words: Text
    to: str = ""
    shared: tuple[Text, ...] = ()
    draw: Draw | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: `slug` is its English name, `share` how many there are, in proportion to other kinds."""

    slug: str
    plural: Text
    share: int
    name: Draw
    properties: tuple[Property, ...]


def _refers(slug: str, to: str, en: str, zh: str) -> Property:
    return Property(slug, Text(en, zh), to=to)


def _shares(slug: str, values: str, en: str, zh: str) -> Property:
    """Declare a property with values that alternate between English and Chinese, separated by " / "."""
    return Property(slug, Text(en, zh), shared=texts(values.replace(" / ", "\n")))


def _has(slug: str, draw: Draw, en: str, zh: str) -> Property:
    return Property(slug, Text(en, zh), draw=draw)


_INSTITUTE = Kind(
    "institute",
    Text("institutes", "研究机构"),
    2,
    _named("{} Institute | {}研究所", "{} Academy | {}研究院", "{} College | {}学院"),
    (
        _refers(
            "director",
            "astronomer",
            "director | who is the director of {x} | the director of {x} | directed by {x}",
            "负责人 | {x}的负责人是谁 | {x}的负责人 | 由{x}负责的",
        ),
        _shares(
            "seat",
            "Port Amsel / 安宁府 / Sankt Odo / 定远府 / Vierbruck / 宣化府 / Grauburg / 延庆府 / Neu Lessing / 保安府",
            "seat | in which city is the seat of {x} | the city in which {x} has its seat | whose seat is in {x}",
            "总部 | {x}的总部设在哪座城市 | {x}总部所在的城市 | 总部设在{x}的",
        ),
        _has(
            "founded",
            day(1840, 1905),
            "founding day | on which day was {x} founded | the day on which {x} was founded | founded on {x}",
            "成立日期 | {x}是哪一天成立的 | {x}成立的日期 | 于{x}成立的",
        ),
        _has(
            "members",
            number(110, 990, "{} members", "{}名成员"),
            "membership | how many members does {x} have | the number of members of {x} | with {x}",
            "人员规模 | {x}有多少名成员 | {x}的成员人数 | 拥有{x}的",
        ),
    ),
)

_OBSERVATORY = Kind(
    "observatory",
    Text("observatories", "天文台"),
    3,
    _named("{} Observatory | {}天文台", "Mount {} Observatory | {}观象台"),
    (
        _refers(
            "operator",
            "institute",
            "operator | which institute operates {x} | the institute that operates {x} | operated by {x}",
            "运营机构 | {x}由哪家研究机构运营 | 运营{x}的研究机构 | 由{x}运营的",
        ),
        _shares(
            "region",
            "Ambria / 安北地区 / Castova / 柯东地区 / Delmark / 德南地区 / Ertland / 尔西地区 / Fjordane / 弗中地区",
            "region | in which region does {x} lie | the region in which {x} lies | situated in {x}",
            "所在地区 | {x}位于哪个地区 | {x}所在的地区 | 位于{x}的",
        ),
        _has(
            "opened",
            day(1906, 1950),
            "opening day | on which day was {x} opened | the day on which {x} was opened | opened on {x}",
            "启用日期 | {x}是哪一天启用的 | {x}启用的日期 | 于{x}启用的",
        ),
        _has(
            "altitude",
            number(801, 4990, "{} metres", "{}米"),
            "altitude | at what altitude does {x} stand | the altitude of {x} | whose altitude is {x}",
            "海拔 | {x}的海拔是多少 | {x}的海拔 | 海拔为{x}的",
        ),
    ),
)

_INSTRUMENT = Kind(
    "instrument",
    Text("instruments", "仪器"),
    5,
    _named("{}-{} | {}{}型望远镜", "{} Mark {} | {}{}号相机"),
    (
        _refers(
            "home",
            "observatory",
            "home observatory | at which observatory does {x} stand | the observatory at which {x} stands"
            " | whose home observatory is {x}",
            "安装地点 | {x}安装在哪座天文台 | 安装{x}的天文台 | 安装在{x}的",
        ),
        _shares(
            "mount",
            "polar yoke / 极轴轭式 / horseshoe ring / 马蹄环式 / tilted fork / 斜叉式 / twin pillar / 双柱式"
            " / floating plate / 浮盘式",
            "mount | which mount does {x} have | the mount of {x} | whose mount is {x}",
            "装置方式 | {x}采用哪种装置方式 | {x}的装置方式 | 装置方式为{x}的",
        ),
        _has(
            "weight",
            number(210, 9890, "{} kilograms", "{}千克"),
            "weight | how much does {x} weigh | the weight of {x} | whose weight is {x}",
            "重量 | {x}的重量是多少 | {x}的重量 | 重量为{x}的",
        ),
        _has(
            "light",
            day(1951, 1984),
            "first light | on which day did {x} see first light | the day on which {x} saw first light"
            " | whose first light was on {x}",
            "首次观测日期 | {x}的首次观测日期是哪一天 | {x}首次观测的日期 | 于{x}首次观测的",
        ),
        _has(
            "serial",
            code("SN", 5),
            "serial number | what is the serial number of {x} | the serial number of {x} | whose serial number is {x}",
            "出厂编号 | {x}的出厂编号是什么 | {x}的出厂编号 | 出厂编号为{x}的",
        ),
    ),
)

_SURVEY = Kind(
    "survey",
    Text("surveys", "巡天项目"),
    4,
    _named("Project {} | {}计划", "Programme {} | {}工程"),
    (
        _refers(
            "instrument",
            "instrument",
            "instrument | which instrument does {x} use | the instrument that {x} uses | whose instrument is {x}",
            "所用仪器 | {x}使用哪台仪器 | {x}使用的仪器 | 使用{x}的",
        ),
        _refers(
            "leader",
            "astronomer",
            "leader | who leads {x} | the leader of {x} | led by {x}",
            "主持人 | {x}的主持人是谁 | {x}的主持人 | 由{x}主持的",
        ),
        _shares(
            "band",
            "near infrared / 近红外 / soft X-rays / 软射线 / far ultraviolet / 远紫外 / long radio waves / 长射电"
            " / submillimetre waves / 亚毫米",
            "wave band | in which wave band does {x} observe | the wave band of {x} | whose wave band is {x}",
            "观测波段 | {x}的观测波段是什么 | {x}的观测波段 | 观测波段为{x}的",
        ),
        _has(
            "objects",
            number(10_500, 98_900, "{} objects", "{}个天体"),
            "yield | how many objects did {x} record | the number of objects that {x} recorded | whose yield is {x}",
            "记录数量 | {x}记录了多少个天体 | {x}记录的天体数量 | 记录了{x}的",
        ),
        _has(
            "begun",
            day(1985, 2004),
            "starting day | on which day did {x} begin | the day on which {x} began | begun on {x}",
            "开始日期 | {x}是哪一天开始的 | {x}开始的日期 | 于{x}开始的",
        ),
    ),
)

_ASTRONOMER = Kind(
    "astronomer",
    Text("astronomers", "天文学家"),
    5,
    _person,
    (
        _refers(
            "post",
            "observatory",
            "first post | at which observatory was the first post of {x} | the observatory of the first post of {x}"
            " | whose first post was at {x}",
            "首个任职地 | {x}最初在哪座天文台任职 | {x}最初任职的天文台 | 最初任职于{x}的",
        ),
        _shares(
            "field",
            "planetary rings / 行星环 / cosmic dust / 宇宙尘埃 / dark nebulae / 暗星云 / lunar craters / 月球环形山"
            " / stellar pulsation / 恒星脉动",
            "field of study | what is the field of study of {x} | the field of study of {x}"
            " | whose field of study is {x}",
            "研究领域 | {x}的研究领域是什么 | {x}的研究领域 | 研究领域为{x}的",
        ),
        _shares(
            "award",
            "Meridian Medal / 子午奖章 / Zenith Prize / 天顶奖 / Parallax Cup / 视差杯 / Equinox Ribbon / 分点绶带"
            " / Nadir Plaque / 天底奖牌",
            "highest award | what is the highest award of {x} | the highest award of {x} | whose highest award is {x}",
            "最高荣誉 | {x}的最高荣誉是什么 | {x}的最高荣誉 | 最高荣誉为{x}的",
        ),
        _has(
            "born",
            day(1861, 1949),
            "date of birth | on which day was {x} born | the day on which {x} was born | born on {x}",
            "出生日期 | {x}是哪一天出生的 | {x}出生的日期 | 于{x}出生的",
        ),
        _has(
            "papers",
            number(110, 990, "{} papers", "{}篇论文"),
            "publications | how many papers did {x} publish | the number of papers that {x} published | with {x}",
            "发表数量 | {x}发表了多少篇论文 | {x}发表的论文数量 | 发表了{x}的",
        ),
    ),
)

_COMET = Kind(
    "comet",
    Text("comets", "彗星"),
    6,
    _named("Comet {} | {}彗星"),
    (
        _refers(
            "survey",
            "survey",
            "discovery survey | in the course of which survey was {x} found"
            " | the survey in the course of which {x} was found | found in the course of {x}",
            "发现项目 | {x}是在哪个巡天项目中发现的 | 发现{x}的巡天项目 | 在{x}中发现的",
        ),
        _refers(
            "discoverer",
            "astronomer",
            "discoverer | who discovered {x} | the discoverer of {x} | discovered by {x}",
            "发现者 | {x}的发现者是谁 | {x}的发现者 | 由{x}发现的",
        ),
        _shares(
            "tail",
            "broad fan / 宽扇形 / twin plume / 双羽形 / thin needle / 细针形 / curved sickle / 弯镰形"
            " / broken ribbon / 断带形",
            "tail shape | what is the tail shape of {x} | the tail shape of {x} | whose tail shape is {x}",
            "彗尾形状 | {x}的彗尾形状是什么 | {x}的彗尾形状 | 彗尾形状为{x}的",
        ),
        _has(
            "period",
            number(1150, 99_800, "{} days", "{}天"),
            "orbital period | how long is the orbital period of {x} | the orbital period of {x}"
            " | whose orbital period is {x}",
            "轨道周期 | {x}的轨道周期是多长 | {x}的轨道周期 | 轨道周期为{x}的",
        ),
        _has(
            "perihelion",
            day(2005, 2024),
            "perihelion passage | on which day did {x} pass its perihelion | the day on which {x} passed its perihelion"
            " | whose perihelion passage was on {x}",
            "过近日点日期 | {x}是哪一天过近日点的 | {x}过近日点的日期 | 于{x}过近日点的",
        ),
    ),
)

KINDS = (_INSTITUTE, _OBSERVATORY, _INSTRUMENT, _SURVEY, _ASTRONOMER, _COMET)

SITE = Text("{} Register of Astronomy", "{}天文名录")
REGISTER = Text("Register of {}", "{}名册")
TABLE = Text("{}: {}", "{}：{}")
PART = Text(" (part {})", "（第{}部分）")
PARTICULARS = Text("{}: Particulars", "{}：详细资料")
FILLER = texts(
    """
    Entries are [checked|reviewed] by two members of the editorial board before they appear.
    条目须经两名编辑[核对|审阅]后方可登载。
    The printed edition is kept in the reading room and may be [consulted|seen] on request.
    纸质版存放于阅览室，可凭证件[查阅|借阅]。
    Spellings follow the [usage|custom] of the records from which an entry was taken.
    名称写法以原始档案为准，不作[统一|修订]。
    Photographs and drawings are [listed|described] in a separate volume.
    照片与图稿[另册收录|另行编目]。
    Notes by readers are [welcome|appreciated] and are filed with the entry that they concern.
    欢迎读者来信补充，来信将与相应条目一并[归档|保存]。
    Older entries were typed from cards, which may [explain|account for] an occasional slip.
    早期条目由卡片录入，难免[有误|疏漏]。
    The register does not [judge|rank] what it describes; it keeps what the records say.
    本名录不作[评价|排名]，只记录档案所载内容。
    Abbreviations are [avoided|not used], since they differ from one archive to the next.
    各档案所用简称不一，本名录[不予采用|一概不用]。
    Where records disagree, the [older|earlier] one is followed and the other is left out.
    档案记载不一时，以[较早|年代较早]的记载为准。
    Requests for copies are [answered|dealt with] in the order in which they arrive.
    复制申请按收到的先后顺序[办理|处理]。
    A full set of the cards is held by the library in the [old|east] wing.
    全套卡片由[旧|东]翼的图书室保管。
    Corrections are made at the end of every quarter and are not [announced|listed] one by one.
    更正于每季度末统一进行，不逐条[公布|说明]。
    """
)
