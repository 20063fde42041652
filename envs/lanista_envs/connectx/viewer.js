"use strict";
// Connect X. A frame is the board, flat, row by row from the top: 0 empty, 1 and 2 stones.
{
  const COLORS = ["#f6c945", "#f0604d"];

  // The cells of all runs of `inarow` or more.
  function winning(game, board) {
    const { rows, columns, inarow } = game.settings, cells = new Set();
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const stone = board[row * columns + column];
        if (!stone) continue;
        for (const [down, right] of [[0, 1], [1, 0], [1, 1], [1, -1]]) {
          const run = [];
          for (let r = row, c = column; r < rows && c >= 0 && c < columns && board[r * columns + c] === stone; r += down, c += right) run.push(r * columns + c);
          if (run.length >= inarow) run.forEach((cell) => cells.add(cell));
        }
      }
    }
    return cells;
  }
  const fresh = (game, k) => (k ? game.frames[k].findIndex((stone, cell) => stone !== game.frames[k - 1][cell]) : -1);

  function draw(pen, game, k, cell) {
    const { rows, columns } = game.settings, board = game.frames[k], wins = winning(game, board), latest = fresh(game, k);
    pen.fillStyle = "#2452a4";
    pen.fillRect(0, 0, columns * cell, rows * cell);
    board.forEach((stone, at) => {
      const x = ((at % columns) + 0.5) * cell, y = (Math.floor(at / columns) + 0.5) * cell;
      pen.beginPath();
      pen.arc(x, y, cell * 0.4, 0, 7);
      pen.fillStyle = stone ? COLORS[stone - 1] : "#14213f";
      pen.fill();
      if (!stone) return;
      pen.beginPath();
      pen.arc(x, y, cell * 0.29, 0, 7);
      pen.strokeStyle = "#00000030";
      pen.lineWidth = cell * 0.05;
      pen.stroke();
      if (wins.has(at) || at === latest) {
        pen.beginPath();
        pen.arc(x, y, cell * 0.4, 0, 7);
        pen.strokeStyle = wins.has(at) ? "#ffffff" : "#ffffffa0";
        pen.lineWidth = cell * (wins.has(at) ? 0.07 : 0.035);
        pen.stroke();
      }
    });
  }

  const stones = (board, seat) => board.filter((stone) => stone === seat + 1).length;

  function caption(game, k) {
    const latest = fresh(game, k);
    if (latest < 0) return "the start";
    return `move ${k}: ${game.seats[game.frames[k][latest] - 1]} takes column ${latest % game.settings.columns}`;
  }

  lanista.show({
    size: (game) => [game.settings.columns, game.settings.rows],
    draw,
    caption,
    facts: (game, k) => [["stones", stones(game.frames[k], 0), stones(game.frames[k], 1)]],
    lines: () => [],
    tip: (game, k, column, row) => `column ${column}, row ${row}`,
    colors: COLORS,
  });
}
