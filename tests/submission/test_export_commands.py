"""`lanista export` and `lanista pack` through the real command line."""

import json
import tarfile

import pytest
import torch

from lanista.cli import main
from lanista.policy import PolicyCard, build_policy, save_policy


@pytest.fixture(scope="module")
def run_folder(registry, tmp_path_factory):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "demo"
    for name, hidden in (("final", [8]), ("small", [4])):
        card = PolicyCard("connectx", {}, env.spec, "mlp", {"hidden": hidden, "policy_gain": 1.0})
        save_policy(folder / name, build_policy(card, registry))
    return folder


def test_export_prints_the_comparison_and_pack_takes_the_file(run_folder, capfd):
    assert main(["export", str(run_folder), "--observations", "50"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[0].split() == [
        "runner",
        "batch",
        "outputs",
        "differ",
        "value",
        "differs",
        "equal",
        "greedy",
        "ties",
    ]
    assert [line.split()[:2] for line in out[1:7]] == [
        [runner, batch] for batch in ("1", "8", "50") for runner in ("onnxruntime", "numpy")
    ]
    assert all("100.00%" in line for line in out[1:7])
    assert out[7].startswith("against torch on 50 observations; limits: 1e-04 of the largest output or value")
    model = run_folder / "exported" / "policy.onnx"
    assert out[8].startswith(f"{model}: ")
    before = model.stat().st_mtime_ns

    assert (
        main(
            ["pack", str(run_folder), "--target", "kaggle:connectx", "--fallback", str(run_folder / "small")]
        )
        == 0
    )
    out = capfd.readouterr().out
    archive = run_folder / "exported" / "submission.tar.gz"
    assert f"{archive}: {archive.stat().st_size:,} bytes for kaggle:connectx" in out
    assert model.stat().st_mtime_ns == before  # it was of this very policy
    with tarfile.open(archive) as file:
        name = next(name for name in file.getnames() if name.endswith("card.json"))
        card = json.loads(file.extractfile(name).read())
    assert [entry["network_settings"]["hidden"] for entry in card["networks"]] == [[8], [4]]


def test_pack_exports_anew_when_the_policy_has_changed(registry, run_folder, tmp_path, capfd):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    policy = build_policy(PolicyCard("connectx", {}, env.spec, "mlp", {"hidden": [4]}), registry)
    archive = ["pack", str(tmp_path), "--target", "kaggle:connectx"]
    digests = []
    for _ in range(2):
        digests.append(save_policy(tmp_path, policy))
        assert main([*archive, "--out", str(tmp_path / f"{len(digests)}.tar.gz")]) == 0
        assert "against torch on 1,000 observations" in capfd.readouterr().out
        with torch.no_grad():
            next(policy.network.parameters()).add_(0.1)
    for number, digest in enumerate(digests, 1):
        with tarfile.open(tmp_path / f"{number}.tar.gz") as file:
            name = next(name for name in file.getnames() if name.endswith("card.json"))
            assert json.loads(file.extractfile(name).read())["networks"][0]["sha256"] == digest


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["export", "{tmp}"], 1, "holds no policy: neither policy.json nor final/policy.json is there"),
        (["pack", "{tmp}/none.onnx", "--target", "kaggle:connectx"], 1, "there is no {tmp}/none.onnx"),
        (["pack", "{run}", "--target", "kaggle:conectx"], 64, "did you mean 'connectx'?"),
        (
            ["pack", "{run}", "--target", "onnx"],
            1,
            "target 'onnx' has no archive; `lanista export` writes its file",
        ),
        (["pack", "{run}"], 64, "--target"),
        (["export", "{run}", "--observations", "0"], 64, "--observations"),
    ],
)
def test_wrong_words_are_one_sentence(run_folder, tmp_path, capfd, words, code, sentence):
    filled = [word.format(tmp=tmp_path, run=run_folder) for word in words]
    assert main(filled) == code
    error = capfd.readouterr().err
    assert sentence.format(tmp=tmp_path) in error
    assert "Traceback" not in error


def test_a_policy_of_an_env_that_has_changed_is_named(run_folder, tmp_path, registry, capfd):
    card = json.loads((run_folder / "final" / "policy.json").read_text())
    part = card["spec"]["observation"][0]
    part["shape"] = [part["shape"][0] + 1, *part["shape"][1:]]
    record = PolicyCard.from_json(card)
    save_policy(tmp_path / "old", build_policy(record, registry))
    assert main(["export", str(tmp_path / "old"), "--observations", "8"]) == 1
    said = " ".join(capfd.readouterr().err.split())
    assert (
        "was trained for an env 'connectx' that showed or asked for something else than it does now" in said
    )


def test_settings_of_the_target_are_read_and_refused_in_a_sentence(run_folder, tmp_path, capfd):
    command = ["pack", str(run_folder), "--out", str(tmp_path / "a.tar.gz"), "--target", "kaggle:connectx"]
    for word, said in (
        ("colour=red", "unknown key 'colour'"),
        ("nonsense", "settings are key=value, found 'nonsense'"),
    ):
        assert main([*command, "--target-set", word]) != 0
        assert said in " ".join(capfd.readouterr().err.split())
