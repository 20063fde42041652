"""`lanista export`: a policy to ONNX, compared with torch and the numpy runtime."""

from pathlib import Path
from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    source: Annotated[
        Path, typer.Argument(metavar="RUN_OR_POLICY_FOLDER", help="A run, or a policy's folder.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The ONNX file; default RUN/exported/policy.onnx, or beside the policy."),
    ] = None,
    observations: Annotated[int, typer.Option(min=1, help="Observations to compare on.")] = 1000,
    int8: Annotated[
        bool, typer.Option("--int8", help="Store weights as int8: a smaller file; its cost is printed.")
    ] = False,
) -> None:
    """Write a policy as ONNX, if torch, onnxruntime and the numpy runtime agree on recorded observations.

    Examples: lanista export runs/demo; lanista export runs/demo --int8 --out int8.onnx;
    lanista export runs/demo/phases/small/policy --out small.onnx
    """
    from lanista.plugins import current_host
    from lanista_submission.commands.screen import working
    from lanista_submission.export.policy import export_folder

    with working(f"exporting {source} and comparing on {observations} observations"):
        report = export_folder(source, out, current_host().registry, observations, int8)
    typer.echo("\n".join(report.lines()))
