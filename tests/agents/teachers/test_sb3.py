"""Agents of Stable-Baselines3: what a teacher answers is what the library itself answered (``record_sb3.py``)."""

import io
import zipfile

import numpy as np
import pytest
import torch

from lanista.policy import load_policy, save_policy

from .conftest import CHOICE, CLIP, NUMBERS, RECORDED, TANH, heads_of

REFUSED = {"pictures", "recurrent_ppo_choice", "crossq_numbers", "dictionary"}
NAMES = sorted(path.stem for path in RECORDED.glob("*.zip") if path.stem not in REFUSED)
CHOICES = [name for name in NAMES if heads_of(name) is not NUMBERS]
REAL = [name for name in NAMES if heads_of(name) is NUMBERS]
#: led to the bounds by tanh; the others are clipped
BY_TANH = ("ppo_sde_squashed", "sac_numbers", "sac_sde", "tqc_numbers", "td3_numbers", "ddpg_numbers")
#: units of the recorded numbers
MIDDLE, HALF = np.array([-0.5, 1.5]), np.array([1.5, 1.5])


def options_of(name):
    options = {"normalise": str(RECORDED / "scaled.pkl")} if name == "scaled" else {}
    return options | ({"q_temperature": 0.5} if name in ("dqn_choice", "qrdqn_choice", "ars_choice") else {})


def test_every_algorithm_is_recorded():
    algorithms = {"ppo", "a2c", "trpo", "dqn", "qrdqn", "sac", "td3", "ddpg", "tqc", "ars"}
    assert {name.partition("_")[0] for name in NAMES} >= algorithms


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_those_of_the_library(name, teach, seen, answers):
    teacher = teach(f"sb3:{RECORDED / name}.zip", heads_of(name), **options_of(name))
    actions, _, value = teacher.act(seen, {}, None)
    chosen = torch.stack(list(actions.values()), dim=1).numpy()
    assert np.array_equal(chosen.reshape(answers[f"{name}.action"].shape), answers[f"{name}.action"])
    logits = teacher.network(seen).logits
    if f"{name}.q" in answers:
        assert np.allclose(logits["action"].numpy() * 0.5, answers[f"{name}.q"], atol=1e-5)
        assert np.allclose(value.numpy(), answers[f"{name}.q"].max(axis=1), atol=1e-5)
    elif name == "ppo_bits":  # log-odds of each bit
        odds = torch.stack([part[:, 1] - part[:, 0] for part in logits.values()], dim=1)
        assert np.allclose(odds.numpy(), answers[f"{name}.logits"], atol=1e-5)
    elif name != "ars_choice":
        logs = torch.cat([torch.log_softmax(part, dim=1) for part in logits.values()], dim=1)
        assert np.allclose(logs.numpy(), answers[f"{name}.logits"], atol=1e-5)
    if f"{name}.value" in answers:
        assert np.allclose(value.numpy(), answers[f"{name}.value"], atol=1e-5)
    else:
        assert f"{name}.q" in answers or bool(value.isnan().all())


@pytest.mark.parametrize(
    "table", [TANH, CLIP, {"use": "deterministic"}, {"use": "deterministic", "squash": "clip"}, None]
)
@pytest.mark.parametrize("name", REAL)
def test_real_numbers_are_those_of_the_library_whatever_the_student_s_head(name, table, teach, seen, answers):
    teacher = teach(f"sb3:{RECORDED / name}.zip", NUMBERS, table, **options_of(name))
    actions, _, value = teacher.act(seen, {}, None)
    # in the words of tanh a bound is only neared: by 1e-4 of half the range
    assert np.abs(actions["action"].numpy() - answers[f"{name}.action"]).max() < 1.5e-4
    if f"{name}.value" in answers:
        assert np.allclose(value.numpy(), answers[f"{name}.value"], rtol=1e-5, atol=1e-5)
    else:
        assert bool(value.isnan().all())


@pytest.mark.parametrize("name", [name for name in REAL if name[:3] not in ("td3", "ddp", "ars")])
def test_the_distribution_is_exact_in_the_head_that_is_the_agent_s_own(name, teach, seen, answers):
    own = CLIP if name not in BY_TANH else TANH
    teacher = teach(f"sb3:{RECORDED / name}.zip", NUMBERS, own, **options_of(name))
    said = teacher.card.history["teacher"]["heads"]["action"]
    assert (said["use"], said["squash"]) == ("gaussian", own["squash"])
    mean, std = (
        part.numpy() for part in teacher.heads["action"].moments(teacher.network(seen).logits["action"])
    )
    if own is CLIP:
        assert np.allclose(MIDDLE + HALF * mean, answers[f"{name}.mean"], atol=1e-5)
        assert np.allclose(HALF * std, answers[f"{name}.std"], rtol=1e-4)
    else:
        inside = np.abs(answers[f"{name}.mean"]) < 5.0
        assert np.allclose(mean[inside], answers[f"{name}.mean"][inside], atol=1e-5)
        assert np.allclose(std, answers[f"{name}.std"], rtol=1e-4)


def with_weights(path, weights, source):
    """Write the zip `source` to `path` with other weights."""
    with zipfile.ZipFile(source) as file:
        kept = {name: file.read(name) for name in file.namelist()}
    content = io.BytesIO()
    torch.save(weights, content)
    with zipfile.ZipFile(path, "w") as file:
        for name, entry in {**kept, "policy.pth": content.getvalue()}.items():
            file.writestr(name, entry)
    return f"sb3:{path}"


def test_the_one_matrix_of_an_older_linear_policy_of_ars_is_read(teach, seen, answers, tmp_path):
    """Before it was a sequence of layers, the policy was a single layer without a number in its name."""
    numbers, choice = RECORDED / "ars_numbers.zip", RECORDED / "ars_choice.zip"
    with zipfile.ZipFile(numbers) as file:
        weights = torch.load(io.BytesIO(file.read("policy.pth")), weights_only=True)
    assert list(weights) == ["action_net.0.weight"]
    older = {"action_net.weight": weights["action_net.0.weight"]}
    teacher = teach(with_weights(tmp_path / "numbers.zip", older, numbers), NUMBERS, CLIP)
    found = teacher.act(seen, {}, None)[0]["action"].numpy()
    expected = answers["ars_numbers.action"]
    assert np.allclose(found, expected, atol=1e-5)
    assert np.unique(expected).size > 4  # not all of them on the bounds

    matrix = torch.randn((3, 5), generator=torch.Generator().manual_seed(0))
    source = with_weights(tmp_path / "choice.zip", {"action_net.weight": matrix}, choice)
    chosen = teach(source, q_temperature=0.5).act(seen, {}, None)[0]["action"]
    assert torch.equal(chosen, (seen["observation"] @ matrix.T).argmax(dim=1))


def test_parts_of_a_dictionary_are_joined_in_their_order(teach, seen, answers):
    from lanista.spec import ObsPart

    parts = tuple(ObsPart(name, (5,), "float32", "") for name in "ab")
    teacher = teach(f"sb3:{RECORDED / 'dictionary.zip'}", CHOICE, seen=parts)
    logits = teacher.network({"a": seen["observation"], "b": -seen["observation"]}).logits["action"]
    assert np.allclose(torch.log_softmax(logits, dim=1).numpy(), answers["dictionary.logits"], atol=1e-5)


def test_a_teacher_is_saved_and_loaded_like_any_policy(teach, seen, registry, tmp_path):
    teacher = teach(f"sb3:{RECORDED / 'ppo_sde.zip'}", NUMBERS, CLIP)
    save_policy(tmp_path / "kept", teacher)
    again = load_policy(tmp_path / "kept", registry)
    assert torch.equal(again.network(seen).logits["action"], teacher.network(seen).logits["action"])
    record = again.card.history["teacher"]
    assert record["source"].startswith("sb3:")
    assert (record["algorithm"], record["file"], len(record["sha256"])) == ("ppo", "ppo_sde.zip", 64)


def test_statistics_beside_the_zip_are_found_and_told(teach, tmp_path):
    (tmp_path / "agent.zip").write_bytes((RECORDED / "scaled.zip").read_bytes())
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "vecnormalize.pkl").write_bytes((RECORDED / "scaled.pkl").read_bytes())
    source = f"sb3:{tmp_path / 'agent.zip'}"
    scaled = teach(source, NUMBERS, CLIP)
    (note,) = scaled.card.history["teacher"]["notes"]
    assert "observations are scaled by" in note
    assert "clipped at 2" in note
    bare = teach(source, NUMBERS, CLIP, normalise="none")
    assert 'normalise = "none"' in bare.card.history["teacher"]["notes"][0]
    rows = {"observation": torch.randn(8, 5)}
    assert not torch.allclose(scaled.network(rows).logits["action"], bare.network(rows).logits["action"])


def test_statistics_that_are_said_to_be_and_are_not_stop_it(teach, tmp_path):
    from lanista_agents.teachers.plan import TeacherFileError

    (tmp_path / "agent.zip").write_bytes((RECORDED / "scaled.zip").read_bytes())
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "config.yml").write_text("- - normalize\n  - true\n")
    with pytest.raises(TeacherFileError, match="says that observations were normalised, and there is no"):
        teach(f"sb3:{tmp_path / 'agent.zip'}", NUMBERS, CLIP)
    (tmp_path / "agent" / "config.yml").write_text("- - normalize\n  - false\n")
    teach(f"sb3:{tmp_path / 'agent.zip'}", NUMBERS, CLIP)


def test_the_wrapper_of_the_config_is_named_where_the_numbers_differ(teach, tmp_path):
    from lanista.spec import ObsPart
    from lanista_agents.teachers.plan import TeacherFileError

    (tmp_path / "agent.zip").write_bytes((RECORDED / "ppo_choice.zip").read_bytes())
    (tmp_path / "agent").mkdir()
    config = "- - env_wrapper\n  - sb3_contrib.common.wrappers.TimeFeatureWrapper\n"
    (tmp_path / "agent" / "config.yml").write_text(config)
    with pytest.raises(
        TeacherFileError,
        match=r"sees 5 numbers and the env shows 4; .*add wrappers = \[\"TimeFeatureWrapper\"\]",
    ):
        teach(f"sb3:{tmp_path / 'agent.zip'}", CHOICE, seen=(ObsPart("o", (4,), "float32", ""),))


def test_statistics_of_another_agent_in_the_same_folder_are_left_alone(teach, tmp_path):
    """Two agents lie side by side, and only one was scaled."""
    for name in ("one", "other"):
        (tmp_path / f"{name}.zip").write_bytes((RECORDED / "ppo_numbers.zip").read_bytes())
    (tmp_path / "one").mkdir()
    for place in (tmp_path / "one" / "vecnormalize.pkl", tmp_path / "vecnormalize.pkl"):
        place.write_bytes((RECORDED / "scaled.pkl").read_bytes())
    notes = {
        name: teach(f"sb3:{tmp_path / name}.zip", NUMBERS, CLIP).card.history["teacher"]["notes"][0]
        for name in ("one", "other")
    }
    assert "observations are scaled by" in notes["one"]
    assert "not scaled" in notes["other"]


@pytest.mark.parametrize("place", ["vec_normalize.pkl", "World-v1/vecnormalize.pkl"])
def test_statistics_of_what_the_zoo_saves_on_the_way_are_found(place, teach, tmp_path):
    (tmp_path / "best_model.zip").write_bytes((RECORDED / "scaled.zip").read_bytes())
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes((RECORDED / "scaled.pkl").read_bytes())
    teacher = teach(f"sb3:{tmp_path / 'best_model.zip'}", NUMBERS, CLIP)
    assert "observations are scaled by" in teacher.card.history["teacher"]["notes"][0]
