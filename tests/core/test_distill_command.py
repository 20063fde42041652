"""`lanista distill` through the real command line: tiny, but every part of it is played."""

import json
from pathlib import Path

import numpy as np
import pytest

from lanista.cli import main
from lanista.distillation.card import card_sentences, frontier
from lanista.distillation.video import FRAMES, Reel, side_by_side
from lanista.distillation.wish import find_env, like_teachers, read_losses, read_students, read_teacher
from lanista.errors import UsageError

SLIM = Path(__file__).parent.parent / "teachers" / "slim"
CARTPOLE = SLIM / "dqn-CartPole-v1.npz"
#: what makes a distillation last a second: few episodes, hardly any timing
TINY = ["--episodes", "4", "--set", "target.timing=0.05", "--set", "phases.student.until.episodes=4"]
AGAIN = ["--teacher", CARTPOLE, "--env", "cartpole", "--steps", 6000, "--int8", *TINY]


def distill(*words):
    return main(["distill", *[str(word) for word in words]])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run: 16 units are enough for CartPole; with int8, an animation and a card of its own."""
    folder = tmp_path_factory.mktemp("distill")
    code = distill(
        "--teacher", CARTPOLE, "--env", "cartpole", "--student", "16", "--steps", 6000, "--int8", *TINY,
        "--out", folder / "run", "--json", folder / "card.json", "--video", folder / "side.gif",
        "--plot", folder / "curve.png",
    )  # fmt: skip
    assert code == 0
    return folder


def test_the_card_says_what_was_asked_for(run):
    card = json.loads((run / "card.json").read_text())
    assert card == json.loads((run / "run" / "card.json").read_text())
    assert card["name"] == "16"
    assert card["env"] == {"use": "cartpole"}
    assert card["episodes"] == 4
    for who in ("teacher", "student"):
        assert card[who]["low"] <= card[who]["mean"] <= card[who]["high"]
        assert card[who]["worst"] <= card[who]["mean"]
    assert card["random"]["mean"] < 60 < card["student"]["mean"]
    assert card["share"]["value"] > 0.9
    assert card["teacher"]["parameters"] == 4 * 256 + 256 + 256 * 256 + 256 + 256 * 2 + 2
    assert card["student"]["parameters"] == 4 * 16 + 16 + 16 * 3 + 3
    assert card["teacher"]["sources"][0]["source"] == f"npz:{CARTPOLE.absolute()}"
    assert len(card["teacher"]["sources"][0]["sha256"]) == 64
    assert 0.5 < card["agreement"] <= 1.0
    assert card["kl"] >= 0.0
    assert card["seconds"] > 0.0
    exported = run / "run" / "exported"
    for kind, file in (("float32", "policy.onnx"), ("int8", "policy.int8.onnx")):
        assert card["files"][kind]["onnx_bytes"] == (exported / file).stat().st_size
        for runner in ("torch", "onnxruntime", "numpy"):
            time = card["microseconds"][kind][runner]
            assert 0.0 < time["median"] <= time["p99"]
    assert card["int8"]["returns"]["int8"]["episodes"] == 4
    assert 0.5 < card["int8"]["agreement"] <= 1.0
    assert any("distance from random moves" in line for line in card_sentences(card))


def test_the_pictures_can_be_opened(run):
    from PIL import Image

    for file in (run / "curve.png", run / "run" / "curve.png"):
        with Image.open(file) as image:
            image.verify()
    with Image.open(run / "side.gif") as image:
        assert 1 < image.n_frames <= FRAMES
        shown = np.asarray(image.convert("RGB"))
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 3


@pytest.mark.slow
def test_the_same_command_again_finds_its_run(run):
    before = (run / "run" / "metrics.jsonl").read_bytes()
    assert distill("--student", "16", *AGAIN, "--out", run / "run") == 0
    assert (run / "run" / "metrics.jsonl").read_bytes() == before


def test_another_command_does_not_touch_a_folder_that_holds_a_run(run, capfd):
    assert distill("--student", "8", *AGAIN, "--out", run / "run") == 64
    assert "holds another run; go on with it by `lanista resume" in capfd.readouterr().err


@pytest.mark.slow
def test_resume_ends_with_the_card_and_run_plays_the_recipe_again(run, capfd, tmp_path):
    assert main(["resume", str(run / "run")]) == 0
    assert "16 in cartpole: return over 4 episodes on the same starts" in capfd.readouterr().out
    recipe = run / "run" / "recipe.toml"
    assert main(["run", str(recipe), "--check", "--out", str(tmp_path / "again")]) == 0
    assert capfd.readouterr().out == recipe.read_text()


@pytest.mark.slow
def test_a_run_of_ours_is_a_teacher_that_knows_its_env_and_several_students_make_a_frontier(run, capfd):
    code = distill(
        "--teacher", run / "run", "--student", "4,8x4", "--steps", 2000, *TINY, "--out", run / "two",
        "--json", run / "cards.json",
    )  # fmt: skip
    assert code == 0
    out = capfd.readouterr().out
    assert "cartpole: students of a teacher with 131 parameters" in out
    cards = json.loads((run / "cards.json").read_text())
    assert [card["name"] for card in cards] == ["4", "8x4"]
    assert cards == json.loads((run / "two" / "frontier.json").read_text())
    assert (run / "two" / "frontier.png").stat().st_size > 10_000
    for card in cards:
        assert (run / "two" / card["name"] / "card.json").is_file()
        assert card["env"]["use"] == "cartpole"


@pytest.mark.slow
def test_seeds_are_runs_of_their_own(run):
    code = distill(
        "--teacher", CARTPOLE, "--env", "cartpole", "--student", "8", "--steps", 1024, "--seeds", 2, *TINY,
        "--set", "phases.student.allowed_loss=1.0", "--out", run / "seeds",
    )  # fmt: skip
    assert code == 0
    cards = json.loads((run / "seeds" / "frontier.json").read_text())
    assert [card["seed"] for card in cards] == [0, 1]
    assert [path.name for path in sorted((run / "seeds").glob("seed-*"))] == ["seed-0", "seed-1"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--teacher", "nowhere.zip", "--env", "cartpole"], "nowhere.zip"),
        (["--teacher", "player:random"], "does not say which env it plays; name it with --env"),
        (["--teacher", SLIM / "sac-Pendulum-v1.npz", "--wrapper", "NoSuch"], "NoSuch"),
        (["--teacher", CARTPOLE, "--env", "cartpol"], "cartpole"),
        (["--teacher", CARTPOLE, "--env", "pendulum"], "sees 4 numbers and the env shows"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--student", "64by64"], "64by64"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--student", "64x0"], "a layer has 0 units"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--student", "8,8"], "is there twice"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--drive", "dager"], "dagger"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--loss", "kll"], "kl"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--loss", "kl:heat=3"], "heat"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--video", "side.mp4"], "ends in .gif or .webp"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--plot", "curve.bmp"], "ends in .png"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--set", "phases.student.bufer=3"], "buffer"),
        (["--teacher", CARTPOLE, "--env", "cartpole", "--wrapper", "NoSuch"], "wrappers"),
    ],
)
def test_what_is_wrong_is_one_sentence_before_anything_is_written(words, sentence, tmp_path, capfd):
    code = distill(*words, "--out", tmp_path / "run")
    err = capfd.readouterr().err
    assert code in (1, 64)
    assert sentence in err
    assert "Traceback" not in err
    assert err.startswith("lanista: ")
    assert not (tmp_path / "run").exists()


def test_students_losses_and_teachers_are_read_as_they_are_written(tmp_path):
    first, second, third = read_students(["64x64,8", "conv:channels=16,blocks=1"], "relu")
    assert first.network == {"use": "mlp", "hidden": [64, 64], "activation": "relu"}
    assert second.name == "8"
    assert third.network == {"use": "conv", "channels": 16, "blocks": 1}
    assert third.name == "conv-channels-16-blocks-1"
    (wide,) = read_students(["mlp:hidden=[8,4],activation=gelu"], None)
    assert wide.network == {"use": "mlp", "hidden": [8, 4], "activation": "gelu"}
    assert read_losses(["kl:temperature=0.5", "value:coef=0.1"]) == (
        {"loss": {"use": "kl", "temperature": 0.5}},
        {"loss": {"use": "value"}, "coef": 0.1},
    )
    (tmp_path / "a.zip").write_bytes(b"")
    (tmp_path / "a.pt").write_bytes(b"")
    (tmp_path / "v.pkl").write_bytes(b"")
    found = read_teacher(str(tmp_path / "a.zip"), str(tmp_path / "v.pkl"), ["q_temperature=2.0"])
    assert read_teacher("sb3:a.zip", "none", [])["normalise"] == "none"
    assert found == {
        "source": f"sb3:{tmp_path / 'a.zip'}", "q_temperature": 2.0, "normalise": str(tmp_path / "v.pkl"),
    }  # fmt: skip
    with pytest.raises(UsageError, match="what kind of file it is cannot be told"):
        read_teacher(str(tmp_path / "a.pt"), None, [])


def test_a_file_that_says_its_env_needs_no_name_for_it():
    from lanista.plugins import load_plugins

    registry = load_plugins().registry
    ant = {"source": f"npz:{SLIM / 'ppo-AntBulletEnv-v0.npz'}"}
    home = {"use": "gymnasium:AntBulletEnv-v0", "wrappers": ["TimeFeatureWrapper"]}
    assert find_env(None, {}, ant, registry) == home
    assert find_env(None, {"workers": 2}, ant, registry) == {**home, "workers": 2}
    assert find_env("cartpole", {"a": 1}, ant, registry) == {"use": "cartpole", "a": 1}
    with pytest.raises(UsageError, match=r"such as --env gymnasium:Walker2d-v3"):
        find_env(None, {}, {"source": "sb3:/zoo/Walker2d-v3.zip"}, registry)


def test_a_student_takes_its_teachers_activation_unless_it_has_its_own():
    class Teacher:
        class card:  # noqa: N801 - stands for an attribute
            network_settings = {"activation": "tanh"}  # noqa: RUF012 - a stand-in

    class Other:
        class card:  # noqa: N801 - stands for an attribute
            network_settings = {"activation": "gelu"}  # noqa: RUF012 - a stand-in

    (plain,) = read_students(["8"], None)
    (own,) = read_students(["8"], "gelu")
    (other,) = read_students(["conv:channels=4"], None)
    assert like_teachers(plain, [Teacher]).network["activation"] == "tanh"
    assert like_teachers(own, [Teacher]).network["activation"] == "gelu"
    assert like_teachers(other, [Teacher]) == other
    assert like_teachers(plain, [Teacher, Teacher]).network["activation"] == "tanh"
    assert like_teachers(plain, [Teacher, Other]).network["activation"] == "relu"
    Teacher.card.network_settings = {"activation": "elu"}
    assert like_teachers(plain, [Teacher]).network["activation"] == "relu"
    assert like_teachers(plain, []).network["activation"] == "relu"


def test_the_frontier_joins_those_that_none_betters():
    assert frontier([3.0, 1.0, 2.0, 4.0], [5.0, 1.0, 4.0, 5.0]) == [1, 2, 0]
    assert frontier([1.0, 1.0], [2.0, 3.0]) == [1]


def test_the_one_that_is_over_first_stands_still():
    bright = np.full((10, 20, 3), 200, np.uint8)
    long = Reel("teacher", [bright] * 5, list(range(5)), [0.0] * 5)
    short = Reel("student", [bright] * 2, [0, 1], [0.0] * 2)
    frames = side_by_side([long, short])
    assert len(frames) == 5
    half = frames[0].width // 2
    first, last = (np.asarray(frame)[100:] for frame in (frames[0], frames[-1]))
    assert (first[:, :half] == last[:, :half]).all()
    assert (last[:, half + 10 :] < first[:, half + 10 :]).all()
