"use strict";
// Lux AI Season 1. A frame's lists are flat; the numbers an entry has stand beside each loop (see viewer.py).
{
  const COLORS = ["#4ea1ff", "#ff8a4c"];
  const DARK = ["#1f5fae", "#b4521c"];
  const KINDS = ["", "wood", "coal", "uranium"];
  const GROUND = ["#6d7f4e", "#687a4a"];

  function* entries(list, length) {
    for (let k = 0; k < list.length; k += length) yield list.slice(k, k + length);
  }
  const isNight = (game, k) => k % game.settings.cycle >= game.settings.day;

  function disc(pen, x, y, radius, fill, line, width) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = fill;
    pen.fill();
    if (line) { pen.strokeStyle = line; pen.lineWidth = width; pen.stroke(); }
  }

  function shape(pen, points, fill) {
    pen.beginPath();
    points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.fillStyle = fill;
    pen.fill();
  }

  function drawResource(pen, x, y, cell, kind, amount) {
    const share = Math.sqrt(Math.min(1, amount / (kind === 1 ? 500 : 400)));
    const size = cell * (0.28 + 0.62 * share), cx = x + cell / 2, foot = y + cell / 2 + size / 2;
    if (kind === 1) {
      pen.fillStyle = "#5a3d22";
      pen.fillRect(cx - size * 0.06, foot - size * 0.25, size * 0.12, size * 0.25);
      const fir = (rise, wide, high, fill) => shape(pen, [
        [cx - size * wide, foot - size * rise], [cx + size * wide, foot - size * rise], [cx, foot - size * (rise + high)],
      ], fill);
      fir(0.18, 0.4, 0.5, "#1f5c2e");
      fir(0.44, 0.31, 0.5, "#27723a");
    } else if (kind === 2) {
      shape(pen, [[cx - size * 0.46, foot - size * 0.12], [cx - size * 0.3, foot - size * 0.62], [cx + size * 0.08, foot - size * 0.82],
        [cx + size * 0.42, foot - size * 0.5], [cx + size * 0.46, foot - size * 0.1]], "#23262b");
      shape(pen, [[cx - size * 0.3, foot - size * 0.62], [cx + size * 0.08, foot - size * 0.82], [cx + size * 0.02, foot - size * 0.42]], "#474d57");
    } else {
      shape(pen, [[cx, foot - size], [cx + size * 0.3, foot - size * 0.5], [cx, foot], [cx - size * 0.3, foot - size * 0.5]], "#8f3fd1");
      shape(pen, [[cx, foot - size], [cx + size * 0.3, foot - size * 0.5], [cx, foot - size * 0.45]], "#d9a6ff");
    }
  }

  function drawTile(pen, x, y, cell, team, hungry, night) {
    const pad = cell * 0.07, side = cell - 2 * pad;
    pen.fillStyle = DARK[team];
    pen.beginPath();
    pen.roundRect(x + pad, y + pad, side, side, cell * 0.14);
    pen.fill();
    const left = x + cell * 0.2, wide = cell * 0.6, top = y + cell * 0.47;
    pen.fillStyle = COLORS[team];
    pen.fillRect(left + wide * 0.08, top, wide * 0.84, cell * 0.33);
    shape(pen, [[left - cell * 0.04, top], [left + wide + cell * 0.04, top], [left + wide / 2, y + cell * 0.19]], "#f3efe6");
    pen.fillStyle = night ? "#ffd95a" : DARK[team];
    pen.fillRect(left + wide * 0.2, top + cell * 0.09, wide * 0.2, cell * 0.12);
    pen.fillRect(left + wide * 0.6, top + cell * 0.09, wide * 0.2, cell * 0.12);
    if (hungry) {
      pen.strokeStyle = "#ff3b3b";
      pen.lineWidth = Math.max(1.5, cell * 0.055);
      pen.beginPath();
      pen.roundRect(x + pad, y + pad, side, side, cell * 0.14);
      pen.stroke();
    }
  }

  function drawUnit(pen, cx, cy, cell, team, kind, cargo) {
    const radius = cell * 0.23, load = cargo[0] + cargo[1] + cargo[2], full = kind ? 2000 : 100;
    pen.lineWidth = Math.max(1, cell * 0.04);
    pen.strokeStyle = "#0d1117";
    pen.fillStyle = COLORS[team];
    pen.beginPath();
    if (kind) pen.roundRect(cx - radius, cy - radius * 0.8, radius * 2, radius * 1.6, radius * 0.35);
    else pen.arc(cx, cy, radius, 0, 7);
    pen.fill();
    pen.stroke();
    if (load > 0) {
      // The cargo fills a small disc like a clock, in the colour of what there is most of.
      const most = cargo.indexOf(Math.max(...cargo));
      pen.beginPath();
      pen.moveTo(cx, cy);
      pen.arc(cx, cy, radius * 0.62, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, load / full));
      pen.closePath();
      pen.fillStyle = ["#1c6b33", "#15181c", "#a64df0"][most];
      pen.fill();
    }
  }

  function draw(pen, game, k, cell) {
    const { width, height } = game.settings, frame = game.frames[k], night = isNight(game, k);
    const place = (number) => [(number % width) * cell, Math.floor(number / width) * cell];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        pen.fillStyle = GROUND[(x + y) % 2];
        pen.fillRect(x * cell, y * cell, cell, cell);
      }
    }
    for (const [at, quarters] of entries(frame.roads, 2)) {
      const [x, y] = place(at);
      pen.fillStyle = `rgba(205, 180, 130, ${0.2 + 0.6 * Math.min(1, quarters / 24)})`;
      pen.fillRect(x + cell * 0.1, y + cell * 0.1, cell * 0.8, cell * 0.8);
    }
    for (const [at, kind, amount] of entries(frame.resources, 3)) drawResource(pen, ...place(at), cell, kind, amount);
    // Night falls over the land; cities keep their light.
    const t = k % game.settings.cycle, dusk = Math.max(0, 4 - (game.settings.day - t)) / 4;
    const shade = night ? 0.4 : 0.2 * dusk;
    if (shade > 0) {
      pen.fillStyle = `rgba(8, 14, 44, ${shade})`;
      pen.fillRect(0, 0, width * cell, height * cell);
    }
    const cities = [...entries(frame.cities, 5)];
    const nights = Math.min(game.settings.cycle - game.settings.day, game.settings.cycle - t);
    for (const [at, team, city] of entries(frame.tiles, 4)) {
      const [, , fuel, upkeep] = cities[city];
      drawTile(pen, ...place(at), cell, team, fuel < upkeep * nights, night);
    }
    const stacks = new Map();
    for (const unit of entries(frame.units, 8)) {
      const key = unit[3];
      stacks.set(key, [...(stacks.get(key) || []), unit]);
    }
    for (const [at, units] of stacks) {
      const [x, y] = place(at), [team, kind, , , , wood, coal, uranium] = units[0];
      const home = frame.tiles.length > 0 && units.length > 1;
      drawUnit(pen, x + cell * 0.5, y + cell * (home ? 0.62 : 0.55), cell, team, kind, [wood, coal, uranium]);
      if (units.length > 1) {
        disc(pen, x + cell * 0.8, y + cell * 0.22, cell * 0.17, "#0d1117", COLORS[team], Math.max(1, cell * 0.03));
        pen.fillStyle = "#fff";
        pen.font = `600 ${Math.max(7, cell * 0.22)}px system-ui, sans-serif`;
        pen.textAlign = "center";
        pen.textBaseline = "middle";
        pen.fillText(units.length, x + cell * 0.8, y + cell * 0.23);
      }
    }
  }

  function caption(game, k) {
    const { cycle, day } = game.settings, t = k % cycle;
    return isNight(game, k)
      ? `turn ${k}, night: ${cycle - t} until morning`
      : `turn ${k}, day ${Math.floor(k / cycle) + 1}: ${day - t} until night`;
  }

  function facts(game, k) {
    const frame = game.frames[k], cargo = [[0, 0, 0], [0, 0, 0]], carts = [0, 0], cities = [0, 0], upkeep = [0, 0];
    for (const [team, kind, , , , ...load] of entries(frame.units, 8)) {
      carts[team] += kind;
      load.forEach((amount, resource) => { cargo[team][resource] += amount; });
    }
    for (const [team, , , cost] of entries(frame.cities, 5)) { cities[team] += 1; upkeep[team] += cost; }
    const score = (place) => frame.score.map((team) => team[place]);
    return [
      ["city tiles", ...score(2)], ["cities", ...cities],
      ["workers", ...score(1).map((units, team) => units - carts[team])], ["carts", ...carts],
      ["research", ...score(0)], ["fuel", ...score(3)], ["fuel for a night", ...upkeep.map((cost) => cost * (game.settings.cycle - game.settings.day))],
      ...[0, 1, 2].map((resource) => [`${KINDS[resource + 1]} carried`, cargo[0][resource], cargo[1][resource]]),
    ];
  }

  function lines(game) {
    const line = (place) => [0, 1].map((team) => game.frames.map((frame) => frame.score[team][place]));
    return [["city tiles", line(2)], ["units", line(1)], ["research", line(0)], ["fuel in cities", line(3)]];
  }

  function tip(game, k, column, row) {
    const { width } = game.settings, frame = game.frames[k], here = row * width + column, says = [`(${column}, ${row})`];
    for (const [at, kind, amount] of entries(frame.resources, 3)) if (at === here) says.push(`${amount} ${KINDS[kind]}`);
    for (const [at, quarters] of entries(frame.roads, 2)) if (at === here) says.push(`road ${quarters / 4}`);
    const cities = [...entries(frame.cities, 5)];
    for (const [at, team, city, wait] of entries(frame.tiles, 4)) {
      if (at !== here) continue;
      const [, id, fuel, upkeep, tiles] = cities[city];
      says.push(`city c_${id} of ${game.seats[team]}: ${tiles} tiles`, `fuel ${fuel}, ${upkeep} a night turn`, wait ? `acts in ${wait}` : "may act");
    }
    for (const [team, kind, id, at, cooldown, ...cargo] of entries(frame.units, 8)) {
      if (at !== here) continue;
      const load = cargo.map((amount, resource) => (amount ? `${amount} ${KINDS[resource + 1]}` : "")).filter(Boolean).join(", ");
      says.push(`${kind ? "cart" : "worker"} u_${id} of ${game.seats[team]}: ${load || "empty"}${cooldown >= 4 ? `, cooldown ${cooldown / 4}` : ""}`);
    }
    return says.length > 1 ? says.join("\n") : "";
  }

  lanista.show({
    size: (game) => [game.settings.width, game.settings.height], draw, caption, facts, lines, tip, colors: COLORS,
  });
}
