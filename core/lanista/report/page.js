"use strict";
// Draws the charts of the report; their colours follow the page, light or dark.
{
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function themed(layout) {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = (own) => ({
      gridcolor: color("--line"), zerolinecolor: color("--line"), linecolor: color("--line"), automargin: true,
      ...own, title: { standoff: 8, font: { size: 11.5, color: color("--dim") }, ...(own || {}).title },
    });
    const narrow = window.innerWidth < 640;
    return {
      margin: { l: 50, r: 12, t: 22, b: 40 }, hovermode: "closest",
      legend: { orientation: "h", y: -0.28, x: 0, font: { size: 11.5 }, itemwidth: 30 },
      ...layout,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif", size: narrow ? 11 : 12, color: color("--text") },
      hoverlabel: { bgcolor: color("--panel"), bordercolor: color("--line"), font: { color: color("--text") } },
      xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis),
      shapes: (layout.shapes || []).map((shape) => ({ ...shape, line: { ...shape.line, color: color("--dim") } })),
      annotations: (layout.annotations || []).map((text) => ({ ...text, font: { ...text.font, color: color("--dim") } })),
    };
  }

  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  const draw = () => figures.forEach(({ traces, layout }, place) => {
    Plotly.react(document.getElementById(`chart${place}`), traces, themed(layout), options);
  });
  draw();
  dark.addEventListener("change", draw);
}
