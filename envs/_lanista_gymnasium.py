"""Registers lanista's one-seat envs as soon as somebody imports gymnasium.

gymnasium read the entry-point group ``gymnasium.envs`` until 1.0; since then an installed package has no door of
its own. So ``lanista_gymnasium.pth`` imports this module when Python starts, and it waits for the import of
gymnasium (docs/decisions/0005). It must stay tiny: it is loaded by every Python of the environment.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing's own constant would cost its import
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: id -> (env, its time limit, the mean return at which gymnasium calls its own env of that name solved, if it does)
IDS = {
    "lanista/CartPole-v1": ("cartpole", 500, 475.0),
    "lanista/MountainCar-v0": ("mountaincar", 200, -110.0),
    "lanista/Pendulum-v1": ("pendulum", 200, None),
}


def register(gymnasium: ModuleType) -> None:
    """Register what is not registered yet; the env modules are imported when an env is made."""
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


def _then_register(load: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def load_and_register(module: ModuleType) -> None:
        load(module)
        register(module)

    return load_and_register


class WaitForGymnasium:
    """Finds gymnasium through the other finders once, and registers behind its import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Step aside for every name but gymnasium."""
        if name != "gymnasium":
            return None
        sys.meta_path.remove(self)
        for finder in list(sys.meta_path):
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader.exec_module = _then_register(spec.loader.exec_module)  # type: ignore[assignment] # this module's alone
                return spec
        return None


if "gymnasium" in sys.modules:
    register(sys.modules["gymnasium"])
else:
    sys.meta_path.insert(0, WaitForGymnasium())
