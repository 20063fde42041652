"""The pieces of a distillation: memory, drivers, fitting, scaling, tests on shared starts."""

import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.errors import LanistaError
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy import Policy, PolicyOutput, build_policy, load_policy, save_policy
from lanista.rollout import Collector
from lanista.schedules import Schedule
from lanista.spec import ObsPart
from lanista.tables import EnvTable
from lanista_plugins.phases.distill import Distill
from lanista_plugins.phases.driving import Drivers, Driving
from lanista_plugins.phases.fitting import Fitting, Losses
from lanista_plugins.phases.labelled import LabelledRows
from lanista_plugins.phases.paired import Standing, better_place
from lanista_plugins.phases.scaling import known_scaling, measured_scaling
from lanista_plugins.phases.settings import DistillSettings, LossSettings

HOST = load_plugins()
SLIM = Path(__file__).parents[1] / "teachers" / "slim"


def context(env: str = "cartpole", **options) -> PhaseContext:
    return PhaseContext(HOST.registry, EnvTable(use=env, **options), "student", Path(), 3, 1, {})


def policy_for(env, seed: int, env_name: str = "cartpole", **network) -> Policy:
    torch.manual_seed(seed)
    options = HOST.registry.settings("networks", "mlp", {"hidden": [8], "policy_gain": 2.0, **network})
    return build_policy(context(env_name).card(env, "mlp", options.model_dump(mode="json")), HOST.registry)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(0, 14), max_size=6))
def test_memory_holds_the_newest_rows(capacity: int, sizes: list[int]) -> None:
    rows, kept, number = LabelledRows(capacity), [], 0
    for size in sizes:
        fresh = torch.arange(number, number + size, dtype=torch.float32)
        number += size
        kept = [*kept, *fresh.tolist()][-capacity:]
        rows.add({"o": fresh[:, None]}, {}, PolicyOutput({"h": -fresh[:, None]}, fresh))
    assert len(rows) == len(kept)
    if not kept:
        return
    newest = rows.newest(capacity)
    assert newest.value.tolist() == kept
    assert newest.observation["o"][:, 0].tolist() == kept
    assert (-newest.logits["h"][:, 0]).tolist() == kept
    again = LabelledRows(capacity)
    again.load_state(rows.state())
    drawn = [memory.draw(20, torch.Generator().manual_seed(1)).value for memory in (rows, again)]
    assert drawn[0].tolist() == drawn[1].tolist()
    assert set(drawn[0].tolist()) <= set(kept)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_every_row_is_labelled_by_the_teacher_and_played_by_its_driver(share: float) -> None:
    env = context().make_env(6)
    env.reset(0)
    student, teacher = policy_for(env, 1), policy_for(env, 2)
    drivers = Drivers(student, teacher, Driving(stretch=7))
    collector = Collector(env, drivers, 40, [], 1.0, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    drivers.watch(collector)
    seen = []
    for _ in range(3):
        drivers.begin(share, teacher_noise=0.0)
        rollout, _ = collector.collect(0.0)
        rows = {name: torch.from_numpy(part[rollout.learn]) for name, part in rollout.observation.items()}
        labels = drivers.labels(rollout)
        with torch.no_grad():
            theirs, ours = teacher.network(rows), student.network(rows)
        assert torch.allclose(labels.logits["push"], theirs.logits["push"], atol=1e-5)
        assert torch.allclose(labels.value, theirs.value, atol=1e-5)
        played = torch.from_numpy(rollout.action["push"][rollout.learn])
        by_teacher, by_student = theirs.logits["push"].argmax(1), ours.logits["push"].argmax(1)
        assert bool(((played == by_teacher) | (played == by_student)).all())
        seen.append(float((played == by_student).float().mean()))
    if share == 1.0:
        assert seen == [1.0] * 3
    assert share != 0.0 or min(seen) < 1.0


def test_a_driver_keeps_a_game_for_a_stretch_and_no_longer() -> None:
    env = context().make_env(64)
    env.reset(0)
    drivers = Drivers(policy_for(env, 1), policy_for(env, 2), Driving(stretch=5))
    collector = Collector(env, drivers, 1, [], 1.0, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    drivers.watch(collector)
    held = []
    for _ in range(5):
        drivers.begin(0.5)
        collector.collect(0.0)
        held.append(drivers.by_student.copy())
    # No game of CartPole ends within five steps, so nobody is replaced before that.
    assert all((drivers_now == held[0]).all() for drivers_now in held)
    assert 0.25 < held[0].mean() < 0.75
    drivers.begin(0.5)
    collector.collect(0.0)
    assert 0.25 < (drivers.by_student != held[0]).mean() < 0.75
    collector.games_restarted()
    drivers.begin(1.0)
    collector.collect(0.0)
    assert drivers.by_student.all()


def test_noise_is_on_the_teachers_moves_and_not_on_its_labels() -> None:
    env = context("pendulum").make_env(32)
    env.reset(0)
    student, teacher = (policy_for(env, seed, "pendulum") for seed in (1, 2))
    drivers = Drivers(student, teacher, Driving())
    collector = Collector(env, drivers, 20, [], 1.0, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    drivers.watch(collector)
    drivers.begin(0.0, teacher_noise=0.3)
    rollout, _ = collector.collect(0.0)
    (head,) = env.spec.heads
    labels = drivers.labels(rollout).logits[head.name]
    clean = teacher.heads[head.name].greedy(labels, None)
    apart = torch.from_numpy(rollout.action[head.name][rollout.learn]) - clean
    half = (head.high[0] - head.low[0]) / 2.0
    assert 0.2 * half < float(apart.std()) < 0.35 * half
    assert float(torch.from_numpy(rollout.action[head.name]).abs().max()) <= head.high[0]


@pytest.mark.parametrize("name", ["pendulum", "cartpole"])
def test_a_shove_holds_one_random_move_from_a_games_second_stretch_on_and_its_states_are_labelled(
    name: str,
) -> None:
    env = context(name).make_env(64)
    env.reset(0)
    student, teacher = (policy_for(env, seed, name) for seed in (1, 2))
    drivers = Drivers(student, teacher, Driving(stretch=10, shove=6))
    collector = Collector(env, drivers, 20, [], 1.0, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    drivers.watch(collector)
    drivers.begin(1.0)
    rollout, _ = collector.collect(0.0)
    (head,) = env.spec.heads
    assert rollout.learn.all()
    rows = {part: torch.from_numpy(array[rollout.learn]) for part, array in rollout.observation.items()}
    with torch.no_grad():
        theirs, ours = teacher.network(rows), student.network(rows)
    assert torch.allclose(drivers.labels(rollout).logits[head.name], theirs.logits[head.name], atol=1e-5)
    played = rollout.action[head.name].reshape(20, 64, -1)
    own = student.heads[head.name].greedy(ours.logits[head.name], None).numpy().reshape(20, 64, -1)
    shoved = ~np.isclose(played, own, atol=1e-5).all(axis=2)
    assert not shoved[:10].any()
    if name == "cartpole":  # the random choice may be the student's own, and games end early
        assert 0.03 < shoved[10:].mean() < 0.3
        return
    lasted = shoved[10:].sum(axis=0)
    assert set(lasted.tolist()) == set(range(7))
    for game, count in enumerate(lasted):
        assert shoved[10 : 10 + count, game].all()  # at the start, one after the other
        assert len(np.unique(played[10 : 10 + count, game])) <= 1
    assert (rollout.logprob[shoved.reshape(rollout.logprob.shape)] == 0.0).all()


def terms(name: str) -> Losses:
    from lanista.tables import DistillerTable

    return Losses([LossSettings(loss=DistillerTable(use=name))], HOST.registry)


def filled(policy: Policy, rows: int = 300) -> LabelledRows:
    part, head = policy.card.spec.observation[0], policy.card.spec.heads[0]
    torch.manual_seed(9)
    memory = LabelledRows(rows)
    legal = {} if head.continuous else {head.name: torch.ones(rows, head.size, dtype=torch.bool)}
    outputs = policy.heads[head.name].num_outputs
    memory.add(
        {part.name: torch.randn(rows, *part.shape)},
        legal,
        PolicyOutput({head.name: torch.randn(rows, outputs)}, torch.randn(rows)),
    )
    return memory


@pytest.mark.parametrize(
    ("env_name", "loss"), [("cartpole", "kl"), ("pendulum", "mse"), ("cartpole", "value")]
)
@pytest.mark.parametrize("own_way_back", [True, False])
def test_fitting_steps_as_torch_does(env_name: str, loss: str, own_way_back: bool, monkeypatch) -> None:
    env = context(env_name).make_env(1)
    policy = policy_for(env, 1, env_name)
    plain = Policy(copy.deepcopy(policy.network), policy.heads, policy.card)
    memory, losses = filled(policy), terms(loss)
    adam = torch.optim.Adam(plain.network.parameters(), lr=0.01)
    if not own_way_back:
        monkeypatch.delattr(type(policy.network), "vjp")
    fitting = Fitting(policy.network, losses, 0.9)
    average = [weight.detach().clone() for weight in plain.network.parameters()]
    for step in range(12):
        batch = memory.draw(64, torch.Generator().manual_seed(step))
        fitting.step([(policy, batch)], 0.0, 0.01)
        output = plain.network(batch.observation)
        total, _ = losses.of(plain, output.logits, output.value, batch, 0.0)
        adam.zero_grad()
        total.backward()
        adam.step()
        keep = min(0.9, step / (step + 10))
        average = [
            keep * old + (1 - keep) * new.detach()
            for old, new in zip(average, plain.network.parameters(), strict=True)
        ]
    for mine, theirs in zip(policy.network.parameters(), plain.network.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)
    for mine, theirs in zip(fitting.show_average().parameters(), average, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)


def test_two_parts_are_averaged() -> None:
    env = context().make_env(1)
    one, two = policy_for(env, 1), policy_for(env, 1)
    memory, losses = filled(one), terms("kl")
    first = memory.draw(64, torch.Generator().manual_seed(0))
    halves = [
        replace(
            first,
            observation={name: part[place] for name, part in first.observation.items()},
            legal={name: mask[place] for name, mask in first.legal.items()},
            logits={name: part[place] for name, part in first.logits.items()},
            value=first.value[place],
        )
        for place in (slice(0, 32), slice(32, 64))
    ]
    whole, apart = Fitting(one.network, losses, 0.0), Fitting(two.network, losses, 0.0)
    for _ in range(5):
        found = whole.step([(one, first)], 0.0, 0.01)
        shared = apart.step([(two, half) for half in halves], 0.0, 0.01)
        assert found["kl_loss"] == pytest.approx(shared["kl_loss"], rel=1e-4)
    for mine, theirs in zip(one.network.parameters(), two.network.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_restored_fitting_goes_on_bit_for_bit() -> None:
    env = context().make_env(1)
    one, two = policy_for(env, 1), policy_for(env, 2)
    memory, losses = filled(one), terms("kl")
    first, second = Fitting(one.network, losses, 0.9), Fitting(two.network, losses, 0.9)

    def steps(fitting: Fitting, policy: Policy) -> None:
        for step in range(3):
            batch = memory.draw(32, torch.Generator().manual_seed(step))
            fitting.step([(policy, batch)], 0.0, 0.01)

    steps(first, one)
    second.load_state({name: array.copy() for name, array in first.state().items()})
    steps(first, one)
    steps(second, two)
    mine, theirs = first.state(), second.state()
    assert set(mine) == set(theirs)
    assert all(np.array_equal(array, theirs[name]) for name, array in mine.items())


def test_a_loss_without_a_gradient_is_refused() -> None:
    env = context().make_env(1)
    policy, losses = policy_for(env, 1), terms("kl")

    class Nothing:
        def loss(self, policy, student_logits, student_value, teacher_logits, teacher_value, legal):
            return torch.zeros(len(teacher_value))

    losses.terms = [("kl", Nothing(), Schedule(start=1.0, end=1.0))]
    with pytest.raises(LanistaError, match="no loss term has a gradient"):
        Fitting(policy.network, losses, 0.0).step([(policy, filled(policy).newest(8))], 0.0, 0.01)


def test_scaling_follows_what_was_seen_and_is_kept_with_the_policy(tmp_path: Path) -> None:
    parts = (
        ObsPart("far", (3,), "float32", "m"),
        ObsPart("known", (2,), "float32", "m", (0.0,), (4.0,)),
        ObsPart("board", (1, 2, 2), "float32", "planes"),
        ObsPart("count", (2,), "int32", "pieces"),
    )
    torch.manual_seed(0)
    seen = {
        "far": torch.stack([5000.0 + 300.0 * torch.randn(999), torch.full((999,), 7.0), torch.zeros(999)], 1),
        "known": 0.001 * torch.randn(999, 2),
        "board": torch.randn(999, 1, 2, 2),
        "count": torch.ones(999, 2, dtype=torch.int32),
    }
    seen["far"][0, 2] = 100.0  # seldom, and then far
    found = measured_scaling(parts, seen)
    assert set(found) == {"far", "known"}
    center, spread = found["far"]["center"], found["far"]["spread"]
    assert center[0] == pytest.approx(5000.0, abs=40.0)
    assert spread[0] == pytest.approx(300.0, rel=0.1)
    assert (center[1], spread[1]) == (pytest.approx(7.0), 1.0)
    assert (100.0 - center[2]) / spread[2] == pytest.approx(5.0)
    assert found["known"]["spread"] == pytest.approx(
        [0.4, 0.4]
    )  # not narrower than a tenth of what the env knows

    env = context().make_env(1)
    name = env.spec.observation[0].name
    plain = policy_for(env, 1)
    scaling = {name: {"center": [1.0, 2.0, 3.0, 4.0], "spread": [2.0, 2.0, 2.0, 2.0]}}
    torch.manual_seed(1)
    scaled = build_policy(replace(plain.card, scaling=scaling), HOST.registry)
    save_policy(tmp_path, scaled)
    loaded = load_policy(tmp_path, HOST.registry)
    assert loaded.card == scaled.card
    assert "scaling" not in plain.card.to_json()
    own = env.spec.observation[0]
    states = torch.randn(5, 4)
    back = (states - torch.tensor(own.center)) / torch.tensor(
        own.spread
    )  # what the unscaled one makes of them
    moved = back * 2.0 + torch.tensor([1.0, 2.0, 3.0, 4.0])
    with torch.no_grad():
        assert torch.allclose(
            loaded.network({name: moved}).logits["push"],
            plain.network({name: states}).logits["push"],
            atol=1e-5,
        )


def test_the_share_is_of_the_distance_from_random_moves() -> None:
    draw = np.random.default_rng(0)
    starts = draw.normal(0.0, 50.0, 200)
    standing = Standing(
        student=(-300.0 + starts + draw.normal(0.0, 5.0, 200)).astype(np.float32),
        teacher=(-200.0 + starts).astype(np.float32),
        random=(-1200.0 + starts).astype(np.float32),
    )
    assert standing.share == pytest.approx(0.9, abs=0.002)
    low, high = standing.share_interval()
    assert low < 0.9 < high
    assert high - low < 0.004  # pairs: what the starts have in common does not widen it
    assert standing.distance_problem() is None
    same = Standing(standing.teacher, standing.teacher, standing.random)
    assert same.share == 1.0
    assert same.share_interval() == (1.0, 1.0)
    useless = Standing(standing.student, standing.random, standing.random + 1.0)
    assert "random moves" in useless.distance_problem()
    assert np.isnan(useless.share)
    few = Standing(standing.student[:2], np.array([9.0, 500.0]), np.array([8.0, 21.0]))
    assert few.distance_problem() is None


def test_a_candidate_is_taken_only_if_it_is_better_beyond_doubt() -> None:
    draw = np.random.default_rng(1)
    last = draw.normal(100.0, 30.0, 30)
    luck = last + draw.normal(1.0, 20.0, 30)
    better = last + draw.normal(10.0, 5.0, 30)
    assert better_place([luck, last - 5.0, last]) == 2
    assert better_place([luck, better, last]) == 1
    assert better_place([last]) == 0


def test_schedules_hold_lead_and_arrive() -> None:
    line = Schedule(start=0.0, end=1.0, hold=0.2, by=0.6)
    assert [line.at(p) for p in (0.1, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    wave = Schedule(start=2.0, end=0.0, shape="cosine")
    assert [wave.at(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([2.0, 1.0, 0.0])
    assert wave.at(0.1) > 1.9
    with pytest.raises(ValueError, match="must come after hold"):
        Schedule(start=0.0, end=1.0, hold=0.5, by=0.5)


def begun(env: str, teacher: Path, **options) -> Distill:
    values = {
        "teacher": str(teacher), "network": {"use": "mlp", "hidden": [8]}, "num_games": 8, "num_steps": 24,
        "steps_per_rollout": 4, "minibatch_size": 32, "stretch": 9, "buffer": 500, "until": {"steps": 2400},
        "student_share": 0.5, "teacher_noise": 0.1, "candidates": 2,
    }  # fmt: skip
    phase = Distill(context(env), DistillSettings.model_validate({**values, **options}))
    phase.start()
    return phase


@pytest.mark.parametrize("env_name", ["cartpole", "gymnasium:CartPole-v1"])
@pytest.mark.parametrize("random_opening", [0, 6])
def test_a_phase_goes_on_bit_for_bit(tmp_path: Path, env_name: str, random_opening: int) -> None:
    env = context(env_name).make_env(1)
    save_policy(tmp_path, policy_for(env, 2, env_name))
    first = begun(env_name, tmp_path, random_opening=random_opening)
    for _ in range(10):
        first.update()
    state = copy.deepcopy(first.state())
    second = begun(env_name, tmp_path, random_opening=random_opening)
    second.load_state(state)
    for _ in range(2):
        rows = [
            {key: value for key, value in phase.update().items() if not key.startswith("time/")}
            for phase in (first, second)
        ]
        assert rows[0] == rows[1]
    for mine, theirs in zip(
        first.policy.network.parameters(), second.policy.network.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs)
    first.close()
    second.close()


@pytest.fixture(scope="module")
def upright(tmp_path_factory) -> Path:
    """A policy that balances the pole: it pushes to where the pole leans and moves."""
    folder = tmp_path_factory.mktemp("upright")
    env = context().make_env(1)
    policy = policy_for(env, 0, hidden=[2])
    with torch.no_grad():
        for weight in policy.network.parameters():
            weight.zero_()
        layer, last = policy.network.trunk.layers[0], policy.network.outputs.layer
        own = env.spec.observation[0]
        leans = torch.tensor([0.05, 0.1, 1.0, 0.6]) * torch.tensor(own.spread).expand(4)
        layer.weight[0] = leans
        last.weight[0, 0], last.weight[1, 0] = -8.0, 8.0
    save_policy(folder, policy)
    return folder


def test_a_phase_ends_when_the_share_of_the_distance_is_reached(upright: Path) -> None:
    phase = begun(
        "cartpole", upright, num_games=32, steps_per_rollout=40, minibatch_size=256, learning_rate=0.01,
        student_share={"start": 0.0, "end": 1.0, "by": 0.2}, buffer=50_000, candidates=0, teacher_noise=0.0,
        until={"steps": 60_000, "share_at_least": 0.95, "episodes": 20, "every": 3000}, compare_episodes=20,
    )  # fmt: skip
    rows = []
    while not phase.finished:
        rows.append(phase.update())
    assert phase.steps < 60_000
    measured = [row for row in rows if "share" in row]
    assert measured[-1]["share_low"] >= 0.95
    result = phase.result()
    assert result.chosen.startswith("best by measure (")
    assert result.figures["share"] >= 0.95
    assert result.figures["random"] < 60.0 < result.figures["teacher"]
    phase.close()


def test_a_teacher_that_plays_like_chance_fails_the_stage(tmp_path: Path, upright: Path) -> None:
    """Its choices are shuffled: it pushes away from where the pole leans."""
    shuffled = load_policy(upright, HOST.registry)
    with torch.no_grad():
        layer = shuffled.network.outputs.layer
        layer.weight[:2] = layer.weight[:2].flip(0)
    save_policy(tmp_path, shuffled)
    phase = begun("cartpole", tmp_path, compare_episodes=20)
    while not phase.finished:
        phase.update()
    with pytest.raises(LanistaError, match="so there is nothing to learn from it here"):
        phase.result()
    phase.close()
    early = begun(
        "cartpole", tmp_path, until={"steps": 2400, "share_at_least": 0.9, "episodes": 20, "every": 1}
    )
    with pytest.raises(LanistaError, match="nothing to learn from it here"):
        early.update()
    early.close()


def test_a_student_begins_with_weights_of_its_own(tmp_path: Path, upright: Path) -> None:
    phase = begun(
        "cartpole", upright, network=None, warm_start=str(upright), student_share=1.0, learning_rate=1e-6
    )
    phase.update()
    other = load_policy(upright, HOST.registry)
    for mine, theirs in zip(phase.policy.network.parameters(), other.network.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-4)
    phase.close()
    with pytest.raises(LanistaError, match="begins with the weights of"):
        begun("cartpole", upright, warm_start=str(upright))
    with pytest.raises(ValueError, match="name the student's network"):
        DistillSettings.model_validate({"until": {"steps": 1}})


def test_steps_after_a_rollout_may_be_scheduled(upright: Path) -> None:
    # A rollout is 192 of 1,920 steps: a tenth of the phase.
    many = {"start": 10, "end": 4, "hold": 0.25, "by": 0.55}
    phase = begun("cartpole", upright, steps_per_rollout=many, until={"steps": 1920})
    taken = [0]
    while not phase.finished:
        phase.update()
        taken.append(phase.fitting.steps)
    phase.close()
    assert np.diff(taken).tolist() == [10, 10, 10, 9, 7, 5, 4, 4, 4, 4]
    with pytest.raises(ValueError, match="steps_per_rollout goes from 4 to 0; take 1 step or more"):
        DistillSettings.model_validate(
            {"network": "mlp", "until": {"steps": 1}, "steps_per_rollout": {"start": 4, "end": 0}}
        )


def test_a_trajectory_loss_learns_from_the_students_own_rollouts(upright: Path) -> None:
    phase = begun(
        "cartpole", upright, losses=[{"loss": {"use": "expected_entropy"}}], greedy=False, student_share=1.0,
        teacher_noise=0.0, num_steps=32, num_games=32, learning_rate=0.01, until={"steps": 30_720},
        candidates=0, allowed_loss=1.0, compare_episodes=10,
    )  # fmt: skip
    first = [phase.update() for _ in range(3)]
    while not phase.finished:
        last = phase.update()
    assert "later_cost_spread" in last
    assert last["expected_entropy_loss"] < first[0]["expected_entropy_loss"]
    told = phase.result().figures
    assert told["student"] > 3.0 * told["random"]
    phase.close()
    with pytest.raises(LanistaError, match="takes sampled moves"):
        begun("cartpole", upright, losses=[{"loss": {"use": "expected_entropy"}}], student_share=1.0)


class WalkerSpaces(gymnasium.Env):
    """What BipedalWalker shows and takes, without its physics, which are an extra."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (24,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)


def test_a_teacher_that_knows_another_scaling_is_refused(monkeypatch) -> None:
    from lanista_plugins.phases.scaling import statistics_problem

    spec = gymnasium.envs.registration.EnvSpec("WalkerSpaces-v0", WalkerSpaces, max_episode_steps=9)
    monkeypatch.setitem(gymnasium.registry, "WalkerSpaces-v0", spec)
    teacher = context("gymnasium:WalkerSpaces-v0").policy_of(f"npz:{SLIM / 'a2c-BipedalWalker-v3.npz'}")
    torch.manual_seed(0)
    center, factor = teacher.network.center, teacher.network.factor
    own = center + torch.randn(500, len(center)) / factor
    assert statistics_problem(teacher, {"observation": own}) is None
    assert "deviations from the mean that the teacher knows" in statistics_problem(
        teacher, {"observation": 300.0 * own + 40.0}
    )
    plain = context().make_env(1)
    assert statistics_problem(policy_for(plain, 1), {}) is None


def test_a_student_takes_the_scale_of_its_teacher_for_numbers_that_the_first_states_hardly_move() -> None:
    part = ObsPart("observation", (3,), "float32", "m")
    teacher = SimpleNamespace(
        network=SimpleNamespace(
            scaled=lambda seen: (
                (seen["observation"] - torch.tensor([0.5, 2.0, 0.0])) * torch.tensor([4.0, 100.0, 1.0])
            )
        )
    )
    known = known_scaling(teacher, (part,))
    torch.manual_seed(0)
    # a clock at its beginning, a number that moves more than the teacher knew, one that it left as it was
    seen = torch.stack([1.0 - 0.01 * torch.rand(999), torch.randn(999), 0.1 * torch.randn(999)], 1)
    found = measured_scaling((part,), {"observation": seen}, known)["observation"]
    assert (found["center"][0], found["spread"][0]) == (pytest.approx(0.5), pytest.approx(0.25))
    assert found["spread"][1:] == pytest.approx([1.0, 0.1], rel=0.1)
    assert found["center"][1:] == pytest.approx([0.0, 0.0], abs=0.1)
    own = SimpleNamespace(scaling={"observation": found})
    again = known_scaling(SimpleNamespace(network=object(), card=own), (part,))
    assert [numbers.tolist() for numbers in again["observation"]] == [found["center"], found["spread"]]
    boards = (part, ObsPart("board", (1, 2, 2), "float32", "planes"))
    assert known_scaling(teacher, boards) == {}


def test_a_scripted_player_teaches_where_it_stands(tmp_path: Path) -> None:
    values = {
        "teacher": "player:connectx_negamax", "network": {"use": "mlp", "hidden": [32]}, "num_games": 16,
        "num_steps": 16, "steps_per_rollout": 20, "minibatch_size": 128, "until": {"steps": 4608},
        "compare_episodes": 4, "allowed_loss": 1.0, "random_opening": 4, "learning_rate": 0.005,
    }  # fmt: skip
    phases = []
    for _ in range(2):
        phases.append(Distill(context("connectx"), DistillSettings.model_validate(values)))
        phases[-1].start()
    first, second = phases
    rows = [first.update() for _ in range(15)]
    second.load_state(copy.deepcopy(first.state()))
    for phase in phases:
        while not phase.finished:
            last = phase.update()
    assert last["agreement"] > rows[0]["agreement"] + 0.05
    results = [phase.result() for phase in phases]
    assert results[0].figures["agreement"] == results[1].figures["agreement"] > 0.5
    assert results[0].figures["teacher_parameters"] == 0
    assert "teacher_latency_us" not in results[0].figures
    for phase in phases:
        phase.close()


def test_a_share_is_not_asked_of_a_game_for_two(tmp_path: Path) -> None:
    env = context("connectx").make_env(1)
    save_policy(tmp_path, policy_for(env, 2, "connectx"))
    with pytest.raises(LanistaError, match="ask for score_at_least against an opponent"):
        begun("connectx", tmp_path, until={"steps": 2400, "share_at_least": 0.9})
