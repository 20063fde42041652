"""The seed experiments: play the arms of a question, then write its table and its plot.

    python docs/experiments/run.py kl                    both envs, ten seeds
    python docs/experiments/run.py all --env cartpole
    python docs/experiments/run.py all --write-only      tables and plots again from results/*.json

What is there already is not played again, so a stopped experiment goes on by the same command.
"""

import argparse
from pathlib import Path

from arms import ENVS, read_field
from kept import keep
from play import play_arms
from write import write_question


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("question", choices=[*read_field(ENVS[0]).questions, "all"])
    words.add_argument("--env", choices=ENVS, action="append", help="one env only; default: both")
    words.add_argument("--seeds", type=int, default=10)
    words.add_argument("--jobs", type=int, default=1, help="seeds played at once")
    words.add_argument("--out", type=Path, default=Path("runs/experiments"), help="where the run folders go")
    words.add_argument(
        "--write-only",
        action="store_true",
        help="play nothing; make tables and plots again from results/*.json",
    )
    given = words.parse_args()
    fields = {}
    for env in given.env or ENVS:
        field = read_field(env)
        questions = list(field.questions) if given.question == "all" else [given.question]
        fields[field] = [
            arm for arm in field.recipes if any(arm in field.questions[name] for name in questions)
        ]
    if not given.write_only:
        try:
            play_arms(fields, given.seeds, given.jobs, given.out)
        except KeyboardInterrupt:
            raise SystemExit("stopped; the same command goes on from here") from None
        for field, arms in fields.items():
            keep(field, arms, given.out)
    for field, arms in fields.items():
        for question, asked in field.questions.items():
            if set(asked) <= set(arms) and given.question in (question, "all"):
                write_question(field, question, asked)


if __name__ == "__main__":
    main()
