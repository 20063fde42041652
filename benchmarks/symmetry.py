"""What symmetries are worth: averaging over them in play, and training on drawn ones.

    python benchmarks/symmetry.py average RUN... [--against PLAYER ...] [--games 100] [--sample] [--names mirror]
    python benchmarks/symmetry.py augment RECIPE [--steps 300000] [--seeds 2] [--average] [--against PLAYER ...]

`average` plays each policy (a run or a policy's folder) as it is and averaged over its env's symmetries, against the same
players on the same starts, and then one against the other; it tells what a decision costs. `augment` trains the first
phase of a recipe twice a seed, with `augment_symmetries` and without, tells how many seconds of the processor each took, and
plays both against the same players and against each other. One thread; games are those of one seat order, intervals are at
95 %.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch

from lanista.contenders import Contender, find_contender, find_ground
from lanista.matches import play_matches
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy_player import PolicyPlayer
from lanista.recipe import check_recipe, read_recipe
from lanista.symmetry.averaging import averaged_policy


class Clocked(PolicyPlayer):
    """Knows what its decisions cost."""

    seconds, decisions = 0.0, 0

    def act(self, env, games, seats):
        """Choose, and count processor seconds."""
        begun = time.process_time()
        found = super().act(env, games, seats)
        self.seconds += time.process_time() - begun
        self.decisions += len(games)
        return found


def match(ground, registry, ours, theirs, wish):
    """Play `ours` (a policy) against a policy or a named player; give (the line's words, the first side's player)."""
    first = Clocked(ours, 1, greedy=not wish.sample)
    second = (
        find_contender(theirs, registry).player(registry, ground.spec, 2, wish.sample)
        if isinstance(theirs, str)
        else PolicyPlayer(theirs, 2, greedy=not wish.sample)
    )
    result = play_matches(ground.make_env, [first, second], wish.games, 11)
    tally, (low, high) = result.tally(0, 1), result.interval(0, 1)
    words = (
        f"{tally.wins}-{tally.draws}-{tally.losses}, score {tally.share:.3f} ({low:.3f} to {high:.3f}), {result.num_games} "
        f"games, {result.distinct_games} of them different, {1e6 * first.seconds / first.decisions:,.0f} us a decision"
    )
    return words, tally


def average(wish, registry):
    """Play policies with and without averaging."""
    for source in wish.source:
        contender = find_contender(source, registry)
        plain, ground = contender.policy, find_ground([contender], None, {}, registry)
        averaged = averaged_policy(plain, registry, wish.names.split(","))
        for other in wish.against:
            for name, policy in (("as it is", plain), (f"averaged over {wish.names}", averaged)):
                print(
                    f"{contender.name}, {name}, against {other}: {match(ground, registry, policy, other, wish)[0]}"
                )
        print(
            f"{contender.name}, averaged, against itself as it is: {match(ground, registry, averaged, plain, wish)[0]}"
        )


def trained(registry, wish, seed, augment):
    """Train the first phase of the recipe for the steps asked; give (policy, what it took in words)."""
    values = read_recipe(wish.source[0], registry)
    values["phases"] = [{**values["phases"][0], "augment_symmetries": augment}]
    values["phases"][0].pop("league", None)  # all of the time goes into learning
    values.pop("target", None)
    values.pop("verify", None)
    recipe = check_recipe(values, registry)
    wanted = recipe.phases[0]

    def begin(settings, folder):
        context = PhaseContext(
            registry=registry, env=recipe.top.env, heads=recipe.top.heads, name=wanted.name, run_folder=Path(folder),
            seed=seed, num_threads=1, policies={}, env_overrides=settings.env,
        )  # fmt: skip
        phase = registry.load("phases", wanted.kind)(context, settings)
        phase.start()
        return phase

    with tempfile.TemporaryDirectory() as folder:
        until = wanted.settings.until.model_copy(update={"steps": wish.steps})
        phase = begin(wanted.settings.model_copy(update={"until": until}), folder)
        phase.update()  # what is compiled is compiled
        begun = time.process_time()
        while not phase.finished:
            phase.update()
        spent, steps = time.process_time() - begun, phase.steps
        policy = phase.result().policy
        phase.close()
    return policy, f"{steps:,} steps in {spent:.0f} s of the processor"


def augment(wish, registry):
    """Train with and without augmentation, seed by seed."""
    sums = {}
    for seed in range(wish.first_seed, wish.first_seed + wish.seeds):
        arms = {}
        for name in ("plain", "augmented"):
            arms[name], words = trained(registry, wish, seed, name == "augmented")
            print(f"seed {seed}, {name}: {words}", flush=True)
        card = arms["plain"].card
        ground = find_ground([Contender("plain", arms["plain"])], card.env, {}, registry)
        for name, policy in arms.items():
            for other in wish.against:
                ways = [("as it is", policy)]
                if wish.average:
                    ways.append(("averaged", averaged_policy(policy, registry)))
                for way, player in ways:
                    words, tally = match(ground, registry, player, other, wish)
                    key = f"{name}, {way}, against {other}"
                    sums[key] = tally if key not in sums else sums[key] + tally
                    print(f"seed {seed}, {key}: {words}", flush=True)
        words, tally = match(ground, registry, arms["augmented"], arms["plain"], wish)
        key = "augmented against plain"
        sums[key] = tally if key not in sums else sums[key] + tally
        print(f"seed {seed}, {key}: {words}", flush=True)
    for key, tally in sums.items():
        low, high = tally.interval()
        print(f"all seeds, {key}: score {tally.share:.3f} ({low:.3f} to {high:.3f}) in {tally.games} games")


def main():
    """Read the wish."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("average", "augment"))
    parser.add_argument("source", nargs="+", help="runs or policies' folders; or one recipe")
    parser.add_argument("--against", action="append", default=[], help="a player; repeatable")
    parser.add_argument("--games", type=int, default=100)
    parser.add_argument("--sample", action="store_true", help="policies draw their actions")
    parser.add_argument("--names", default="all", help="the symmetries to average over, with commas between")
    parser.add_argument("--steps", type=int, default=300_000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--average", action="store_true", help="play what was trained averaged over symmetries, too"
    )
    wish = parser.parse_args()
    torch.set_num_threads(1)
    registry = load_plugins().registry
    {"average": average, "augment": augment}[wish.what](wish, registry)


if __name__ == "__main__":
    main()
