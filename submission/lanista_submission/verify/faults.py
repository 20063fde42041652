"""From the evidence of a game to one sentence: what was wrong, what was found, what to do.

`seat_fault` looks at one seat's record of a game, as ``judge/play.py`` describes it. The most specific
reading comes first: a helper that the platform took for the agent explains whatever that helper then did.
"""

from dataclasses import dataclass
from typing import Any

from lanista.hints import shown
from lanista_submission.verify.problem import Problem
from lanista_submission.verify.profile import PlatformPackages, TargetProfile
from lanista_submission.verify.source import FIND_FOLDER, Source, dunder_file, lazy_import, sounds_like_agent

_SERVER_FOLDER = "/kaggle_simulations"
#: the platform keeps that many characters of a turn's prints
KEPT_CHARACTERS = 10_000
_NO_ACTION = "which is no action in JSON and loses the game"


@dataclass(frozen=True)
class Context:
    """What a sentence needs to know besides the evidence."""

    profile: TargetProfile
    packages: PlatformPackages
    source: Source
    #: the archive's files
    names: tuple[str, ...]


def seat_fault(context: Context, record: dict[str, Any], seat: int) -> Problem | None:
    """Name the first technical fault of a seat in a game, or None."""
    own = record["seats"][str(seat)]
    found = _evidence(context, record, own, record["statuses"][seat])
    if found is None or found.weight == "not_judged":
        return found
    return wrong_callable(context, own["picked"], failed=True) or found


def _evidence(context: Context, record: dict[str, Any], own: dict[str, Any], status: str) -> Problem | None:
    fault = own["fault"]
    if fault is not None and fault["kind"] == "raised":
        return raised(context, fault, fault["turn"])
    if fault is not None and fault["kind"] == "died":
        return _died(context, fault)
    if fault is not None and fault["kind"] == "silent":
        return Problem(
            "hangs",
            f"turn {fault['turn']} did not end within {fault['waited_s']:.1f} s (the overage that was left "
            f"+ actTimeout {record['act_timeout_s']:g} s + 1 s) and was stopped, a TIMEOUT; look for an "
            f"endless loop or watch the clock",
        )
    if fault is not None and fault["kind"] == "garbled":
        return Problem(
            "garbled",
            f"turn {fault['turn']} gave {fault['bytes']:,} bytes that are no reply (32 MiB is the most); "
            f"{context.profile.mend}",
        )
    odd = _wrong_type(context, record, own)
    if odd is not None:
        return odd
    if status == "TIMEOUT":
        return _timeout(record, own)
    if status == "INVALID":
        turn = len(own["turns_s"])
        if own["refused"]:
            return Problem(
                "invalid_action",
                f"turn {turn} gave {shown(own['last_action'])}, which the game's rules for an action refuse "
                f"({own['refused']}); {context.profile.mend}",
            )
        return Problem(
            "illegal_action",
            f"turn {turn} gave {shown(own['last_action'])}, a move that the game does not allow there "
            f"(status INVALID); choose among the legal moves",
        )
    if status == "ERROR":
        return Problem("error", f"turn {len(own['turns_s'])} ended with status ERROR; see the replay")
    return None


def raised(context: Context, fault: dict[str, Any], turn: int) -> Problem:
    """Name what an agent raised, most specific reading first."""
    at = f" ({fault['where']})" if fault["where"] else ""
    what = f"{fault['type']}: {fault['text']}" if fault["text"] else fault["type"]
    when = "when main.py was executed" if fault["stage"] == "import" else f"in turn {turn}"
    if fault["no_callable"]:
        return Problem(
            "no_callable",
            "main.py leaves nothing that can be called, so there is no agent; define the agent as a "
            "function at main.py's top level",
        )
    if fault["exit"]:
        code = f" with code {fault['code']!r}" if fault["code"] is not None else ""
        return Problem(
            "exits",
            f"the agent left by {fault['type']}{code} {when}{at}, which ends its process on the platform; "
            f"return an action instead",
        )
    special = _missing(context, fault, when)
    if special is not None:
        return special
    if fault["type"] == "SyntaxError":
        line = f"{fault['file'].rsplit('/', 1)[-1]} line {fault['line']}: " if fault["file"] else ""
        return Problem(
            "syntax",
            f"the archive has a file that is not Python {context.packages.python[:4]}, which the platform "
            f"runs ({line}{fault['text']}); rewrite that line",
        )
    if fault["type"] == "MemoryError":
        limit = context.profile.memory
        return Problem(
            "memory",
            f"the agent needed more than {limit.value / 2**30:.3g} GiB of memory {when}{at} "
            f"({limit.source}); use less",
        )
    if fault["stage"] == "import":
        return Problem("raises_at_import", f"main.py raised {what}{at} when it was executed; mend that line")
    return Problem("raises", f"the agent raised {what}{at} in turn {turn}; mend that line")


def _missing(context: Context, fault: dict[str, Any], when: str) -> Problem | None:
    """Name a module, file or name that was not there."""
    name = str(fault["name"] or "")
    top = name.partition(".")[0]
    packages = context.packages
    if fault["type"] == "ModuleNotFoundError" and top:
        if top in packages.present:
            return package_not_here(top, f"it is imported {when}")
        if top in context.source.modules:
            where = fault["where"] or "main.py line ?"
            file, _, line = where.partition(" line ")
            late = lazy_import(file, int(line) if line.isdigit() else 0, name)
            return Problem(late.code, late.message)
        listed = f"list of {packages.date}: {packages.source}"
        known = (
            "the platform does not have"
            if top in packages.absent
            else "is in no list of what the platform has"
        )
        return Problem(
            "missing_package",
            f"{fault['where'] or 'main.py'} imports {name}, which is not in the archive and {known} "
            f"({listed}); do without it or put it into the archive",
        )
    if fault["type"] == "NameError" and name == "__file__":
        return dunder_file(fault["where"] or "main.py")
    if fault["file"] and fault["type"] in ("FileNotFoundError", "NotADirectoryError"):
        return _missing_file(context, fault["file"], fault["where"] or "main.py")
    return None


def _missing_file(context: Context, file: str, where: str) -> Problem:
    """Name a file that could not be opened."""
    if file.startswith(_SERVER_FOLDER):
        return Problem(
            "server_path",
            f"not judged: the agent opens {shown(file)}, a path that only the platform has; {FIND_FOLDER}, "
            f"which works in both places",
            "not_judged",
        )
    held = {entry.rsplit("/", 1)[-1] for entry in context.names}
    if file.rsplit("/", 1)[-1] in held and not file.startswith("/"):
        return Problem(
            "relative_path",
            f"the agent opens {shown(file)} relative to the current folder ({where}), which is another one "
            f"on the platform; {FIND_FOLDER}",
        )
    return Problem(
        "missing_file",
        f"the agent opens {shown(file)} ({where}), which is not there; put the file into the archive",
    )


def package_not_here(package: str, why: str) -> Problem:
    """A package of the platform that the judge lacks: no fault of the archive."""
    return Problem(
        "package_not_here",
        f"not judged: the archive needs {package}, which the platform has but the judging environment has "
        f"not ({why}); install it with `lanista doctor --fix --with {package}`",
        "not_judged",
    )


def _died(context: Context, fault: dict[str, Any]) -> Problem:
    how = f"was killed by {fault['signal']}" if fault["signal"] else f"ended with exit code {fault['code']}"
    words = f"; its last words: {shown(fault['words'].splitlines()[-1])}" if fault["words"] else ""
    limit = context.profile.memory.value / 2**30
    return Problem(
        "dies",
        f"the agent's process {how} in turn {fault['turn']} (os._exit, a crash, or more than {limit:.3g} "
        f"GiB of memory{words}), which the platform counts as an error; return an action instead",
    )


def _wrong_type(context: Context, record: dict[str, Any], own: dict[str, Any]) -> Problem | None:
    """Name the first result of a type that the platform turns into something else, or refuses."""
    wrong = [
        (seen["turn"], name) for name, seen in own["types"].items() if name not in context.profile.results
    ]
    fault = own["fault"] if own["fault"] is not None and own["fault"]["kind"] == "unsendable" else None
    if fault is not None:  # the right type, but what it holds cannot be sent
        wrong.append((fault["turn"], fault["type"]))
    if not wrong:
        return None
    turn, name = min(wrong)
    default = shown(record["default_action"])
    mend, forgiving = context.profile.mend, context.profile.forgiving
    if name == "NoneType":
        return Problem(
            "returns_none",
            f"turn {turn} gave None, "
            + (
                f"and the platform plays its default action {default} without a word"
                if forgiving
                else _NO_ACTION
            )
            + f"; end every branch of the agent with: {mend}",
        )
    if name.startswith("numpy.") or (fault and fault["odd"] and fault["odd"]["type"].startswith("numpy.")):
        where = f" at {fault['odd']['path']}" if fault and fault["odd"] and fault["odd"]["path"] else ""
        inner = fault["odd"]["type"] if fault and fault["odd"] else name
        return Problem(
            "returns_numpy",
            f"turn {turn} gave a {inner}{where}, "
            + (
                f"which the platform's server cannot send (the default action {default} is played without a "
                f"word) and its local runner calls INVALID"
                if forgiving
                else _NO_ACTION
            )
            + f"; {mend}",
        )
    code = {"float": "returns_float", "bool": "returns_bool"}.get(name, "returns_wrong_type")
    asked = " or ".join(context.profile.results)
    effect = f"; the game itself then raised {record['broke']['type']}" if record["broke"] else ""
    value = f" {shown(own['last_action'])}" if own["last_action"] is not None else ""
    return Problem(code, f"turn {turn} gave the {name}{value} where {asked} is asked{effect}; {mend}")


def _timeout(record: dict[str, Any], own: dict[str, Any]) -> Problem:
    turn = len(own["turns_s"])
    spent = own["turns_s"][-1]
    budget = f"actTimeout {record['act_timeout_s']:g} s and a bank of {record['overage_s']:g} s"
    if turn == 1 and own["import_s"] and own["import_s"] > spent / 2:
        return Problem(
            "slow_import",
            f"executing main.py took {own['import_s']:.1f} s, which is charged to turn 1 and is more than "
            f"{budget} allow; load less",
        )
    return Problem(
        "too_slow",
        f"turn {turn} took {spent:.2f} s, and with it the time was up ({budget}; the slowest turn took "
        f"{max(own['turns_s']):.2f} s), a TIMEOUT; watch the clock",
    )


def wrong_callable(context: Context, picked: dict[str, Any] | None, failed: bool) -> Problem | None:
    """Does the platform take something else for the agent than the author meant?

    `failed`: a game went wrong with it, so anything that does not look like the agent is to blame.
    """
    if picked is None:
        return None
    defined = {item.name: item for item in context.source.defined}
    taken = defined.get(picked["name"])
    if sounds_like_agent(picked["name"]) or (taken is not None and taken.looks_like_agent):
        return None
    meant = [item for item in context.source.defined if item.looks_like_agent]
    if not meant or (not failed and picked["kind"] == "function" and picked["module"] is None):
        return None
    line = taken.line if taken is not None else picked["line"] if picked["module"] is None else None
    kind = "" if picked["kind"] == "function" else f"the {picked['kind']} "
    places = [f"line {line}"] * bool(line) + [f"from {picked['module']}"] * bool(picked["module"])
    at = f" ({', '.join(places)})" if places else ""
    return Problem(
        "last_callable",
        f"the platform takes the last callable of main.py for the agent, and that is "
        f"{kind}{picked['name']}{at}, not {meant[-1].name} (line {meant[-1].line}); move {meant[-1].name} "
        f"to the end of main.py",
    )
