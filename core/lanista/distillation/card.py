"""The card of a distillation: what teacher, student and random moves return, and what the student costs to ship.

It is read from a finished run's folder, so `lanista resume` ends with it as `lanista distill` does. Returns are in the
env's own units, over episodes on the same starts; intervals are at 95 %.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from lanista.distillation.wish import PHASE
from lanista.files import write_atomically
from lanista.metrics import read_metrics
from lanista.policy import policy_hash

#: what `lanista distill` leaves in a run's folder, for the card: where the teacher came from
ORIGIN = "distill.json"
CARD = "card.json"
VERSION = 1


def is_distillation(folder: Path) -> bool:
    """Was this run made by `lanista distill`?"""
    return (folder / ORIGIN).is_file()


def write_origin(
    folder: Path,
    student: str,
    teachers: list[dict[str, Any]],
    env: Mapping[str, Any],
    losses: Sequence[Mapping[str, Any]],
) -> None:
    """Note for the card what is known before the run: what was asked for, and what the teachers say of themselves."""
    record = {"student": student, "teachers": teachers, "env": dict(env), "losses": list(losses)}
    write_atomically(folder / ORIGIN, json.dumps(record, indent=1).encode())


def write_card(folder: Path) -> dict[str, Any]:
    """Make the card of a finished run, write it as ``card.json`` beside the recipe, and give it."""
    card: dict[str, Any] = _finite(_card(folder))
    write_atomically(folder / CARD, json.dumps(card, indent=1, allow_nan=False).encode())
    return card


def _finite(value: Any) -> Any:  # noqa: ANN401 - JSON values
    """The same with null for numbers that are not finite, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _card(folder: Path) -> dict[str, Any]:
    origin = json.loads((folder / ORIGIN).read_text())
    figures = json.loads((folder / "phases" / PHASE / "phase.json").read_text())
    delivery = json.loads((folder / "exported" / "delivery.json").read_text())
    recorded = json.loads((folder / "run.json").read_text())
    policy = json.loads((folder / "final" / "policy.json").read_text())
    rows = read_metrics(folder / "metrics.jsonl")
    measured = delivery["measured"]

    def played(who: str) -> dict[str, Any]:
        """Return, or score, of one of the three."""
        names = {"mean": who, "low": f"{who}_low", "high": f"{who}_high", "worst": f"{who}_worst"}
        return {key: figures[name] for key, name in names.items() if name in figures}

    card: dict[str, Any] = {
        "version": VERSION,
        "name": origin["student"],
        "env": origin["env"],
        "seed": recorded["seed"],
        "measure": figures["measure"],
        "episodes": figures["games"],
        "teacher": {
            "sources": origin["teachers"],
            "parameters": figures["teacher_parameters"],
            "microseconds_torch": figures.get("teacher_latency_us"),
            **played("teacher"),
        },
        "student": {
            "network": policy["network"],
            "network_settings": policy["network_settings"],
            "parameters": figures["student_parameters"],
            "sha256": policy_hash(folder / "final"),
            "chosen": figures["chosen"],
            **played("student"),
        },
        "random": played("random"),
        "share": {key: figures.get(name) for key, name in _SHARE.items()},
        "losses": origin["losses"],
        "agreement": figures["agreement"],
        "kl": figures["kl"],
        "spread_taught": not _action_alone(policy["spec"]["heads"], origin["losses"]),
        "steps": figures["steps"],
        "seconds": sum(row.get("seconds", 0.0) for row in rows if row.get("phase") == PHASE),
        "files": {"torch_bytes": measured["torch_bytes"]},
        "microseconds": {},
        "curve": _curve(rows),
        "agreement_curve": _agreement(rows),
        "lanista": recorded["lanista"],
    }
    for kind in ("float32", "int8"):
        if kind in measured:
            found = measured[kind]
            card["files"][kind] = {key: found[key] for key in ("file", "onnx_bytes", "numpy_bytes")}
            card["microseconds"][kind] = found.get("microseconds", {})
    if "int8" in delivery:
        cost = delivery["int8"]["int8"]
        returns = {kind: measured[kind].get("returns") for kind in ("float32", "int8")}
        card["int8"] = {"agreement": cost["agreement"], "difference": cost["difference"], "returns": returns}
    return card


def _action_alone(heads: Sequence[Mapping[str, Any]], losses: Sequence[Mapping[str, Any]]) -> bool:
    """Real numbers taught by their distance alone: the student's deviations are whatever they began as, and its KL too."""
    numbers = all(head.get("low") for head in heads)
    return numbers and all(term["loss"]["use"] in ("mse", "huber") for term in losses)


_SHARE = {"value": "share", "low": "share_low", "high": "share_high"}


def _curve(rows: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The measurements on the way: steps, the student's mean return and its teacher's, the share."""
    names = ("step", "greedy_return", "teacher_return", "share")
    return [{name: row[name] for name in names if name in row} for row in rows if "greedy_return" in row]


def _agreement(rows: list[dict[str, Any]], most: int = 200) -> list[list[float]]:
    """[env steps, agreement on the labelled states] after the updates, `most` of them."""
    found = [[row["step"], row["agreement"]] for row in rows if "agreement" in row]
    return found[:: -(-len(found) // most) or 1]


def card_tables(card: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """The card as tables for the screen: (title, headers, rows)."""
    return [_strength(card), _cost(card)]


def card_sentences(card: Mapping[str, Any]) -> list[str]:
    """What the tables do not hold."""
    share = card["share"]
    said = []
    if share["value"] is not None:
        said.append(
            f"the student keeps {share['value']:.1%} ({share['low']:.1%} to {share['high']:.1%}) of its teacher's "
            f"distance from random moves, with {_ratio(card)} parameters"
        )
    told = card["kl"] is not None and card["spread_taught"]
    divergence = f", KL {card['kl']:.4g} nats" if told else ""
    said.append(
        f"agreement {card['agreement']:.4f}{divergence} on states that the student meets; "
        f"{card['steps']:,} env steps in {card['seconds']:.1f} s"
    )
    if "int8" in card:
        cost = card["int8"]
        text = f"int8 weights: agreement {cost['agreement']:.4f} with float32"
        whole, small = (cost["returns"].get(kind) for kind in ("float32", "int8"))
        if whole is not None and small is not None:
            text += (
                f"; return {small['mean']:.2f} against {whole['mean']:.2f} over {small['episodes']} episodes on the "
                f"same starts, both as numpy plays the written file"
            )
        said.append(text)
    return said


def frontier_table(cards: Sequence[Mapping[str, Any]]) -> tuple[str, list[str], list[list[str]]]:
    """All students beside each other, as a table for the screen; the rows on the frontier of size bear a star."""
    sizes = [card["files"]["float32"]["onnx_bytes"] for card in cards]
    front = frontier(sizes, [card["student"]["mean"] for card in cards])
    rows = []
    for place, card in enumerate(cards):
        mine, share = card["student"], card["share"]["value"]
        times = card["microseconds"]["float32"]
        small = card["files"].get("int8")
        rows.append(
            [
                f"{card['name']}{' *' if place in front else ''}",
                str(card["seed"]),
                f"{mine['parameters']:,}",
                f"{sizes[place] / 1000:.1f}",
                "" if small is None else f"{small['onnx_bytes'] / 1000:.1f}",
                *(
                    f"{times[runner]['median']:.1f}" if runner in times else ""
                    for runner in ("onnxruntime", "numpy")
                ),
                _short(mine["mean"]),
                f"{_short(mine['low'])} to {_short(mine['high'])}",
                _short(mine["worst"]) if "worst" in mine else "",
                "" if share is None else f"{share:.1%}",
                f"{card['seconds']:.1f}",
            ]
        )
    first = cards[0]
    title = (
        f"{first['env']['use']}: students of a teacher with {first['teacher']['parameters']:,} parameters and "
        f"{first['measure']} {_short(first['teacher']['mean'])} (* no smaller one is better)"
    )
    headers = [
        "student", "seed", "parameters", "kB", "kB int8", "µs onnxruntime", "µs numpy", first["measure"], "95 %",
        "worst", "share", "s",
    ]  # fmt: skip
    return title, headers, rows


def frontier(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Places that no other one betters, by rising cost: of equal cost the highest gain."""
    found: list[int] = []
    for place in sorted(range(len(costs)), key=lambda place: (costs[place], -gains[place])):
        if not found or gains[place] > gains[found[-1]]:
            found.append(place)
    return found


def _ratio(card: Mapping[str, Any]) -> str:
    """The student's parameters beside the teacher's."""
    mine, theirs = card["student"]["parameters"], card["teacher"]["parameters"]
    return f"{mine:,}" if not theirs else f"1/{theirs / mine:.1f} of its {theirs:,}"


def _strength(card: Mapping[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    what = "return" if card["measure"] == "return" else "score against the teacher"
    rows = []
    for who in ("teacher", "student", "random"):
        found = card[who]
        if "mean" not in found:
            continue
        interval = f"{_short(found['low'])} to {_short(found['high'])}" if "low" in found else ""
        worst = _short(found["worst"]) if "worst" in found else ""
        parameters = f"{found['parameters']:,}" if found.get("parameters") else ""
        rows.append([who, _short(found["mean"]), interval, worst, parameters])
    title = (
        f"{card['name']} in {card['env']['use']}: {what} over {card['episodes']} episodes on the same starts"
    )
    return title, ["", what.partition(" ")[0], "95 %", "worst episode", "parameters"], rows


def _cost(card: Mapping[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    sizes = card["files"]
    rows = []
    for kind, times in card["microseconds"].items():
        for runner in ("torch", "onnxruntime", "numpy"):
            if runner == "torch" and kind == "int8":
                continue  # torch plays the float32 weights
            size = sizes["torch_bytes"] if runner == "torch" else sizes[kind][f"{_FILE[runner]}_bytes"]
            time = times.get(runner)
            spread = ["", ""] if time is None else [f"{time['median']:.1f}", f"{time['p99']:.1f}"]
            rows.append([f"{runner}, {kind}", *spread, f"{size / 1000:.1f}"])
    return "a decision at batch 1, one thread", ["", "µs (median)", "µs (99th percentile)", "file, kB"], rows


_FILE = {"onnxruntime": "onnx", "numpy": "numpy"}


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"
