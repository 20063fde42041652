"""Envs of the family `kaggle:`: the contract, the same games as the official code plays, and what can go wrong."""

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lanista_envs.kaggle
from lanista.errors import LanistaError, RecipeError, UsageError
from lanista.testing import check_env

from .conftest import CONNECTX, GEESE, HERE

CHILD = Path(lanista_envs.kaggle.__file__).parent / "child"


def first_legal(env):
    return {head: mask.argmax(axis=2) for head, mask in env.legal.items()}


@pytest.mark.parametrize(
    ("game", "seats", "games"), [("connectx", 2, 4), ("hungry_geese", 4, 8), ("rps", 2, 2)]
)
def test_quickened_games_are_those_of_the_official_code(judge, game, seats, games):
    script = [
        str(judge.python),
        "-I",
        str(HERE / "play_both_ways.py"),
        str(CHILD),
        game,
        str(seats),
        str(games),
    ]
    answer = subprocess.run(script, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told["same"]
    assert told["steps"] > 25
    assert "DONE" in told["statuses"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (
            "kaggle:connectx",
            {"codec": str(CONNECTX), "seats": 2, "configuration": {"rows": 3, "columns": 4, "inarow": 3}},
        ),
        pytest.param(
            "kaggle:hungry_geese",
            {"codec": str(GEESE), "seats": 4, "configuration": {"episodeSteps": 40}},
            marks=pytest.mark.submission,
        ),
    ],
)
def test_the_contract_holds(judge, registry, name, table):
    settings = registry.settings("envs", name, {**table, "num_workers": 1})
    check_env(registry.load("envs", name), settings, games=3, steps=60)


def test_turns_results_and_the_loser_s_reward_are_those_of_the_game(make):
    env = make("kaggle:connectx", 1, codec=str(CONNECTX))
    assert (env.spec.seats, env.spec.turns, env.spec.outcome, env.spec.max_steps) == (
        2,
        "alternating",
        "result",
        999,
    )
    assert env.agents == ("negamax", "random")
    env.reset(3)
    assert env.acting.tolist() == [[True, False]]
    for column in (0, 1, 0, 1, 0, 1, 0):
        env.step({"action": np.full((1, 2), column)})
    assert env.ended[0]
    assert env.outcome.tolist() == env.final_facts["standing"].tolist() == [[1.0, -1.0]]
    assert env.final_facts["reward"].tolist() == [[1.0, -1.0]]
    assert env.terminated.all()
    assert not env.truncated.any()


def test_four_geese_stand_by_their_rewards_and_a_dead_one_waits(make):
    env = make("kaggle:hungry_geese", 2, codec=str(GEESE), seats=4)
    env.reset(0)
    waited = False
    while not env.ended.any():
        env.step(first_legal(env))
        dead = ~env.acting & ~env.ended[:, None]
        waited |= bool(dead.any())
        assert not env.observation["moves"][dead].any()
        assert not env.terminated[~env.ended].any()
    game = int(np.flatnonzero(env.ended)[0])
    score, standing = env.outcome[game], env.final_facts["standing"][game]
    assert waited
    assert standing.tolist() == [float(np.sign(own - score).sum() / 3) for own in score]
    assert standing.sum() == pytest.approx(0.0, abs=1e-6)


def test_the_environment_s_own_agents_play_and_begin_afresh_in_every_game(make, registry):
    env = make("kaggle:hungry_geese", 3, codec=str(GEESE), seats=4, num_workers=2)
    player = registry.load("players", "kaggle:greedy")(
        env.spec, registry.settings("players", "kaggle:greedy", {}), 0
    )
    games, seats = (part.ravel() for part in np.indices((3, 4)))
    env.reset(1)
    first = player.act(env, games, seats)["move"]
    env.reset(1)
    assert np.array_equal(player.act(env, games[::-1], seats[::-1])["move"][::-1], first)
    assert "F" in env.render(2)
    with pytest.raises(
        LanistaError, match=r"env kaggle:hungry_geese: the environment has no agent 'gredy'; there are"
    ):
        env.ask_agent("gredy", games[:1], seats[:1])


def test_an_agent_of_another_env_is_refused(registry):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    with pytest.raises(
        UsageError, match="player kaggle:negamax plays in envs kaggle:NAME only, and connectx is another"
    ):
        registry.load("players", "kaggle:negamax")(
            env.spec, registry.settings("players", "kaggle:negamax", {}), 0
        )


def codec(
    tmp_path,
    observe="return np.zeros(3, np.float32), np.ones(7, bool)",
    act="return index",
    arguments="index",
):
    path = tmp_path / "my_codec.py"
    path.write_text(
        f"import os\nimport time\nimport numpy as np\n\n\ndef observe(obs, config):\n    {observe}\n\n\n"
        f"def act({arguments}):\n    {act}\n"
    )
    return str(path)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            {"observe": "return obs['bord'], None"},
            r"codec my_codec.py, observe raised KeyError: 'bord' \(line 7\)",
        ),
        (
            {"observe": "return np.zeros(3, np.float32), {'a': np.ones(7, bool), 'b': np.ones(7, bool)}"},
            "give one",
        ),
        (
            {"observe": "os._exit(3)"},
            "ended, with exit code 3 and without a word; if the system was short of memory",
        ),
    ],
)
def test_a_broken_codec_is_one_sentence_when_the_env_is_built(make, tmp_path, written, sentence):
    with pytest.raises(LanistaError, match=sentence) as caught:
        make("kaggle:connectx", codec=codec(tmp_path, **written))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("env kaggle:connectx: ")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            {"observe": "return np.zeros(3 + sum(obs['board']), np.float32), np.ones(7, bool)"},
            r"part 'observation' is float32 of the shape \(4,\), and float32 of \(3,\) at first; give the same",
        ),
        ({"act": "return {}[index]"}, r"act\(0\) raised KeyError: 0 \(line 11\)"),
        (
            {"act": "return 'left'"},
            r"game 0: the rules refused the action 'left' of seat 0 in step 1 \(status INVALID\); let the codec",
        ),
        (
            {"act": "time.sleep(60)"},
            "gave no answer within 1.5 s and was stopped; look for an endless loop in the codec",
        ),
    ],
)
def test_a_codec_that_breaks_in_play_is_one_sentence(make, tmp_path, written, sentence):
    hangs = any("sleep" in text for text in written.values())
    env = make("kaggle:connectx", codec=codec(tmp_path, **written), timeout=1.5 if hangs else 600.0)
    env.reset(0)
    with pytest.raises(LanistaError, match=sentence):
        env.step(first_legal(env))


def test_a_column_that_is_full_is_refused_when_the_codec_does_not_forbid_it(make, tmp_path):
    env = make("kaggle:connectx", 1, codec=codec(tmp_path))
    env.reset(0)
    column = {"action": np.zeros((1, 2), np.int64)}
    for _ in range(6):
        env.step(column)
    with pytest.raises(LanistaError, match="let the codec's legal array forbid it"):
        env.step(column)


def test_a_child_that_dies_is_one_sentence_that_says_which_games_it_played(make, tmp_path):
    env = make("kaggle:connectx", 4, codec=codec(tmp_path), num_workers=2)
    env.reset(0)
    os.kill(env._workers[1]._process.pid, signal.SIGKILL)
    with pytest.raises(LanistaError, match="which plays the games 2 to 3, ended, killed by SIGKILL"):
        env.step(first_legal(env))


@pytest.mark.parametrize(
    ("name", "table", "sentence"),
    [
        ("kaggle:hungry_gese", {}, "has no environment 'hungry_gese'; did you mean 'hungry_geese'"),
        ("kaggle:hungry_geese", {}, "played with 1, 2, 3, 4, 5, 6, 7, 8 seats; say how many, seats = 2"),
        ("kaggle:connectx", {"seats": 3}, "played with 2 seats, and seats = 3 was asked for"),
        ("kaggle:connectx", {"configuration": {"rows": -1}}, "Configuration Invalid"),
    ],
)
def test_a_game_that_there_is_not_is_one_sentence(make, name, table, sentence):
    with pytest.raises(LanistaError, match=sentence):
        make(name, codec=str(CONNECTX), **table)


def test_an_action_out_of_range_is_named(make):
    env = make("kaggle:connectx", codec=str(CONNECTX))
    env.reset(0)
    with pytest.raises(UsageError, match="action action of seat 0 of game 1 is 7; give a number from 0 to 6"):
        env.step({"action": np.array([[0, 0], [7, 0]])})


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            "nowhere.py",
            r"codec 'nowhere.py' is no file, looked for beside the recipe and in .*; name a .py file",
        ),
        ("no_such_package.codec", "is no module that is installed"),
    ],
)
def test_a_codec_that_is_not_there_is_one_sentence(registry, named, sentence):
    with pytest.raises(RecipeError, match=sentence):
        registry.settings("envs", "kaggle:connectx", {"codec": named})


def test_settings_keep_the_codec_s_text_and_are_read_back_without_the_file(registry, tmp_path):
    path = codec(tmp_path)
    settings = registry.settings("envs", "kaggle:connectx", {"codec": path})
    Path(path).unlink()
    assert settings.codec == "my_codec.py"
    assert registry.settings("envs", "kaggle:connectx", settings.model_dump()) == settings
    module = registry.settings("envs", "kaggle:connectx", {"codec": "lanista.codec"})
    assert "def load_codec" in module.codec_text


def test_the_recipe_of_the_example_is_sound(registry):
    from lanista.recipe import check_recipe, read_recipe

    recipe = check_recipe(read_recipe(str(GEESE.parent / "hungry_geese.toml"), registry), registry)
    assert recipe.top.env.settings(registry).codec_text == GEESE.read_text()
    assert recipe.top.target.use == recipe.top.env.use == "kaggle:hungry_geese"
