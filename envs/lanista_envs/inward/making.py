"""One env of gymnasium from an id, kwargs and wrappers, or one sentence about why not."""

import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium

from lanista.errors import LanistaError, UsageError
from lanista.hints import hint, told
from lanista_envs.inward.settings import GymnasiumSettings, WrapperSettings

#: steps after which an env that is registered without a limit is cut off
NO_LIMIT = 1_000_000
#: extras of lanista that bring what an env's own package lacks
_EXTRAS = {
    "box2d": "box2d",
    "mujoco": "mujoco",
    "imageio": "mujoco",
    "pybullet": "bullet",
    "pygame": "classic",
}
#: packages that register envs when they are imported: an id that gymnasium does not know may be one of theirs
_REGISTERING = (
    "pybullet_envs_gymnasium", "gymnasium_robotics", "panda_gym", "ale_py", "minigrid", "highway_env", "shimmy",
)  # fmt: skip


class Maker:
    """Makes one env of an id, with its wrappers; processes of their own get it pickled."""

    def __init__(self, name: str, settings: GymnasiumSettings) -> None:
        """Look the id up; `name` opens every error."""
        self.name, self.settings = name, settings
        registered, self._id = self._spec()
        self.max_steps = settings.max_steps or registered.max_episode_steps or NO_LIMIT
        self.render_mode: str | None = None
        self._made = False
        entry = registered.entry_point
        if "ansi" in _render_modes(entry) and "render_mode" not in settings.kwargs:
            self.render_mode = "ansi"

    def _spec(self) -> tuple[Any, str]:
        """gymnasium's EnvSpec, and the id with the module that registers it."""
        module, _, name = self.settings.id.rpartition(":")
        try:
            if module:
                with loading():
                    importlib.import_module(module)
            return gymnasium.spec(name), self.settings.id
        except (ImportError, gymnasium.error.Error) as error:
            found = None if module else _registered_elsewhere(name)
            if found is not None:
                return gymnasium.spec(name), f"{found}:{name}"
            bullet = "BulletEnv" in name and not importlib.util.find_spec("pybullet_envs_gymnasium")
            advice = "; pip install 'lanista[bullet]' brings the envs of PyBullet" if bullet else ""
            raise UsageError(
                f"env {self.name}: gymnasium does not know {self.settings.id!r} ({told(error)}); write the id as "
                f"gymnasium.make takes it, with the module that registers it before a colon if need be{advice}"
            ) from error

    def __call__(self) -> gymnasium.Env[Any, Any]:
        """Make one env."""
        kwargs = dict(self.settings.kwargs)
        if self.render_mode is not None:
            kwargs["render_mode"] = self.render_mode
        try:
            with loading(again=self._made):
                env = gymnasium.make(
                    self._id, max_episode_steps=self.max_steps, disable_env_checker=True, **kwargs
                )
            for wrapper in self.settings.wrappers:
                env = _wrapped(env, wrapper)
        except (KeyboardInterrupt, LanistaError):
            raise
        except Exception as error:  # whatever a stranger's constructor raises
            raise LanistaError(f"env {self.name} cannot be made: {told(error)}{_advice(error)}") from error
        self._made = True
        return env


def _registered_elsewhere(name: str) -> str | None:
    """The installed package that registers an id, imported; None if there is none."""
    for package in _REGISTERING:
        if importlib.util.find_spec(package) is None:
            continue
        with loading():
            module = importlib.import_module(package)
            if package == "ale_py":
                gymnasium.register_envs(module)
        if name in gymnasium.registry:
            return package
    return None


def _render_modes(entry: Any) -> tuple[str, ...]:  # noqa: ANN401 - "module:Class", or what makes an env
    """The ways that an env class can draw itself; none if it cannot be imported, which `make` will explain."""
    found = entry
    if isinstance(entry, str):
        module, _, attribute = entry.partition(":")
        try:
            with loading():
                found = getattr(importlib.import_module(module), attribute)
        except Exception:
            return ()
    return tuple(getattr(found, "metadata", {}).get("render_modes", ()))


def _wrapped(env: gymnasium.Env[Any, Any], wrapper: WrapperSettings) -> gymnasium.Env[Any, Any]:
    kind = _wrapper_class(wrapper.use)
    try:
        wrapped: gymnasium.Env[Any, Any] = kind(env, **wrapper.kwargs)
    except (KeyboardInterrupt, LanistaError):
        raise
    except Exception as error:  # whatever a stranger's constructor raises
        raise LanistaError(f"wrapper {wrapper.use} cannot be laid around the env: {told(error)}") from error
    return wrapped


def _wrapper_class(use: str) -> Any:  # noqa: ANN401 - a class that makes an env of an env
    """ "module:Class", one of ours by name, or one of gymnasium's."""
    from lanista_envs.inward.wrappers import OURS

    module, colon, name = use.rpartition(":")
    if not colon:
        if name in OURS:
            return OURS[name]
        if not hasattr(gymnasium.wrappers, name):
            known = [*OURS, *gymnasium.wrappers.__all__]
            raise UsageError(
                f"wrapper {use} is neither ours nor one of gymnasium.wrappers; {hint(name, known)[:400]} any other is "
                f'written "module:Class"'
            )
        module = "gymnasium.wrappers"
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        ours = f"; {name} is there by its bare name" if name in OURS else ""
        raise UsageError(f"wrapper {use} cannot be imported: {told(error)}{ours}") from error


def _advice(error: Exception) -> str:
    """What to install, if something is missing."""
    if not isinstance(error, gymnasium.error.DependencyNotInstalled | ImportError):
        return ""
    text = str(error).lower()
    if "gymnasium-robotics" in text:  # MuJoCo's envs before -v4, whose observations are those of -v4
        return "; name its version -v4 instead (a run: env, `lanista distill`: --env)"
    extra = next((extra for word, extra in _EXTRAS.items() if word in text), None)
    return f"; pip install 'lanista[{extra}]'" if extra is not None else ""


@contextlib.contextmanager
def loading(*, again: bool = False) -> Iterator[None]:
    """Keep what a library says while it is loaded from where it does harm.

    What compiled code prints goes to stderr: on stdout ``--json`` must stand alone. Deprecations are its authors'
    business: an old version of an env is named because a policy was trained in it, and modules that SWIG made crash
    where such warnings are errors. What is loaded `again` has said what it says: a physics engine's words about one
    file, for each of a hundred copies, are dropped.
    """
    with warnings.catch_warnings(), _diverted(1, None if again else 2):
        warnings.simplefilter("ignore", DeprecationWarning)
        if again:
            with _diverted(2, None):
                yield
        else:
            yield


@contextlib.contextmanager
def _diverted(stream: int, to: int | None) -> Iterator[None]:
    """Send what is written to file descriptor `stream` to another one, or nowhere; compiled code knows no sys.stdout."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        kept = os.dup(stream)
    except OSError:  # it is closed: there is nothing to keep clean
        yield
        return
    libc = ctypes.CDLL(None) if os.name == "posix" else None
    target = os.open(os.devnull, os.O_WRONLY) if to is None else to
    try:
        os.dup2(target, stream)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if libc is not None:
            libc.fflush(None)
        os.dup2(kept, stream)
        os.close(kept)
        if to is None:
            os.close(target)
