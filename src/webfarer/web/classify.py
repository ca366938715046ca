"""What a page turned out to be: content, or a wall before it.

A wall is short and says what it is; a long page with a cookie banner or a login box is content. Judged by wording
(English and Chinese), the title and whether a password is asked for. Not a bot-wall bypass, only its recognition.
"""

import re
from dataclasses import dataclass

from webfarer.core.types import PageKind

_SHORT = 1_500  # characters, a Chinese one counting three, beyond which a page is more than a wall
_VERY_SHORT = 500
_TOO_LITTLE = 20

_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_BLOCKED_TITLE = re.compile(
    r"^\W*(?:just a moment|attention required|access (?:to this page has been )?denied|(?:403 )?forbidden|"
    r"are you (?:a )?(?:human|robot)|robot check|security check(?:point)?|pardon our interruption|please wait|"
    r"verify(?:ing)? you are (?:a )?human|ddos-guard|captcha|访问被拒绝|安全验证|人机验证|百度安全验证|滑动验证)",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"checking (?:if the site connection is secure|your browser)|verify(?:ing)? (?:that )?you are (?:a )?human|"
    r"you have been blocked|enable javascript and cookies to continue|complete the (?:security check|captcha)|"
    r"unusual traffic from your|i'?m not a robot|you don't have permission to access|access denied|ray id:|"
    r"prove (?:that )?you(?:'re| are) (?:not a robot|human)|请完成(?:安全)?验证|拖动滑块|访问过于频繁|"
    r"您的访问(?:被|已被)?(?:拒绝|拦截)|请输入验证码|异常流量|正在(?:检查|验证)您的浏览器",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"before you continue|we value your privacy|your privacy (?:choices|matters)|"
    r"we (?:and our (?:\d+ )?(?:partners|vendors) )?use (?:\w+ ){0,3}cookies|(?:site|website) uses (?:\w+ )?cookies|"
    r"我们(?:会)?使用\s*cookie|本(?:网)?站使用\s*cookie|继续(?:访问|使用)之前|我们重视您的隐私",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\b(?:accept|reject|allow|decline|agree)(?: (?:to )?all| (?:&|and) \w+| cookies|$)|\bi agree\b|"
    r"\bmanage (?:\w+ )?(?:preferences|options|choices|settings|cookies)|cookie (?:settings|preferences)|more options|"
    r"(?:全部)?(?:接受|拒绝|同意)(?:全部|所有)?|管理(?:选项|偏好|设置)",
    re.IGNORECASE | re.MULTILINE,
)
_ABOUT_CONSENT = re.compile(
    r"cookie|consent|privacy|partner|vendor|personali[sz]|accept|reject|agree|preferences|options|settings|"
    r"your data|personal data|advertis|隐私|同意|接受|拒绝|偏好|广告|个人(?:信息|数据)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+")
_LOGIN_TITLE = re.compile(
    r"^\W*(?:(?:please )?(?:sign|log)[ -]?(?:in|on)\b|login\b|authentication required|(?:用户|账号|会员)?登[录陆入])",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?:(?:sign|log)[ -]?in|logged in) (?:to (?:continue|view|see|access|your account)|with your)|"
    r"(?:must|need to|have to|please) (?:be logged in|log ?in|sign ?in)|"
    r"请(?:先)?登[录陆]|登[录陆]后(?:查看|继续|可见|才能)",
    re.IGNORECASE,
)
_NEEDS_SCRIPT = re.compile(
    r"(?:enable|requires?|need|turn on|activate) (?:to enable )?javascript|"
    r"javascript (?:is|must be|to be) (?:required|enabled|disabled)|"
    r"(?:启用|开启|打开)\s*javascript",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Features:
    """What the judgement rests on.

    Attributes:
        title: of the page.
        text: its visible text.
        main: the part of it outside navigation, header and footer.
        links: how many there are.
        password: a password is asked for.
    """

    title: str
    text: str
    main: str
    links: int = 0
    password: bool = False


def classify(page: Features) -> PageKind:
    """Return what the page turned out to be."""
    size, main = _size(page.text), _size(page.main)
    if size <= _SHORT:
        if _BLOCKED_TITLE.search(page.title) or (main <= _SHORT / 2 and _BLOCKED.search(page.main)):
            return PageKind.BLOCKED
        if _is_consent(page):
            return PageKind.CONSENT
    if _is_login(page, main):
        return PageKind.LOGIN
    if size < _TOO_LITTLE and not page.links:
        return PageKind.EMPTY
    if size <= _VERY_SHORT / 2 and _NEEDS_SCRIPT.search(page.text):
        return PageKind.EMPTY
    return PageKind.CONTENT


def _size(text: str) -> int:
    """Return the length of `text`, longer for scripts that say more with a character."""
    if len(text) > 3 * _SHORT:
        return len(text)
    return len(text.strip()) + 2 * len(_WIDE.findall(text))


def _is_consent(page: Features) -> bool:
    """Consent is asked for, a choice is offered, and most of the page is about it."""
    if not (_CONSENT.search(page.text) and _CHOICE.search(page.text)):
        return False
    sentences = _SENTENCE.findall(page.text)
    about = sum(len(sentence) for sentence in sentences if _ABOUT_CONSENT.search(sentence))
    return about * 2 >= sum(map(len, sentences))


def _is_login(page: Features, main: int) -> bool:
    if page.password:
        return main <= _VERY_SHORT or (main <= _SHORT and bool(_LOGIN_TITLE.search(page.title)))
    return main <= _VERY_SHORT and bool(_LOGIN.search(page.main))
