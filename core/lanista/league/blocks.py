"""How the games of an env are divided among opponents: contiguous blocks, one forward pass each."""

from dataclasses import dataclass
from typing import Literal

from lanista.errors import RecipeError
from lanista.league.member import LEARNER
from lanista.league.settings import LeagueSettings


@dataclass(frozen=True)
class Block:
    """Games ``start`` to ``stop - 1``."""

    start: int
    stop: int
    kind: Literal["latest", "pool", "bots"]
    #: the pool slot whose opponents these games meet; None for `latest` and bots
    slot: int | None
    #: the opponent of a bots block, the learner in a `latest` one; None where the slot says it
    member: str | None


def lay_out(settings: LeagueSettings, num_games: int) -> tuple[Block, ...]:
    """Divide games 0..num_games: first `latest`, then the pool's slots, then one block a bot."""
    shares = settings.opponents
    latest, pool, bots = _whole([shares.latest, shares.pool, shares.bots], num_games)
    for name, share, games, least in (
        ("latest", shares.latest, latest, 1),
        ("pool", shares.pool, pool, 1),
        ("bots", shares.bots, bots, len(settings.bots)),
    ):
        if share > 0.0 and games < least:
            raise RecipeError(
                f"opponents.{name} = {share:g} of num_games = {num_games} leaves {games} games for "
                f"{least} opponent{'s' if least > 1 else ''}; play more games at once or change the shares"
            )
    blocks: list[Block] = []
    start = 0
    if latest:
        blocks.append(Block(0, latest, "latest", None, LEARNER))
        start = latest
    slots = min(settings.pool_slots, pool)
    for slot, games in enumerate(_evenly(pool, slots)):
        blocks.append(Block(start, start + games, "pool", slot, None))
        start += games
    for bot, games in zip(settings.bots, _evenly(bots, len(settings.bots)), strict=True):
        if games:
            blocks.append(Block(start, start + games, "bots", None, bot.member))
            start += games
    return tuple(blocks)


def _whole(shares: list[float], total: int) -> list[int]:
    """Whole numbers of games that add up to `total`; what rounding leaves goes to the largest remainders."""
    exact = [share * total for share in shares]
    games = [int(number + 1e-9) for number in exact]
    for place in sorted(range(len(shares)), key=lambda i: games[i] - exact[i])[: total - sum(games)]:
        games[place] += 1
    return games


def _evenly(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]
