"""Targets and judges for any game of kaggle-environments, by its own specification."""

import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from lanista.delivery import build_target
from lanista.errors import RecipeError, UsageError
from lanista.plugins import load_plugins
from lanista.policy import PolicyCard
from lanista.tables import TargetTable
from lanista_submission.bundle.codecs import codec_sources, same_codec
from lanista_submission.errors import PackError
from lanista_submission.judge import specification
from lanista_submission.judge.specification import Specification, read_specification
from lanista_submission.targets.profile import Profile
from lanista_submission.verify import kaggle_game
from lanista_submission.verify.find_profile import profile_of
from lanista_submission.verify.kaggle_game import game_profile, with_seats_of

CODEC = "import numpy as np\ndef observe(obs, config):\n    return np.zeros(3, np.int8), np.ones(4, bool)\ndef act(index): return index\n"
GEESE = Specification(
    "hungry_geese",
    "1.0.0",
    (1, 2, 3, 4, 5, 6, 7, 8),
    1.0,
    60.0,
    "NORTH",
    ("string",),
    ("greedy", "random"),
    (
        "actTimeout",
        "columns",
        "episodeSteps",
        "hunger_rate",
        "max_length",
        "min_food",
        "rows",
        "runTimeout",
    ),
    "1.33.2",
)


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


@pytest.fixture
def told(monkeypatch):
    """The judge's answers without a judge."""

    def answer(found):
        for module in (specification, kaggle_game):
            monkeypatch.setattr(module, "read_specification", lambda judge, game: found)
        monkeypatch.setattr(kaggle_game, "find_judge", lambda: None)
        monkeypatch.setattr("lanista.judge.find_judge", lambda: None)

    return answer


def card(registry, codec=CODEC, env="kaggle:hungry_geese"):
    settings = {"game": env.partition(":")[2], "codec": "my_codec.py", "codec_text": codec, "seats": 4}
    return PolicyCard.from_json(
        {
            "name": "p", "env": env, "env_settings": settings, "network": "mlp", "network_settings": {}, "history": {},
            "spec": {
                "name": env, "version": "1", "source": "", "seats": 4, "turns": "simultaneous", "observation": [],
                "heads": [], "facts": [], "max_steps": 9, "reward_range": [0.0, 1.0], "outcome": "score",
            },
        }
    )  # fmt: skip


def test_the_specification_is_read_from_the_judge(judge):
    assert read_specification(judge, "hungry_geese") == GEESE
    with pytest.raises(UsageError, match="has no environment 'hungry_gese'; did you mean 'hungry_geese'"):
        read_specification(judge, "hungry_gese")


def test_a_game_without_a_profile_is_judged_by_its_specification(told, registry):
    told(GEESE)
    profile = profile_of("kaggle:hungry_geese", lambda: registry)
    assert (profile.target, profile.environment, profile.seats) == ("kaggle:hungry_geese", "hungry_geese", 4)
    assert profile.opponents == ("greedy", "random")
    assert profile.results == ("str",)
    assert "'NORTH'" in profile.mend
    assert profile.packed.value == 100 * 2**20


def test_the_card_says_how_many_seats_where_the_game_leaves_it_open(told):
    told(GEESE)
    profile = game_profile("kaggle:hungry_geese", "hungry_geese")
    assert with_seats_of(profile, {"env_settings": {"seats": 6}}).seats == 6
    for card in (None, {}, {"env_settings": {"seats": 9}}, {"env_settings": "seats"}):
        assert with_seats_of(profile, card).seats == 4


def test_the_target_s_limits_are_the_game_s(told, registry):
    told(GEESE)
    target = build_target(registry, TargetTable(use="kaggle:hungry_geese"))
    assert target.profile == Profile(
        name="kaggle:hungry_geese",
        game="hungry_geese",
        env="kaggle:hungry_geese",
        act_timeout=1.0,
        default_action="NORTH",
        source="kaggle-environments 1.33.2, hungry_geese.json 1.0.0",
    )
    drawn = build_target(
        registry, TargetTable.model_validate({"use": "kaggle:hungry_geese", "actions": "sampled"})
    )
    assert drawn.profile.actions == "sampled"


def test_a_target_without_settings_refuses_keys(registry):
    with pytest.raises(RecipeError, match="unknown key 'actions'"):
        build_target(registry, TargetTable.model_validate({"use": "kaggle:connectx", "actions": "sampled"}))


PROFILE = Profile(name="kaggle:hungry_geese", game="hungry_geese", env="kaggle:hungry_geese")


def test_the_archive_carries_the_codec_that_the_policy_was_trained_through(registry):
    codec, files = codec_sources(card(registry), PROFILE, registry, taken=("play",))
    assert codec == "codec"
    assert files["codec.py"].decode() == CODEC
    assert b"class Codec" in files["codec_calls.py"]


def test_a_codec_that_imports_what_the_platform_has_not_is_refused(registry):
    with pytest.raises(
        PackError, match=r"codec my_codec.py imports torch, which a bundle does not hold; it may import"
    ):
        codec_sources(card(registry, f"import torch\n{CODEC}"), PROFILE, registry, taken=())


def test_policies_of_different_codecs_do_not_share_an_archive(registry):
    same_codec([card(registry), card(registry)], registry)
    with pytest.raises(PackError, match="were trained through different codecs, and an archive has one"):
        same_codec([card(registry), card(registry, f"{CODEC}\n")], registry)


@pytest.mark.submission
def test_a_policy_of_the_official_game_goes_from_recipe_to_a_verdict(judge, tmp_path):
    (tmp_path / "my_codec.py").write_text(
        "import numpy as np\n\n\ndef observe(obs, config):\n    row = np.array(obs['board'], np.int8)\n"
        "    return row, row[: config['columns']] == 0\n\n\ndef act(index):\n    return np.int64(index)\n"
    )
    (tmp_path / "it.toml").write_text(
        'name = "it"\ntarget = "kaggle:connectx"\nverify = { games = 1 }\n'
        'env = { use = "kaggle:connectx", codec = "my_codec.py", num_workers = 1 }\n'
        '[[phases]]\nname = "p"\nkind = "train"\nnum_games = 4\nnum_steps = 8\nreward = { standing = 1.0 }\n'
        'network = { use = "mlp", hidden = [8] }\nuntil = { steps = 32 }\n'
    )
    run = subprocess.run(
        [sys.executable, "-m", "lanista", "run", str(tmp_path / "it.toml"), "--out", "run"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    verdict = json.loads((tmp_path / "run" / "exported" / "verification.json").read_text())
    assert verdict["ok"]
    assert verdict["results"].keys() == {"int"}
    with tarfile.open(tmp_path / "run" / "exported" / "submission.tar.gz") as archive:
        name = next(name for name in archive.getnames() if name.endswith("/codec.py"))
        kept = archive.extractfile(name)
        assert kept is not None
        assert kept.read() == (tmp_path / "my_codec.py").read_bytes()
    assert np.isfinite(verdict["timing"]["worst_turn_s"])
