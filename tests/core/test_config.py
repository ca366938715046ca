"""Settings: who wins, which names are taken, and that no key shows."""

import itertools
import os

import platformdirs
import pytest

from webfarer.core.config import Settings, builtin_prices, load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget, Price


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty working folder, an empty user folder, and no variable of ours; returns a writer for all sources."""
    for name in os.environ:
        if name.upper().startswith(("WEBFARER_", "OPENAI_")):
            monkeypatch.delenv(name)
    user = tmp_path / "user"
    user.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda name: user)

    def write(source, name, value):
        if source == "env":
            monkeypatch.setenv(name, value)
        elif source == ".env":
            (tmp_path / ".env").write_text(f"{name}={value}\nSOMEBODY_ELSES=1\n")
        else:
            folder = tmp_path if source == "toml" else user
            (folder / "webfarer.toml").write_text(f"{name} = {value!r}\n")

    return write


SOURCES = ["flag", "env", ".env", "toml", "user"]


@pytest.mark.parametrize(
    ("field", "name"),
    [("base_url", "OPENAI_BASE_URL"), ("base_url", "WEBFARER_BASE_URL"), ("model", "WEBFARER_MODEL")],
)
@pytest.mark.parametrize(("high", "low"), list(itertools.combinations(SOURCES, 2)))
def test_flag_beats_environment_beats_dotenv_beats_toml_beats_the_users_toml(places, field, name, high, low):
    for source in {high, low} - {"flag"}:
        places(source, name if source in ("env", ".env") else field, source)
    flags = {field: "flag"} if high == "flag" else {field: None}
    assert getattr(load_settings(**flags), field) == high


def test_without_anything_there_is_no_provider_and_no_key():
    settings = load_settings()
    assert (settings.model, settings.base_url, settings.api_key.get_secret_value()) == ("", "", "")
    assert settings.budget == Budget(steps=15)


@pytest.mark.parametrize("name", ["WEBFARER_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_names_people_have_are_taken(places, name):
    places("env", name, "http://127.0.0.1:1/v1")
    places(".env", "OPENAI_API_KEY", "sk-1")
    settings = load_settings()
    assert (settings.base_url, settings.api_key.get_secret_value()) == ("http://127.0.0.1:1/v1", "sk-1")


def test_our_own_name_beats_the_borrowed_one(places):
    places("env", "OPENAI_API_KEY", "theirs")
    places("env", "WEBFARER_API_KEY", "ours")
    assert load_settings().api_key.get_secret_value() == "ours"


def test_names_that_mean_other_things_elsewhere_are_not_taken(places):
    for name in ("API_KEY", "BASE_URL", "MODEL", "HOME", "SEED"):
        places("env", name, "7")
    settings = load_settings()
    assert (settings.base_url, settings.api_key.get_secret_value(), settings.model, settings.seed) == ("", "", "", 0)


def test_levels_merge_within_a_table(places, tmp_path):
    (tmp_path / "webfarer.toml").write_text("[budget]\ntokens = 5\nsteps = 9\n")
    places("env", "WEBFARER_BUDGET__STEPS", "3")
    assert load_settings().budget == Budget(tokens=5, steps=3)


@pytest.mark.parametrize(
    ("source", "name", "value", "setting"),
    [
        ("env", "WEBFARER_SEED", "x", "seed"),
        ("env", "WEBFARER_WEB__DELAY", "-1", "web.delay"),
        ("env", "WEBFARER_WEB__DELEY", "1", "web.deley"),
        ("env", "WEBFARER_ARCHIVE", "tape", "archive"),
        ("env", "WEBFARER_BUDGET", "x", "budget"),
        ("toml", "budget.steps", -1, "budget.steps"),
        ("toml", "modle", "x", "modle"),
        ("user", "modle", "x", "modle"),
    ],
)
def test_a_bad_value_or_name_is_an_error_that_names_the_setting(places, source, name, value, setting):
    places(source, name, value)
    with pytest.raises(ConfigError, match=setting):
        load_settings()


def test_an_unknown_flag_is_an_error():
    with pytest.raises(ConfigError, match="modle"):
        load_settings(modle="x")


def test_a_broken_file_is_an_error(tmp_path):
    (tmp_path / "webfarer.toml").write_text("a = = 1")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings()


def test_no_key_shows_in_settings_or_errors(places):
    places("env", "OPENAI_API_KEY", "s3cret")
    settings = load_settings()
    assert "s3cret" not in f"{settings!r}{settings}{settings.model_dump_json()}"
    places("toml", "api_key", 53037)
    os.environ.pop("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="API_KEY") as caught:
        load_settings()
    assert "53037" not in f"{caught.value}{caught.value.detail}{caught.value.__cause__}"


def test_the_users_prices_come_first(tmp_path):
    model, builtin = next(iter(builtin_prices().items()))
    assert load_settings().price(model) == builtin
    (tmp_path / "webfarer.toml").write_text(f'[prices."{model}"]\ninput = 99\noutput = 100\n')
    assert load_settings().price(model) == Price(input=99, output=100)
    assert load_settings().price("unheard-of") is None


def test_every_setting_says_what_it_is():
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_a_limit_set_alone_keeps_the_other_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBFARER_BUDGET__USD", "0.5")
    budget = load_settings().budget
    assert (budget.usd, budget.steps) == (0.5, 15)


def test_credentials_in_the_base_url_are_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="WEBFARER_API_KEY") as caught:
        load_settings(base_url="https://me:secret@example.com/v1")
    assert "secret" not in caught.value.message
