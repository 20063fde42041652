"use strict";
// The shell of the page: playing, scrubbing, tables and charts. What a board looks like is the renderer's business,
// which calls lanista.show with
//   size(game) -> [columns, rows]              the board in cells
//   draw(pen, game, k, cell)                   frame k; a cell is `cell` pixels wide, (0, 0) is top left
//   caption(game, k) -> text                   one line on the frame
//   facts(game, k) -> [[name, value by seat...], ...]   rows of the table beside the board
//   lines(game) -> [[name, [value by frame] by seat], ...]   charts
//   tip(game, k, column, row) -> text          what lies under the pointer, "" for nothing
//   colors: [color by seat]
const lanista = {
  show(renderer) {
    try {
      lanista.start(renderer);
    } catch (problem) {
      const text = document.createElement("p");
      text.className = "problem";
      text.textContent = `This game cannot be drawn: ${problem.message}`;
      document.querySelector("main").replaceChildren(text);
    }
  },

  start(renderer) {
    const find = (id) => document.getElementById(id);
    const game = JSON.parse(find("game").textContent);
    const last = game.frames.length - 1;
    const board = find("board"), pen = board.getContext("2d");
    const [columns, rows] = renderer.size(game);
    const speeds = [1, 2, 5, 10, 20, 40, 80];
    let at = 0, cell = 10, timer = 0, pointer = null, seen = null;

    const seatNames = renderer.colors.slice(0, game.seats.length).map((color, seat) => {
      const name = document.createElement("b");
      name.textContent = game.seats[seat];
      name.style.color = color;
      return name;
    });
    find("title").textContent = game.title;
    seatNames.forEach((name, seat) => find("versus").append(...(seat ? [" against ", name] : [name])));
    find("result").textContent = game.result;
    const head = document.createElement("tr");
    head.append(document.createElement("th"), ...seatNames.map((name) => {
      const column = document.createElement("th");
      column.textContent = name.textContent;
      column.title = name.textContent;
      column.style.color = name.style.color;
      return column;
    }));
    find("facts").tHead.append(head);
    for (const speed of speeds) find("speed").add(new Option(`${speed} / s`, speed, speed === 10, speed === 10));
    find("scrub").max = last;

    const charts = renderer.lines(game).map(([name, values]) => {
      const figure = document.createElement("figure"), caption = document.createElement("figcaption");
      const label = document.createElement("span"), range = document.createElement("span");
      const canvas = document.createElement("canvas");
      const top = Math.max(1, ...values.flat());
      label.textContent = name;
      range.textContent = `up to ${top.toLocaleString("en")}`;
      caption.append(label, range);
      figure.append(caption, canvas);
      find("charts").append(figure);
      const seek = (event) => {
        if (event.type === "pointermove" && !event.buttons) return;
        go(Math.round((event.offsetX / canvas.clientWidth) * last));
      };
      canvas.addEventListener("pointerdown", seek);
      canvas.addEventListener("pointermove", seek);
      return { canvas, values, top };
    });

    function drawChart({ canvas, values, top }) {
      const ratio = window.devicePixelRatio || 1;
      const wide = canvas.clientWidth, high = canvas.clientHeight;
      canvas.width = wide * ratio;
      canvas.height = high * ratio;
      const ink = canvas.getContext("2d");
      ink.scale(ratio, ratio);
      const x = (k) => (last ? (k / last) * (wide - 2) + 1 : wide / 2);
      const y = (value) => high - 3 - (value / top) * (high - 8);
      values.forEach((line, seat) => {
        ink.strokeStyle = renderer.colors[seat];
        ink.lineWidth = 1.6;
        ink.beginPath();
        line.forEach((value, k) => (k ? ink.lineTo(x(k), y(value)) : ink.moveTo(x(k), y(value))));
        ink.stroke();
      });
      ink.fillStyle = "#ffffff90";
      ink.fillRect(x(at) - 0.5, 0, 1, high);
      values.forEach((line, seat) => {
        ink.fillStyle = renderer.colors[seat];
        ink.beginPath();
        ink.arc(x(at), y(line[at]), 3, 0, 7);
        ink.fill();
      });
    }

    function fit() {
      const stage = find("stage"), ratio = window.devicePixelRatio || 1;
      const room = Math.max(120, Math.min(stage.clientWidth / columns, (stage.clientHeight || 600) / rows) * columns - 4);
      cell = Math.max(4, Math.floor(room / columns));
      board.width = cell * columns * ratio;
      board.height = cell * rows * ratio;
      board.style.width = `${cell * columns}px`;
      board.style.height = `${cell * rows}px`;
      paint();
    }

    function paint() {
      const ratio = window.devicePixelRatio || 1;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, cell * columns, cell * rows);
      renderer.draw(pen, game, at, cell);
      find("caption").textContent = renderer.caption(game, at);
      const body = find("facts").tBodies[0];
      body.replaceChildren(...renderer.facts(game, at).map((row) => {
        const line = document.createElement("tr");
        line.append(...row.map((value) => {
          const field = document.createElement("td");
          field.textContent = typeof value === "number" ? value.toLocaleString("en") : value;
          return field;
        }));
        return line;
      }));
      charts.forEach(drawChart);
      find("scrub").value = at;
      find("place").textContent = `${at} / ${last}`;
      showTip();
    }

    function showTip() {
      const tip = find("tip");
      const text = pointer ? renderer.tip(game, at, Math.floor(pointer.x / cell), Math.floor(pointer.y / cell)) : "";
      tip.style.display = text ? "block" : "none";
      if (!text) return;
      tip.textContent = text;
      const frame = find("stage").getBoundingClientRect(), own = board.getBoundingClientRect();
      const x = own.left - frame.left + pointer.x + 16, y = own.top - frame.top + pointer.y + 16;
      tip.style.left = `${Math.max(0, Math.min(x, frame.width - tip.offsetWidth))}px`;
      tip.style.top = `${Math.max(0, Math.min(y, frame.height - tip.offsetHeight))}px`;
    }

    function go(k) {
      at = Math.max(0, Math.min(last, k));
      paint();
    }

    function play(on) {
      cancelAnimationFrame(timer);
      timer = 0;
      find("play").textContent = on ? "❚❚" : "▶";
      find("play").setAttribute("aria-label", on ? "pause" : "play");
      if (!on) return;
      if (at === last) at = 0;
      seen = performance.now();
      timer = requestAnimationFrame(advance);
    }

    function advance(now) {
      const pause = 1000 / Number(find("speed").value);
      const steps = Math.floor((now - seen) / pause);
      if (steps > 0) {
        seen += steps * pause;
        go(at + Math.min(steps, 8));
      }
      if (at === last) play(false);
      else timer = requestAnimationFrame(advance);
    }

    const step = (by) => { play(false); go(at + by); };
    find("play").addEventListener("click", () => play(!timer));
    find("first").addEventListener("click", () => step(-at));
    find("back").addEventListener("click", () => step(-1));
    find("next").addEventListener("click", () => step(1));
    find("last").addEventListener("click", () => step(last - at));
    find("scrub").addEventListener("input", () => step(Number(find("scrub").value) - at));
    window.addEventListener("resize", fit);
    board.addEventListener("pointermove", (event) => { pointer = { x: event.offsetX, y: event.offsetY }; showTip(); });
    board.addEventListener("pointerleave", () => { pointer = null; showTip(); });
    window.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
      const wide = event.shiftKey ? 10 : 1;
      const keys = {
        " ": () => play(!timer), ArrowLeft: () => step(-wide), ArrowRight: () => step(wide),
        Home: () => step(-at), End: () => step(last - at),
      };
      if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
    });
    // A link such as page.html#120 opens at that step.
    const asked = Number(window.location.hash.slice(1));
    at = Number.isInteger(asked) ? Math.max(0, Math.min(last, asked)) : 0;
    fit();
  },
};
