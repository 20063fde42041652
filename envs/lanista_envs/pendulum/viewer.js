"use strict";
// Pendulum. A frame is [cosine, sine of the angle from upright, angular velocity]; the rod is 9 cells long.
{
  const SIDE = 22, ROD = 9;
  const torque = (game, k) => Number(((((game.notes || [])[k] || {}).action || [""])[0].match(/[-+][\d.]+$/) || [])[0]);

  function draw(pen, game, k, cell) {
    const [cosine, sine] = game.frames[k], middle = (SIDE / 2) * cell;
    pen.fillStyle = "#1b2230";
    pen.fillRect(0, 0, SIDE * cell, SIDE * cell);
    pen.strokeStyle = "#34405a";
    pen.lineWidth = 1;
    pen.setLineDash([4, 6]);
    pen.beginPath();
    pen.moveTo(middle, middle);
    pen.lineTo(middle, middle - ROD * cell);
    pen.stroke();
    pen.setLineDash([]);
    // A positive angle turns against the clock.
    pen.strokeStyle = "#f0b860";
    pen.lineWidth = cell;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(middle, middle);
    pen.lineTo(middle - sine * ROD * cell, middle - cosine * ROD * cell);
    pen.stroke();
    pen.fillStyle = "#c9d2e0";
    pen.beginPath();
    pen.arc(middle, middle, 0.35 * cell, 0, 7);
    pen.fill();
    const applied = torque(game, k);
    if (!applied) return;
    const up = -Math.PI / 2, end = up - (applied / 2) * 1.2, back = applied > 0 ? 0.22 : -0.22;
    const x = middle + Math.cos(end) * 3 * cell, y = middle + Math.sin(end) * 3 * cell;
    pen.strokeStyle = "#4ea1ff";
    pen.lineWidth = 0.25 * cell;
    pen.beginPath();
    pen.arc(middle, middle, 3 * cell, up, end, applied > 0);
    pen.moveTo(middle + Math.cos(end + back) * 2.5 * cell, middle + Math.sin(end + back) * 2.5 * cell);
    pen.lineTo(x, y);
    pen.lineTo(middle + Math.cos(end + back) * 3.5 * cell, middle + Math.sin(end + back) * 3.5 * cell);
    pen.stroke();
  }

  lanista.show({ size: () => [SIDE, SIDE], draw });
}
