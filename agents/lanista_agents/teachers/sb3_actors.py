"""What network the weights of an agent of Stable-Baselines3 make, by their names and shapes.

===============  ======================================================================
PPO, A2C, TRPO   ``mlp_extractor.{shared,policy,value}_net.*``, ``action_net``, ``value_net``, ``log_std``
DQN              ``q_net.q_net.*``
QR-DQN           ``quantile_net.quantile_net.*``
SAC, TQC         ``actor.latent_pi.*``, ``actor.mu``, ``actor.log_std``
TD3, DDPG        ``actor.mu.*``
ARS              ``action_net.*``, or one matrix ``action_net``, and no value
===============  ======================================================================
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.hints import hint
from lanista_agents.networks.actor import FUNCTIONS
from lanista_agents.teachers.inert import Inert
from lanista_agents.teachers.plan import Plan, TeacherFileError, sizes_of

#: torch's classes of activations -> the setting `activation` of the network ``actor``
_ACTIVATIONS = {
    "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "ELU": "elu", "SELU": "selu", "LeakyReLU": "leaky_relu",
    "SiLU": "silu", "Mish": "mish", "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign",
    "ReLU6": "relu6", "Hardtanh": "hardtanh", "Identity": "identity",
}  # fmt: skip
#: what makes an agent one that is not a row of dense layers -> what it is
_OTHERS = {
    "cnn": "it reads pictures through convolutions, and a teacher of this kind reads plain numbers",
    "lstm": "it is recurrent, and a teacher must answer for a state alone",
    "ra_mean": "it normalises batches between its layers (CrossQ), which is not read",
}


@dataclass(frozen=True)
class Agent:
    """What a zip says."""

    words: str
    weights: Mapping[str, AnyArray]
    #: the whole table ``data``
    data: Mapping[str, Any]
    #: its `policy_kwargs` as far as JSON tells
    kwargs: Mapping[str, Any]
    #: the class of the policy, "stable_baselines3.sac.policies.SACPolicy"
    policy: str
    observation: Inert | None
    action: Inert | None
    version: str | None

    @property
    def algorithm(self) -> str | None:
        """Its name in small letters; those that share a policy class are told apart by their settings."""
        module = re.search(r"(?:stable_baselines3|sb3_contrib)\.(?!common)(\w+)\.", self.policy)
        marks = {"cg_max_steps": "trpo", "clip_range": "ppo", "gae_lambda": "a2c"}
        if module is None:
            return next((name for key, name in marks.items() if key in self.data), None)
        if module[1] == "td3" and self.kwargs.get("n_critics") == 1:
            return "ddpg"
        return "maskable_ppo" if module[1] == "ppo_mask" else module[1]

    def layers(self, prefix: str) -> list[tuple[AnyArray, AnyArray]]:
        """The dense layers ``prefix.0``, ``prefix.2``, ...: weight ``[out, in]`` and offset, 0 where it has none."""
        places = {
            int(name.removeprefix(f"{prefix}.").removesuffix(".weight"))
            for name in self.weights
            if re.fullmatch(rf"{re.escape(prefix)}\.\d+\.weight", name)
        }
        return [self.layer(f"{prefix}.{place}") for place in sorted(places)]

    def layer(self, name: str) -> tuple[AnyArray, AnyArray]:
        """One dense layer."""
        weight = self.weights.get(f"{name}.weight")
        if weight is None or weight.ndim != 2:
            raise TeacherFileError(
                f"{self.words}: the layer {name} is missing or no dense one; take another file"
            )
        return weight, self.weights.get(f"{name}.bias", np.zeros(len(weight), np.float32))


def actor_of(agent: Agent) -> Plan:
    """The plan of the agent's actor, and of its critic where that is a value of the state."""
    for name in agent.weights:
        for mark, reason in _OTHERS.items():
            if mark in name:
                raise TeacherFileError(f"{agent.words}: {reason}; use an agent of dense layers (MlpPolicy)")
    _refuse_extractors(agent)
    names = agent.weights.keys()
    if "value_net.weight" in names:
        return _actor_critic(agent)
    for kind, prefix in (("q", "q_net.q_net"), ("quantiles", "quantile_net.quantile_net")):
        if f"{prefix}.0.weight" in names:
            return _values(agent, kind, agent.layers(prefix))
    if (
        any(name.startswith(("actor.latent_pi.", "actor.log_std")) for name in names)
        or "actor.mu.weight" in names
    ):
        return _squashed(agent)
    if "actor.mu.0.weight" in names:
        return _deterministic(agent)
    if "action_net.0.weight" in names or "action_net.weight" in names:
        return _linear_search(agent)
    known = "PPO, A2C, TRPO, DQN, QR-DQN, SAC, TQC, TD3, DDPG and ARS"
    raise TeacherFileError(
        f"{agent.words}: its weights ({', '.join(sorted(names)[:3])}, ...) are none of {known}; use one of those"
    )


def _refuse_extractors(agent: Agent) -> None:
    """Nothing may stand between the observation and the dense layers."""
    if "Cnn" in agent.policy or "CnnPolicy" in str(agent.data.get("policy_class", "")):
        raise TeacherFileError(f"{agent.words}: {_OTHERS['cnn']}; use an agent of dense layers (MlpPolicy)")
    extra = sorted(name for name in agent.weights if "features_extractor" in name)
    if extra:
        raise TeacherFileError(
            f"{agent.words}: a features extractor with weights of its own ({extra[0]}) stands before its layers; use an "
            f"agent of dense layers (MlpPolicy)"
        )


def _plan(
    agent: Agent, settings: dict[str, Any], layers: list[tuple[AnyArray, AnyArray]], actions: tuple[int, ...]
) -> Plan:
    """Layers of the actor alone, the last giving the actions."""
    weights: dict[str, AnyArray] = {}
    _put(weights, "trunk.layers", layers[:-1])
    weights["last.weight"], weights["last.bias"] = layers[-1]
    hidden = sizes_of([weight for weight, _ in layers[:-1]])
    whole = {"hidden": hidden, "critic": None, "activation": _activation(agent), **settings}
    return Plan(agent.words, whole, weights, int(layers[0][0].shape[1]), actions)


def _put(weights: dict[str, AnyArray], prefix: str, layers: list[tuple[AnyArray, AnyArray]]) -> None:
    for place, (weight, bias) in enumerate(layers):
        weights[f"{prefix}.{place}.weight"], weights[f"{prefix}.{place}.bias"] = weight, bias


def _activation(agent: Agent) -> str:
    """The activation that the settings name, or the default of the algorithm."""
    said = agent.kwargs.get("activation_fn")
    if said is None:
        on_policy = "value_net.weight" in agent.weights
        return "tanh" if on_policy else "relu"
    name = re.sub(r"[^\w.]", "", str(said).removeprefix("<class ")).rpartition(".")[2]
    if name not in _ACTIVATIONS:
        raise TeacherFileError(
            f"{agent.words}: its activation is {name or 'without a name'}, which is not known; {hint(name, _ACTIVATIONS)}"
        )
    assert _ACTIVATIONS[name] in FUNCTIONS
    return _ACTIVATIONS[name]


def _actor_critic(agent: Agent) -> Plan:
    """PPO, A2C, TRPO."""
    shared = agent.layers("mlp_extractor.shared_net")
    trunk, critic = agent.layers("mlp_extractor.policy_net"), agent.layers("mlp_extractor.value_net")
    last = agent.layer("action_net")
    outputs = len(last[0])
    kind, sizes = _choices(agent, outputs)
    settings: dict[str, Any] = {
        "shared": sizes_of([weight for weight, _ in shared]),
        "critic": sizes_of([weight for weight, _ in critic]),
        "output": kind,
    }
    if kind == "numbers":
        settings |= _bounds(agent)
        squashed = bool(agent.kwargs.get("squash_output"))
        settings |= {"squash": "tanh", "units": "half"} if squashed else {"squash": "clip", "units": "action"}
    plan = _plan(agent, settings, [*trunk, last], sizes)
    _put(plan.weights, "shared.layers", shared)
    _put(plan.weights, "critic.layers", critic)
    plan.weights["value.weight"], plan.weights["value.bias"] = agent.layer("value_net")
    plan.inputs = int([*shared, *trunk, last][0][0].shape[1])
    if kind == "numbers":
        _deviation(agent, plan, "log_std", int(last[0].shape[1]))
    return plan


def _choices(agent: Agent, outputs: int) -> tuple[str, tuple[int, ...]]:
    """(what the last layer says, the sizes of the heads), by the action space or, without one, by the weights."""
    space = agent.action
    name = "" if space is None else space.name.rpartition(".")[2]
    if space is not None and name == "MultiDiscrete":
        return "logits", tuple(int(size) for size in np.ravel(space.get("nvec")))
    if name == "MultiBinary":
        return "bits", (2,) * outputs
    if name == "Box" or (not name and "log_std" in agent.weights):
        return "numbers", (outputs,)
    return "logits", (outputs,)


def _bounds(agent: Agent) -> dict[str, Any]:
    """The bounds of the action, where they are known and finite; else the env's are taken."""
    found = {} if agent.action is None else {name: agent.action.get(name) for name in ("low", "high")}
    arrays = {
        name: np.ravel(np.asarray(bound, np.float64)) for name, bound in found.items() if bound is not None
    }
    if len(arrays) < 2 or not all(np.isfinite(bound).all() for bound in arrays.values()):
        return {}
    return {name: tuple(bound.tolist()) for name, bound in arrays.items()}


def _deviation(agent: Agent, plan: Plan, name: str, features: int) -> None:
    """A deviation that is a weight: one for each number, or the matrix of gSDE."""
    log_std = agent.weights.get(name)
    if log_std is None:
        plan.settings["deviation"] = "none"
        return
    if agent.kwargs.get("use_expln"):
        log_std = np.log(
            np.where(log_std <= 0.0, np.exp(log_std), np.log1p(np.maximum(log_std, 0.0) + 1e-6) + 1.0)
        )
    if log_std.ndim == 2:
        if len(log_std) != features:
            raise TeacherFileError(
                f"{agent.words}: its exploration has layers of its own (sde_net_arch), which are not read; use another agent"
            )
        log_std = np.broadcast_to(log_std, (features, plan.actions[0])).copy()
    plan.settings["deviation"] = "gsde" if log_std.ndim == 2 else "fixed"
    plan.weights["numbers.log_std"] = log_std.astype(np.float32)


def _values(agent: Agent, kind: str, layers: list[tuple[AnyArray, AnyArray]]) -> Plan:
    """DQN and QR-DQN."""
    outputs = len(layers[-1][0])
    said = None if agent.action is None else agent.action.get("n")
    told = agent.data.get("action_space")
    if said is None and isinstance(told, dict):
        said = told.get("n")
    quantiles = int(agent.kwargs.get("n_quantiles", 200)) if kind == "quantiles" else 1
    actions = int(said) if said is not None and str(said).isdigit() else outputs // quantiles
    if actions < 1 or outputs % actions or (kind == "q" and outputs != actions):
        raise TeacherFileError(
            f"{agent.words}: its last layer gives {outputs} numbers, which do not make {actions} actions; take another file"
        )
    return _plan(agent, {"output": kind, "quantiles": outputs // actions}, layers, (actions,))


def _squashed(agent: Agent) -> Plan:
    """SAC and TQC."""
    limit: float | None = None
    if "actor.mu.weight" in agent.weights:
        last = agent.layer("actor.mu")
    else:
        last, limit = agent.layer("actor.mu.0"), float(agent.kwargs.get("clip_mean", 2.0))
    settings = {
        "output": "numbers", "squash": "tanh", "units": "half", "mean_limit": limit, "deviation": "state", **_bounds(agent),
    }  # fmt: skip
    plan = _plan(agent, settings, [*agent.layers("actor.latent_pi"), last], (len(last[0]),))
    if "actor.log_std.weight" in agent.weights:
        spread = agent.layer("actor.log_std")
        plan.weights["numbers.spread.weight"], plan.weights["numbers.spread.bias"] = spread
    else:
        _deviation(agent, plan, "actor.log_std", int(last[0].shape[1]))
    return plan


def _deterministic(agent: Agent) -> Plan:
    """TD3 and DDPG: the last layer goes through tanh."""
    layers = agent.layers("actor.mu")
    settings = {"output": "numbers", "squash": "tanh", "units": "half", "deviation": "none", **_bounds(agent)}
    return _plan(agent, settings, layers, (len(layers[-1][0]),))


def _linear_search(agent: Agent) -> Plan:
    """ARS: scores of choices, or real numbers, which its linear policy clips and its other one leads by tanh."""
    alone = "action_net.weight" in agent.weights  # one matrix, and so nothing behind it
    layers = [agent.layer("action_net")] if alone else agent.layers("action_net")
    outputs = len(layers[-1][0])
    if agent.action is None or agent.action.name.endswith(".Discrete"):
        return _plan(agent, {"output": "scores"}, layers, (outputs,))
    squashed = not alone and bool(agent.kwargs.get("squash_output", "Linear" not in agent.policy))
    words = {"squash": "tanh", "units": "half"} if squashed else {"squash": "clip", "units": "action"}
    settings = {"output": "numbers", **words, "deviation": "none", **_bounds(agent)}
    return _plan(agent, settings, layers, (outputs,))
