"""A scientific conference: calls, programme, venue, registration, workshops, committees."""

from webfarer.worlds.schema import Domain, Kind, Section, Text, attribute, compose, name, names, texts
from webfarer.worlds.values import clock, code, date, money, number, person, phone, room
from webfarer.worlds.vocab import FIELDS

_DATES = Kind(
    "dates",
    names("Important Dates | Calendar | 重要日期 | 关键节点"),
    attributes=(
        attribute(
            date(1, 3),
            "submission deadline | on which date is the submission deadline of {e}"
            " | what is the last day to hand in a manuscript to {e}",
            "论文提交截止日期 | {e}的论文提交截止日期是哪一天 | 最晚什么时候向{e}交稿",
        ),
        attribute(
            date(4, 5),
            "notification date | what is the notification date of {e} | when will authors hear back from {e}",
            "录用通知日期 | {e}的录用通知日期是什么时候 | 作者几号能知道{e}的评审结果",
        ),
    ),
)


_CAMERA = Kind(
    "camera",
    names("Camera-Ready Instructions | Final Versions | 终稿说明 | 定稿流程"),
    attributes=(
        attribute(
            date(6, 7),
            "camera-ready deadline | after the submission phase, on which day is the camera-ready deadline of {e}"
            " | until when do accepted authors have to deliver definitive files to {e}",
            "终稿截止时间 | {e}投稿录用后，终稿截止时间是哪一天 | 已接收文章须在几号之前向{e}交付最后版本",
        ),
        attribute(
            code("CR"),
            "template code | which template code do the camera-ready submission instructions of {e} give"
            " | what identifier does the layout file of {e} carry",
            "模板编号 | {e}的投稿终稿说明给出的模板编号是什么 | {e}排版样式的代号叫做何名",
        ),
    ),
)


_GUIDE = Kind(
    "guide",
    names("Submission Guidelines | How to Prepare a Manuscript | 投稿要求 | 稿件准备须知"),
    attributes=(
        attribute(
            number(10, 99, "{} MB", "{}兆字节"),
            "upload limit | what upload limit do the submission guidelines of {e} set"
            " | how large may files for {e} be at most",
            "文件大小上限 | {e}的投稿要求规定的文件大小上限是多少 | 给{e}上传材料最大多少",
        ),
    ),
    children=(_CAMERA,),
)


_TRACKS = Kind(
    "track",
    (
        *names(
            "Industry Track | For Practitioners | 产业分会 | 面向企业从业者",
            "Demonstration Track | Show Your System | 演示分会 | 展示您的作品",
            "Doctoral Symposium | For Young Researchers | 博士生论坛 | 青年学者专场",
            "Poster Session | Work in Progress | 海报展示环节 | 进行中的工作",
            "Reproducibility Track | Studies Repeated | 可重复性研究 | 复现实验",
            "Position Papers | Opinions and Debate | 立场性文章 | 观点与争鸣",
        ),
        *compose(FIELDS, "{} Track | {} | {}分会 | {}"),
    ),
    article="the ",
    archived=True,
    attributes=(
        attribute(
            person(),
            "chair | who is the chair of {e} | which person heads {e}",
            "主席 | {e}的主席是谁 | {e}由哪位学者牵头",
        ),
        attribute(
            number(100, 990, "{} words", "{}字"),
            "abstract length | how long may an abstract for {e} be | what size must summaries sent to {e} keep to",
            "摘要字数上限 | {e}的摘要字数上限是多少 | 向{e}提交的概要最长可写到什么篇幅",
        ),
    ),
    children=(
        _DATES,
        _GUIDE,
    ),
)


_SPEAKER = Kind(
    "speaker",
    names("Speaker Details | On Stage | 主讲人简介 | 登台嘉宾"),
    attributes=(
        attribute(
            person(),
            "speaker | who is the speaker of {e} in {p} | which guest will give {e}",
            "主讲人 | {p}中{e}的主讲人是谁 | {e}请了谁来做",
        ),
        attribute(
            number(100, 480, "{} publications", "{}篇论文"),
            "publication record | what is the publication record of the speaker of {e} in {p}"
            " | how many articles has whoever gives {e} written",
            "发表数量 | {p}中{e}的主讲人发表数量是多少 | 做{e}的人写过几篇",
        ),
    ),
)


_TALK = Kind(
    "talk",
    compose(
        FIELDS,
        "Invited Talk on {} | {}: A View from Outside | {}特邀报告 | {}：局外人谈",
        "Tutorial on {} | {} for Beginners | {}入门讲座 | {}初学者课",
        "Panel on {} | Five Voices about {} | {}圆桌讨论 | {}众人谈",
    ),
    article="the ",
    attributes=(
        attribute(
            clock(8, 19),
            "starting time | at what time does {e} in {p} begin | how early must one be seated for {e}",
            "开始时间 | {p}中{e}的开始时间是几点 | 听{e}应当何时入座",
        ),
    ),
    children=(_SPEAKER,),
)


_SESSIONS = Kind(
    "session",
    compose(
        FIELDS,
        "{} Session | {} Block | {}专题会 | {}时段",
        "{} Plenary | Everyone on {} | {}全体会 | {}大场",
    ),
    article="the ",
    attributes=(
        attribute(
            room(),
            "session room | in which room does {e} take place | where should people go to attend {e}",
            "会议室 | {e}在哪间会议室举行 | 参加{e}要到什么地点",
        ),
    ),
    children=(_TALK,),
)


_CANCEL = Kind(
    "cancel",
    names("Cancellation | If Plans Change | 取消规定 | 行程有变"),
    attributes=(
        attribute(
            date(8, 9),
            "free cancellation date | until which date is cancellation of a booking at {e} free"
            " | when does withdrawing from {e} start to cost something",
            "免费取消期限 | {e}预订的免费取消期限是哪一天 | 最迟几号退订{e}不收钱",
        ),
    ),
)


_BOOKING = Kind(
    "booking",
    names("Booking Conditions | Before You Reserve | 预订须知 | 下单之前"),
    attributes=(
        attribute(
            code("HTL"),
            "booking code | which booking code applies at {e} | what discount word should guests tell {e}",
            "预订代码 | {e}的预订代码是什么 | 向{e}报哪个优惠口令",
        ),
    ),
    children=(_CANCEL,),
)


_HOTELS = Kind(
    "hotel",
    compose(
        names(
            "Aurelia | Old Town | 海悦 | 老城区",
            "Bellevue | Riverside | 观澜 | 江畔",
            "Central | Main Station | 中央 | 火车站旁",
            "Dolphin | Harbour | 蓝鲸 | 码头边",
            "Excelsior | Opera Quarter | 锦江 | 剧院附近",
            "Florentine | Botanical Garden | 翠园 | 植物园畔",
            "Granville | University Hill | 学府 | 高校旁",
            "Horizon | Airport Line | 天际 | 机场沿线",
        ),
        "Hotel {} | Sleeping near {} | {}酒店 | {}的客房",
        "{} Guest House | Low Budget, {} | {}宾馆 | {}的经济之选",
    ),
    attributes=(
        attribute(
            money(80, 390, 1),
            "nightly rate | what is the nightly rate at {e} | how much does a bed cost per day in {e}",
            "每晚房价 | {e}的每晚房价是多少 | 住{e}一天要付什么价钱",
        ),
    ),
    children=(_BOOKING,),
)


_REFUND = Kind(
    "refund",
    names("Refund Policy | Getting Money Back | 退款规定 | 费用返还"),
    attributes=(
        attribute(
            date(8, 10),
            "refund deadline | after payment, on which day is the refund deadline of {e}"
            " | until when can one withdraw from {e} and be reimbursed",
            "退款截止日 | {e}付款以后的退款截止日是哪一天 | 最晚几号放弃{e}还能拿回钱",
        ),
    ),
)


_PAYMENT = Kind(
    "payment",
    names("Payment Terms | How to Settle the Bill | 付款方式 | 缴费办法"),
    attributes=(
        attribute(
            code("REF"),
            "payment reference | which payment reference is to be used for {e}"
            " | what should be written on a bank transfer under {e}",
            "付款附言 | {e}付款时的付款附言是什么 | 为{e}汇钱该注明何种字样",
        ),
    ),
    children=(_REFUND,),
)


_FEES = Kind(
    "fee",
    names(
        "Student Registration | For Those Still Studying | 学生注册 | 在读人员",
        "Regular Registration | Standard Ticket | 普通注册 | 标准门票",
        "Online Registration | Join from Home | 线上注册 | 远程参会",
        "Sponsor Registration | Supporters | 赞助商注册 | 支持单位",
        "One-Day Registration | Short Visit | 单日注册 | 短期来访",
        "Press Registration | Journalists | 媒体注册 | 记者朋友",
    ),
    attributes=(
        attribute(
            money(105, 995),
            "registration fee | what is the fee for {e} | how much money is charged under {e}",
            "注册费 | {e}的注册费是多少 | 选择{e}要交几元",
        ),
    ),
    children=(_PAYMENT,),
)


_SECRETARY = Kind(
    "secretary",
    names("Secretariat | Get in Touch | 秘书处 | 联络窗口"),
    attributes=(
        attribute(
            phone(),
            "telephone | what is the telephone extension of the secretariat of {e} | how can one ring {e}",
            "电话 | {e}秘书处的电话是什么 | 怎样打通{e}",
        ),
    ),
)


_COMMITTEES = Kind(
    "board",
    names(
        "Programme Committee | Who Selects | 程序委员会 | 审稿专家",
        "Steering Committee | Guidance | 指导委员会 | 总体把关",
        "Local Committee | Hosts on Site | 本地委员会 | 东道主",
        "Publicity Committee | Spreading the Word | 宣传委员会 | 推广团队",
        "Awards Committee | Prizes | 评奖委员会 | 荣誉评选",
        "Finance Committee | Money Matters | 财务委员会 | 经费管理",
    ),
    article="the ",
    attributes=(
        attribute(
            number(10, 99, "{} members", "{}名成员"),
            "size of the committee | how many members does {e} have | what is the headcount of {e}",
            "成员人数 | {e}的成员人数是多少 | {e}一共由几位组成",
        ),
    ),
    children=(_SECRETARY,),
)


domain = Domain(
    sites=(
        Text("ICAL {year}", "ICAL {year}学术年会"),
        Text("NORDSYS {year}", "NORDSYS {year}国际会议"),
        Text("DataBridge {year}", "DataBridge {year}大会"),
    ),
    sections=(
        Section(
            Kind("calls", names("Call for Papers | Contribute | 征稿通知 | 欢迎来稿"), children=(_TRACKS,)),
            Text("according to the {year} call for papers", "根据{year}年的征稿通知"),
        ),
        Section(
            Kind("programme", names("Conference Programme | Schedule | 会议日程 | 活动一览"), children=(_SESSIONS,)),
            Text("according to the {year} conference programme", "按照{year}年的会议日程"),
        ),
        Section(
            Kind("venue", names("Hotels and Travel | Where to Stay | 住宿交通 | 来访安排"), children=(_HOTELS,)),
            Text("among the hotels for the conference", "在会议推荐的住宿当中"),
        ),
        Section(
            Kind("register", names("Registration | Tickets | 注册缴费 | 参会报名"), children=(_FEES,)),
            Text("on the registration pages", "在注册页面上"),
        ),
        Section(
            Kind("people", names("Organisers | Team | 组织机构 | 幕后人员"), children=(_COMMITTEES,)),
            Text("among the organisers", "在组织机构中"),
        ),
    ),
    archive=name("Past Editions | Archive | 往届会议 | 历史回顾"),
    edition=Text("Edition of {year}", "{year}年会议"),
    filler=texts("""
        The conference [brings together|gathers] researchers from [universities|laboratories] and companies.
        会议[汇聚|吸引]了来自高校、研究所和企业的研究人员。
        [Authors|Contributors] are encouraged to make code and data [available|public] where this is possible.
        鼓励作者在条件允许时[公开|共享]代码与数据。
        All contributions are [reviewed|read] by at least three experts who do not know the names of the authors.
        所有稿件均由至少三位专家进行[匿名评审|双盲评审]。
        Coffee is served in the foyer [between|before] the sessions, and water is free all day.
        茶歇设在大厅，会议期间[全天|免费]供应饮用水。
        Deadlines are [firm|final]: requests for an extension cannot be granted, whatever the reason.
        截止时间一经公布[不再延长|不予更改]，请作者合理安排。
        Visa letters are [issued|sent] to registered participants on request.
        已注册的参会者可[申请|索取]签证邀请函。
        [Presenters|Speakers] should bring their slides on a memory stick and test them in the break.
        报告人请携带演示文稿，并在休息时间[调试|测试]设备。
        The [proceedings|collected papers] appear online and remain free to read for everyone.
        论文集在线[出版|发布]，面向所有人免费开放。
        Participants are expected to treat one another with [respect|courtesy], on site and online.
        请各位参会者在现场与线上均[相互尊重|文明交流]。
        The city centre can be reached by tram in a few minutes from [the venue|the main entrance].
        从[会场|正门]乘坐电车数分钟即可到达市中心。
        Childcare is [offered|organised] on all days; please say so when you register.
        会议期间[提供|安排]儿童看护服务，注册时请注明。
        A limited number of [grants|bursaries] helps students to cover their travel.
        会议为部分学生[提供|设立]差旅资助，名额有限。
        Recordings are [published|released] some weeks after the event, with the consent of the speakers.
        征得报告人同意后，会议录像将在会后[陆续|分批]发布。
        The [social event|dinner] takes place in the old town hall, and vegetarian dishes are always available.
        晚宴在老市政厅举行，并[备有|提供]素食。
        Questions about [formatting|layout] are best sent together with the file that causes them.
        有关排版的问题，请[连同|附上]相应文件一并发送。
        Plagiarism leads to [rejection|exclusion] without review and is reported to the institution.
        如发现抄袭，稿件将被[直接拒绝|取消资格]并通报所在单位。
        [Sponsors|Exhibitors] present their products in the gallery next to the lecture halls.
        赞助企业在报告厅旁的展廊[展示|介绍]产品。
        Name badges must be [worn|visible] at all times, also at the evening events.
        参会期间请[佩戴|出示]胸牌，晚间活动同样适用。
        Late arrivals find the [registration desk|help desk] on the left side of the entrance.
        晚到的参会者可在入口左侧的[服务台|签到处]办理手续。
        The best contributions are [invited|selected] for a special issue of the society's journal.
        优秀论文将被[推荐|邀请]至学会期刊专刊发表。
        Hybrid participation is supported in [most|nearly all] rooms, with a moderator for remote questions.
        [多数|绝大部分]会场支持线上参与，并安排专人收集提问。
        Accepted work must be presented by one of its [authors|writers], in person or by video.
        录用论文须由其中一位作者[到场|线上]报告。
        """),
    news=texts("""
        New information about {e}
        {e}信息更新
        {e}: questions from the community answered
        关于{e}的常见问题答复
        Thanks to all who supported {e}
        感谢各界对{e}的支持
        A word from the organisers on {e}
        组委会就{e}致参会者
        {e} draws much interest this year
        {e}今年备受关注
        """),
)
