"""A charitable foundation: funding programmes, field projects, regional offices, membership, departments."""

from webfarer.worlds.schema import Domain, Kind, Section, Text, attribute, compose, name, names, texts
from webfarer.worlds.values import clock, code, date, money, number, person, phone, room

_CAUSES = names(
    "Clean Water | Drinking Safely | 清洁饮水 | 喝得放心",
    "Rural Schools | Teaching in the Country | 乡村学校 | 村里的课堂",
    "Coastal Forests | Mangrove Belts | 沿海林带 | 红树林",
    "Old Crafts | Weaving and Pottery | 传统工艺 | 编织与陶艺",
    "Healthy Soils | Fertile Earth | 健康土壤 | 大地",
    "Public Reading | Libraries for All | 全民阅读 | 书香",
    "Safe Streets | Walking without Fear | 平安街道 | 放心出行",
    "Solar Villages | Power from Light | 光伏乡镇 | 向日而生",
    "Early Warning | Before the Flood | 灾害预警 | 洪水来临前",
    "Mother Tongues | Languages at Risk | 母语保护 | 濒危方言",
    "Open Archives | Documents for Everyone | 开放档案 | 人人可查的史料",
    "Mountain Rescue | Help in High Places | 山地救援 | 高处的守望",
    "Quiet Nights | Less Noise | 静夜行动 | 少些噪音",
    "River Fish | Freshwater Life | 江河鱼类 | 淡水生灵",
    "Urban Gardens | Green Roofs | 城市花园 | 绿色屋顶",
    "Fair Work | Decent Jobs | 公平就业 | 体面岗位",
)

_ASSESSMENT = Kind(
    "assessment",
    names("Assessment | How We Decide | 评审流程 | 怎样做决定"),
    attributes=(
        attribute(
            date(7, 9),
            "decision date | after the application, what is the decision date in the assessment of {e}"
            " | when will candidates hear from {e}",
            "评审结果日期 | 申请{e}以后，评审结果日期是哪一天 | {e}几号给出答复",
        ),
        attribute(
            number(10, 98, "{} reviewers", "{}位评委"),
            "panel size | how large is the panel in the assessment of applications to {e}"
            " | what number of experts judge {e}",
            "评委人数 | 申请{e}的评审流程中评委人数是多少 | {e}由几名专家打分",
        ),
    ),
)

_APPLY = Kind(
    "apply",
    names("Application Procedure | Step by Step | 申请办法 | 操作步骤"),
    attributes=(
        attribute(
            date(2, 6),
            "closing date | what is the closing date for an application to {e} | until when does {e} take proposals",
            "申请截止日期 | {e}的申请截止日期是哪一天 | 最晚几号向{e}递交方案",
        ),
        attribute(
            code("FORM"),
            "application form | which application form is used for {e} | what sheet has to be filled in under {e}",
            "申请表编号 | {e}的申请表编号是什么 | 想拿到{e}该填写哪一张",
        ),
    ),
    children=(_ASSESSMENT,),
)

_FUNDS = Kind(
    "fund",
    compose(
        _CAUSES,
        "{} Fund | Supporting {} | {}基金 | 支持{}",
        "{} Award | Honouring {} | {}奖项 | 表彰{}",
    ),
    article="the ",
    archived=True,
    attributes=(
        attribute(
            money(10_500, 98_500, 500),
            "maximum grant | what is the maximum grant of {e} | up to how much money can one get from {e}",
            "最高资助额 | {e}的最高资助额是多少 | 从{e}至多能拿到几元",
        ),
        attribute(
            person(),
            "programme officer | who is the programme officer of {e} | which person looks after {e}",
            "项目主管 | {e}的项目主管是谁 | {e}归哪一位管",
        ),
    ),
    children=(_APPLY,),
)

_STAFFING = Kind(
    "staffing",
    names("Volunteers | Lend a Hand | 志愿者 | 一起帮忙"),
    attributes=(
        attribute(
            person(),
            "volunteer coordinator | who is the coordinator of volunteers at {e} of {p}"
            " | which person guides helpers at {e}",
            "志愿者协调人 | {p}{e}的志愿者协调人是谁 | 由哪位安排{e}的帮手",
        ),
        attribute(
            number(20, 490, "{} hours", "{}小时"),
            "volunteer hours | how many hours did volunteers give to {e} of {p}"
            " | what time did unpaid helpers put into {e}",
            "志愿服务时长 | {p}{e}的志愿者服务时长是多少 | 不拿报酬的帮手为{e}投入了多久",
        ),
    ),
)

_SITES = Kind(
    "site",
    compose(
        names(
            "Aldermoor | the Moorland | 青石湾 | 海边",
            "Brackenfold | the Valley | 白鹭滩 | 湿地",
            "Cairnhill | the Uplands | 云台岭 | 高原",
            "Dunmere | the Lake District | 月牙泉 | 沙漠",
            "Elmsworth | the Old Mill | 枫桥镇 | 古镇",
            "Fennick | the Marshes | 龙潭沟 | 峡谷",
            "Glenrow | the Gorge | 桃花渡 | 渡口",
            "Harrowgate | the Plain | 望江楼 | 河岸",
        ),
        "{} Station | Base in {} | {}工作站 | {}驻点",
        "{} Workshop | Hands-On in {} | {}工坊 | {}动手空间",
        "{} Nursery | Seedlings from {} | {}苗圃 | {}育苗",
    ),
    attributes=(
        attribute(
            date(3, 10),
            "opening date | what is the opening date of {e} in {p} | when does {e} start to welcome people",
            "启用日期 | {p}{e}的启用日期是哪一天 | {e}几号开始迎客",
        ),
    ),
    children=(_STAFFING,),
)

_PROJECTS = Kind(
    "project",
    compose(_CAUSES, "{} Project | {} in Practice | {}项目 | {}走进现场"),
    article="the ",
    attributes=(
        attribute(
            number(1100, 98_900, "{} households", "{}户家庭"),
            "households reached | how many households has {e} reached | what number of families benefit from {e}",
            "受益家庭 | {e}的受益家庭有多少 | {e}帮到了几户人",
        ),
    ),
    children=(_SITES,),
)

_APPOINT = Kind(
    "appoint",
    names("Appointments | Come by Arrangement | 预约办理 | 提前约定"),
    attributes=(
        attribute(
            phone(),
            "appointment line | for visits to {e}, what is the telephone extension for appointments"
            " | how does one ring {e}",
            "预约电话 | 到访{e}的预约电话是什么 | 打哪个号码能联络{e}",
        ),
    ),
)

_VISIT = Kind(
    "visit",
    names("Visiting Us | Doors and Desks | 到访须知 | 窗口与柜台"),
    attributes=(
        attribute(
            clock(7, 12),
            "opening time | when visiting {e}, what is the opening time | how early do people get into {e}",
            "开门时间 | 到访{e}时，开门时间是几点 | 最早何时能进{e}",
        ),
        attribute(
            room(),
            "reception room | when visiting {e}, in which room is the reception | where do guests of {e} sign in",
            "接待室 | 到访{e}时，接待室在哪里 | 客人到{e}后去什么地点登记",
        ),
    ),
    children=(_APPOINT,),
)

_OFFICES = Kind(
    "office",
    names(
        "Northern Office | Hill Country | 北方办事处 | 山里的同事",
        "Southern Office | Down by the Coast | 南方办事处 | 海边的同事",
        "Eastern Office | Near the Border | 东部办事处 | 口岸的同事",
        "Western Office | Beyond the Lake | 西部办事处 | 高原的同事",
        "Capital Office | Next to Parliament | 首都办事处 | 总部的同事",
        "Island Office | Across the Strait | 海岛办事处 | 对岸的同事",
    ),
    article="the ",
    attributes=(
        attribute(
            person(),
            "head of office | who is the head of {e} | which person leads the branch called {e}",
            "主任 | {e}的主任是谁 | {e}归哪一位领导",
        ),
        attribute(
            number(12, 96, "{} employees", "{}名员工"),
            "number of employees | how many employees work at {e} | what is the headcount of {e}",
            "员工人数 | {e}的员工人数是多少 | {e}一共由几位组成",
        ),
    ),
    children=(_VISIT,),
)

_LEAVING = Kind(
    "leaving",
    names("Leaving | Saying Goodbye | 退会办法 | 告别"),
    attributes=(
        attribute(
            date(10, 12),
            "notice date | when leaving and giving up the benefits of {e}, by which notice date must one write"
            " | what is the last day to quit {e}",
            "退会通知期限 | 放弃{e}权益的退会通知期限是哪一天 | 最晚几号结束{e}",
        ),
    ),
)

_BENEFITS = Kind(
    "benefits",
    names("Benefits | Your Advantages | 会员权益 | 您能得到什么"),
    attributes=(
        attribute(
            number(10, 95, "{} percent", "{}%"),
            "ticket discount | which discount is among the benefits of {e} | how much cheaper are tickets under {e}",
            "购票折扣 | {e}的权益中购票折扣是多少 | 持{e}买门票便宜几成",
        ),
    ),
    children=(_LEAVING,),
)

_MEMBERS = Kind(
    "member",
    names(
        "Individual Membership | Just You | 个人会员 | 只为您自己",
        "Family Membership | Two Adults with Children | 家庭会员 | 全家一起",
        "Company Membership | For Businesses | 企业会员 | 商界伙伴",
        "Youth Membership | Students and Apprentices | 青年会员 | 年轻一代",
        "Life Membership | Once and for Ever | 终身会员 | 永远同行",
        "Honorary Membership | By Invitation | 荣誉会员 | 受邀者",
    ),
    attributes=(
        attribute(
            money(25, 995),
            "annual fee | what is the annual fee for {e} | how much does {e} cost per year",
            "年费 | {e}的年费是多少 | 办理{e}每十二个月要付几元",
        ),
    ),
    children=(_BENEFITS,),
)

domain = Domain(
    sites=(
        Text("Harbour Light Foundation", "灯塔公益基金会"),
        Text("Common Ground Trust", "同心社会发展基金会"),
        Text("Evergreen Alliance", "常青联盟"),
    ),
    sections=(
        Section(
            Kind("support", names("Funding Programmes | What We Finance | 资助项目 | 支持方向"), children=(_FUNDS,)),
            Text("among the {year} funding programmes", "在{year}年的资助项目中"),
        ),
        Section(
            Kind("field", names("Projects on the Ground | Our Impact | 一线工作 | 行动与成效"), children=(_PROJECTS,)),
            Text("among the projects on the ground", "在一线工作中"),
        ),
        Section(
            Kind("places", names("Regional Offices | Near You | 各地机构 | 在您身边"), children=(_OFFICES,)),
            Text("among the regional offices", "在各地机构中"),
        ),
        Section(
            Kind("join", names("Membership | Join In | 入会指南 | 加入行列"), children=(_MEMBERS,)),
            Text("on the membership pages", "按照入会指南"),
        ),
    ),
    archive=name("Annual Reports | Looking Back | 年度报告 | 回望"),
    edition=Text("Programmes of {year}", "{year}年资助情况"),
    filler=texts(
        """
        The foundation is [independent|free] of governments and parties and lives on gifts and on its own capital.
        基金会独立运作，资金来源于[捐赠|社会捐助]与自有资产。
        Our [volunteers|helpers] come from all walks of life, and no special training is needed to begin.
        参与者来自各行各业，[无需|不要求]专业背景即可加入。
        Every year an outside auditor [checks|examines] the books, and the report is open to everybody.
        每年由外部机构进行审计，报告向社会[公开|公布]。
        We [work|act] together with local partners, who know the needs of the people best.
        我们与当地伙伴[携手|合作]，他们最了解居民的需要。
        Proposals that were turned down may be sent in again [in revised form|after changes].
        未获通过的方案[修改|完善]后可再次提交。
        Gifts can be [deducted|set off] from taxes in most countries; a receipt is sent without being asked.
        捐赠可依法[抵扣|减免]税款，收据会自动寄出。
        [Photographs|Pictures] on these pages were taken with the consent of the people shown.
        网页中的照片均已征得[当事人|本人]同意。
        Staff travel by [train|rail] wherever a journey takes less than a working day.
        工作人员出差[优先|尽量]选择铁路。
        Children take part in our events only in the [company|care] of an adult.
        未成年人须在成年人[陪同|看护]下参加活动。
        The board [meets|comes together] four times a year and publishes a summary of its talks.
        理事会定期[召开会议|开会]，并公布纪要。
        Complaints are handled by an ombudsman who is not on the [payroll|staff] of the foundation.
        投诉由独立监察员[受理|处理]，与基金会无雇佣关系。
        Lessons learned are [shared|discussed] with sister organisations at the spring gathering.
        我们在春季聚会上与兄弟单位[分享|交流]经验。
        Equipment that is no longer used is [passed on|given] to schools in the neighbourhood.
        闲置设备[转赠|捐给]附近的学校。
        Whoever leaves a legacy can [name|choose] the purpose for which it is to be used.
        遗赠者可以[指定|选择]资金用途。
        In an emergency we can [release|provide] help within days, without the usual paperwork.
        遇到紧急情况，可在数日内[启动|提供]援助。
        Local [councils|authorities] are informed before any work on the ground begins.
        开展工作之前均会[告知|通报]当地政府。
        All [recipes|manuals] and teaching materials may be copied freely.
        所有手册与教材均可自由[复制|传播]。
        A [warm|friendly] welcome awaits guests at the autumn fair in the courtyard.
        欢迎各界朋友参加在院内举办的秋季[集市|市集]。
        Our [archive|collection] of letters goes back to the founders.
        馆藏书信可追溯至创办人[时期|年代]。
        Contracts are [awarded|given] after a public call, and the reasons are put on record.
        采购通过公开[招标|征集]进行，并记录理由。
        Research that we pay for must be [published|released] where anyone can read it.
        受资助的研究成果须[公开|开放]发表。
        Old people and young people [run|lead] many of the activities side by side.
        许多活动由老年人与年轻人共同[主持|组织]。
        """
    ),
    news=texts(
        """
        Visit to {e}: impressions
        走进{e}：见闻随笔
        {e} thanks its friends
        {e}致谢各界朋友
        Radio feature about {e}
        电台专题介绍{e}
        What neighbours say about {e}
        邻里眼中的{e}
        The chair of the board on {e}
        理事长谈{e}
        """
    ),
)
