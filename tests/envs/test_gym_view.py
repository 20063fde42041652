"""The gymnasium views, held against gymnasium's own envs and checkers."""

import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import lanista_envs.gym_registration
from lanista.errors import UsageError
from lanista_envs.cartpole.env import CartPole
from lanista_envs.connectx.env import ConnectX
from lanista_envs.gym_view import SingleView, VectorView

IDS = [
    ("lanista/CartPole-v1", "CartPole-v1"),
    ("lanista/MountainCar-v0", "MountainCar-v0"),
    ("lanista/Pendulum-v1", "Pendulum-v1"),
]


@pytest.mark.parametrize(("ours", "theirs"), IDS)
def test_the_single_view_passes_gymnasiums_checker_without_a_warning(ours, theirs):
    env = gymnasium.make(ours, render_mode="ansi")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # It advises against Pendulum's own torque of -2 to 2.
        warnings.filterwarnings("ignore", message=".*recommend using a symmetric and normalized space")
        check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize(("ours", "theirs"), IDS)
def test_spaces_are_gymnasiums(ours, theirs):
    one, two = gymnasium.make(ours), gymnasium.make(theirs)
    assert one.action_space == two.action_space
    assert one.observation_space.shape == two.observation_space.shape
    assert one.observation_space.dtype == two.observation_space.dtype
    finite = np.isfinite(two.observation_space.high)
    assert np.array_equal(one.observation_space.high[finite], two.observation_space.high[finite])
    assert np.array_equal(one.observation_space.low[finite], two.observation_space.low[finite])
    assert one.spec.max_episode_steps == two.spec.max_episode_steps
    assert one.spec.reward_threshold == two.spec.reward_threshold


@pytest.mark.parametrize(("ours", "theirs"), IDS)
def test_the_vector_view_steps_like_gymnasiums_sync_vector_env(ours, theirs):
    """Same starts and actions; observations, rewards, flags and infos are compared in every step."""
    n = 6
    view = gymnasium.make_vec(ours, num_envs=n)
    judge = SyncVectorEnv([lambda: gymnasium.make(theirs)] * n, autoreset_mode=AutoresetMode.SAME_STEP)
    assert view.metadata["autoreset_mode"] is judge.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    observation, infos = view.reset(seed=5)
    judge.reset(seed=5)
    games = view.unwrapped.env.games

    def start_alike(which):
        for i in which:
            judge.envs[i].unwrapped.state = tuple(games.state[:, i])

    start_alike(range(n))
    assert observation in view.observation_space
    assert infos == {}
    view.action_space.seed(1)
    endings = 0
    for _ in range(1000):
        actions = view.action_space.sample()
        mine, theirs_ = view.step(actions), judge.step(actions)
        over = mine[2] | mine[3]
        assert np.array_equal(over, theirs_[2] | theirs_[3])
        assert np.array_equal(mine[0][~over], theirs_[0][~over])
        for one, two in zip(mine[1:4], theirs_[1:4], strict=True):
            assert one.dtype == two.dtype
            # Our rewards are float32 numbers, whatever holds them.
            assert np.array_equal(one, two.astype(np.float32))
        assert set(mine[4]) == set(theirs_[4])
        if over.any():
            assert np.array_equal(mine[4]["_final_obs"], theirs_[4]["_final_obs"])
            assert np.array_equal(mine[4]["_final_info"], theirs_[4]["_final_info"])
            assert mine[4]["final_info"] == theirs_[4]["final_info"]
            for one, two in zip(mine[4]["final_obs"], theirs_[4]["final_obs"], strict=True):
                assert (one is None and two is None) or np.array_equal(one, two)
            endings += int(over.sum())
            start_alike(np.flatnonzero(over))
    assert endings >= 30


def test_the_vector_view_steps_like_gymnasiums_own_vector_cartpole():
    """Gymnasium's restarts a step later, so games are compared up to their first end."""
    n = 64
    view, judge = gymnasium.make_vec("lanista/CartPole-v1", num_envs=n), CartPoleVectorEnv(n)
    view.reset(seed=0)
    judge.reset(seed=0)
    judge.state = view.unwrapped.env.games.state.copy()
    running = np.ones(n, np.bool_)
    rng = np.random.default_rng(2)
    while running.any():
        actions = rng.integers(2, size=n)
        mine, theirs = view.step(actions), judge.step(actions)
        over = mine[2] | mine[3]
        assert np.array_equal(over[running], (theirs[2] | theirs[3])[running])
        going = running & ~over
        assert np.array_equal(mine[0][going], theirs[0][going])
        for game in np.flatnonzero(running & over):
            assert np.array_equal(mine[4]["final_obs"][game], theirs[0][game])
        running = going


def test_what_a_step_returned_is_not_overwritten_by_the_next():
    view = VectorView(CartPole(4))
    first, _ = view.reset(seed=0)
    kept = first.copy()
    second = view.step(np.zeros(4, int))
    copies = [array.copy() for array in second[:4]]
    for _ in range(30):
        view.step(np.ones(4, int))
    assert np.array_equal(first, kept)
    for array, copy in zip(second[:4], copies, strict=True):
        assert np.array_equal(array, copy)


def test_make_vec_takes_settings_and_gymnasiums_word_for_the_limit():
    view = gymnasium.make_vec("lanista/MountainCar-v0", num_envs=2, max_episode_steps=7, num_threads=2)
    view.reset(seed=0)
    flags = [view.step(np.ones(2, int))[3].tolist() for _ in range(7)]
    assert flags == [[False, False]] * 6 + [[True, True]]


def test_make_keeps_gymnasiums_own_time_limit():
    env = gymnasium.make("lanista/MountainCar-v0", max_episode_steps=300)
    env.reset(seed=0)
    steps = 1
    while not env.step(1)[3]:
        steps += 1
    assert steps == 300


def test_a_seed_repeats_and_no_seed_goes_on():
    view = VectorView(CartPole(3))
    first = view.reset(seed=9)[0]
    assert not np.array_equal(first, view.reset()[0])
    assert np.array_equal(first, view.reset(seed=9)[0])


def test_the_single_view_starts_the_envs_next_episode_after_an_end():
    view = SingleView(CartPole(1))
    view.reset(seed=1)
    while not view.step(1)[2]:
        pass
    waiting = view.env.observation["state"][0, 0].copy()
    assert np.array_equal(view.reset()[0], waiting)
    assert not np.array_equal(view.reset()[0], waiting)


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (
            lambda: VectorView(ConnectX(2)),
            "env connectx has 2 seats and gymnasium knows only one; use lanista_envs.pett",
        ),
        (
            lambda: SingleView(CartPole(2)),
            "the single view shows one game, found an env of 2; use VectorView",
        ),
        (lambda: VectorView(CartPole(2)).reset(seed=[1, 2]), "takes one seed for all its games"),
        (
            lambda: VectorView(CartPole(2)).reset(options={"low": 1}),
            r"options \['low'\]; native envs have none",
        ),
    ],
)
def test_what_cannot_be_is_refused(act, fault):
    with pytest.raises(UsageError, match=fault):
        act()


def test_registering_twice_changes_nothing():
    before = dict(gymnasium.registry)
    lanista_envs.gym_registration.register_all()
    assert dict(gymnasium.registry) == before


def test_gymnasium_alone_finds_the_envs_of_an_installed_lanista():
    code = (
        "import gymnasium\n"
        "view = gymnasium.make_vec('lanista/CartPole-v1', num_envs=3)\n"
        "print(view.reset(seed=0)[0].shape)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=1000, check=True
    )
    assert shown.stdout.split() == ["(3,", "4)"]


def test_the_hook_loads_nothing_until_gymnasium_comes():
    code = (
        "import sys\n"
        "assert '_lanista_gymnasium' in sys.modules\n"
        "assert not {'gymnasium', 'lanista', 'lanista_envs', 'numpy'} & set(sys.modules)\n"
        "import gymnasium\n"
        "assert 'lanista/CartPole-v1' in gymnasium.registry\n"
        "assert 'lanista_envs' not in sys.modules\n"
        "assert not any('WaitForGymnasium' in repr(finder) for finder in sys.meta_path)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=1000, check=True)
