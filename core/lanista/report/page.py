"""The report of one run as one self-contained HTML file."""

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from lanista.files import write_atomically
from lanista.report import outcome, tables
from lanista.report.charts import Chart, charts_of, payoff_chart
from lanista.report.folder import RunFolder
from lanista.report.tables import Table, Verdict
from lanista.version import __version__
from lanista.viewer.page import embed_json


@dataclass
class Section:
    """One box of the page."""

    title: str
    lines: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    #: caption, table, and for each first cell the page that it leads to (none: it leads nowhere)
    tables: list[tuple[str, Table, dict[str, str]]] = field(default_factory=list)
    #: place among the page's charts, and the chart
    charts: list[tuple[int, Chart]] = field(default_factory=list)


class Page:
    """A page under construction: sections, and the charts in them."""

    def __init__(self, title: str, verdict: Verdict, heading: list[tuple[str, str]]) -> None:
        """Begin with what stands at the top."""
        self.title, self.verdict, self.heading = title, verdict, heading
        self.summary = ""
        self.warnings: list[str] = []
        self.faults: list[str] = []
        self._sections: list[Section] = []
        self._charts: list[Chart] = []

    def section(self, title: str, charts: list[Chart] | None = None) -> Section:
        """Add a section; one that stays empty is left out."""
        section = Section(title)
        for chart in charts or []:
            section.charts.append((len(self._charts), chart))
            self._charts.append(chart)
        self._sections.append(section)
        return section

    def html(self) -> str:
        """The whole text."""
        import jinja2  # with its parser a tenth of a second to import

        folder = resources.files("lanista.report")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        template = environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8"))
        figures = embed_json([{"traces": chart.traces, "layout": chart.layout} for chart in self._charts])
        return template.render(
            title=self.title,
            verdict=self.verdict,
            summary=self.summary,
            heading=self.heading,
            warnings=self.warnings,
            faults=self.faults,
            sections=[one for one in self._sections if one.lines or one.facts or one.tables or one.charts],
            figures=figures,
            style=folder.joinpath("page.css").read_text(encoding="utf-8"),
            script=folder.joinpath("page.js").read_text(encoding="utf-8"),
            plotly=_plotly() if self._charts else "",
            version=__version__,
        )


def _plotly() -> str:
    """Plotly's own JavaScript, out of the installed package and without importing it."""
    text = resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")


def make_report(run: RunFolder) -> str:
    """The report of a run, as far as it has come."""
    page = Page(run.name, tables.verdict_of(run), tables.heading_of(run))
    page.summary = str(run.recipe.get("summary", ""))
    page.warnings = [warning.sentence for warning in run.warnings]
    page.faults = list(run.faults)
    phases = page.section("Phases")
    if run.phases:
        phases.tables.append(("", tables.phases_table(run), {}))
    for name, table in tables.distillation_tables(run):
        page.section(f"Student against teacher: {name}").tables.append(("", table, {}))
    _add_delivery(page, run)
    charts = charts_of(run)
    figures = page.section("Figures", charts)
    if not charts:
        figures.lines.append("No update has been logged yet.")
    _add_league(page, run)
    return page.html()


def _add_league(page: Page, run: RunFolder) -> None:
    table = tables.league_table(run)
    if table is None or run.league is None:
        return
    chart = payoff_chart(run.league)
    section = page.section("League", [chart] if chart is not None else [])
    section.tables.append((tables.LEAGUE_NOTE, table, {}))
    gates = tables.gates_table(run.league)
    if gates is not None:
        section.tables.append(("the gate: who replaced the best before it", gates, {}))


def _add_delivery(page: Page, run: RunFolder) -> None:
    export = page.section("Export")
    export.facts = outcome.export_facts(run)
    verification = page.section("Verification")
    for section, table in (
        (export, outcome.export_table(run)),
        (verification, outcome.checks_table(run)),
        (verification, outcome.pairings_table(run)),
    ):
        if table is not None:
            section.tables.append(("", table, {}))


def write_page(path: Path, text: str) -> int:
    """Write a page whole or not at all; gives its size in bytes."""
    # Half of a surrogate pair, which JSON may hold, has no UTF-8.
    content = text.encode("utf-8", errors="xmlcharrefreplace")
    write_atomically(path, content)
    return len(content)
