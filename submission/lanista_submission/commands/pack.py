"""`lanista pack`: an exported policy to the archive that a platform takes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lanista.plugins import Registry


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pack")(pack)


def pack(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_OR_POLICY_OR_ONNX", help="A run, a policy's folder, or an exported file."
        ),
    ],
    target: Annotated[str, typer.Option(help="The platform and game, e.g. kaggle:connectx.")],
    out: Annotated[
        Path | None, typer.Option(help="The archive; default submission.tar.gz beside the ONNX file.")
    ] = None,
    fallback: Annotated[
        list[Path] | None,
        typer.Option(
            help="A smaller policy for when time runs short; a run, folder or ONNX file; repeatable."
        ),
    ] = None,
    target_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="A setting of the target, such as actions=sampled; repeatable."
        ),
    ] = None,
    average_symmetries: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME,NAME",
            help="Let the archive average over these symmetries of its env while there is time.",
        ),
    ] = None,
) -> None:
    """Build the archive to submit; what is not exported yet is exported first.

    Examples: lanista pack runs/demo --target kaggle:connectx; lanista pack big.onnx --fallback small.onnx
    --target kaggle:connectx --out entry.tar.gz; lanista pack runs/lux --target kaggle:lux_ai_2021
    --target-set actions=sampled
    """
    from lanista.contenders import read_pairs
    from lanista.delivery import build_target
    from lanista.plugins import current_host
    from lanista.tables import TargetTable
    from lanista_submission.bundle.pack import read_network
    from lanista_submission.errors import PackError
    from lanista_submission.targets.provenance import run_provenance

    registry = current_host().registry
    asked = read_pairs(target_set or [], "--target-set")
    if average_symmetries is not None:
        asked["average_symmetries"] = average_symmetries
    made_for = build_target(registry, TargetTable.model_validate({"use": target, **asked}))
    if not hasattr(made_for, "pack"):
        raise PackError(f"target {target!r} has no archive; `lanista export` writes its file")
    models = [exported_model(place, registry) for place in (source, *(fallback or []))]
    for place, model in zip((source, *(fallback or [])), list(models), strict=True):
        if place.is_dir() and hasattr(made_for, "export_further"):
            models += [report.path for report in made_for.export_further(place, model.parent)]
    archive = out if out is not None else models[0].with_name("submission.tar.gz")
    provenance = run_provenance(source) if source.is_dir() else {}
    made_for.pack(models, archive, provenance)
    networks = ", ".join(f"{read_network(path).parameters:,}" for path in models)
    typer.echo(f"{archive}: {archive.stat().st_size:,} bytes for {target}, {networks} parameters")


def exported_model(source: Path, registry: "Registry") -> Path:
    """The ONNX file of what the user named; a folder's is made, or taken if it is of that very policy."""
    from lanista.policy import policy_hash
    from lanista_submission.bundle.pack import read_network
    from lanista_submission.commands.screen import working
    from lanista_submission.errors import PackError
    from lanista_submission.export.policy import default_out, export_folder, find_policy

    if source.is_file():
        return source
    if not source.is_dir():
        raise PackError(f"there is no {source}; name a run, a policy's folder or an ONNX file")
    policy_folder = find_policy(source)
    path = default_out(source)
    if path.is_file() and read_network(path).facts["lanista.policy_sha256"] == policy_hash(policy_folder):
        return path
    with working(f"exporting {source}"):
        report = export_folder(source, path, registry)
    typer.echo("\n".join(report.lines()))
    return report.path
