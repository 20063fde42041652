"""The VecEnv contract as a test that any author can run.

1. The spec is whole; the arrays have its shapes and dtypes.
2. Games are played with random legal actions; every step is looked at (`EpisodeCheck`), and a game ends.
3. The same games come again: repeated, among more or fewer, with threads, from a saved state.
4. Symmetries, where any are declared, are held against games (`env_symmetries`).
"""

from collections.abc import Callable
from typing import Any

from lanista.env import VecEnv
from lanista.spec import EnvSpec
from lanista.symmetry.declared import Symmetries
from lanista.testing.complaints import Complaints
from lanista.testing.env_arrays import check_shapes, check_spec
from lanista.testing.env_episodes import EpisodeCheck
from lanista.testing.env_replay import Chooser, check_replays, check_saving


def check_env(
    env: VecEnv | Callable[..., VecEnv],
    settings: Any = None,  # noqa: ANN401 - the env's own settings model
    *,
    games: int = 5,
    steps: int = 300,
    seed: int = 0,
    symmetries: Callable[[EnvSpec, Any], Symmetries | None] | None = None,
) -> None:
    """Raise `EnvContractError`, one sentence, for the first thing in which an env breaks the contract.

    `env` is a factory, called as ``env(num_games, settings, num_threads)``, or an env that is built already
    (then what needs a second env is left out). At least `steps` steps are played, and as many more as it
    takes for a game to end. Whole episodes are played, so use settings with short ones. `symmetries` is the function
    that the env's trait of this name names; they are checked where `env` is a factory.
    """
    build: Callable[[int, int], VecEnv] | None = None
    if not isinstance(env, VecEnv):
        factory = env

        def build(num_games: int, num_threads: int) -> VecEnv:
            return factory(num_games, settings, num_threads)

        env = build(games, 1)
    complaints = Complaints(env.spec.name)
    check_spec(env.spec, complaints)
    complaints.refuse(
        env.num_games < 1 or (build is not None and env.num_games != games), "num_games",
        f"is {env.num_games}", f"it is the number of games that were asked for, {games}",
    )  # fmt: skip
    check_shapes(env, complaints)
    env.reset(seed)
    episodes = EpisodeCheck(env, complaints)
    chooser = Chooser(env.num_games, seed)
    # max_steps bounds the wait for an ending: an episode that is longer is a fault of its own
    while episodes.step < steps or episodes.episodes == 0:
        env.step(chooser.choose(env))
        episodes.check_step()
    check_replays(env, build, complaints, seed, min(steps, 150))
    if env.resumable:
        check_saving(env, build, complaints, seed, min(steps, 60))
    declared = None if symmetries is None or build is None else symmetries(env.spec, settings)
    if declared is not None and build is not None:
        from lanista.testing.env_symmetries import check_symmetries  # imports torch

        check_symmetries(build, declared, complaints, seed, min(steps, 150))
    env.close()
