"use strict";
// The shell of the page: playing, scrubbing, tables and charts. What a board looks like is the renderer's business,
// which calls lanista.show with either
//   size(game) -> [columns, rows]              the board in cells
//   draw(pen, game, k, cell)                   frame k; a cell is `cell` pixels wide, (0, 0) is top left
// or
//   text(game, k) -> text                      frame k as lines of text, shown in letters of one width
// and, as it likes,
//   caption(game, k) -> text                   one line on the frame
//   facts(game, k) -> [[name, value by seat...], ...]   rows of the table beside the board
//   lines(game) -> [[name, [value by frame] by seat], ...]   charts
//   tip(game, k, column, row) -> text          what lies under the pointer, "" for nothing
//   colors: [color by seat]
// What the recording notes of each step (actions, rewards, facts) is shown in any case.
const lanista = {
  colors: ["#4ea1ff", "#ff8a4c", "#6fd08c", "#d58bff", "#f6c945", "#f0604d", "#5fd4d6", "#b9c0cc"],
  fromNotes(game) {
    const notes = game.notes || [], names = notes.length ? Object.keys(notes[0].facts) : [];
    const told = (k) => game.seats.map((name, seat) => [name, (notes[k].action || [])[seat]]).filter(([, action]) => action);
    const series = (value) => game.seats.map((_, seat) => notes.map((note) => value(note)[seat]));
    const moves = (lines) => lines.some((line) => line.some((value) => value !== line[0]));
    return {
      caption: (_, k) => k === 0 ? "the start" : !notes.length || game.seats.length > 2 ? `step ${k}`
        : `step ${k}: ${told(k).map(([name, action]) => (game.seats.length > 1 ? `${name} ${action}` : action)).join(", ")}`,
      rows: (k) => !notes.length ? [] : [
        ...(game.seats.length > 2 ? [["action", ...notes[k].action]] : []),
        ["reward of the step", ...notes[k].reward], ["reward so far", ...notes[k].total],
        ...names.map((name) => [name, ...notes[k].facts[name]]),
      ],
      lines: () => [["reward so far", series((note) => note.total)], ...names.map((name) => [name, series((note) => note.facts[name])])]
        .filter(([, lines]) => moves(lines)).slice(0, 6),
    };
  },

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
    const notes = lanista.fromNotes(game), words = renderer.text ? find("text") : null;
    const colors = game.seats.map((_, seat) => (renderer.colors || lanista.colors)[seat % (renderer.colors || lanista.colors).length]);
    renderer = { caption: notes.caption, facts: () => [], lines: notes.lines, tip: () => "", size: () => [1, 1], ...renderer, colors };
    const [columns, rows] = renderer.size(game);
    const texts = words ? game.frames.map((_, k) => renderer.text(game, k).split("\n")) : [];
    const wide = Math.max(10, ...texts.map((lines) => Math.max(...lines.map((line) => line.length))));
    const high = Math.max(1, ...texts.map((lines) => lines.length));
    document.body.classList.toggle("many", game.seats.length > 2);
    if (words) {
      board.hidden = true;
      words.hidden = false;
    }
    const speeds = [1, 2, 5, 10, 20, 40, 80];
    let at = 0, cell = 10, timer = 0, pointer = null, seen = null;

    const written = (value) => value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 1e4 ? 4 : 21 });
    const seatNames = renderer.colors.map((color, seat) => {
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
      const flat = values.flat(), bottom = flat.reduce((a, b) => Math.min(a, b), 0), most = flat.reduce((a, b) => Math.max(a, b), bottom);
      const top = most > bottom ? most : bottom + 1;
      label.textContent = name;
      range.textContent = bottom < 0 ? `${written(bottom)} to ${written(top)}` : `up to ${written(top)}`;
      caption.append(label, range);
      figure.append(caption, canvas);
      find("charts").append(figure);
      const seek = (event) => {
        if (event.type === "pointermove" && !event.buttons) return;
        go(Math.round((event.offsetX / canvas.clientWidth) * last));
      };
      canvas.addEventListener("pointerdown", seek);
      canvas.addEventListener("pointermove", seek);
      return { canvas, values, bottom, top };
    });

    function drawChart({ canvas, values, bottom, top }) {
      const ratio = window.devicePixelRatio || 1;
      const wide = canvas.clientWidth, high = canvas.clientHeight;
      canvas.width = wide * ratio;
      canvas.height = high * ratio;
      const ink = canvas.getContext("2d");
      ink.scale(ratio, ratio);
      const x = (k) => (last ? (k / last) * (wide - 2) + 1 : wide / 2);
      const y = (value) => high - 4 - ((value - bottom) / (top - bottom)) * (high - 9);
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
      if (words) {
        const stage = find("stage"), room = [stage.clientWidth - 34, (stage.clientHeight || 600) - 34];
        words.style.fontSize = `${Math.max(9, Math.min(room[0] / (wide * 0.61), room[1] / (high * 1.3), 34))}px`;
        paint();
        return;
      }
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
      if (words) words.textContent = texts[at].join("\n");
      else {
        const ratio = window.devicePixelRatio || 1;
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        pen.clearRect(0, 0, cell * columns, cell * rows);
        renderer.draw(pen, game, at, cell);
      }
      find("caption").textContent = renderer.caption(game, at);
      const body = find("facts").tBodies[0];
      const own = renderer.facts(game, at), known = own.map(([name]) => name);
      body.replaceChildren(...[...own, ...notes.rows(at).filter(([name]) => !known.includes(name) && !known.includes(name.replaceAll("_", " ")))].map((row) => {
        const line = document.createElement("tr");
        line.append(...row.map((value) => {
          const field = document.createElement("td");
          field.textContent = typeof value === "number" ? written(value) : value;
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
