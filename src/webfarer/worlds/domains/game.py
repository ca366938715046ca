"""The site of a video game: heroes, equipment, regions with quests, tournaments, editions of the game."""

from webfarer.worlds.schema import Domain, Kind, Section, Text, attribute, compose, name, names, texts
from webfarer.worlds.values import clock, code, date, money, number, person, room

_UPGRADES = Kind(
    "upgrade",
    names("Upgrades | Growing Stronger | 进阶强化 | 变得更强"),
    attributes=(
        attribute(
            number(1010, 9890, "{} shards", "{}枚碎片"),
            "upgrade cost | what is the upgrade cost of the abilities of {e} | how much must be paid to improve {e}",
            "强化消耗 | {e}技能的进阶强化消耗是多少 | 把{e}练到下一阶要花几枚",
        ),
        attribute(
            number(20, 98, "level {}", "{}级"),
            "upgrade level | at which level does the upgrade of the abilities of {e} unlock"
            " | how far must one have played to improve {e}",
            "强化等级 | {e}技能的进阶强化等级要求是多少 | 玩到什么程度才能让{e}再上一阶",
        ),
    ),
)

_ABILITIES = Kind(
    "ability",
    names("Abilities | Moves and Spells | 技能介绍 | 招式与法术"),
    attributes=(
        attribute(
            number(101, 989, "{} seconds", "{}秒"),
            "cooldown | what cooldown do the abilities of {e} have"
            " | how long must one wait before {e} can strike again",
            "冷却时间 | {e}的技能冷却时间是多少 | {e}出手一次后要等多久",
        ),
        attribute(
            number(110, 2990, "{} damage", "{}点伤害"),
            "base damage | what base damage do the abilities of {e} deal | how hard does {e} hit",
            "基础伤害 | {e}的技能基础伤害是多少 | {e}打人有多疼",
        ),
    ),
    children=(_UPGRADES,),
)

_HEROES = Kind(
    "hero",
    compose(
        names(
            "Ash | Burnt Woods | 灰烬 | 焦土",
            "Brine | Salt Coast | 潮汐 | 盐滩",
            "Cinder | Glowing Coals | 余火 | 炭炉",
            "Dusk | Evening Sky | 暮色 | 傍晚",
            "Echo | Hollow Cave | 回声 | 空谷",
            "Frost | Icy Peaks | 寒霜 | 冰峰",
            "Gale | Wild Winds | 疾风 | 旷野",
            "Husk | Empty Shells | 枯壳 | 荒冢",
            "Ivory | White Towers | 白牙 | 象牙塔",
            "Jade | Green Stone | 碧玉 | 翠石",
            "Lumen | Bright Lantern | 流光 | 灯火",
            "Moss | Damp Ruins | 青苔 | 残垣",
        ),
        "{} Warden | Keeper of {} | {}守卫 | {}看护人",
        "{} Weaver | Dreamer of {} | {}织者 | {}织梦人",
        "{} Hunter | Shadow of {} | {}猎手 | {}追踪者",
    ),
    article="the ",
    archived=True,
    attributes=(
        attribute(
            person(),
            "voice actor | who is the voice actor of {e} | which person speaks the lines of {e}",
            "配音演员 | {e}的配音演员是谁 | 由哪位给{e}献声",
        ),
        attribute(
            number(1100, 9900, "{} health points", "{}点生命值"),
            "starting health | what starting health does {e} have | how tough is {e} when a match begins",
            "初始生命 | {e}的初始生命是多少 | 开局时{e}有几点血",
        ),
    ),
    children=(_ABILITIES,),
)

_MATERIALS = Kind(
    "material",
    names("Rare Materials | What to Gather | 稀有材料 | 搜集清单"),
    attributes=(
        attribute(
            number(20, 980, "{} crystals", "{}块晶石"),
            "crystals required | how many crystals are among the rare materials in the crafting recipe of {e}"
            " | what quantity of gems goes into {e}",
            "晶石数量 | {e}制作配方中稀有材料的晶石数量是多少 | 做一件{e}得攒几块石头",
        ),
        attribute(
            code("VEIN"),
            "vein | which vein yields the rare materials for the crafting recipe of {e}"
            " | where can the gems for {e} be dug",
            "矿脉编号 | {e}制作配方所需稀有材料的矿脉编号是什么 | 到哪里能挖到{e}用的石头",
        ),
    ),
)

_RECIPES = Kind(
    "recipe",
    names("Crafting Recipe | Make It at the Forge | 制作配方 | 自己动手"),
    attributes=(
        attribute(
            number(10, 590, "{} minutes", "{}分钟"),
            "crafting time | how long is the crafting time in the recipe of {e} | after what wait is {e} ready",
            "制作时间 | {e}的制作配方写明的制作时间是多久 | 等多长{e}才能完工",
        ),
    ),
    children=(_MATERIALS,),
)

_ITEMS = Kind(
    "item",
    compose(
        names(
            "Thunder | Storm | 雷霆 | 风暴",
            "Serpent | Coiled Beast | 灵蛇 | 盘龙",
            "Comet | Falling Sky | 彗星 | 天外",
            "Widow | Mourning | 寡妇 | 哀悼",
            "Glacier | Deep Ice | 冰川 | 极寒",
            "Phoenix | Rising Flame | 凤凰 | 烈焰",
            "Raven | Black Feather | 渡鸦 | 黑羽",
            "Titan | Giant | 泰坦 | 巨人",
            "Whisper | Soft Breath | 低语 | 轻息",
            "Oracle | Foreseen | 神谕 | 预见",
        ),
        "{} Blade | {} Edge | {}之刃 | {}锋芒",
        "{} Shield | {} Wall | {}之盾 | {}壁垒",
        "{} Bow | {} String | {}长弓 | {}弓弦",
        "{} Cloak | {} Mantle | {}斗篷 | {}披风",
    ),
    article="the ",
    attributes=(
        attribute(
            number(1010, 9990, "{} gold", "{}金币"),
            "shop price | what is the shop price of {e} | how much does a merchant ask for {e}",
            "商店售价 | {e}的商店售价是多少 | 买一件{e}要花几枚",
        ),
        attribute(
            number(10, 99, "{} stones", "{}斤"),
            "weight | what is the weight of {e} | how heavy is {e}",
            "重量 | {e}的重量是多少 | {e}有多沉",
        ),
    ),
    children=(_RECIPES,),
)

_WALKTHROUGHS = Kind(
    "walkthrough",
    names("Walkthrough | Step by Step | 任务攻略 | 一步一步来"),
    attributes=(
        attribute(
            code("GATE"),
            "gate code | which gate code does the walkthrough of {e} in {p} reveal | what opens the last door of {e}",
            "机关密码 | {p}{e}的任务攻略给出的机关密码是什么 | 怎样打开{e}最后那道门",
        ),
        attribute(
            number(11, 99, "{} enemies", "{}个敌人"),
            "enemies | how many enemies does the walkthrough of {e} in {p} count"
            " | what number of foes appear during {e}",
            "敌人数量 | {p}{e}的任务攻略统计的敌人数量是多少 | 做{e}要打倒几个对手",
        ),
    ),
)

_QUESTS = Kind(
    "quest",
    compose(
        names(
            "Lost Bell | Silent Tower | 失落钟声 | 寂静高塔",
            "Iron Key | Rusty Lock | 铁钥匙 | 锈锁",
            "Sleeping King | Crown Without Head | 沉睡国王 | 无主王冠",
            "Broken Bridge | Two Shores | 断桥 | 两岸",
            "Red Harvest | Bitter Fields | 赤色丰收 | 苦涩田野",
            "Hidden Library | Forgotten Books | 隐秘书库 | 被遗忘的卷轴",
            "Glass Rose | Fragile Flower | 琉璃玫瑰 | 易碎之花",
            "Wandering Star | Night Traveller | 漂泊星辰 | 夜行客",
        ),
        "The {} | {} | {} | {}",
        "Return of the {} | {} Once More | {}归来 | 重返{}",
        "Secret of the {} | Mystery: {} | {}之谜 | {}疑云",
    ),
    attributes=(
        attribute(
            number(110, 9900, "{} experience points", "{}点经验"),
            "reward | what reward does the quest {e} in {p} give | how much does a player gain by finishing {e}",
            "任务奖励 | {p}的{e}任务奖励是多少 | 完成{e}能涨几点",
        ),
    ),
    children=(_WALKTHROUGHS,),
)

_REGIONS = Kind(
    "region",
    names(
        "Amber Coast | Beaches of Gold | 琥珀海岸 | 黄金沙滩",
        "Black Fen | Dark Swamp | 黑沼泽 | 幽暗湿地",
        "Crystal Vale | Shining Valley | 水晶谷 | 闪耀山坳",
        "Dragon Steppe | Endless Grass | 巨龙草原 | 无尽绿野",
        "Ember Isles | Volcano Sea | 余烬群岛 | 火山之海",
        "Frozen March | Land of Snow | 冰封边境 | 雪国",
        "Gloomwood | Shaded Trees | 幽影森林 | 密不透光",
        "Howling Pass | Windy Heights | 狂啸隘口 | 风口",
    ),
    article="the ",
    attributes=(
        attribute(
            number(10, 96, "level {}", "{}级"),
            "recommended level | which level is recommended for {e} | how experienced should players entering {e} be",
            "推荐等级 | {e}的推荐等级是多少 | 练到什么水平再进{e}合适",
        ),
    ),
    children=(_QUESTS,),
)

_BROADCASTS = Kind(
    "broadcast",
    names("Broadcast | Watch Live | 赛事直播 | 在线观看"),
    attributes=(
        attribute(
            clock(9, 22),
            "broadcast time | following the qualifiers of {e}, at what time does the broadcast start"
            " | how early do viewers have to tune in to {e}",
            "直播时间 | {e}预选赛之后的赛事直播时间是几点 | 何时打开视频能看到{e}",
        ),
        attribute(
            person(),
            "commentator | following the qualifiers of {e}, who is the commentator of the broadcast"
            " | whose voice explains {e} to viewers",
            "解说员 | {e}预选赛之后的赛事直播解说员是谁 | {e}由哪位来讲",
        ),
    ),
)

_QUALIFIERS = Kind(
    "qualifier",
    names("Qualifiers | The Road There | 预选赛 | 晋级之路"),
    attributes=(
        attribute(
            date(3, 6),
            "qualifier date | on which date do the qualifiers of {e} begin"
            " | when do teams start to fight for a place in {e}",
            "预选赛日期 | {e}的预选赛日期是哪一天 | 各队几号开始争夺{e}门票",
        ),
    ),
    children=(_BROADCASTS,),
)

_TOURNAMENTS = Kind(
    "tournament",
    names(
        "Spring Cup | When Flowers Open | 春季杯 | 花开时节",
        "Winter Masters | Cold Months Duel | 冬季大师赛 | 寒冬对决",
        "Campus League | Students Compete | 校园联赛 | 学子竞技",
        "Legends Invitational | Veterans Only | 传奇邀请赛 | 老将云集",
        "Open Championship | Anyone May Enter | 公开锦标赛 | 人人可参加",
        "Duo Trophy | Pairs | 双人奖杯赛 | 搭档",
        "Regional Finals | Best of Each Country | 区域总决赛 | 各国强队",
        "Charity Clash | Play for Good | 慈善对抗赛 | 为爱而战",
    ),
    article="the ",
    attributes=(
        attribute(
            money(11_000, 990_000, 500),
            "prize pool | how large is the prize pool of {e} | what sum do winners of {e} share",
            "总奖金 | {e}的总奖金是多少 | 赢下{e}的队伍能分几元",
        ),
        attribute(
            room(),
            "arena | in which arena is {e} held | where do spectators of {e} sit",
            "比赛场馆 | {e}的比赛场馆在哪里 | 去什么地点现场看{e}",
        ),
    ),
    children=(_QUALIFIERS,),
)

domain = Domain(
    sites=(
        Text("Realms of Aethra, season {year}", "艾瑟拉之境{year}赛季"),
        Text("Starfall Chronicles, season {year}", "星陨编年史{year}赛季"),
        Text("Hollow Crown Online, season {year}", "空王冠{year}赛季"),
    ),
    sections=(
        Section(
            Kind("cast", names("Heroes | Characters | 英雄资料 | 角色一览"), children=(_HEROES,)),
            Text("among the heroes of season {year}", "在{year}赛季的英雄资料中"),
        ),
        Section(
            Kind("gear", names("Weapons and Armour | Equipment | 武器装备 | 道具大全"), children=(_ITEMS,)),
            Text("among the weapons and armour", "在武器装备中"),
        ),
        Section(
            Kind("atlas", names("Regions and Quests | Explore | 地图任务 | 探索"), children=(_REGIONS,)),
            Text("among the regions and quests", "在地图任务中"),
        ),
        Section(
            Kind("arena", names("Tournaments | Compete | 赛事中心 | 竞技"), children=(_TOURNAMENTS,)),
            Text("among the tournaments", "据赛事中心公布"),
        ),
    ),
    archive=name("Past Seasons | Archive | 往季回顾 | 存档"),
    edition=Text("Season {year}", "{year}赛季"),
    filler=texts(
        """
        Balance [changes|adjustments] are tested on a separate server before they reach everybody.
        平衡性[调整|改动]会先在测试服验证。
        The [soundtrack|music] was recorded with a full orchestra in an old church.
        游戏[配乐|音乐]由交响乐团在老教堂录制。
        Friends can [team up|play together] across all platforms without any extra cost.
        好友可跨平台[组队|联机]，无需额外付费。
        Cheaters are [banned|removed] without notice, and their results are struck out.
        作弊账号将被[封禁|清退]，成绩一并取消。
        The story is told in short chapters, and each can be [skipped|replayed] at will.
        剧情分为若干短章，可随时[跳过|重温]。
        New players start in a [peaceful|sheltered] village where nothing can go wrong.
        新玩家从一座[宁静|安全]的村庄出发。
        Cosmetic items never [change|influence] how strong a player is.
        外观道具不会[影响|改变]角色强度。
        The [community|fan] wiki is written by volunteers and linked from the launcher.
        社区百科由志愿者[编写|维护]，可从启动器打开。
        Crossing the map on foot takes a [whole evening|good while], so a mount is worth having.
        徒步穿越地图颇费时间，建议[尽早|及时]获得坐骑。
        Sound and colours can be adapted for people who [hear or see|perceive] less well.
        声音与色彩可为有需要的玩家[调节|定制]。
        Servers are [restarted|serviced] early in the morning, when few are awake.
        服务器在清晨[重启|维护]，以减少影响。
        Weather in the open world [follows|obeys] its own rules and may surprise a careless traveller.
        开放世界的天气自有[规律|法则]，常令旅人措手不及。
        The developers [read|answer] the forum every day, though not every thread.
        开发团队每天[浏览|查看]论坛。
        Parents can [limit|set] the hours of play in the account settings.
        家长可在账户设置中[限制|管理]游玩时长。
        Secrets are hidden [behind waterfalls|under old bridges], as tradition demands.
        按照惯例，秘密总藏在[瀑布后|老桥下]。
        Progress is [saved|stored] online and can be restored from any machine.
        进度在线[保存|存储]，换设备也能恢复。
        A [bard|minstrel] in the tavern tells rumours to those who buy him a drink.
        酒馆里的[吟游诗人|说书人]会向请客者透露传闻。
        Clans [govern|own] their own halls and decide who may enter.
        公会可[管理|拥有]自己的大厅。
        The art book shows [sketches|drawings] that never made it into the finished world.
        设定集收录了未采用的[草图|手稿]。
        Merchants buy back [unused|spare] goods at a loss, so think before you shop.
        商人会折价[回收|收购]闲置物品，购买前请三思。
        Streaming is [welcome|allowed] for everyone, with or without advertising.
        欢迎所有人[直播|转播]游戏过程。
        The [tutorial|training ground] can be visited again at any time from the main menu.
        [教学关|训练场]可随时从主菜单进入。
        """
    ),
    news=texts(
        """
        Developer diary: the making of {e}
        开发者日志：{e}的诞生
        Fan art of the month: {e}
        本月同人佳作：{e}
        {e}: known problems and hot fixes
        {e}：已知问题与修复说明
        Community spotlight on {e}
        社区焦点：{e}
        Small changes to {e} after your feedback
        听取意见后对{e}的小改动
        """
    ),
)
