"""Walls are recognised; pages about walls, and pages with a small box on them, are content."""

import pytest

from webfarer.core.types import PageKind
from webfarer.web.classify import Features, classify
from webfarer.web.extract import read_page

ARTICLE = (
    "<p>" + "The council met on Tuesday to discuss the budget of the coming year and its consequences. " * 30 + "</p>"
)
BANNER = """<div class=cookie-banner><p>We value your privacy. We and our partners use cookies to personalise content.
    </p><button>Accept all</button><button>Reject all</button></div>"""
LOGIN_BOX = (
    "<form><label>User</label><input name=u><label>Password</label><input type=password><button>Log in</button></form>"
)


def kind(html: str) -> PageKind:
    return read_page(html.encode(), url="https://site.example/", content_type="text/html; charset=utf-8").kind


@pytest.mark.parametrize(
    "html",
    [
        "<title>Just a moment...</title><h2>Checking your browser before accessing site.example.</h2><p>Ray ID: 7d</p>",
        "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>",
        "<title>Access Denied</title><h1>Access Denied</h1><p>You don't have permission to access this.",
        "<title>site.example</title><p>Please verify you are a human. <div>Press &amp; hold</div>",
        "<title>Robot Check</title><p>Type the characters you see in this image.</p>",
        "<noscript>Enable JavaScript and cookies to continue</noscript><title>Just a moment...</title>",
        "<title>百度安全验证</title><p>请完成下方验证后继续操作</p>",
        "<title>提示</title><p>您的访问过于频繁，请输入验证码</p>",
    ],
)
def test_blocked(html: str) -> None:
    assert kind(html) == PageKind.BLOCKED


@pytest.mark.parametrize(
    "html",
    [
        "<title>Before you continue</title><p>Before you continue to Search. We use cookies and data to deliver"
        " services.</p><button>Reject all</button><button>Accept all</button><a href=/more>More options</a>",
        f"<title>News</title>{BANNER}",
        "<p>我们使用 Cookie 来改善您的体验，并分析隐私偏好。</p><button>接受全部</button><button>拒绝</button>",
    ],
)
def test_consent(html: str) -> None:
    assert kind(html) == PageKind.CONSENT


@pytest.mark.parametrize(
    "html",
    [
        f"<title>Sign in</title><h1>Sign in</h1>{LOGIN_BOX}<a href=/forgot>Forgot password?</a>",
        f"<title>Portal</title><p>Members only.</p>{LOGIN_BOX}",
        "<title>Forum</title><p>You must be logged in to view this page.</p><a href=/login>Log in</a>",
        "<title>论坛</title><p>请先登录后查看该内容。</p><a href=/login>登录</a>",
        f"<title>Log in</title>{LOGIN_BOX}<nav>{ARTICLE}</nav><main><p>{'You accept the terms. ' * 20}</main>",
    ],
)
def test_login(html: str) -> None:
    assert kind(html) == PageKind.LOGIN


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<title>App</title><div id=root></div><script>render()</script>",
        "<title>App</title><noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div>",
        "<p>Loading...</p>",
        "<p>请启用 JavaScript 以继续</p><a href=/x>x</a>",
    ],
)
def test_empty(html: str) -> None:
    assert kind(html) == PageKind.EMPTY


@pytest.mark.parametrize(
    "html",
    [
        ARTICLE,
        ARTICLE + BANNER,
        BANNER + ARTICLE,
        LOGIN_BOX + ARTICLE,
        f"<title>Access denied errors explained</title>{ARTICLE}",
        "<title>What are cookies?</title><h1>What are cookies?</h1><p>Cookies are small files a site stores."
        " Advertisers use cookies to follow people, and privacy law asks for consent. You can reject cookies in your"
        " browser's settings.</p>",
        "<title>Cookies</title><h1>Chocolate chip cookies</h1><p>Mix butter and sugar, bake the cookies.</p>",
        "<title>CAPTCHA</title><h1>CAPTCHA</h1>" + ARTICLE.replace("budget", "captcha: verify you are human"),
        "<title>Short note</title><p>The office is closed on Monday the 3rd of May.</p>",
        "<title>Index</title><ul><li><a href=a>A</a><li><a href=b>B</a></ul>",
        "<title>登录功能说明</title><p>" + "本章介绍系统的登录流程、权限配置以及常见问题的处理方法。" * 40 + "</p>",
        "<title>隐私</title><p>" + "Cookie 是网站保存在浏览器中的小文件，广告商用它来识别访客。" * 30 + "</p>",
        "<title>Opening hours</title><p>Mon to Fri, 9 to 17.<nav><a href=/l>Log in</a><a href=/c>Cookie settings</a>",
    ],
)
def test_content(html: str) -> None:
    assert kind(html) == PageKind.CONTENT


def test_the_size_decides_between_a_wall_and_an_article() -> None:
    wall = "Checking your browser before accessing. "
    assert classify(Features("x", wall, wall)) == PageKind.BLOCKED
    assert classify(Features("x", wall * 50, wall * 50)) == PageKind.CONTENT
