"""Teacher and student side by side from the same start, as an animated picture (.gif or .webp).

An env that draws itself (`VecEnv.picture`) shows its own frames, any other one its text (`VecEnv.render`). Who is over
first stands still, greyed, until the other one is.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.distillation.wish import PHASE
from lanista.env import VecEnv
from lanista.errors import LanistaError, UsageError
from lanista.files import write_atomically
from lanista.hints import told
from lanista.players import Player
from lanista.plugins import Registry
from lanista.tables import EnvTable

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".gif", ".webp")
#: frames that are kept at most; longer episodes are shown in larger steps
FRAMES = 120
#: pixels of each half
WIDTH, BAR = 280, 22
#: milliseconds that a frame is shown
PAUSE = 50


@dataclass
class Reel:
    """One player's episode, frame by frame."""

    title: str
    pictures: list[AnyArray] = field(default_factory=list)
    #: steps before each frame, and the return so far
    steps: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


def check_ending(file: Path) -> None:
    """Refuse a file that cannot be written as an animation."""
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"--video {file}: an animation ends in {' or '.join(ENDINGS)}; found {file.suffix or 'no ending'!r}"
        )


def write_video(
    run_folder: Path, file: Path, registry: Registry, seed: int = 0, most: int = 2000
) -> str | None:
    """Play one episode each, of `most` steps at most, and write the animation; one seat only.

    Gives the reason why the env's text was drawn instead of its pictures, if so.
    """
    check_ending(file)
    teacher, student, table = _players(run_folder, registry)
    players = (("teacher", teacher), ("student", student))
    # Drawing takes longer than playing: the first pass tells how long it lasts, the second draws what is shown.
    longest = 1
    for _, player in players:
        env = _plain_env(table, registry)
        with closing(env):
            longest = max(longest, sum(1 for _ in play(env, player, seed, most)))
    stride, reason, reels = -(-longest // FRAMES), None, []
    for title, player in players:
        env, reason = _drawing_env(table, registry)
        with closing(env):
            reels.append(draw_reel(env, player, title, seed, most, stride))
    frames = side_by_side(reels)
    content = _encoded(frames, file.suffix.lower())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another --video") from error
    return reason


def _players(run_folder: Path, registry: Registry) -> tuple[Player, Player, EnvTable]:
    """Teacher and student of a finished run, and its env."""
    from lanista.phases import PhaseContext
    from lanista.policy import Policy, load_policy
    from lanista.policy_player import PolicyPlayer
    from lanista.recipe import check_recipe, read_recipe

    recipe = check_recipe(read_recipe(str(run_folder / "recipe.toml"), registry), registry)
    top, settings = recipe.top, recipe.phases[0].settings
    context = PhaseContext(registry, top.env, PHASE, run_folder, 0, 1, {}, heads=top.heads)
    table = settings.teachers[0] if settings.teachers else settings.teacher
    teacher = context.teacher_of(table)
    student = PolicyPlayer(load_policy(run_folder / "final", registry), 0, greedy=True)
    if isinstance(teacher, Policy):
        return PolicyPlayer(teacher, 0, greedy=True), student, top.env
    return _Live(teacher), student, top.env


class _Live:
    """A teacher that must see the env, as a player."""

    def __init__(self, teacher: Any) -> None:  # noqa: ANN401 - a LiveTeacher, whose module imports torch
        self._teacher = teacher

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        labels: dict[str, AnyArray] = self._teacher.labels(env, games, seats)
        return labels

    def state(self) -> dict[str, AnyArray]:
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None: ...


def _plain_env(table: EnvTable, registry: Registry, **changes: Any) -> VecEnv:  # noqa: ANN401 - settings
    """One game of the env, in this process."""
    fields = getattr(registry.get("envs", table.use).settings, "model_fields", {})
    options = {**table.options, **({"workers": 0} if "workers" in fields else {}), **changes}
    env: VecEnv = registry.load("envs", table.use)(1, registry.settings("envs", table.use, options), 1)
    return env


def _drawing_env(table: EnvTable, registry: Registry) -> tuple[VecEnv, str | None]:
    """One game of the env, made to draw itself where it can be, and the reason if it cannot."""
    fields = getattr(registry.get("envs", table.use).settings, "model_fields", {})
    if "kwargs" not in fields:
        return _plain_env(table, registry), None
    # An env from elsewhere is asked for pictures as gymnasium does it.
    kwargs = {"render_mode": "rgb_array", **table.options.get("kwargs", {})}
    try:
        env = _plain_env(table, registry, kwargs=kwargs)
        env.reset(0)
        if env.picture(0) is not None:
            return env, None
        reason = f"{table.use} gives no picture"
    except Exception as error:  # whatever a stranger's renderer raises: its text is drawn instead, and why
        reason = f"{table.use} cannot draw itself ({told(error)})"
    return _plain_env(table, registry), reason


def play(env: VecEnv, player: Player, seed: int, most: int) -> Iterator[float]:
    """One greedy episode of game 0 from the start of `seed`: before each step, the return so far."""
    if env.spec.seats != 1:
        raise LanistaError(
            f"{env.spec.name} has {env.spec.seats} seats, and --video shows players alone; `lanista watch` shows a match"
        )
    env.reset(seed)
    total, games, seats = 0.0, np.zeros(1, np.int64), np.zeros(1, np.int64)
    for _ in range(most):
        yield total
        actions = player.act(env, games, seats)
        env.step({name: action[:, None] for name, action in actions.items()})
        ended = bool(env.ended[0])
        total += float((env.final_facts if ended else env.facts)["reward"][0, 0])
        if ended:
            return


def draw_reel(env: VecEnv, player: Player, title: str, seed: int, most: int, stride: int) -> Reel:
    """An episode's pictures, every `stride` steps."""
    reel = Reel(title)
    for step, total in enumerate(play(env, player, seed, most)):
        if step % stride == 0:
            drawn = env.picture(0)
            reel.pictures.append(
                _text_picture(env.render(0)) if drawn is None else np.asarray(drawn, np.uint8)
            )
            reel.steps.append(step)
            reel.scores.append(total)
    return reel


def side_by_side(reels: list[Reel]) -> "list[Image]":
    """The frames: each reel scaled to the same width, its name and return above it."""
    longest = max(len(reel.pictures) for reel in reels)
    return [_joined([_half(reel, place) for reel in reels]) for place in range(longest)]


def _half(reel: Reel, place: int) -> "Image":
    from PIL import Image, ImageDraw, ImageEnhance

    over = place >= len(reel.pictures)
    at = min(place, len(reel.pictures) - 1)
    picture = Image.fromarray(reel.pictures[at]).convert("RGB")
    height = max(1, round(picture.height * WIDTH / picture.width))
    picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    if over:
        picture = ImageEnhance.Brightness(ImageEnhance.Color(picture).enhance(0.2)).enhance(0.75)
    half = Image.new("RGB", (WIDTH, height + BAR), "white")
    half.paste(picture, (0, BAR))
    text = f"{reel.title}  step {reel.steps[at]}  return {reel.scores[at]:.0f}{'  over' if over else ''}"
    ImageDraw.Draw(half).text((4, 4), text, fill="black", font=_font(12))
    return half


def _joined(halves: "list[Image]") -> "Image":
    from PIL import Image

    gap = 4
    width = sum(half.width for half in halves) + gap * (len(halves) - 1)
    whole = Image.new("RGB", (width, max(half.height for half in halves)), "white")
    left = 0
    for half in halves:
        whole.paste(half, (left, 0))
        left += half.width + gap
    return whole


def _text_picture(text: str) -> AnyArray:
    """A text drawing as a picture, ``[H, W, 3]`` uint8."""
    from PIL import Image, ImageDraw

    font = _font(14)
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, width, height = probe.multiline_textbbox((0, 0), text, font=font)
    image = Image.new("RGB", (max(WIDTH, int(width) + 16), int(height) + 20), "white")
    ImageDraw.Draw(image).multiline_text((8, 8), text, fill="black", font=font)
    return np.asarray(image)


def _font(size: int) -> Any:  # noqa: ANN401 - a font of pillow
    """The monospaced font that comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"), size
    )


def _encoded(frames: "list[Image]", ending: str) -> bytes:
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    first, *others = frames
    pauses = [PAUSE] * len(others) + [1500]
    if ending == ".webp":
        first.save(
            buffer, "WEBP", save_all=True, append_images=others, duration=pauses, loop=0, quality=60, method=4
        )
        return buffer.getvalue()
    # One palette for all frames, so that what stands still stays the same and compresses to nothing.
    sample = Image.new("RGB", (first.width, first.height * 3))
    for place, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-1])):
        sample.paste(frame, (0, place * first.height))
    palette = sample.quantize(64)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    drawn[0].save(
        buffer, "GIF", save_all=True, append_images=drawn[1:], duration=pauses, loop=0, optimize=True
    )
    return buffer.getvalue()
