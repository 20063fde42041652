import json

import pytest

from lanista.errors import UsageError
from lanista.game_log import GameLog, game_key
from lanista.panel import read_panel


def test_a_panel_lists_agents_and_finds_files_beside_itself(tmp_path):
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "v3.py").write_text("")
    (tmp_path / "panel.toml").write_text(
        'env = "connectx"\nagents = ["kaggle:negamax", "entries/v3.py", { name = "ours", agent = "entries" }]\n'
    )
    env, agents = read_panel(tmp_path / "panel.toml")
    assert env == "connectx"
    assert [agent.agent for agent in agents] == [
        "kaggle:negamax", str(tmp_path / "entries/v3.py"), str(tmp_path / "entries"),
    ]  # fmt: skip
    assert [agent.name for agent in agents] == [None, None, "ours"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("agents = []", "agents = "),
        ("agents = [", "is no TOML"),
        ('agents = ["a"]\nenvs = "b"', "unknown key 'envs'; did you mean 'env'?"),
        ("", "agents is missing"),
    ],
)
def test_a_panel_that_says_nothing_is_one_sentence(tmp_path, text, sentence):
    (tmp_path / "panel.toml").write_text(text)
    with pytest.raises(UsageError, match=sentence.replace("?", r"\?")) as caught:
        read_panel(tmp_path / "panel.toml")
    assert "\n" not in str(caught.value) or "TOML" in str(caught.value)


def test_no_panel_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"panel .* cannot be read"):
        read_panel(tmp_path / "none.toml")


def test_finished_games_are_found_again_and_a_torn_line_is_cut_off(tmp_path):
    path = tmp_path / "deep" / "games.jsonl"
    log = GameLog(path)
    keys = [game_key({"seed": seed}) for seed in range(3)]
    assert len(set(keys)) == 3
    for key in keys:
        log.add({"key": key, "rewards": [1, None]})
    content = path.read_bytes()
    path.write_bytes(content + b'{"key": "half')
    again = GameLog(path)
    assert path.read_bytes() == content
    assert all(key in again for key in keys)
    assert again[keys[1]] == {"key": keys[1], "rewards": [1, None]}
    assert game_key({"seed": 3}) not in again


def test_the_key_of_a_game_does_not_depend_on_the_order_of_its_facts():
    assert game_key({"a": 1, "b": [2]}) == game_key({"b": [2], "a": 1})


@pytest.mark.parametrize("line", ["no json", "[1]", '{"rewards": []}', "3"])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path, line):
    path = tmp_path / "games.jsonl"
    path.write_text(json.dumps({"key": "k"}) + "\n" + line + "\n")
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"line 2 is no finished game"):
        GameLog(path)
    assert path.read_bytes() == before
