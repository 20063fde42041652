"""A broken plugin of each kind, broken in each way: one sentence that names plugin, field and cure, and no traceback."""

from pathlib import Path

import pytest

from lanista.cli import main
from lanista.plugins import load_plugins
from lanista.testing.plugin_check import Wish, checks_of, verdict

HEAD = "import lanista\nimport numpy as np\n\n@lanista.hookimpl\ndef register_{kind}(register):\n    register('thing', ':Thing', summary='broken')\n\n"

ENV = """
from lanista.env import VecEnv
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart

class Thing(VecEnv):
    resumable = False

    def __init__(self, num_games, settings, num_threads):
        self.num_games, cells = num_games, (num_games, 1)
        self.spec = EnvSpec(
            name="thing", version="1", source="here", seats=1, turns="simultaneous",
            observation=(ObsPart("number", (1,), "float32", "0, 1 or 2"),),
            heads=(HeadSpec("say", "categorical", 3, "the number"),),
            facts=(FactSpec("reward", "flow", "points", "1 if right"),),
            max_steps=1, reward_range=(0.0, 1.0), outcome="score",
        )
        self.observation = {"number": np.zeros((*cells, 1), np.float32)}
        self.final_observation = {"number": np.zeros((*cells, 1), np.float32)}
        self.legal = {"say": np.ones((*cells, 3), bool)}
        self.acting, self.terminated = np.ones(cells, bool), np.zeros(cells, bool)
        self.truncated, self.ended = np.zeros(cells, bool), np.zeros(num_games, bool)
        self.facts = {"reward": np.zeros(cells, np.float32)}
        self.final_facts = {"reward": np.zeros(cells, np.float32)}
        self.outcome = np.zeros(cells, np.float32)
        BUILD

    def reset(self, seed):
        for array in (self.facts["reward"], self.outcome, self.terminated, self.ended):
            array[...] = 0
        RESET

    def step(self, actions):
        right = actions["say"] == self.observation["number"][..., 0]
        self.final_facts["reward"][...] = self.outcome[...] = right
        self.terminated[...] = self.ended[...] = True
        STEP
"""


def env(build="pass", reset="pass", step="pass"):
    return ENV.replace("BUILD", build).replace("RESET", reset).replace("STEP", step)


def head(body):
    return f"""
from lanista_agents.heads.categorical import Categorical

class Thing(Categorical):
{body}
"""


NETWORK = """
import torch
from lanista.policy import Network, PolicyOutput

class Thing(Network):
    def __init__(self, observation, heads, settings):
        super().__init__()
        self.layer = torch.nn.Linear(sum(part.size for part in observation), sum(head.size for head in heads) + 1)
        self.sizes = {head.name: head.size for head in heads}

    def forward(self, observation):
        out = self.layer(torch.cat([part.float().flatten(1) for part in observation.values()], 1))
        *parts, value = out.split([*self.sizes.values(), 1], 1)
        return PolicyOutput(dict(zip(self.sizes, parts)), value.squeeze(1))
"""
LEARNER = """
class Thing:
    gamma = 0.9
    def __init__(self, policy, settings, seed):
        self.policy = policy
    def update(self, rollout, progress, terms):
        return {"loss": 0.0}
    def state(self):
        return {}
    def load_state(self, state): ...
"""
PLAYER = """
class Thing:
    def __init__(self, env_spec, settings, seed): ...
    def act(self, env, games, seats):
        return {head: ANSWER for head, legal in env.legal.items()}
    def state(self):
        return {}
    def load_state(self, state): ...
"""
PHASE = """
class Thing:
    steps, progress, finished = 0, 0.0, False
    def __init__(self, context, settings): ...
    def start(self): ...
    def update(self):
        UPDATE
    def close(self): ...
"""
SHAPER = """
class Thing:
    def __init__(self, spec, settings): ...
    def __call__(self, passage):
        return ANSWER
"""
TEACHER = """
from dataclasses import replace

import torch

from lanista.policy import build_policy

def Thing(settings, card, registry):
    policy = build_policy(replace(card, network="mlp", network_settings={"hidden": [4]}), registry)
    answer = policy.network.forward
    CHANGE
    return policy
"""

DISTILLER = """
class Thing:
    def __init__(self, settings): ...
    def loss(self, policy, student_logits, student_value, teacher_logits, teacher_value, legal):
        return ANSWER
"""
MATCHMAKER = """
class Thing:
    def __init__(self, settings): ...
    def choose(self, candidates, payoff, rng):
        return ANSWER
"""
LOGGER = """
class Thing:
    def __init__(self, run_folder, settings): ...
    def log(self, step, phase, metrics):
        LOG
    def close(self): ...
"""
TARGET = """
class Thing:
    def __init__(self, registry): ...
    DELIVER
    def verify(self, file, games, min_win_rate, keep, progress): ...
"""

#: kind, what is wrong, source, words that the sentence must have
CASES = [
    ("envs", "a wrong shape", env("self.outcome = np.zeros(num_games, np.float32)"), ["outcome", "shape"]),
    ("envs", "a wrong dtype", env("self.facts['reward'] = np.zeros(cells)"), ["facts['reward']", "float64", "float32"]),
    ("envs", "a NaN reward", env(step="self.final_facts['reward'][0] = np.nan"), ["final_facts['reward']", "finite"]),
    ("envs", "an illegal mask", env(reset="self.legal['say'][0] = False"), ["legal['say']", "no legal action"]),
    ("envs", "an array that moves", env(step="self.outcome = self.outcome.copy()"), ["outcome"]),
    ("envs", "a raise in step", env(step="1 / 0"), ["step raised ZeroDivisionError", "line"]),
    ("envs", "a raise in its constructor", env("raise KeyError('x')"), ["__init__ raised KeyError", "line"]),
    ("networks", "a wrong shape", NETWORK.replace("value.squeeze(1)", "value"), ["forward, value", "(5, 1)", "(5,)"]),
    ("networks", "a wrong dtype", NETWORK.replace("value.squeeze(1)", "value.squeeze(1).double()"), ["value", "float64"]),
    ("networks", "NaN", NETWORK.replace("value.squeeze(1)", "value.squeeze(1) / 0 * 0"), ["value", "NaN"]),
    ("networks", "a raise", NETWORK.replace("out =", "raise RuntimeError('no'); out ="), ["forward raised RuntimeError"]),
    ("heads", "an illegal action", head("    def greedy(self, logits, legal):\n        return logits.argmax(-1)"), ["greedy", "illegal"]),
    ("heads", "a wrong shape", head("    def entropy(self, logits, legal):\n        return logits"), ["entropy", "shape"]),
    ("heads", "a wrong entropy", head("    def entropy(self, logits, legal):\n        return logits.sum(-1)"), ["entropy", "draws"]),
    ("heads", "a NaN divergence", head("    def kl(self, teacher, student, legal, temperature=1.0):\n        return student.sum(-1) * float('nan')"), ["kl", "NaN"]),
    ("learners", "no learning", LEARNER, ["update", "no weight"]),
    ("learners", "a wrong answer", LEARNER.replace('return {"loss": 0.0}', "return None"), ["update", "dictionary"]),
    ("learners", "no discount", LEARNER.replace("gamma = 0.9", "gamma = 9"), ["gamma", "0 to 1"]),
    ("players", "illegal actions", PLAYER.replace("ANSWER", "legal[games, seats].argmin(axis=1)"), ["act", "illegal"]),
    ("players", "a wrong shape", PLAYER.replace("ANSWER", "legal[games, seats].argmax(axis=1)[:1]"), ["act", "shape"]),
    ("players", "a wrong dtype", PLAYER.replace("ANSWER", "legal[games, seats].argmax(axis=1).astype(float)"), ["act", "dtype", "int64"]),
    ("phases", "a wrong answer", PHASE.replace("UPDATE", "return 3"), ["update", "dictionary"]),
    ("phases", "a raise", PHASE.replace("UPDATE", "return self.nothing"), ["update raised AttributeError", "line"]),
    ("shapers", "a wrong shape", SHAPER.replace("ANSWER", "{'a': passage.after['reward'][0]}"), ["part 'a'", "shape", "[T, N, S]"]),
    ("shapers", "a wrong dtype", SHAPER.replace("ANSWER", "{'a': passage.after['reward'] * np.float64(2)}"), ["part 'a'", "float64", "float32"]),
    ("shapers", "a NaN reward", SHAPER.replace("ANSWER", "{'a': passage.after['reward'] * np.float32('nan')}"), ["part 'a'", "NaN"]),
    ("shapers", "no parts", SHAPER.replace("ANSWER", "passage.after['reward']"), ["answer", "dictionary"]),
    ("teachers", "a wrong answer", TEACHER.replace("CHANGE", "return 3"), ["gave a int", "Policy"]),
    ("teachers", "a raise", TEACHER.replace("CHANGE", "raise KeyError('x')"), ["raised KeyError", "factory(settings, card, registry)"]),
    ("teachers", "another env", TEACHER.replace("CHANGE", "policy.card = replace(policy.card, spec=replace(card.spec, name='other'))"), ["another env", "other"]),
    ("teachers", "a wrong shape", TEACHER.replace("CHANGE", "policy.network.forward = lambda seen: answer(seen)._replace(value=answer(seen).value[:1])"), ["value", "shape"]),
    ("teachers", "NaN", TEACHER.replace("CHANGE", "policy.network.forward = lambda seen: answer(seen)._replace(logits={'say': answer(seen).logits['say'] * float('nan')})"), ["logits['say']", "NaN"]),
    ("teachers", "rows that hang together", TEACHER.replace("CHANGE", "policy.network.forward = lambda seen: answer(seen)._replace(logits={'say': answer(seen).logits['say'] + len(answer(seen).value)})"), ["another batch"]),
    ("distillers", "a wrong shape", DISTILLER.replace("ANSWER", "student_value.mean()"), ["loss", "shape", "[B]"]),
    ("distillers", "a wrong dtype", DISTILLER.replace("ANSWER", "student_value.double()"), ["loss", "float64"]),
    ("distillers", "NaN", DISTILLER.replace("ANSWER", "student_value * float('nan')"), ["loss", "NaN"]),
    ("distillers", "a moving teacher", DISTILLER.replace("ANSWER", "(student_value - teacher_value).square()"), ["teacher", "detach"]),
    ("distillers", "blindness for masks", DISTILLER.replace("ANSWER", "(student_logits['say'] - teacher_logits['say'].detach()).square().sum(-1)"), ["illegal"]),
    ("distillers", "rows that see each other", DISTILLER.replace("ANSWER", "(student_value - teacher_value.detach()).square() / student_value.detach().std()"), ["other rows"]),
    ("distillers", "a charge for itself", DISTILLER.replace("ANSWER", "(student_value - teacher_value.detach()).square()") + "    def cost_to_go(self, losses, rollout):\n        return losses\n", ["cost_to_go", "later"]),
    ("distillers", "a charge of another shape", DISTILLER.replace("ANSWER", "(student_value - teacher_value.detach()).square()") + "    def cost_to_go(self, losses, rollout):\n        return losses[0]\n", ["cost_to_go", "[T, R]"]),
    ("matchmakers", "a stranger", MATCHMAKER.replace("ANSWER", "'nobody'"), ["choose", "candidates"]),
    ("matchmakers", "its own luck", MATCHMAKER.replace("ANSWER", "candidates[np.random.randint(len(candidates))]"), ["choose", "generator"]),
    ("loggers", "a raise", LOGGER.replace("LOG", "metrics['never']"), ["log raised KeyError", "line"]),
    ("loggers", "a theft", LOGGER.replace("LOG", "metrics.clear()"), ["log", "copy"]),
    ("targets", "no method", TARGET.replace("DELIVER", "x = 0"), ["deliver", "missing"]),
    ("targets", "a wrong answer", TARGET.replace("DELIVER", "def deliver(self, run_folder, policy_folder, out_folder): return 1"), ["deliver", "Delivered"]),
]  # fmt: skip


def source_of(kind, body):
    return HEAD.format(kind=kind) + body


def sentence(text, named):
    """Exactly one printable line that names the plugin."""
    assert text is not None
    assert "\n" not in text
    assert "Traceback" not in text
    assert named in text
    assert ";" in text, "a cure comes after the semicolon"
    return text


@pytest.mark.parametrize(
    ("kind", "wrong", "body", "words"), CASES, ids=[f"{case[0]}: {case[1]}" for case in CASES]
)
def test_a_broken_plugin_is_told_in_one_sentence(kind, wrong, body, words, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text(source_of(kind, body))
    host = load_plugins([file])
    plugin = host.plugins[-1]
    assert plugin.problem is None, plugin.problem
    (check,) = checks_of(host, plugin, Wish())
    said = sentence(verdict(check, plugin), "broken.py")
    for word in [*words, kind.removesuffix("s")]:
        assert word in said


def test_every_kind_is_broken_in_some_way():
    from lanista.registry import KINDS

    assert {kind for kind, *_ in CASES} == set(KINDS) - {"recipes"}


@pytest.fixture
def checked(tmp_path, monkeypatch, capfd):
    """Call ``lanista check plugin`` in the test's folder; give the exit code and what it printed."""

    def check(*words):
        monkeypatch.chdir(tmp_path)
        code = main(["check", "plugin", *words])
        told, complaint = capfd.readouterr()
        assert "Traceback" not in told + complaint
        return code, told

    return check


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nothing_of_that_name", ["import", "nothing_of_that_name", "line 1"]),
        ("import sys\nsys.exit(3)", ["import", "sys.exit", "line 2"]),
        ("def f(:", ["SyntaxError", "line 1"]),
        (
            "import lanista\n@lanista.hookimpl\ndef register_shapers(register):\n    register('a', 'nowhere')",
            ["registration", "target", "line 4"],
        ),
        (
            "import lanista\n@lanista.hookimpl\ndef register_shapers(register):\n    raise OSError('disk')",
            ["registration", "disk", "line 4"],
        ),
    ],
    ids=["a missing module", "an exit", "a slip of the pen", "a wrong target", "a raise"],
)
def test_a_plugin_that_breaks_while_it_loads_is_told_by_file_and_line(source, words, tmp_path, checked):
    (tmp_path / "broken.py").write_text(source)
    code, told = checked("broken.py")
    assert code == 1, told
    (line,) = [line for line in told.splitlines() if line.startswith("FAIL")]
    said = sentence(line, "broken.py")
    for word in words:
        assert word in said


LATER = """
@lanista.hookimpl
def register_matchmakers(register):
    register("later", "lanista_plugins.matchmakers.pick:Latest", summary="its turn comes after the env's")
"""


def test_a_plugin_that_hangs_in_reset_is_stopped_and_the_line_is_named(tmp_path, checked):
    body = env(reset="while True: pass")
    hanging = source_of("envs", body) + LATER
    (tmp_path / "hangs.py").write_text(hanging)
    line = 1 + hanging.splitlines().index("        while True: pass")
    code, told = checked("hangs.py", "--timeout", "8")
    assert code == 1, told
    (said,) = [text for text in told.splitlines() if text.startswith("FAIL")]
    sentence(said, "hangs.py")
    assert "did not end within 8 s in reset" in said
    assert f"line {line}" in said
    assert "ok    matchmaker 'later'" in told, "the checks after it have their turn"


def test_a_plugin_that_ends_the_process_is_told(tmp_path, checked):
    (tmp_path / "dies.py").write_text(
        source_of("shapers", SHAPER.replace("return ANSWER", "__import__('os')._exit(0)"))
    )
    code, told = checked("dies.py")
    assert code == 1
    (said,) = [text for text in told.splitlines() if text.startswith("FAIL")]
    assert "os._exit" in sentence(said, "dies.py")


ONE = """
name = "one"
env = "{env}"
[[phases]]
name = "learn"
kind = "{kind}"
{options}
"""
TRAIN = "num_games = 4\nnum_steps = 8\nnetwork = {network}\nuntil = {{ steps = 64 }}\n{more}"


def train(network='"mlp"', more=""):
    return TRAIN.format(network=network, more=more)


#: kind, source, recipe (env, phase kind, options), words of the sentence
RUNS = [
    ("envs", env("self.outcome = np.zeros(num_games, np.float32)"), ("thing", "train", train()), ["env thing", "outcome", "shape"]),
    ("envs", env("self.legal['say'] = np.ones((*cells, 3))"), ("thing", "train", train()), ["env thing", "legal['say']", "bool"]),
    ("envs", env(step="self.final_facts['reward'][0] = np.nan"), ("thing", "train", train()), ["env thing", "facts['reward']", "NaN"]),
    ("envs", env(reset="self.legal['say'][0] = False"), ("thing", "train", train()), ["env thing", "legal['say']", "no legal action"]),
    ("envs", env(reset="self.observation['number'][0] = np.nan"), ("thing", "train", train()), ["env thing", "observation['number']", "finite"]),
    ("envs", env(step="self.observation['number'] = np.zeros((self.num_games, 1, 1), np.float32)"), ("thing", "train", train()), ["env thing", "observation['number']", "another array"]),
    ("envs", env(step="1 / 0"), ("thing", "train", train()), ["broken.py", "step raised ZeroDivisionError", "line"]),
    ("networks", NETWORK.replace("value.squeeze(1)", "value"), ("cartpole", "train", train('"thing"')), ["network 'thing' of plugin broken.py", "value", "shape"]),
    ("networks", NETWORK.replace("out =", "raise RuntimeError('no'); out ="), ("cartpole", "train", train('"thing"')), ["broken.py", "forward raised", "line"]),
    ("learners", LEARNER.replace('return {"loss": 0.0}', "return [][1]"), ("cartpole", "train", train(more='learner = "thing"')), ["broken.py", "update raised IndexError", "line"]),
    ("shapers", SHAPER.replace("ANSWER", "{'a': passage.after['reward'][0]}"), ("cartpole", "train", train(more='shapers = ["thing"]')), ["broken.Thing", "part 'a'", "shape"]),
    ("shapers", SHAPER.replace("ANSWER", "{'a': passage.after['reward'] * np.float32('nan')}"), ("cartpole", "train", train(more='shapers = ["thing"]')), ["broken.Thing", "part 'a'", "NaN"]),
    ("shapers", SHAPER.replace("ANSWER", "{'a': passage.after['speed']}"), ("cartpole", "train", train(more='shapers = ["thing"]')), ["broken.py", "__call__ raised KeyError", "line"]),
    ("players", PLAYER.replace("ANSWER", "legal[games, seats].argmax(axis=1)[:1].repeat(99)"), ("connectx", "train", train(more='league = { opponents = { bots = 1.0 }, bots = ["thing"] }')), ["Thing", "act", "head 'column'"]),
    ("matchmakers", MATCHMAKER.replace("ANSWER", "'nobody'"), ("connectx", "train", train(more='league = { opponents = { pool = 1.0 }, matchmaker = "thing", snapshot_every = 1 }').replace("steps = 64", "steps = 2048").replace("num_steps = 8", "num_steps = 64")), ["matchmaker 'thing'", "candidates"]),
    ("distillers", DISTILLER.replace("ANSWER", "student_value.mean()"), ("cartpole", "train", train() + '\n[[phases]]\nname = "second"\nkind = "train"\nuntil = { steps = 64 }\nteacher = { loss = "thing" }\n'), ["distiller 'thing' of plugin broken.py", "loss", "shape"]),
    ("phases", PHASE.replace("UPDATE", "return 3"), ("cartpole", "thing", ""), ["phase 'thing' of plugin broken.py", "update", "dictionary"]),
    ("loggers", LOGGER.replace("LOG", "metrics['never']"), ("cartpole", "train", train()), ["broken.py", "log raised KeyError", "line"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "recipe", "words"), RUNS, ids=[f"{row[0]}: {row[3][1]} {row[3][-1]}" for row in RUNS]
)
def test_a_run_with_a_broken_plugin_ends_with_one_sentence(
    kind, body, recipe, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text(source_of(kind, body))
    text = ONE.format(env=recipe[0], kind=recipe[1], options=recipe[2])
    if kind == "loggers":
        text = 'loggers = ["thing"]\n' + text
    Path("one.toml").write_text(text)
    assert main(["run", "one.toml", "--plugin", "broken.py", "--out", "out"]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "Traceback" not in said
    for word in [*words, ";"]:
        assert word in said
