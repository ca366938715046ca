"""Names that more than one domain uses: fields of study, and the aliases that share no content word with them."""

from webfarer.worlds.schema import names

FIELDS = names(
    "Robotics | Autonomous Devices | 机器人学 | 自主机械",
    "Computer Vision | Image Understanding | 计算机视觉 | 图像理解",
    "Speech Processing | Voice and Sound | 语音处理 | 口语分析",
    "Machine Translation | Cross-Lingual Text | 机器翻译 | 跨语言转换",
    "Databases | Storage Engines | 数据库 | 信息存储",
    "Cryptography | Secret Codes | 密码学 | 保密技术",
    "Human Factors | People and Interfaces | 人因工程 | 交互体验",
    "Networks | Connected Systems | 网络系统 | 互联通信",
    "Optimisation | Operations and Planning | 最优化 | 运筹方法",
    "Bioinformatics | Genome Analysis | 生物信息学 | 基因组分析",
    "Compilers | Programming Tools | 编译器 | 编程工具",
    "Graphics | Rendering | 图形学 | 渲染技术",
    "Formal Methods | Proof and Verification | 形式化方法 | 证明与验证",
    "Remote Sensing | Earth Observation | 遥感 | 对地观测",
    "Quantum Computing | Qubits | 量子计算 | 新型算力",
    "Climate Modelling | Weather and Seas | 气候模拟 | 天气与海洋",
    "Materials | Alloys and Polymers | 材料科学 | 合金与聚合物",
    "Logistics | Supply Chains | 物流 | 供应链",
    "Statistics | Inference from Samples | 统计学 | 抽样推断",
    "Ethics | Fairness and Duty | 伦理学 | 公平与责任",
)
