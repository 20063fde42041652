"""The checks of heads, networks and players find what is wrong with those for units, in one sentence."""

import pytest
import torch

from lanista.errors import LanistaError
from lanista.plugins import NoSettings
from lanista.policy import Network, PolicyOutput
from lanista.registry import Entry, Registry
from lanista.spec import UNITS
from lanista.testing import check_head, check_network, check_player
from lanista.testing.practice_units import Teller, offer_practice_units


class Units:
    """A head of units as a stranger writes it, with torch alone."""

    def __init__(self, spec, settings):
        if not spec.units:
            raise LanistaError("only for units")
        self.num_outputs = spec.size

    def logs(self, logits, legal):
        masked = logits.masked_fill(~legal.legal, float("-inf"))
        return masked.log_softmax(-1).masked_fill(~legal.legal, 0.0)

    def sample(self, logits, legal, generator):
        chances = self.logs(logits, legal).exp() * legal.legal
        action = torch.multinomial(chances, 1, generator=generator).squeeze(1)
        return action, self.logprob(logits, legal, action)

    def greedy(self, logits, legal):
        return logits.masked_fill(~legal.legal, float("-inf")).argmax(1)

    def logprob(self, logits, legal, action):
        return legal.sum(self.logs(logits, legal).gather(1, action[:, None]).squeeze(1))

    def entropy(self, logits, legal):
        logs = self.logs(logits, legal)
        return -legal.sum((logs.exp() * logs * legal.legal).sum(1))

    def kl(self, teacher, student, legal, temperature=1.0):
        ours, theirs = (self.logs(logits / temperature, legal) for logits in (teacher, student))
        return legal.sum((ours.exp() * (ours - theirs) * legal.legal).sum(1))

    def exported(self, logits, legal):
        return {"logits": torch.where(legal.legal, logits, torch.finfo(torch.float32).min)}


class ByUnit(Units):
    def entropy(self, logits, legal):
        return super().entropy(logits, legal)[legal.row]


class Illegal(Units):
    def greedy(self, logits, legal):
        return logits.argmax(1)


class Mixing(Units):
    def kl(self, teacher, student, legal, temperature=1.0):
        return super().kl(teacher - teacher.mean(), student - student.mean() * teacher.mean(), legal) * len(
            legal
        )


class Leaking(Units):
    def logprob(self, logits, legal, action):
        return legal.sum(logits.log_softmax(1).gather(1, action[:, None]).squeeze(1))


class Plus(Network):
    """A network of one layer a part; the value counts the units."""

    def __init__(self, observation, heads, settings, unit_observation=()):
        super().__init__()
        self.heads = torch.nn.ModuleDict({head.name: torch.nn.Linear(6, head.size) for head in heads})
        if not any(head.kind == UNITS for head in heads):
            raise LanistaError("for units only")

    def forward(self, observation):
        table = observation[UNITS]
        seen = table.observation["seen"]
        pooled = table.sum(seen)
        logits = {name: layer(seen if name == "orders" else pooled) for name, layer in self.heads.items()}
        return PolicyOutput(logits, pooled.sum(1))


class Crowded(Plus):
    def forward(self, observation):
        output = super().forward(observation)
        return output._replace(value=output.value + observation[UNITS].observation["seen"].sum())


class Wrong(Teller):
    def act(self, env, games, seats):
        return {"say": (super().act(env, games, seats)["say"] + 1) % 4}


class Every(Teller):
    def act(self, env, games, seats):
        return {"say": env.unit_observation["number"].argmax(axis=1)}


def registry_of(**offers):
    registry = Registry()
    offer_practice_units(registry)
    for kind, thing in offers.items():
        name = thing.__name__.lower()
        registry.add_all(
            [Entry(kind, name, f"strangers:{thing.__name__}", NoSettings, "one of ours", "strangers")]
        )
    return registry


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """Targets name a module: this one, under a name of its own."""
    import sys
    from types import ModuleType

    module = ModuleType("strangers")
    module.__dict__.update({name: thing for name, thing in globals().items() if isinstance(thing, type)})
    monkeypatch.setitem(sys.modules, "strangers", module)


def test_a_strangers_head_network_and_player_for_units_pass():
    check_head(registry_of(heads=Units), "units")
    check_network(registry_of(networks=Plus), "plus")
    check_player(registry_of(), "teller", env="practice_units")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (ByUnit, r"entropy has the shape \(\d+,\); asked is a number a row, \[B\] = \(32,\)"),
        (Illegal, r"greedy gives an illegal choice"),
        (Mixing, r"kl"),
        (Leaking, r"logprob.*(illegal|falls|differs|reaches)"),
    ],
)
def test_a_head_that_breaks_the_contract_is_told_how(head, words):
    with pytest.raises(LanistaError, match=words):
        check_head(registry_of(heads=head), head.__name__.lower())


def test_a_network_whose_rows_depend_on_each_others_units_is_told_so():
    with pytest.raises(LanistaError, match="answers a row differently in another batch"):
        check_network(registry_of(networks=Crowded), "crowded")


@pytest.mark.parametrize(
    ("player", "words"),
    [(Wrong, "where it is illegal|chose"), (Every, r"asked is a choice for each unit of the rows, \[U\]")],
)
def test_a_player_that_misplays_units_is_told_so(player, words):
    with pytest.raises(LanistaError, match=words):
        check_player(registry_of(players=player), player.__name__.lower(), env="practice_units")
