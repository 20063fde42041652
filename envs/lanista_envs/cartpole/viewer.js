"use strict";
// CartPole. A frame is [x (m), x_dot, theta (rad), theta_dot]; a cell is a quarter of a metre.
{
  const METRE = 4, WIDTH = 6, TRACK = 11.5;
  const pushed = (game, k) => Number(((((game.notes || [])[k] || {}).action || [""])[0].match(/\d+$/) || [])[0]);

  function draw(pen, game, k, cell) {
    const [x, , theta] = game.frames[k], metre = METRE * cell, middle = (WIDTH / 2) * metre, ground = TRACK * cell;
    pen.fillStyle = "#1b2230";
    pen.fillRect(0, 0, WIDTH * metre, 15 * cell);
    pen.strokeStyle = "#56627a";
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(0, ground);
    pen.lineTo(WIDTH * metre, ground);
    pen.stroke();
    // The cart may not leave these marks.
    pen.fillStyle = "#e5484d";
    for (const edge of [-2.4, 2.4]) pen.fillRect(middle + edge * metre - 1.5, ground - 0.6 * cell, 3, 1.2 * cell);
    const at = middle + x * metre, axle = ground - 1.1 * cell;
    pen.fillStyle = "#4ea1ff";
    pen.beginPath();
    pen.roundRect(at - 1.1 * cell, axle - 0.5 * cell, 2.2 * cell, 1.2 * cell, 0.25 * cell);
    pen.fill();
    pen.fillStyle = "#c9d2e0";
    for (const wheel of [-0.65, 0.65]) {
      pen.beginPath();
      pen.arc(at + wheel * cell, ground - 0.3 * cell, 0.3 * cell, 0, 7);
      pen.fill();
    }
    pen.strokeStyle = "#f0b860";
    pen.lineWidth = 0.4 * cell;
    pen.lineCap = "round";
    pen.beginPath();
    pen.moveTo(at, axle - 0.3 * cell);
    pen.lineTo(at + Math.sin(theta) * 2 * metre * 0.9, axle - 0.3 * cell - Math.cos(theta) * 2 * metre * 0.9);
    pen.stroke();
    const push = pushed(game, k);
    if (Number.isNaN(push)) return;
    const way = push ? 1 : -1, y = ground + 1.6 * cell;
    pen.strokeStyle = "#93a0b1";
    pen.lineWidth = 0.16 * cell;
    pen.beginPath();
    pen.moveTo(at - way * cell, y);
    pen.lineTo(at + way * cell, y);
    pen.lineTo(at + way * 0.5 * cell, y - 0.4 * cell);
    pen.moveTo(at + way * cell, y);
    pen.lineTo(at + way * 0.5 * cell, y + 0.4 * cell);
    pen.stroke();
  }

  lanista.show({ size: () => [WIDTH * METRE, 15], draw });
}
