"""Plays an archive's games and takes their evidence into the report; the first fatal problem ends it."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.hints import shown
from lanista.seeds import derive_seed
from lanista_submission.judge import GameJob, GameResult, Player, play_games
from lanista_submission.verify.faults import Context, seat_fault
from lanista_submission.verify.folders import ARCHIVE, OTHER_ARCHIVE, Folders
from lanista_submission.verify.problem import Problem
from lanista_submission.verify.report import ITSELF, OTHER, Report
from lanista_submission.verify.shared_process import pair_problem
from lanista_submission.verify.tally import Tally

#: told after each game: games played, games in all, what was just played
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Pairing:
    """An opponent and the archive's seat, counted from 0."""

    opponent: str
    seat: int
    #: which of the games of this opponent and seat
    game: int = 0


@dataclass(frozen=True)
class Plan:
    """What is to be played, and where its traces go."""

    archive: Path
    context: Context
    folders: Folders
    #: folder for replays while they are not yet known to be worth keeping
    scratch: Path
    #: games a pairing
    games: int
    #: games against itself beside the first
    more_of_itself: int
    #: is there another archive to play?
    against: bool
    #: is there a runner that plays all seats in one process?
    one_process: bool
    workers: int
    seed: int
    #: folder for the replays of all games; None keeps a faulty game's only, in the current folder
    keep: Path | None
    progress: Progress


class Arena:
    """One archive's games under way."""

    def __init__(self, plan: Plan, command: Sequence[str], report: Report) -> None:
        """Know what to play, and how the judge's workers are started; `play` fills the report."""
        self._plan = plan
        self._command = command
        self._report = report
        self._seats = plan.context.profile.seats
        #: the object that the platform took for the agent, once a game has shown it
        self.picked: dict[str, Any] | None = None
        self._total = 0
        self._kept = 0

    def play(self) -> None:
        """Play the archive against itself, then in one process, then everybody else."""
        foreign = [*self._plan.context.profile.opponents, *([OTHER] if self._plan.against else [])]
        first = [Pairing(ITSELF, 0)]
        others = [Pairing(name, seat) for name in foreign for seat in range(self._seats)]
        rest = [Pairing(ITSELF, 0, game + 1) for game in range(self._plan.more_of_itself)]
        rest += [replace(pairing, game=game) for game in range(self._plan.games) for pairing in others]
        pairs = [ITSELF, *([OTHER] if self._plan.against else [])] if self._plan.one_process else []
        self._total = len(first) + len(pairs) + len(rest)
        tallies = {(pairing.opponent, pairing.seat): Tally(*_of(pairing)) for pairing in [*first, *others]}
        self._report.tallies = tallies
        self._stage(first, 0)
        for opponent in pairs:
            if not self._report.grave:
                self._in_one_process(opponent)
        if rest and not self._report.grave:
            self._stage(rest, len(first))
        self._report.tallies = {key: tally for key, tally in tallies.items() if tally.games}

    def _variant(self, pairing: Pairing) -> Mapping[str, Any]:
        """The variant that a pairing's game is played under. A later seat begins where the one before it ended, so that
        few games see many of them.
        """
        variants = self._plan.context.profile.variants
        return variants[(pairing.game + pairing.seat * self._plan.games) % len(variants)] if variants else {}

    def _job(self, index: int, players: tuple[Player, ...], mode: str, variant: Mapping[str, Any]) -> GameJob:
        profile = self._plan.context.profile
        seed = derive_seed(self._plan.seed, "verify", mode, index) % 2**32
        first, end = profile.seeds
        seeded = {profile.seed_key: first + seed % (end - first)} if profile.seed_key else {}
        return GameJob(
            environment=profile.environment,
            players=players,
            mode=mode,
            configuration={**seeded, **profile.configuration, **variant},
            overage_s=profile.overage_s,
            memory=profile.memory.value,
            seed=seed,
            replay=str(self._plan.scratch / f"{mode}-{index}.json"),
        )

    def _stage(self, pairings: Sequence[Pairing], begin: int) -> None:
        """Play a game for each pairing in the list, several at a time."""

        def place(job: GameJob, worker: int) -> GameJob:
            """Give the players the worker's own copies."""
            players = tuple(
                replace(player, main=self._plan.folders.main(player.main, worker, seat))
                if player.main
                else player
                for seat, player in enumerate(job.players)
            )
            return replace(job, players=players)

        def took(result: GameResult) -> bool:
            self._tidy(result.job)
            self._take(pairings[result.index], result)
            self._count(pairings[result.index].opponent)
            return not self._report.grave

        jobs = [
            self._job(begin + index, _players(pairing, self._seats), "apart", self._variant(pairing))
            for index, pairing in enumerate(pairings)
        ]
        play_games(self._command, jobs, self._plan.workers, place, took, self._plan.scratch)

    def _in_one_process(self, opponent: str) -> None:
        """Play one game with both archives in one process, the opponent's modules first."""
        name = OTHER_ARCHIVE if opponent == OTHER else ARCHIVE
        mains = [
            self._plan.folders.main(name if seat == 0 else ARCHIVE, 0, seat) for seat in range(self._seats)
        ]
        players = tuple(Player(main=main) for main in mains)
        job = self._job(0 if opponent == ITSELF else 1, players, "pair", self._variant(Pairing(opponent, 0)))
        result = play_games(self._command, [job], 1, scratch=self._plan.scratch)[0]
        # Compare the archives' files before they are put back as they were.
        problem = pair_problem(self._plan.context, result.record, opponent)
        self._tidy(job)
        self._count(f"{opponent}, in one process")
        if problem is not None and problem.weight == "warning":
            self._report.note(problem)
        elif problem is not None:
            self._fail(problem, result)

    def _tidy(self, job: GameJob) -> None:
        """Put the copies of a game back as they were packed; say so if the agent had changed one."""
        changed = [
            name for player in job.players if player.main for name in self._plan.folders.tidy(player.main)
        ]
        if changed and all(problem.code != "writes" for problem in self._report.problems):
            self._report.note(
                Problem(
                    "writes",
                    f"the agent changed {shown(changed[0])} in its own folder, and every game on the "
                    f"platform begins with the archive as it was packed; keep nothing there",
                    "warning",
                )
            )

    def _count(self, what: str) -> None:
        self._report.played += 1
        self._plan.progress(self._report.played, self._total, what)

    def _take(self, pairing: Pairing, result: GameResult) -> None:
        """Take in one game: times and types, then faults, then the score."""
        for seat in range(self._seats) if pairing.opponent == ITSELF else [pairing.seat]:
            own = result.record["seats"][str(seat)]
            self.picked = own["picked"] or self.picked
            self._report.take(result.record, own, self._variant(pairing))
            fault = seat_fault(self._plan.context, result.record, seat)
            if fault is not None:
                side = f" in seat {seat + 1}" if seat else ""
                game = f"against {pairing.opponent}{side}: " if fault.weight == "fault" else ""
                self._fail(replace(fault, message=game + fault.message), result)
                return
        failed = _opponent_problem(pairing, result.record)
        if failed is not None:
            self._fail(failed, result)
            return
        self._keep(pairing, result)
        rewards = result.record["rewards"]
        if self._seats == 1:
            self._report.scores.append(rewards[0])
            return
        tally = self._report.tallies[pairing.opponent, pairing.seat]
        others = [reward for seat, reward in enumerate(rewards) if seat != pairing.seat]
        score = rewards[pairing.seat], max(others, default=0.0), result.record["moves"]
        tally.add(*score)
        self._report.of_variant(self._variant(pairing)).add(pairing.opponent, *score)

    def _fail(self, problem: Problem, result: GameResult) -> None:
        """Record the first fatal problem and keep its game's replay; games still under way add nothing."""
        if self._report.grave:
            return
        self._report.note(problem)
        replay = Path(result.job.replay or "")
        if replay.is_file():
            stem = self._plan.archive.name.removesuffix(".gz").rpartition(".")[0]
            folder = self._plan.keep or Path.cwd()
            place = folder / f"{stem}-faulty-game.json"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(replay, place)
            except OSError as error:
                raise UsageError(
                    f"the faulty game's replay cannot be written to {place} ({error.strerror}), and the fault was: "
                    f"{problem.message}; name another folder with --keep"
                ) from error
            self._report.replay = str(place)

    def _keep(self, pairing: Pairing, result: GameResult) -> None:
        """Keep a replay if all are to be kept."""
        replay = Path(result.job.replay or "")
        if self._plan.keep is not None:
            self._plan.keep.mkdir(parents=True, exist_ok=True)
            name = f"{pairing.opponent}-seat{pairing.seat + 1}-{replay.stem.rpartition('-')[2]:0>4}.json"
            shutil.copyfile(replay, self._plan.keep / name)
        replay.unlink()


def _of(pairing: Pairing) -> tuple[str, int]:
    return pairing.opponent, pairing.seat


def _players(pairing: Pairing, seats: int) -> tuple[Player, ...]:
    """Who sits where: the archive in its seat, the opponent in all others; archives are still named, not placed."""
    own = Player(main=ARCHIVE)
    archives = {ITSELF: own, OTHER: Player(main=OTHER_ARCHIVE)}
    foreign = archives.get(pairing.opponent, Player(agent=pairing.opponent))
    return tuple(own if seat == pairing.seat else foreign for seat in range(seats))


def _opponent_problem(pairing: Pairing, record: dict[str, Any]) -> Problem | None:
    """Did the opponent or the game itself fail, so that the result says nothing of this archive?"""
    statuses = record["statuses"]
    failed = [seat for seat in range(len(statuses)) if seat != pairing.seat and statuses[seat] != "DONE"]
    if record["broke"] is not None:
        why = f"the game itself raised {record['broke']['type']}: {record['broke']['text']}"
    elif failed:
        fault = record["seats"].get(str(failed[0]), {}).get("fault")
        raised = f": {fault['type']}: {fault['text']}" if fault and fault["kind"] == "raised" else ""
        why = f"its status was {statuses[failed[0]]}{raised}"
    else:
        return None
    return Problem(
        "opponent_failed",
        f"not judged: in a game against {pairing.opponent} not this archive but its opponent failed ({why}); "
        f"mend or change the opponent",
        "not_judged",
    )
