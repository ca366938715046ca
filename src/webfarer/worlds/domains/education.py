"""A university department: degree programmes, courses, research groups, scholarships, facilities."""

from webfarer.worlds.schema import Domain, Kind, Section, Text, attribute, compose, name, names, texts
from webfarer.worlds.values import clock, code, date, money, number, person, phone, room
from webfarer.worlds.vocab import FIELDS

_DOCUMENTS = Kind(
    "documents",
    names("Application Documents | What to Enclose | 申请材料 | 需要寄送什么"),
    attributes=(
        attribute(
            code("FORM"),
            "form number | which form number is among the admission documents of {e}"
            " | what sheet must be filled in by candidates of {e}",
            "申请表编号 | 报考{e}所用的申请表编号是什么 | 想读{e}该填写哪张表格",
        ),
        attribute(
            room(),
            "submission office | to which office do the documents for admission to {e} go"
            " | where should candidates of {e} hand in their papers",
            "材料受理处 | 报考{e}的申请材料受理处在哪里 | 想读{e}要把证书交到何地",
        ),
    ),
)


_ADMISSION = Kind(
    "admission",
    names("Admission Requirements | The Way In | 报考条件 | 怎样入学"),
    attributes=(
        attribute(
            date(1, 5),
            "application deadline | for admission, on which date is the application deadline of {e}"
            " | what is the last day to put oneself forward for {e}",
            "报名截止日期 | 报考{e}的报名截止日期是哪一天 | 最晚什么时候递交{e}材料",
        ),
        attribute(
            number(310, 990, "{} points", "{}分"),
            "admission score | which admission score does {e} require"
            " | how well must candidates do in the entrance test of {e}",
            "最低分数线 | 报考{e}的最低分数线是多少 | 考到什么成绩才能进{e}",
        ),
    ),
    children=(_DOCUMENTS,),
)


_DEGREES = Kind(
    "degree",
    compose(
        FIELDS,
        "Master in {} | Two Years of {} | {}硕士项目 | {}深造阶段",
        "Bachelor in {} | Three Years of {} | {}本科专业 | {}四年学习",
    ),
    article="the ",
    archived=True,
    attributes=(
        attribute(
            person(),
            "programme director | who is the programme director of {e} | which academic is in charge of {e}",
            "专业负责人 | {e}的专业负责人是谁 | {e}归哪位老师管",
        ),
        attribute(
            number(20, 320, "{} places", "{}个名额"),
            "annual intake | how large is the annual intake of {e} | what number of newcomers can {e} take",
            "招生名额 | {e}的招生名额是多少 | {e}一届收几位新生",
        ),
    ),
    children=(_ADMISSION,),
)


_RESIT = Kind(
    "resit",
    names("Resit | Second Chance | 补考 | 再来一次"),
    attributes=(
        attribute(
            date(8, 10),
            "resit date | for those who miss the examination of {e}, what is the resit date"
            " | when can students who failed {e} try again",
            "补考时间 | {e}考试未通过者的补考时间是哪一天 | 挂掉{e}的学生几号能重测",
        ),
        attribute(
            money(20, 180, 1),
            "resit fee | after a failed examination, what is the resit fee of {e}"
            " | how much must students pay to try {e} again",
            "补考费 | {e}考试未通过者的补考费是多少 | 挂掉{e}的学生重测要交几元",
        ),
    ),
)


_EXAM = Kind(
    "exam",
    names("Examination | How You Are Graded | 考试安排 | 成绩评定"),
    attributes=(
        attribute(
            date(6, 7),
            "examination date | what is the examination date of {e} | when will students of {e} be tested",
            "考试日期 | {e}的考试日期是哪一天 | {e}几号考查",
        ),
        attribute(
            room(),
            "examination room | in which room is the examination of {e} | where are students of {e} tested",
            "考场 | {e}的考试考场在哪里 | 到什么地点参加{e}测验",
        ),
    ),
    children=(_RESIT,),
)


_COURSES = Kind(
    "course",
    compose(
        FIELDS,
        "Introduction to {} | First Steps: {} | {}导论 | {}起步",
        "Advanced {} | {} in Depth | 高级{} | 深入{}",
        "Seminar on {} | Reading Together: {} | {}研讨课 | {}共读",
    ),
    attributes=(
        attribute(
            person(),
            "lecturer | who is the lecturer of {e} | which person teaches {e}",
            "任课教师 | {e}的任课教师是谁 | 由哪位老师来讲{e}",
        ),
        attribute(
            number(20, 480, "{} seats", "{}个座位"),
            "class size | what is the class size of {e} | how many students may sit in {e}",
            "课堂容量 | {e}的课堂容量是多少 | 能有几名学生选上{e}",
        ),
    ),
    children=(_EXAM,),
)


_PARTNERS = Kind(
    "partners",
    names("Project Partners | Working With Us | 合作单位 | 携手同行"),
    attributes=(
        attribute(
            code("GA", 6),
            "grant agreement | which grant agreement do the project partners of {e} at {p} share"
            " | under what contract number does {e} run",
            "合作协议号 | {p}的{e}的合作协议号是什么 | {e}签署合同时登记了哪串数字",
        ),
        attribute(
            person(),
            "partner coordinator | who is the coordinator of the project partners of {e} at {p}"
            " | which person keeps outside institutions in {e} together",
            "合作联络人 | {p}的{e}的合作联络人是谁 | 由何人负责{e}对外沟通",
        ),
    ),
)


_PROJECT = Kind(
    "project",
    compose(
        FIELDS,
        "{} for Hospitals | Medical Use of {} | 医院{}课题 | {}的临床用途",
        "{} for Schools | Classroom Use of {} | 校园{}课题 | {}的课堂用途",
        "{} for Farmers | Rural Use of {} | 农业{}课题 | {}的乡村用途",
    ),
    attributes=(
        attribute(
            money(110000, 980000, 1000),
            "project budget | what is the project budget of {e} at {p} | how much money was granted to {e}",
            "课题经费 | {p}的{e}经费是多少 | {e}获批了几元资助",
        ),
    ),
    children=(_PARTNERS,),
)


_GROUPS = Kind(
    "group",
    compose(
        FIELDS,
        "{} Laboratory | Our Work on {} | {}实验室 | 我们做{}",
        "{} Centre | Joint Efforts: {} | {}研究中心 | 联合攻关：{}",
    ),
    article="the ",
    attributes=(
        attribute(
            number(10, 190, "{} researchers", "{}名研究人员"),
            "staff | how many staff does {e} have | what is the headcount of {e}",
            "人员规模 | {e}的人员规模有多大 | {e}一共由几位组成",
        ),
    ),
    children=(_PROJECT,),
)


_RENEWAL = Kind(
    "renewal",
    names("Renewal | Another Year | 续期办法 | 再领一年"),
    attributes=(
        attribute(
            date(10, 12),
            "renewal deadline | for holders with eligibility, when is the renewal deadline of {e}"
            " | until what day can {e} be extended",
            "续期截止日期 | {e}申请者的续期截止日期是哪一天 | 最晚几号延长{e}",
        ),
    ),
)


_ELIGIBLE = Kind(
    "eligible",
    names("Eligibility | Who Can Apply | 申请资格 | 谁能参评"),
    attributes=(
        attribute(
            number(10, 96, "{} credits", "{}学分"),
            "eligibility threshold | which eligibility threshold does {e} set"
            " | how many study points are needed for {e}",
            "最低学分要求 | 申请{e}的最低学分要求是多少 | 修满几门功课才有机会拿{e}",
        ),
    ),
    children=(_RENEWAL,),
)


_GRANTS = Kind(
    "grant",
    names(
        "Ada Scholarship | For Women in Computing | 星火奖学金 | 女性学子支持",
        "Bridge Scholarship | Coming from Abroad | 桥梁奖学金 | 海外学子支持",
        "Merit Scholarship | For the Best Marks | 优秀奖学金 | 高分者支持",
        "Family Scholarship | Parents and Children | 励志奖学金 | 困难家庭支持",
        "Alumni Scholarship | Gift of Former Students | 校友奖学金 | 毕业生回馈",
        "Research Scholarship | Early Scientists | 科研奖学金 | 青年科学家",
    ),
    article="the ",
    attributes=(
        attribute(
            money(205, 1495),
            "monthly amount | what monthly amount does {e} pay | how much money do holders of {e} get",
            "资助金额 | {e}的资助金额是多少 | 拿到{e}能领几元",
        ),
    ),
    children=(_ELIGIBLE,),
)


_RESERVE = Kind(
    "reserve",
    names("Reservations | Book a Slot | 预约办法 | 占个位子"),
    attributes=(
        attribute(
            phone(),
            "telephone | what is the telephone extension for reservations at {e}"
            " | how does one ring {e} to get a place",
            "预约电话 | {e}的预约电话是什么 | 打哪个号码订{e}",
        ),
    ),
)


_FACILITIES = Kind(
    "facility",
    names(
        "Science Library | Books and Silence | 理科图书馆 | 书与安静",
        "Machine Workshop | Build It Yourself | 机械加工间 | 动手制作",
        "Computing Cluster | Cores and Queues | 计算集群 | 核心与队列",
        "Student Kitchen | Eat Here | 学生食堂 | 就餐去处",
        "Sports Hall | Keep Moving | 体育馆 | 动起来",
        "Language Clinic | Help with Writing | 语言辅导室 | 写作帮助",
    ),
    article="the ",
    attributes=(
        attribute(
            clock(6, 11),
            "opening time | what is the opening time of {e} | how early can one enter {e}",
            "开放时间 | {e}的开放时间从几点开始 | 最早何时能进{e}",
        ),
    ),
    children=(_RESERVE,),
)


domain = Domain(
    sites=(
        Text("Department of Computing, Norrfjord University", "北岭大学计算机学院"),
        Text("School of Informatics, Westbrook University", "临江大学信息学院"),
        Text("Faculty of Engineering, University of Altmark", "云州理工大学工学院"),
    ),
    sections=(
        Section(
            Kind("study", names("Degree Programmes | Choose Your Subject | 专业设置 | 学位之路"), children=(_DEGREES,)),
            Text("among the degree programmes starting in {year}", "在{year}年招生的专业设置中"),
        ),
        Section(
            Kind("teach", names("Courses | Timetable | 课程目录 | 教学"), children=(_COURSES,)),
            Text("in the list of courses", "在课程目录里"),
        ),
        Section(
            Kind("groups", names("Research Groups | Science | 科研团队 | 学术"), children=(_GROUPS,)),
            Text("among the research groups", "在科研团队中"),
        ),
        Section(
            Kind("money", names("Scholarships | Financial Support | 奖助学金 | 经济支持"), children=(_GRANTS,)),
            Text("among the scholarships", "在奖助学金中"),
        ),
        Section(
            Kind("campus", names("Facilities | Campus Life | 校内设施 | 生活"), children=(_FACILITIES,)),
            Text("among the facilities", "在校内设施中"),
        ),
    ),
    archive=name("Previous Years | Archive | 历年信息 | 存档"),
    edition=Text("Programmes of {year}", "{year}年专业介绍"),
    filler=texts("""
        Teaching takes place in small groups, and [tutors|assistants] are at hand for questions after each class.
        教学以小班形式进行，课后有助教[答疑|辅导]。
        The campus lies [between the river and the old town|a short walk from the station].
        校园位于[江边与老城之间|距车站步行可达的地方]。
        Students are [invited|encouraged] to take part in research from the first term.
        学院鼓励学生从第一学期起[参与|加入]科研。
        International guests find help with housing at the [welcome desk|service centre].
        国际来访者可在[接待处|服务中心]获得住宿方面的帮助。
        Lectures are recorded and stay available [for the whole term|until the tests are over].
        课堂录像在[整个学期|期末之前]均可回看。
        Our graduates work in industry, in public service and [in research|at universities] around the world.
        毕业生在企业、政府部门和[科研机构|高校]广泛就业。
        All buildings are closed on public holidays; access with a [card|key] remains possible.
        节假日各楼关闭，持[校园卡|门禁卡]者仍可进入。
        [Applicants|Candidates] with a disability receive extra time and a separate room on request.
        有特殊需要的考生可申请[延长时间|单独场地]。
        The student council represents its members on every [board|committee] that decides about teaching.
        学生会代表同学参与教学[事务|决策]。
        Exchange agreements with [many|numerous] partner universities make a term abroad easy.
        学院与[众多|多所]海外高校签有交换协议。
        Deadlines set by the faculty apply to all and cannot be [extended|moved].
        学院公布的期限对所有人适用，不予[延长|变更]。
        The [reading|recommended] list is handed out at the first meeting.
        [参考书目|阅读清单]在第一次课上发放。
        Laptops can be [borrowed|hired] from the help desk against a deposit.
        笔记本电脑可在服务台[借用|租用]，需交押金。
        Good command of [mathematics|logic] makes the first year much easier.
        扎实的[数学|逻辑]基础有助于顺利度过第一年。
        Open days are held [every spring|twice a year], with tours through the laboratories.
        学院[每年春季|定期]举办开放日，可参观实验场地。
        Whoever needs advice may come to the office hours without [an appointment|notice].
        如需咨询，可在接待时间[直接|随时]前来。
        Results are [posted|shown] on the student portal, never on a notice board.
        成绩只在学生门户[公布|发布]，不在公告栏张贴。
        The department is [proud|glad] to work closely with regional companies.
        学院与本地企业保持[密切|长期]合作。
        Cheating is [reported|brought] to the disciplinary board and may lead to exclusion.
        作弊行为将[上报|移交]纪律委员会处理。
        Doctoral students give a public talk [each year|once a year] about the state of their work.
        博士生每年[公开|集中]汇报一次研究进展。
        Experiments with people are [reviewed|checked] by the board of research integrity beforehand.
        涉及人的实验须事先通过伦理[审查|评估]。
        Bicycles can be parked under the [roof|arcade] beside the main entrance.
        自行车可停放在正门旁的[车棚|停车区]。
        """),
    news=texts("""
        New web pages for {e}
        {e}网页更新
        {e} welcomes visitors on the open day
        {e}在开放日迎来访客
        Alumni look back on {e}
        校友谈{e}
        The dean on the future of {e}
        院长谈{e}的未来
        Student newspaper writes about {e}
        校报报道{e}
        """),
)
