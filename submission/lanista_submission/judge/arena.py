"""Games of kaggle-environments between any agents, each in a process of its own. Keeps `lanista.official.OfficialArena`.

An entry (main.py, folder, archive) plays as it is; a policy is exported and packed as its target packs it, so that what
is measured is what would be sent; the game's own agents play in the judge's process.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lanista.cards import read_card, shipped_folder
from lanista.errors import UsageError
from lanista.hints import hint, one_line
from lanista.judge import find_judge
from lanista.official import Guest, OfficialGame
from lanista.plugins import current_host
from lanista.registry import Registry
from lanista.version import __version__
from lanista_submission.judge.bridge import refuse_unbridged, write_entry
from lanista_submission.judge.entries import Entries
from lanista_submission.judge.games import GameJob, GameResult, Player, kaggle_command, play_games
from lanista_submission.judge.specification import read_specification
from lanista_submission.verify.find_profile import profile_of

if TYPE_CHECKING:
    from lanista.contenders import Contender
    from lanista_submission.targets.kaggle import KaggleTarget

#: what a game calls the seed of its start, in the order of preference
_SEED_KEYS = ("seed", "randomSeed")
#: names of what went wrong, by the status that it ends in
_KINDS = {"TIMEOUT": "timeout", "ERROR": "error", "INVALID": "invalid"}


@dataclass(frozen=True)
class _Guest:
    """One of `number` of the entries and `agent`, one of the game's own."""

    number: int | None
    agent: str | None


class KaggleArena:
    """One game of kaggle-environments under one configuration."""

    def __init__(
        self,
        target: "KaggleTarget",
        env: str,
        settings: Mapping[str, Any],
        configuration: Mapping[str, Any],
        registry: Registry,
    ) -> None:
        """Ask the judging environment; raises `NoJudgeError` without one, `UsageError` for an unknown key.

        `env` and its `settings` are where scripted players think that they are.
        """
        self._env, self._settings = env, settings
        self._target = target
        self._registry = registry
        judge = find_judge()
        self._command = kaggle_command(judge)
        profile = profile_of(target.profile.name, lambda: registry)
        self._profile = profile
        self._specification = found = read_specification(judge, profile.environment)
        for key in configuration:
            if key not in found.configuration:
                raise UsageError(
                    f"{profile.environment} has no configuration {key!r}; {hint(key, found.configuration)}"
                )
        self._seed_key = next((key for key in _SEED_KEYS if key in found.configuration), None)
        if self._seed_key in configuration:
            raise UsageError(
                f"{self._seed_key} is counted up from --seed, a game each; name the first one there"
            )
        self._configuration = {**profile.configuration, **configuration}
        self.seats = profile.seats
        self.rules: Mapping[str, Any] = {
            "game": found.game,
            "version": found.version,
            "kaggle_environments": found.kaggle_environments,
            "configuration": dict(self._configuration),
        }
        self._folder = tempfile.TemporaryDirectory(prefix="lanista-arena-", ignore_cleanup_errors=True)
        self._root = Path(self._folder.name)
        self._entries = Entries(self._root, profile)
        self._guests: list[_Guest] = []

    def admit(self, contender: "Contender", sample: bool) -> Guest:
        """Make ready to play; guests are numbered in the order in which they come."""
        if contender.use is not None:
            entry = self._registry.get("players", contender.use)
            if entry.family == "kaggle:":
                agent = self._own_agent(entry.rest)
                self._guests.append(_Guest(None, agent))
                return Guest(contender.name, f"agent:{agent}")
            if "shipped" in entry.traits:
                path, digest = self._shipped(contender, str(entry.traits["shipped"]), sample)
                number, _ = self._entries.add(path)
                self._guests.append(_Guest(number, None))
                return Guest(contender.name, digest)
            number, _ = self._entries.add(self._bridged(contender))
            self._guests.append(_Guest(number, None))
            # Plugins say by another name that a player plays otherwise; its main.py tells of this machine alone.
            told = json.dumps([contender.use, contender.options or {}], sort_keys=True)
            return Guest(contender.name, f"player:{told}")
        if contender.entry is None:
            path, digest = self._packed(contender, sample)
            number, _ = self._entries.add(path)
        else:
            number, digest = self._entries.add(contender.entry)
        self._guests.append(_Guest(number, None))
        return Guest(contender.name, digest)

    def _own_agent(self, name: str) -> str:
        agents = self._specification.agents
        if name not in agents:
            raise UsageError(f"{self.rules['game']} brings no agent {name!r} along; {hint(name, agents)}")
        return name

    def _bridged(self, contender: "Contender") -> Path:
        """Enter a scripted player of lanista's own games."""
        refuse_unbridged(self._env, contender, self._registry)
        files = [str(plugin.file) for plugin in current_host().working if plugin.file is not None]
        folder = self._root / f"player-{len(self._guests)}"
        return write_entry(folder, self._env, self._settings, contender, files)

    def _shipped(self, contender: "Contender", trait: str, sample: bool) -> tuple[Path, str]:
        """Pack a policy that a plugin ships, as its card says that it plays; see `_packed`."""
        from lanista_submission.bundle.pack import pack

        folder = shipped_folder(trait)
        card = read_card(folder)
        wish = (contender.options or {}).get("sample")
        sampled = sample or (card["actions"] == "sampled" if wish is None else bool(wish))
        actions: Literal["greedy", "sampled"] = "sampled" if sampled else "greedy"
        profile = replace(self._target.profile, actions=actions)
        out = self._root / f"shipped-{len(self._guests)}.tar.gz"
        archive = pack([folder / name for name in card["files"]], profile, out, self._registry)
        return archive, self._digest(str(card["policy_sha256"]), actions)

    def _packed(self, contender: "Contender", sample: bool) -> tuple[Path, str]:
        """Export and pack a policy as its target does: (the archive, a digest of the policy and of how it plays).

        The archive itself tells of the comparisons that its export has made, which vary in their last digits.
        """
        from lanista.policy import save_policy

        assert contender.policy is not None
        folder = self._root / f"policy-{len(self._guests)}"
        content = save_policy(folder / "policy", contender.policy)
        archive = self._target.packed_to_play(folder / "policy", folder, sample)
        return archive, self._digest(content, "sampled" if sample else self._target.profile.actions)

    def _digest(self, content: str, actions: str) -> str:
        """What is known of a policy that plays packed."""
        settled = "settled" if self._target.profile.settle else "unsettled"
        return f"policy:{content}:{actions}:{settled}:{__version__}"

    def play(
        self, games: Sequence[OfficialGame], workers: int, took: Callable[[int, dict[str, Any]], None]
    ) -> None:
        """Play all games, several at a time."""
        jobs = [self._job(game) for game in games]
        failed: list[str] = []

        def place(job: GameJob, worker: int) -> GameJob:
            players = tuple(
                replace(player, main=self._entries.main(int(player.main), worker, seat))
                if player.main
                else player
                for seat, player in enumerate(job.players)
            )
            return replace(job, players=players)

        def ended(result: GameResult) -> bool:
            for player in result.job.players:
                if player.main:
                    self._entries.tidy(player.main)
            broke = result.record["broke"]
            if broke is not None:
                failed.append(f"{broke['type']}: {broke['text']}")
                return False
            took(result.index, self._record(result.record, games[result.index]))
            return True

        play_games(self._command, jobs, workers, place, ended, self._root)
        if failed:
            raise UsageError(
                f"a game of {self.rules['game']} itself broke down ({one_line(failed[0])}), so it has no result; an "
                f"action that passes the schema may do that: look at the agents, or change the configuration"
            )

    def _job(self, game: OfficialGame) -> GameJob:
        guests = [self._guests[place] for place in game.seating]
        players = tuple(
            Player(agent=guest.agent) if guest.number is None else Player(main=str(guest.number))
            for guest in guests
        )
        seeded = {} if self._seed_key is None else {self._seed_key: game.seed}
        return GameJob(
            environment=self._profile.environment,
            players=players,
            configuration={**self._configuration, **seeded},
            overage_s=self._profile.overage_s,
            memory=self._profile.memory.value,
            seed=game.seed % 2**32,
        )

    def _record(self, told: Mapping[str, Any], game: OfficialGame) -> dict[str, Any]:
        own = [told["seats"].get(str(seat)) for seat in range(len(game.seating))]
        return {
            "rewards": [
                reward if status == "DONE" else None
                for reward, status in zip(told["rewards"], told["statuses"], strict=True)
            ],
            "statuses": told["statuses"],
            "faults": [_fault(status, seat) for status, seat in zip(told["statuses"], own, strict=True)],
            "worst_turn_s": [max(seat["turns_s"], default=None) if seat else None for seat in own],
            "overage_left_s": [seat["overage_left_s"] if seat else None for seat in own],
            "steps": told["steps"],
            "moves": told["moves"],
            "seconds": told["duration_s"],
        }

    def close(self) -> None:
        """Remove all copies."""
        self._folder.cleanup()


def _fault(status: str, seat: Mapping[str, Any] | None) -> dict[str, str] | None:
    """What went wrong in a seat: its kind, and one line on it; None if nothing did."""
    found = seat["fault"] if seat else None
    if status not in _KINDS:
        if found is None:
            return None
        # The platform plays the default action in place of what cannot be sent, and the game goes on.
        return {
            "kind": "unsendable",
            "text": f"turn {found['turn']} gave what JSON does not know: {found.get('why')}",
        }
    kind, where = _KINDS[status], f"turn {found['turn']}: " if found else ""
    if found is None:
        refused = seat.get("refused") if seat else None
        if seat and status == "TIMEOUT" and seat["turns_s"]:
            turns = seat["turns_s"]
            refused = f"turn {len(turns)} took {turns[-1]:.2f} s, and with it its bank of time was used up"
        return {"kind": kind, "text": one_line(refused or f"its status was {status}")}
    if found["kind"] == "raised":
        place = f" ({found['where']})" if found["where"] else ""
        return {"kind": kind, "text": where + one_line(f"{found['type']}: {found['text']}{place}")}
    if found["kind"] == "died":
        how = found["signal"] or f"exit code {found['code']}"
        return {"kind": kind, "text": where + one_line(f"its process ended, {how}. {found['words']}")}
    if found["kind"] == "silent":
        return {"kind": kind, "text": f"{where}no answer within {found['waited_s']:.1f} s"}
    return {"kind": kind, "text": where + one_line(found.get("why") or "an answer that cannot be read")}
