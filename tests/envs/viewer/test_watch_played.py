"""`lanista watch` plays a game of any env and shows it: by the env's own board, or as text."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lanista.cli import main
from lanista.plugins import load_plugins
from lanista.viewer import text
from lanista.viewer.play import record_game
from lanista.viewer.recording import RecordingError, read_json, take_apart
from lanista.viewer.replays import any_replay
from lanista.viewer.text import array_text

ROOT = Path(__file__).parents[3]
REGISTRY = load_plugins().registry


def watched(tmp_path: Path, *words: str) -> dict:
    """The recording in the page that a command writes, and in the file beside it."""
    page, file = tmp_path / "page.html", tmp_path / "game.json"
    assert main(["watch", *words, "--out", str(page), "--record", str(file)]) == 0
    found = re.search(r'id="game">(.*?)</script>', page.read_text("utf-8"), flags=re.DOTALL)
    assert found is not None
    game = json.loads(found[1])
    assert game == read_json(file) == take_apart(read_json(file)).to_json()
    return game


@pytest.mark.parametrize("env", ["cartpole", "mountaincar", "pendulum"])
def test_classic_envs_are_played_to_their_end(tmp_path: Path, env: str) -> None:
    game = watched(tmp_path, "random", "--env", env, "--seed", "3")
    assert game["renderer"] == "env"
    assert game["seats"] == ["random"]
    assert len(game["frames"]) == len(game["notes"]) > 8
    score = float(game["result"].removeprefix("score "))
    assert game["notes"][-1]["total"] == [pytest.approx(score, rel=1e-3)]
    assert game["frames"][-1] != game["frames"][-2]
    assert all(note["action"][0] for note in game["notes"][1:])
    again = watched(tmp_path, "random", "--env", env, "--seed", "3")
    assert again == game
    assert watched(tmp_path, "random", "--env", env, "--seed", "4") != game


def test_the_winning_stone_is_on_the_last_board(tmp_path: Path) -> None:
    game = watched(tmp_path, "random", "--against", "connectx_negamax:depth=1", "--env", "connectx")
    assert game["seats"] == ["random", "connectx_negamax:depth=1"]
    stones = [sum(stone > 0 for stone in frame) for frame in game["frames"]]
    assert stones == list(range(len(stones)))
    assert game["result"].endswith("wins") or game["result"] == "draw"
    assert sorted(game["notes"][-1]["reward"]) in ([-1.0, 1.0], [0.0, 0.0])
    for frame, note in zip(game["frames"][1:], game["notes"][1:], strict=True):
        assert sum(bool(told) for told in note["action"]) == 1
        assert len(frame) == 42


def test_a_single_player_takes_all_seats(tmp_path: Path) -> None:
    game = watched(tmp_path, "random", "--env", "connectx", "--env-set", "rows=3", "--env-set", "columns=4")
    assert game["seats"] == ["random (0)", "random (1)"]
    assert game["settings"]["rows"] == 3


def test_a_run_plays_its_own_policy(tmp_path: Path, capsys) -> None:
    recipe = """
name = "tiny"
env = "cartpole"
[[phases]]
name = "only"
kind = "train"
num_games = 4
num_steps = 8
network = { use = "mlp", hidden = [8] }
learner = { use = "ppo", minibatch_size = 32 }
until = { steps = 64 }
"""
    (tmp_path / "tiny.toml").write_text(recipe)
    run = tmp_path / "run"
    assert main(["run", str(tmp_path / "tiny.toml"), "--out", str(run)]) == 0
    assert f"report: {run / 'report.html'}" in capsys.readouterr().err.replace("\n", "")
    assert main(["watch", str(run)]) == 0
    assert "frames of cartpole" in capsys.readouterr().out
    assert (run / "game.html").is_file()


def guide() -> str:
    """The plugin of docs/viewers.md."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs" / "viewers.md").read_text("utf-8"), flags=re.M | re.S
    )
    return code


def test_the_viewer_of_the_guide_shows_its_game(tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(guide())
    game = watched(tmp_path, "random", "--env", "walk", "--plugin", str(tmp_path / "walk.py"))
    assert game["settings"] == {"cells": 9}
    assert game["frames"][0] == 4
    assert game["frames"][-1] in (0, 8)
    assert game["result"] == f"score {int(game['frames'][-1] == 8)}"


def test_without_a_viewer_the_drawing_is_the_board_to_the_end(tmp_path: Path) -> None:
    code = guide().replace(', viewer=":Viewer"', "")
    code = code.replace(
        "    def acting", '    def render(self):\n        return "." * self.at + "@"\n\n    def acting'
    )
    (tmp_path / "walk.py").write_text(code)
    game = watched(tmp_path, "random", "--env", "walk", "--plugin", str(tmp_path / "walk.py"))
    assert game["renderer"] == "text"
    assert game["frames"][0] == "....@"
    assert game["frames"][-1] in ("@", "........@")


def test_without_a_drawing_what_is_seen_is_the_board(tmp_path: Path) -> None:
    (tmp_path / "walk.py").write_text(guide().replace(', viewer=":Viewer"', ""))
    game = watched(tmp_path, "random", "--env", "walk", "--plugin", str(tmp_path / "walk.py"))
    assert game["renderer"] == "text"
    assert game["frames"][0].startswith("board\n")
    assert game["frames"][-1] != game["frames"][-2]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((":Viewer", ":Viewr"), "its viewer ':Viewr' cannot be imported: module"),
        (("    def settings_of", "    def settings"), "its viewer ':Viewer' has no settings_of"),
        (
            (":Viewer", "nowhere.at_all"),
            "its viewer 'nowhere.at_all' cannot be imported: No module named 'nowhere'",
        ),
    ],
)
def test_a_broken_viewer_is_one_sentence(tmp_path: Path, capsys, change: tuple[str, str], says: str) -> None:
    (tmp_path / "walk.py").write_text(guide().replace(*change))
    assert main(["watch", "random", "--env", "walk", "--plugin", str(tmp_path / "walk.py")]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert "env 'walk' of plugin" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["nobody", "--env", "cartpole"],
            "'nobody' is no folder or file, and as a player's name it is not known",
        ),
        (["game.json"], "there is no file game.json; name a recorded game, a run or a player"),
        (["random"], "name the env with --env"),
        (
            ["random", "--against", "random", "--env", "cartpole"],
            "2 players for a game of 1 seats; give 1 to 1",
        ),
        (["random", "--env", "cartpole", "--record", "no/where.json"], "choose another --record"),
        (
            [str(Path(__file__).parent / "connectx_replay.json.gz"), "--sample"],
            "is a recorded game; --against",
        ),
    ],
)
def test_wrong_words_are_one_sentence(
    tmp_path: Path, monkeypatch, capsys, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *words]) != 0
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_game_of_units_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["watch", "random", "--env", "lux_s1", "--out", str(page)]) == 0
    assert "lux_s1" in page.read_text()


def test_games_that_never_end_are_named() -> None:
    from lanista.errors import EnvContractError

    env = REGISTRY.load("envs", "cartpole")(1, REGISTRY.settings("envs", "cartpole", {}), 1)

    class Endless:
        spec = env.spec

        def __getattr__(self, name):
            return getattr(env, name)

        ended = np.zeros(1, bool)

    player = REGISTRY.load("players", "random")(env.spec, REGISTRY.settings("players", "random", {}), 0)
    with pytest.raises(EnvContractError, match="did not end within max_steps"):
        record_game(lambda count: Endless(), text, [player], ["a"], 0, "text")


REPLAY = {
    "name": "hungry_geese",
    "title": "Hungry Geese",
    "rewards": [3, 1],
    "steps": [
        [
            {"observation": {"geese": [[1, 2], [5]], "food": [7], "step": step, "index": seat}, "action": "NORTH",
             "reward": step * (seat + 1), "status": "ACTIVE"}
            for seat in range(2)
        ]
        for step in range(3)
    ],
}  # fmt: skip


def test_a_replay_of_an_unknown_environment_is_shown_as_text(tmp_path: Path) -> None:
    file, page = tmp_path / "geese.json", tmp_path / "geese.html"
    file.write_text(json.dumps(REPLAY))
    assert main(["watch", str(file)]) == 0
    assert "hungry_geese" in page.read_text("utf-8")
    shown = any_replay(REPLAY)
    assert shown.frames[0] == "geese: \n  [1, 2]\n  [5]\nfood: [7]"
    assert shown.notes[2] == {
        "reward": [1.0, 2.0],
        "total": [2.0, 4.0],
        "action": ["NORTH", "NORTH"],
        "facts": {},
    }
    assert shown.notes[0]["action"] == ["", ""]
    assert take_apart(shown.to_json()) == shown


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (None, "it has no steps"),
        ([], "it has no steps"),
        ([[]], "its step 0 holds no seats"),
        ([[{}], []], "step 1 does not hold 1 seats"),
        ([[{}], ["x"]], "step 1 does not hold 1 seats"),
    ],
)
def test_a_malformed_replay_is_one_sentence(steps, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        any_replay({"name": "x", "steps": steps})


NOTE = {"action": [""], "reward": [0], "total": [0], "facts": {"x": [1]}}
OWN = {"env": "e", "title": "t", "settings": {}, "seats": ["a"], "result": "", "frames": ["1", "2"]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"notes": [NOTE]}, "it has 1 notes to 2 frames"),
        ({"notes": [NOTE, {**NOTE, "reward": [1, 2]}]}, "note 1: its reward must be 1 numbers"),
        ({"notes": [NOTE, {**NOTE, "facts": {"x": ["1"]}}]}, "note 1: its x must be 1 numbers"),
        ({"notes": [NOTE, {**NOTE, "facts": {}}]}, "note 1 has other facts than note 0"),
        ({"notes": [NOTE, {**NOTE, "action": [1]}]}, "note 1: its action must be 1 texts"),
        ({"notes": [NOTE, 3]}, "note 1 has no facts"),
        ({"renderer": "canvas"}, "its renderer is 'canvas', which must be 'env' or 'text'"),
        ({"renderer": "text", "frames": [1]}, "its renderer is 'text' and a frame is none"),
        ({"seats": []}, "its seats must be names"),
    ],
)
def test_a_malformed_recording_is_one_sentence(change: dict, says: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(says)):
        take_apart({**OWN, **change})


def test_older_recordings_without_notes_are_read() -> None:
    assert take_apart(OWN).notes == []
    assert take_apart(OWN).renderer == "env"


def test_arrays_are_readable_as_text() -> None:
    planes = np.zeros((2, 2, 3), np.uint8)
    planes[0, 0, 1] = planes[1, 1, 2] = 1
    assert array_text(planes) == ". 1 .\n. . 2"
    assert array_text(np.array([[1, -10], [3, 4]], np.int32)) == "  1 -10\n  3   4"
    assert array_text(np.array([0.5, -2.0], np.float32)) == "+0.5  -2"
    assert array_text(np.zeros((200, 200, 3), np.uint8)) == "uint8 (200, 200, 3), 0 to 0"
    assert array_text(np.array(3, np.int8)) == "3"


#: a browser that shows its page to nobody draws few frames, so the clock of the page is a timer here
CLOCK = (
    "let clock = 0; performance.now = () => clock; window.cancelAnimationFrame = clearTimeout; "
    "window.requestAnimationFrame = (next) => setTimeout(() => { clock += 50; next(clock); "
    "if (clock === stop) document.getElementById('play').click(); }, 1);"
)
PLAY = 'document.getElementById("play").click();'


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("script", "label", "least", "most"),
    [
        ("", "play", 0, 0),
        (f"let stop = -1; {CLOCK}{PLAY}", "play", 1.0, 1.0),
        (f"let stop = 600; {CLOCK}{PLAY}", "play", 0.1, 0.4),
        (
            'document.getElementById("last").click(); document.getElementById("back").click()',
            "play",
            0.9,
            0.99,
        ),
        (
            'const bar = document.getElementById("scrub"); bar.value = bar.max / 2; '
            'bar.dispatchEvent(new Event("input"))',
            "play",
            0.45,
            0.55,
        ),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_browser_plays_pauses_and_scrubs(
    tmp_path: Path, own: bool, script: str, label: str, least: float, most: float
) -> None:
    (tmp_path / "walk.py").write_text(guide() if own else guide().replace(', viewer=":Viewer"', ""))
    seed = next(  # a game of some length
        str(seed)
        for seed in range(20)
        if len(watched(tmp_path, "random", "--env", "walk", "--plugin", str(tmp_path / "walk.py"), "--seed", str(seed))["frames"]) > 20
    )  # fmt: skip
    assert seed
    page = tmp_path / "page.html"
    page.write_text(page.read_text("utf-8").replace("</body>", f"<script>{script}</script></body>"))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"]  # fmt: skip
    command = [str(shutil.which("chromium")), *words, page.resolve().as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=1000, check=True).stdout
    place = re.search(r'<output id="place">(\d+) / (\d+)</output>', shown)
    assert place is not None
    assert least <= int(place[1]) / int(place[2]) <= most
    assert f'id="play" title="play or pause (space)" aria-label="{label}"' in shown
    assert "cannot be drawn" not in re.sub(r"<script.*?</script>", "", shown, flags=re.DOTALL)
