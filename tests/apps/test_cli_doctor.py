"""`webfarer doctor`: every check, and that it says exactly what is wrong with a model."""

import pytest
from cli_kit import beside

from webfarer.worlds.endpoint import serve_endpoint


def lines(result):
    """Return check → (state, what was found)."""
    rows = [line.split(maxsplit=1) for line in result.out.splitlines() if not line.startswith(" ")]
    return {rest.partition(": ")[0]: (state, rest.partition(": ")[2]) for state, rest in rows}


@pytest.fixture
def endpoint():
    with beside(serve_endpoint(["hello"], key="right")) as stub:
        yield stub


def test_a_fresh_machine_is_sound_without_any_model(cli):
    result = cli("doctor")
    found = lines(result)
    assert result.code == 0
    assert {"webfarer", "settings", "home", "archive", "policy", "robots.txt", "fetch", "model"} <= set(found)
    assert "problem" not in {state for state, _ in found.values()}
    assert "arrived" in found["fetch"][1]


def test_settings_are_shown_with_their_source_and_without_secrets(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    (tmp_path / ".env").write_text("WEBFARER_SEED=4\nWEBFARER_POLICY=lexical\n")
    (tmp_path / "webfarer.toml").write_text("seed = 5\n[web]\nretries = 1\n")
    result = cli("doctor", "--model", "endpoint:stub")
    said = lines(result)["settings"][1]
    for part in (
        "model = endpoint:stub (flag)",
        "api_key = set (environment)",
        "base_url = http://127.0.0.1:1/v1 (environment)",
        "seed = 4 (.env)",
        "web.retries = 1 (webfarer.toml)",
    ):
        assert part in said
    assert "seed = 5" not in said
    assert "sk-secret" not in result.out


def test_a_model_that_is_there_is_ok(cli, endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    result = cli("doctor", "--model", "openai:stub", "--base-url", endpoint.url)
    assert result.code == 0
    assert lines(result)["model"] == ("ok", "openai:stub is there")
    assert endpoint.paid == 0


@pytest.mark.parametrize(
    ("model", "key", "said", "mend"),
    [
        ("openai:stub", "sk-wrong", "refuses the key (HTTP 401)", "OPENAI_API_KEY"),
        ("openai:stub", "", "asks for a key (HTTP 401), and none is set", "OPENAI_API_KEY"),
        ("openai:gpt-9", "right", "has no model 'gpt-9'", "those it has: stub"),
        ("nobody:x", "", "write provider:model", "WEBFARER_MODEL"),
        ("scripted:missing.json", "", "missing.json is no script", "WEBFARER_MODEL"),
    ],
)
def test_a_model_that_cannot_answer_is_a_problem_with_its_mend(cli, endpoint, monkeypatch, model, key, said, mend):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    result = cli("doctor", "--model", model, "--base-url", endpoint.url)
    assert result.code == 1
    assert said in result.out
    assert mend in result.out.rpartition("→")[2]
    assert "sk-wrong" not in result.out


@pytest.mark.slow
def test_a_server_that_is_down_or_no_model_server(cli, site):
    refused = cli("doctor", "--model", "endpoint:x", "--base-url", "http://127.0.0.1:1/v1")
    assert refused.code == 1
    assert "cannot be reached" in lines(refused)["model"][1]
    other = cli("doctor", "--model", "endpoint:x", "--base-url", f"{site.url}v1")
    assert "not with a list of models" in lines(other)["model"][1]


def test_what_is_wrong_on_this_machine(cli, home, tmp_path, monkeypatch):
    home.write_text("a file where the folder should be")
    monkeypatch.setenv("WEBFARER_WEB__ROBOTS", "false")
    monkeypatch.setenv("WEBFARER_POLICY", "clairvoyant")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    result = cli("doctor")
    found = lines(result)
    assert result.code == 1
    assert found["home"][0] == found["policy"][0] == "problem"
    assert found["robots.txt"][0] == found["guard"][0] == found["proxy"][0] == "warning"


def test_settings_that_cannot_be_read_end_the_examination(cli, tmp_path):
    (tmp_path / "webfarer.toml").write_text("colour = 'red'\n")
    result = cli("doctor")
    assert result.code == 1
    assert lines(result)["settings"][0] == "problem"
    assert "colour" in result.out


def test_a_damaged_archive_is_a_problem(cli, home):
    home.mkdir()
    (home / "archive.db").write_text("not a database at all, but long enough to be looked at " * 20)
    assert lines(cli("doctor"))["archive"][0] == "problem"
