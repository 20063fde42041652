import subprocess
import sys


def test_everything_offered_can_be_loaded(registry):
    offered = {
        (entry.kind, entry.name) for entry in registry.entries() if entry.target.startswith("lanista_agents.")
    }
    assert offered == {
        ("networks", "mlp"),
        ("networks", "conv"),
        ("networks", "actor"),
        ("networks", "onnx"),
        ("networks", "unit_mlp"),
        ("networks", "grid_resnet"),
        ("heads", "categorical"),
        ("heads", "gaussian"),
        ("heads", "units"),
        ("heads", "deterministic"),
        ("learners", "ppo"),
        ("learners", "impala"),
        ("teachers", "npz:"),
        ("teachers", "sb3:"),
        ("teachers", "onnx:"),
        ("teachers", "player:"),
        ("players", "random"),
        ("players", "lux_demo_v1"),
    }
    for kind, name in offered:
        name += "x" if name.endswith(":") else ""  # a family is asked for a member
        assert callable(registry.load(kind, name))
        assert registry.get(kind, name).summary
        needed = {"size": 1, "kind": "logits", "outputs": {}} if (kind, name) == ("networks", "onnx") else {}
        assert registry.settings(kind, name, needed) is not None


def test_loading_the_plugin_imports_neither_torch_nor_numba():
    code = "import lanista_agents, sys; print([name for name in ('torch', 'numba') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_first_update_imports_no_symbolic_algebra():
    """torch's own helpers bring in sympy, a quarter of a second in every process that trains."""
    code = """
import sys, numpy as np, torch
from lanista.learning import Rollout
from lanista.plugins import load_plugins
from lanista.policy import PolicyCard, build_policy
from lanista.spec import EnvSpec, HeadSpec, ObsPart
registry = load_plugins().registry
spec = EnvSpec("t", "1", "s", 1, "simultaneous", (ObsPart("o", (2,), "float32", "m"),),
               (HeadSpec("a", "categorical", 2, "m"),), (), 9, (0, 1), "score")
policy = build_policy(PolicyCard("t", {}, spec, "mlp", {}), registry)
flat = np.zeros((2, 2), np.float32)
no = np.zeros((2, 2), bool)
rollout = Rollout({"o": np.zeros((2, 2, 2), np.float32)}, {"a": np.ones((2, 2, 2), bool)},
                  {"a": np.zeros((2, 2), np.int64)}, flat - 0.7, flat, ~no, flat + 1, no, no, flat, flat[0])
policy.act({"o": torch.zeros(4, 2)}, {"a": torch.ones(4, 2, dtype=torch.bool)}, torch.Generator())
registry.load("learners", "ppo")(policy, registry.settings("learners", "ppo", {}), 0).update(rollout, 0.0, [])
print("sympy" in sys.modules)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
