"""Registers the native envs with one seat at gymnasium, as ``lanista/CartPole-v1`` and ``lanista/MountainCar-v0``.

gymnasium imports this module for an id such as ``"lanista_envs.gym_registration:lanista/CartPole-v1"``; after
``import lanista_envs.gym_registration`` the short id works too. The entry point in the group
``gymnasium.envs`` calls `register_all` where gymnasium reads that group (before 1.0).
"""

import gymnasium

#: id -> (env, its time limit, the mean return at which gymnasium calls its own env of that name solved)
IDS = {
    "lanista/CartPole-v1": ("cartpole", 500, 475.0),
    "lanista/MountainCar-v0": ("mountaincar", 200, -110.0),
}

#: leaves the time limit to gymnasium's own wrapper, which `make` puts around the single view
NO_LIMIT = 2**62


def make_single(name: str, render_mode: str | None = None) -> gymnasium.Env:
    """One game without a time limit of its own."""
    from lanista_envs.gym_view import make_single as view

    return view(name, render_mode, max_steps=NO_LIMIT)


def register_all() -> None:
    """Register what is not registered yet."""
    for id_, (name, limit, threshold) in IDS.items():
        if id_ not in gymnasium.registry:
            gymnasium.register(
                id_,
                entry_point="lanista_envs.gym_registration:make_single",
                vector_entry_point="lanista_envs.gym_view:make_vector",
                max_episode_steps=limit,
                reward_threshold=threshold,
                kwargs={"name": name},
            )


register_all()
