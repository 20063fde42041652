"use strict";
// MountainCar. A frame is [position, velocity]; 18 cells to a unit of position.
{
  const UNIT = 18, LEFT = -1.3, WIDTH = 2, ROWS = 24, GOAL = 0.5;
  const height = (position) => 0.45 * Math.sin(3 * position) + 0.55;

  function draw(pen, game, k, cell) {
    const unit = UNIT * cell, x = (position) => (position - LEFT) * unit, y = (position) => (ROWS - 1.5) * cell - height(position) * unit;
    const [position] = game.frames[k];
    pen.fillStyle = "#16233a";
    pen.fillRect(0, 0, WIDTH * unit, ROWS * cell);
    pen.fillStyle = "#3c4f3a";
    pen.beginPath();
    pen.moveTo(0, ROWS * cell);
    for (let step = 0; step <= 100; step++) pen.lineTo((step / 100) * WIDTH * unit, y(LEFT + (step / 100) * WIDTH));
    pen.lineTo(WIDTH * unit, ROWS * cell);
    pen.fill();
    pen.strokeStyle = pen.fillStyle = "#f6c945";
    pen.lineWidth = 0.15 * cell;
    pen.beginPath();
    pen.moveTo(x(GOAL), y(GOAL));
    pen.lineTo(x(GOAL), y(GOAL) - 3 * cell);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x(GOAL), y(GOAL) - 3 * cell);
    pen.lineTo(x(GOAL) + 1.4 * cell, y(GOAL) - 2.5 * cell);
    pen.lineTo(x(GOAL), y(GOAL) - 2 * cell);
    pen.fill();
    pen.save();
    pen.translate(x(position), y(position));
    pen.rotate(-Math.atan(1.35 * Math.cos(3 * position)));
    pen.fillStyle = "#4ea1ff";
    pen.beginPath();
    pen.roundRect(-1.1 * cell, -1.35 * cell, 2.2 * cell, 0.8 * cell, 0.25 * cell);
    pen.fill();
    pen.fillStyle = "#dfe5ee";
    for (const wheel of [-0.6, 0.6]) {
      pen.beginPath();
      pen.arc(wheel * cell, -0.4 * cell, 0.4 * cell, 0, 7);
      pen.fill();
    }
    pen.restore();
  }

  lanista.show({ size: () => [WIDTH * UNIT, ROWS], draw });
}
