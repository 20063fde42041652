"""Symmetries: what is declared makes a group, rows and policies follow it, and the checker finds what does not."""

import copy
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.cli import main
from lanista.errors import EnvContractError
from lanista.plugins import load_plugins
from lanista.policy import PolicyCard, PolicyOutput, build_policy, save_policy
from lanista.rollout import Collector
from lanista.spec import UNITS, EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista.symmetry import Symmetries, Symmetry, SymmetryError
from lanista.symmetry.augmentation import Augmentation
from lanista.symmetry.averaging import AveragedNetwork, averaged_policy
from lanista.symmetry.group import group_of
from lanista.symmetry.rows import Rows
from lanista.testing import check_env
from lanista.units import UnitTable, no_units, seen

SIDE = 4
#: a move to the north, east, south, west after a quarter turn against the clock, and after a mirror
TURNED, MIRRORED = (3, 0, 1, 2), (0, 3, 2, 1)


def spec_of(**more):
    values = {
        "name": "square", "version": "1", "source": "this test", "seats": 1, "turns": "simultaneous",
        "observation": (ObsPart("board", (2, SIDE, SIDE), "uint8", "two planes"),
                        ObsPart("heading", (3,), "float32", "to the east, to the south, and how far of 1")),
        "heads": (HeadSpec("go", "units", 5, "stay or go", units=(("walker", 5), ("tower", 2)), exclusive=((1, 2, 3, 4), ())),
                  HeadSpec("wind", "categorical", 4, "a side")),
        "facts": (FactSpec("reward", "flow", "points", "none"),),
        "max_steps": 1, "reward_range": (0.0, 1.0), "outcome": "score",
        "unit_observation": (ObsPart("sight", (SIDE, SIDE), "int8", "cells around"),),
    }  # fmt: skip
    return EnvSpec(**values | more)


def turned(board):
    return np.rot90(board, axes=(-2, -1))


def mirrored(board):
    return np.flip(board, axis=-1)


def declared(**more):
    def symmetry(name, board, heading, sides):
        go = [0, *(1 + side for side in sides)]
        return Symmetry(
            name, parts={"board": board, "heading": heading}, unit_parts={"sight": board},
            heads={"wind": sides, "go": {"walker": go}}, board=board,
        )  # fmt: skip

    turn = symmetry("turn", turned, lambda h: np.array([h[1], -h[0], h[2]]), TURNED)
    mirror = symmetry("mirror", mirrored, lambda h: np.array([-h[0], h[1], 1.0 - h[2]]), MIRRORED)
    # The third number of `heading` is taken from 1 by the mirror only, so it is a shift that composes.
    return Symmetries((turn, mirror), board=(SIDE, SIDE), **more)


@pytest.fixture(scope="module")
def group():
    return group_of(spec_of(), declared())


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


def random_rows(spec, rows, seed):
    """Observation and masks of random rows with zero to three units each."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(4, size=rows)
    kind = torch.from_numpy(rng.integers(2, size=counts.sum()))
    legal = torch.from_numpy(rng.random((counts.sum(), 5)) < 0.7)
    legal[:, 0] = True
    legal[kind == 1, 2:] = False
    table = UnitTable(
        torch.from_numpy(np.concatenate([[0], counts.cumsum()])),
        torch.from_numpy(np.repeat(np.arange(rows), counts)),
        torch.from_numpy(rng.integers(SIDE * SIDE, size=counts.sum())),
        kind,
        legal,
        {"sight": torch.from_numpy(rng.integers(-9, 9, size=(counts.sum(), SIDE, SIDE)).astype(np.int8))},
        {"action": torch.from_numpy(rng.integers(2, size=counts.sum()))},
    )
    observation = {
        "board": torch.from_numpy(rng.integers(9, size=(rows, 2, SIDE, SIDE)).astype(np.uint8)),
        "heading": torch.from_numpy(rng.random((rows, 3)).astype(np.float32)),
        UNITS: table,
    }
    legal_wind = torch.from_numpy(rng.random((rows, 4)) < 0.7)
    legal_wind[:, 3] = True
    return observation, {"wind": legal_wind, "go": table}


def alike(one, two):
    assert one.keys() == two.keys()
    for name, part in one.items():
        if isinstance(part, UnitTable):
            other = two[name]
            alike({"row": part.row, **part.columns()}, {"row": other.row, **other.columns()})
        else:
            assert part.dtype == two[name].dtype
            torch.testing.assert_close(part, two[name])


def test_a_turn_and_a_mirror_make_the_eight_symmetries_of_the_square(group):
    assert len(group) == 8
    assert group.names[0] == "same"
    assert [group.names[g] for g in group.generators] == ["turn", "mirror"]
    assert group.subgroup(["mirror"]) == [0, group.generators[1]]
    assert len(group.subgroup(["turn"])) == 4
    assert len(group.subgroup(["turn", "mirror"])) == 8
    with pytest.raises(SymmetryError, match=r"no symmetry 'mirro'; did you mean 'mirror'"):
        group.subgroup(["mirro"])


def test_the_products_are_those_of_a_group(group):
    everything = np.arange(8)
    assert (np.sort(group.products, axis=0) == everything[:, None]).all()
    assert (np.sort(group.products, axis=1) == everything).all()
    assert (group.products[everything, group.inverse] == 0).all()
    assert (group.products[group.inverse, everything] == 0).all()
    left = group.products[group.products]
    right = group.products[:, group.products]
    assert (left == right).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 7), st.integers(0, 7), st.integers(0, 10**6))
def test_one_element_after_the_other_is_their_product_and_the_inverse_undoes(first, second, seed):
    spec = spec_of()
    group = group_of(spec, declared())
    rows = Rows(group, spec)
    observation, legal = random_rows(spec, 5, seed)
    one, two, both = (np.full(5, g) for g in (first, second, group.products[first, second]))
    halfway = rows.transformed(observation, legal, one)
    for found, wanted in zip(
        rows.transformed(*halfway, two), rows.transformed(observation, legal, both), strict=True
    ):
        alike(found, wanted)
    back = rows.transformed(*halfway, group.inverse[one])
    alike(back[0], observation)
    alike(back[1], legal)


def test_rows_by_their_own_elements_are_what_numpy_makes_of_each_alone(group):
    spec = spec_of()
    rows = Rows(group, spec)
    observation, legal = random_rows(spec, 40, 1)
    element = np.random.default_rng(2).integers(8, size=40)
    seen_now, masks = rows.transformed(observation, legal, element)
    acts = {"wind": torch.arange(40) % 4, "go": legal["go"].further["action"]}
    acts_now = rows.actions(acts, element, legal["go"])
    functions = {
        "turn": (turned, lambda h: np.array([h[1], -h[0], h[2]]), TURNED),
        "mirror": (mirrored, lambda h: np.array([-h[0], h[1], 1 - h[2]]), MIRRORED),
    }
    table = legal["go"]
    for row in range(40):
        units = slice(int(table.offsets[row]), int(table.offsets[row + 1]))
        board, heading = observation["board"][row].numpy(), observation["heading"][row].numpy()
        sight, cell = table.observation["sight"][units].numpy(), table.cell[units].numpy()
        wind, walk, mask = int(acts["wind"][row]), acts["go"][units].tolist(), legal["wind"][row].numpy()
        unit_mask = table.legal[units].numpy().copy()
        for word in group.names[element[row]].split():
            if word == "same":
                continue
            on_board, on_heading, sides = functions[word]
            board, heading, sight = on_board(board), on_heading(heading), on_board(sight)
            marks = np.zeros((len(cell), SIDE * SIDE))
            marks[np.arange(len(cell)), cell] = 1
            cell = on_board(marks.reshape(-1, SIDE, SIDE)).reshape(-1, SIDE * SIDE).argmax(axis=1)
            wind = sides[wind]
            mask = mask[[sides.index(side) for side in range(4)]]
            for number, kind in enumerate(table.kind[units].tolist()):
                if kind == 0:
                    walk[number] = 0 if walk[number] == 0 else 1 + sides[walk[number] - 1]
                    moves = unit_mask[number, 1:].copy()
                    unit_mask[number, 1:] = moves[[sides.index(side) for side in range(4)]]
        np.testing.assert_array_equal(seen_now["board"][row], board)
        np.testing.assert_allclose(seen_now["heading"][row], heading, atol=1e-6)
        np.testing.assert_array_equal(seen_now[UNITS].observation["sight"][units], sight)
        np.testing.assert_array_equal(seen_now[UNITS].cell[units], cell)
        np.testing.assert_array_equal(seen_now[UNITS].legal[units], unit_mask)
        np.testing.assert_array_equal(masks["wind"][row], mask)
        assert masks["go"] is seen_now[UNITS]
        assert acts_now["wind"][row] == wind
        assert acts_now["go"][units].tolist() == walk == masks["go"].further["action"][units].tolist()


class Scorer(torch.nn.Module):
    """Random scores that know nothing of symmetry."""

    def __init__(self, spec):
        super().__init__()
        torch.manual_seed(0)
        size = 2 * SIDE * SIDE + 3
        self.wind, self.value = torch.nn.Linear(size, 4), torch.nn.Linear(size, 1)
        self.go = torch.nn.Linear(size + SIDE * SIDE + SIDE * SIDE, 5)
        self.cells = torch.nn.Embedding(SIDE * SIDE, SIDE * SIDE)

    def forward(self, observation):
        row = torch.cat([observation["board"].flatten(1), observation["heading"]], 1).double()
        table = observation[UNITS]
        sight = table.observation["sight"].flatten(1).double()
        unit = torch.cat([row[table.row], sight, self.cells(table.cell)], 1)
        return PolicyOutput({"wind": self.wind(row), "go": self.go(unit)}, self.value(row).squeeze(1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 7), st.integers(0, 10**6))
def test_an_averaged_network_scores_a_transformed_row_as_the_row_itself(element, seed):
    spec = spec_of()
    group = group_of(spec, declared())
    network, rows = Scorer(spec).double(), Rows(group, spec)
    observation, legal = random_rows(spec, 4, seed)
    averaged = AveragedNetwork(network, group, spec, range(8))
    elements = np.full(4, element)
    shown = rows.transformed(observation, legal, elements)[0]
    with torch.no_grad():
        ours, theirs = averaged(observation), averaged(shown)
        by_hand = network(observation)
    expected = rows.logits(ours.logits, elements, observation[UNITS])
    for name in ours.logits:
        torch.testing.assert_close(theirs.logits[name], expected[name], rtol=0, atol=1e-6)
    torch.testing.assert_close(ours.value, theirs.value, rtol=0, atol=1e-6)
    assert not torch.allclose(ours.value, by_hand.value)


def test_the_average_is_the_mean_of_the_elements_one_by_one(group):
    spec = spec_of()
    network, rows = Scorer(spec).double(), Rows(group, spec)
    observation, legal = random_rows(spec, 6, 3)
    wanted = [0, *group.subgroup(["mirror"])[1:]]
    with torch.no_grad():
        found = AveragedNetwork(network, group, spec, wanted)(observation)
        one_by_one = []
        for element in wanted:
            own = np.full(6, element)
            shown = rows.transformed(observation, legal, own)[0]
            output = network(shown)
            back = rows.logits(output.logits, group.inverse[own], shown[UNITS])
            one_by_one.append((back["go"], back["wind"], output.value))
    mean = [sum(parts) / len(wanted) for parts in zip(*one_by_one, strict=True)]
    for ours, theirs in zip((found.logits["go"], found.logits["wind"], found.value), mean, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_an_averaged_network_takes_rows_without_any_unit(group):
    spec = spec_of()
    observation, _ = random_rows(spec, 3, 0)
    observation[UNITS] = no_units(spec, 3)
    averaged = AveragedNetwork(Scorer(spec).double(), group, spec, range(8))
    with torch.no_grad():
        assert averaged(observation).logits["go"].shape == (0, 5)


FAULTS = [
    (lambda s: dataclasses.replace(s, parts={"bord": turned}), "parts names 'bord', which is not there; did you mean 'board'"),
    (lambda s: dataclasses.replace(s, parts={"board": lambda b: b * 2}), "does more than move numbers"),
    (lambda s: dataclasses.replace(s, parts={"board": lambda b: np.zeros_like(b)}), "does more than move numbers"),
    (lambda s: dataclasses.replace(s, parts={"board": lambda b: b[0]}), r"makes \(4, 4\) of an array \(2, 4, 4\)"),
    (lambda s: dataclasses.replace(s, parts={"board": lambda b: b.no_such()}), "raised AttributeError"),
    (lambda s: dataclasses.replace(s, heads={"wind": (0, 0, 1, 2)}), r"\[0, 0, 1, 2\] does not name each of them once"),
    (lambda s: dataclasses.replace(s, heads={"go": (0, 1, 2, 3, 4)}), "a list of choices for each kind of unit"),
    (lambda s: dataclasses.replace(s, heads={"go": {"walker": (1, 0, 2, 3, 4)}}), "do not stay among themselves"),
    (lambda s: dataclasses.replace(s, heads={"go": {"walkr": (1, 0, 2, 3, 4)}}), "did you mean 'walker'"),
    (lambda s: dataclasses.replace(s, board=None), "does not say what becomes of the board"),
    (lambda s: dataclasses.replace(s, board=lambda b: -b), "changes cells themselves"),
    (lambda s: dataclasses.replace(s, name="a turn"), "call each by a word of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "sentence"), FAULTS)
def test_what_is_no_symmetry_is_told_in_a_sentence(spoil, sentence):
    turn, mirror = declared().generators
    with pytest.raises(SymmetryError, match=sentence):
        group_of(spec_of(), dataclasses.replace(declared(), generators=(spoil(turn), mirror)))


def test_symmetries_that_make_no_end_are_refused():
    drift = Symmetry("drift", parts={"heading": lambda h: h + 1.0})
    with pytest.raises(SymmetryError, match="more than 96 elements"):
        group_of(spec_of(), Symmetries((drift,)))


def connectx(registry, games, **table):
    options = registry.settings("envs", "connectx", table)
    return registry.load("envs", "connectx")(games, options, 1), options


def mirror_of(registry, **table):
    from lanista.symmetry.find import declared_symmetries

    env, options = connectx(registry, 1, **table)
    return declared_symmetries(registry, "connectx", options.model_dump(), env.spec)


def check_connectx(registry, spoil):
    options = registry.settings("envs", "connectx", {})
    wrong = spoil(mirror_of(registry))
    check_env(registry.load("envs", "connectx"), options, steps=60, symmetries=lambda spec, own: wrong)


def spoilt(**changes):
    def spoil(found):
        return dataclasses.replace(found, generators=(dataclasses.replace(found.generators[0], **changes),))

    return spoil


def test_check_env_holds_declared_symmetries_against_games(registry):
    check_connectx(registry, lambda found: found)
    with pytest.raises(
        EnvContractError,
        match=r"symmetry 'mirror': observation\['board'\] is not the transformed one at .* 1 steps on; games must",
    ):
        check_connectx(registry, spoilt(heads={}))
    with pytest.raises(
        EnvContractError, match=r"observation\['board'\] is not the transformed one at .* after reset"
    ):
        check_connectx(registry, spoilt(parts={"board": lambda b: b[:, ::-1]}))
    with pytest.raises(EnvContractError, match=r"state made no state that load takes \(CheckpointError"):
        check_connectx(registry, spoilt(state=lambda state: {}))
    with pytest.raises(EnvContractError, match="loose names 'bord'; there are board"):
        check_connectx(registry, lambda found: dataclasses.replace(found, loose={"bord": (1,)}))


def test_a_policy_that_averages_plays_mirrored_positions_alike(registry):
    env, options = connectx(registry, 16)
    settings_of = registry.settings("networks", "conv", {}).model_dump(mode="json")
    card = PolicyCard("connectx", options.model_dump(), env.spec, "conv", settings_of)
    torch.manual_seed(1)
    policy = build_policy(card, registry)
    averaged = averaged_policy(policy, registry)
    assert averaged.num_parameters == policy.num_parameters
    rows = Rows(group_of(env.spec, mirror_of(registry)), env.spec)
    env.reset(0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(6):
        index = np.flatnonzero(env.acting)
        observation, legal = seen(env, index)
        shown, masks = rows.transformed(observation, legal, np.ones(len(index), np.int64))
        with torch.no_grad():
            ours, theirs = averaged.network(observation), averaged.network(shown)
        torch.testing.assert_close(ours.logits["column"], theirs.logits["column"].flip(1))
        ours, theirs = averaged.act(observation, legal, None)[0], averaged.act(shown, masks, None)[0]
        best = ours["column"] != 6 - theirs["column"]
        # Equally good columns are told apart by their number: only a mirrored pair may differ.
        assert (ours["column"][best] == theirs["column"][best]).all()
        actions, _, _ = policy.act(observation, legal, generator)
        chosen = np.zeros(env.acting.shape, np.int64)
        chosen[env.acting] = actions["column"].numpy()
        env.step({"column": chosen})


class Listening:
    """A policy that keeps what it was shown and what it said."""

    def __init__(self, policy):
        self.policy, self.network, self.card, self.said = policy, policy.network, policy.card, []

    def act(self, observation, legal, generator):
        found = self.policy.act(observation, legal, generator)
        self.said.append(
            copy.deepcopy((observation, legal, *found))
        )  # what is shown may be the env's own arrays
        return found


@pytest.mark.parametrize("name", ["connectx", "lux_s1"])
def test_an_augmented_rollout_holds_what_was_shown_and_what_the_env_was_told_translated(registry, name):
    """The plain loop: every step asked by hand, every row transformed by hand."""
    from lanista.symmetry.find import find_group

    table = {"size": 8, "max_turns": 10, "observation": "units"} if name == "lux_s1" else {}
    options = registry.settings("envs", name, table)
    env = registry.load("envs", name)(6, options, 1)
    env.reset(1)
    network = "unit_mlp" if name == "lux_s1" else "mlp"
    plain = registry.settings("networks", network, {}).model_dump(mode="json")
    card = PolicyCard(name, options.model_dump(mode="json"), env.spec, network, plain)
    torch.manual_seed(1)
    policy = Listening(build_policy(card, registry))
    rows = Rows(find_group(registry, name, card.env_settings, env.spec), env.spec)
    generator = torch.Generator().manual_seed(0)
    steps = 25
    turns = Augmentation(rows, 6, steps, generator)
    told, real_step, shows, elements = [], env.step, [], []

    def step(actions):
        index = np.flatnonzero(env.acting)
        shows.append((index, copy.deepcopy(seen(env, index))))
        elements.append(turns.element.copy())
        told.append({head: action.copy() for head, action in actions.items()})
        real_step(actions)

    env.step = step
    collector = Collector(
        env,
        policy,
        steps,
        [lambda passage: {"reward": passage.after["reward"]}],
        0.99,
        generator,
        augmentation=turns,
    )
    rollout, _ = collector.collect(0.0)
    observation, legal, actions = rollout.decided()
    head = env.spec.heads[0].name
    taken = np.split(actions[head].numpy(), np.cumsum([len(said[2][head]) for said in policy.said])[:-1])
    first = 0
    assert len({tuple(found) for found in elements}) > 1  # games ended, and drew anew
    for t, (index, (before, masks)) in enumerate(shows):
        own = elements[t][index]
        said = policy.said[t]
        wanted, may = rows.transformed(before, masks, own)
        alike(said[0], wanted)
        alike(said[1], may)
        translated = rows.actions({head: said[2][head]}, rows.group.inverse[own], before.get(UNITS))[head]
        played = told[t][head] if UNITS in before else told[t][head].reshape(-1)[index]
        np.testing.assert_array_equal(played, translated)
        np.testing.assert_array_equal(taken[t], said[2][head])
        np.testing.assert_array_equal(rollout.logprob[t, index], said[3])
        np.testing.assert_array_equal(rollout.value[t, index], said[4])
        stretch = slice(first, first + len(index))
        for part, array in wanted.items():
            if part != UNITS:
                torch.testing.assert_close(observation[part][stretch], array)
        if UNITS in before:
            kept = observation[UNITS][stretch]
            alike({"t": dataclasses.replace(kept, further={})}, {"t": wanted[UNITS]})
        else:
            torch.testing.assert_close(legal[head][stretch], may[head])
        first += len(index)
    with torch.no_grad():  # the values at the end are those of what would be shown next
        last = turns.seen(seen(env, np.arange(12))[0], turns.element)
        np.testing.assert_allclose(rollout.bootstrap_value, policy.network(last).value, atol=1e-6)


def test_the_page_on_symmetry_declares_one_that_holds(registry):
    page = (Path(__file__).parents[2] / "docs" / "symmetry.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    named = {}
    exec(code, named)  # the page's own example
    options = registry.settings("envs", "connectx", {})
    check_env(registry.load("envs", "connectx"), options, steps=40, symmetries=named["symmetries"])


def test_eval_averages_a_policy_and_nothing_else(registry, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    env, options = connectx(registry, 1)
    plain = registry.settings("networks", "mlp", {"hidden": [8]}).model_dump(mode="json")
    torch.manual_seed(0)
    save_policy(
        tmp_path / "p",
        build_policy(PolicyCard("connectx", options.model_dump(), env.spec, "mlp", plain), registry),
    )

    def told(*words):
        capsys.readouterr()
        code = main(["eval", *words, "--games", "2", "--json"])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    code, out, _ = told("p", "--against", "random", "--average-symmetries", "mirror")
    assert code == 0
    assert json.loads(out)["average_symmetries"] == "mirror"
    code, _, error = told("p", "--against", "random", "--average-symmetries", "miror")
    assert code == 1
    assert "there is no symmetry 'miror'; did you mean 'mirror'?" in error
    code, _, error = told("random", "--against", "p", "--average-symmetries", "all")
    assert code == 64
    assert "--average-symmetries is for a policy, and random is none" in error
    code, _, error = told("p", "--against", "random", "--official", "--average-symmetries", "all")
    assert code == 64
    assert "belongs to lanista's own games" in error
