"""`lanista export`: a policy to ONNX, compared with torch and the numpy runtime."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lanista_submission.export.policy import ExportReport


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
) -> None:
    """Write a policy as ONNX, if torch, onnxruntime and the numpy runtime agree on recorded observations.

    Examples: lanista export runs/demo; lanista export runs/demo/phases/small/policy --out small.onnx
    """
    from lanista.plugins import current_host
    from lanista_submission.commands.screen import working
    from lanista_submission.export.policy import export_folder

    with working(f"exporting {source} and comparing on {observations} observations"):
        report = export_folder(source, out, current_host().registry, observations)
    show_report(report)


def show_report(report: "ExportReport") -> None:
    """Print the comparison as a table, and what was written."""
    from lanista_submission.commands.screen import show_table
    from lanista_submission.export.compare import LIMIT

    show_table(
        ["runner", "batch", "logits differ", "value differs", "equal greedy", "ties"],
        [
            [
                row.runner,
                str(row.batch),
                f"{row.logits:.1e}",
                f"{row.value:.1e}",
                f"{row.equal:.2%}",
                str(row.ties),
            ]
            for row in report.comparisons
        ],
    )
    typer.echo(
        f"against torch on {report.observations} observations; limits: {LIMIT:.0e} of the largest logit "
        f"or value (at least 1), 100 % equal greedy actions but for ties within that"
    )
    typer.echo(f"{report.path}: {report.parameters:,} parameters, {report.size:,} bytes")
