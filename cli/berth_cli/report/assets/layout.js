// Where things are drawn: nodes in groups and columns, one panel or two facing each other across a channel.
// All coordinates are CSS pixels within the stage; a cell's x counts from its panel's left edge.
const SIZES = [ // largest first: px a slot, berth height, label height, gaps
  { slot: 58, strip: 32, label: 18, gapX: 30, gapY: 14 },
  { slot: 34, strip: 24, label: 16, gapX: 24, gapY: 12 },
  { slot: 20, strip: 16, label: 14, gapX: 18, gapY: 9 },
  { slot: 13, strip: 12, label: 0, gapX: 14, gapY: 6 },
  { slot: 8, strip: 9, label: 0, gapX: 10, gapY: 5 },
  { slot: 4, strip: 6, label: 0, gapX: 6, gapY: 4 },
];
const MAX_DRAWN_SLOTS = 16, CONTINUOUS_SLOTS = 8; // a berth measured without slots is as long as 8 of them
const CHANNEL = 90, CHANNEL_SHARE = 0.34, PAD = 5; // least width, most as a share of the stage; room for quays and outlines
const HEADER = 34, TITLE = 26, ANCHORAGE_ROWS = 3, CHIP_SCALE = 0.5, STRETCH = 1.6, LEAST_CHIP = 8; // ships at anchor are drawn shorter
const chipWidth = (asked, unit) => Math.max(LEAST_CHIP, Math.min(MAX_DRAWN_SLOTS, asked) * unit);

function slotCount(node, choice) {
  const r = measureOf(node, choice);
  const cap = r < 0 ? 0 : capacity(node, r);
  return isSlots(r) && cap <= MAX_DRAWN_SLOTS ? cap : CONTINUOUS_SLOTS;
}

const nameRank = (() => { // node-10 after node-9
  const compare = new Intl.Collator('en', { numeric: true }).compare, rank = new Int32Array(NODES);
  Array.from(nodes.name.keys()).sort((a, b) => compare(nodes.name[a], nodes.name[b])).forEach((n, i) => { rank[n] = i; });
  return rank;
})();

function layoutMap(ui, width, screen) {
  const shown = [];
  for (let n = 0; n < NODES; n++) if (!ui.only || changes[n]) shown.push(n);
  const grouping = nodes.groupings.find((g) => g.name === ui.group);
  shown.sort((a, b) => (grouping ? grouping.of[a] - grouping.of[b] : 0) || nameRank[a] - nameRank[b]);
  const slots = shown.reduce((most, n) => Math.max(most, slotCount(n, ui.measure)), 1);
  const both = ui.view === 'both';
  const groupSizes = new Map();
  for (const n of shown) { const g = grouping ? grouping.of[n] : 0; groupSizes.set(g, (groupSizes.get(g) || 0) + 1); }
  const mostInGroup = Math.max(1, ...groupSizes.values());
  const queues = [0, ui.wave, WAVES].map((k) => waitingAt(k).map(asksMost));
  let fit = SIZES.findIndex((size) => { const l = place(size); return l.fits && l.height <= Math.max(620, screen * 1.15); });
  if (fit < 0) fit = SIZES.length - 1;
  const level = Math.max(0, Math.min(SIZES.length - 1, fit - ui.zoom));
  const map = place(SIZES[level]);
  // When berths are small, those that the plan leaves alone step back.
  const quiet = level >= 3 && changedNodes > 0 && changedNodes < NODES * 0.7;
  return Object.assign(map, { level, quiet, ui, smallest: level === SIZES.length - 1, largest: level === 0 });

  function place(size) {
    const inner = width - 2 * PAD, half = both ? (inner - CHANNEL) / 2 : inner;
    const wanted = Math.min(size.slot, Math.max(1.5, half / slots));
    const columns = Math.max(1, Math.min(mostInGroup, Math.floor((half + size.gapX) / (slots * wanted + size.gapX))));
    const reach = both && columns === 1 ? (inner * (1 - CHANNEL_SHARE / 1.4)) / 2 : half;
    const slot = Math.max(wanted, Math.min(wanted * STRETCH, ((reach + size.gapX) / columns - size.gapX) / slots)); // fill the width
    const stripW = slots * slot, cellW = stripW + size.gapX, cellH = size.label + size.strip + size.gapY;
    const panelW = columns * cellW - size.gapX;
    const channel = both ? Math.max(CHANNEL, Math.min(inner - 2 * panelW, inner * (columns === 1 ? CHANNEL_SHARE : CHANNEL_SHARE / 2))) : 0;
    const left = PAD + (both ? Math.max(0, (inner - 2 * panelW - channel) / 2) : 0);
    const panels = both ? [{ x: left, k: 0 }, { x: left + panelW + channel, k: ui.wave, mirrored: true }]
      : [{ x: PAD, k: ui.view === 'before' ? 0 : ui.wave }];
    const room = both ? panelW : inner, chip = slot * CHIP_SCALE;
    const rows = mostWaiting ? Math.max(...queues.map((queue) => chipRows(queue, chip, room))) : 0;
    let y = both ? TITLE : 4;
    const anchorage = { y, rows, height: rows ? 20 + rows * (size.strip + 4) + 12 : 0 };
    y += anchorage.height;
    const cellX = new Float32Array(shown.length), cellY = new Float32Array(shown.length), headers = [];
    let column = 0, last = -1;
    shown.forEach((n, i) => {
      if (grouping && grouping.of[n] !== last) {
        if (i) y += (column ? cellH : 0) + 6;
        last = grouping.of[n];
        headers.push({ y, value: last, from: i });
        y += HEADER; column = 0;
      }
      if (column === columns) { column = 0; y += cellH; }
      cellX[i] = column++ * cellW; cellY[i] = y;
    });
    const height = Math.ceil(y + cellH + 4);
    headers.forEach((h, i) => { h.to = i + 1 < headers.length ? headers[i + 1].from : shown.length; });
    return { size, slot, chip, room, stripW, cellW, cellH, columns, panelW, panels, anchorage, headers, grouping, shown, cellX, cellY, height, width, both, fits: stripW <= half + 1 };
  }
}

// Rectangle of a node's berth in a panel, or null when it is filtered out.
function berthRect(map, panel, node) {
  if (!map.cellOf) { map.cellOf = new Int32Array(NODES).fill(-1); map.shown.forEach((n, i) => { map.cellOf[n] = i; }); }
  const i = map.cellOf[node];
  if (i < 0) return null;
  return { x: panel.x + map.cellX[i], y: map.cellY[i] + map.size.label, w: map.stripW, h: map.size.strip };
}

// Length of the drawn berth and of each pod in it: calls each(pod, x, w) with x inside the stage.
function eachBlock(map, panel, node, rect, each) {
  const r = measureOf(node, map.ui.measure), cap = r < 0 ? 0 : capacity(node, r);
  const length = slotCount(node, map.ui.measure) * map.slot, scale = cap ? length / cap : 0;
  const origin = panel.mirrored ? rect.x + rect.w : rect.x;
  let x = 0;
  for (const pod of podsOn(node, panel.k)) {
    const w = r < 0 ? 0 : asks(pod, r) * scale;
    const seen = Math.min(w, length - x); // what is moored beyond the berth's end is cut off
    if (seen > 0) each(pod, panel.mirrored ? origin - x - seen : origin + x, seen);
    x += w;
  }
  return { x: panel.mirrored ? origin - length : origin, length, overloaded: x > length + 0.5 };
}

// Pods that wait, in rows, most important first; the last place says how many more there are.
function chipsOf(map, panel) {
  panel.chips ??= (() => {
    const waiting = waitingAt(panel.k);
    const chips = [], h = map.size.strip, more = 64;
    let x = 0, row = 0;
    for (const pod of waiting) {
      const w = Math.min(map.room, chipWidth(asksMost(pod), map.chip));
      const last = row + 1 === map.anchorage.rows;
      if (x + w > map.room - (last && chips.length + 1 < waiting.length ? more : 0)) { if (last) break; row++; x = 0; }
      chips.push({ pod, x: panel.x + x, y: map.anchorage.y + 20 + row * (h + 4), w, h });
      x += w + 4;
    }
    return { chips, total: waiting.length, hidden: waiting.length - chips.length, at: new Map(chips.map((c) => [c.pod, c])), moreX: panel.x + x, moreY: map.anchorage.y + 20 + row * (h + 4) };
  })();
  return panel.chips;
}
const waitingAt = (k) => [...podsOn(ANCHOR, k)].sort((a, b) => pods.tier[a] - pods.tier[b] || asksMost(b) - asksMost(a) || a - b);
function chipRows(queue, unit, room) {
  let rows = 1, x = 0;
  for (const asked of queue) {
    const w = Math.min(room, chipWidth(asked, unit));
    if (x + w > room) { if (++rows > ANCHORAGE_ROWS) return ANCHORAGE_ROWS; x = 0; }
    x += w + 4;
  }
  return rows;
}
const asksMost = (pod) => data.slots.reduce((most, r) => Math.max(most, asks(pod, r)), 0);

// Index range of cells between two heights: cells come in rows from the top.
function cellsBetween(map, top, bottom) {
  const first = (y) => { let lo = 0, hi = map.shown.length; while (lo < hi) { const mid = (lo + hi) >> 1; if (map.cellY[mid] < y) lo = mid + 1; else hi = mid; } return lo; };
  return [first(top - map.cellH), first(bottom)];
}

function hit(map, x, y) { // what is under a point: { panel, node, pod }
  for (const panel of map.panels) {
    if (x < panel.x - 6 || x > panel.x + map.room + 6) continue;
    if (y < map.anchorage.y + map.anchorage.height) {
      const chip = chipsOf(map, panel).chips.find((c) => x >= c.x && x <= c.x + c.w && y >= c.y && y <= c.y + c.h);
      return chip ? { panel, node: ANCHOR, pod: chip.pod } : null;
    }
    const [from, to] = cellsBetween(map, y, y + 1);
    for (let i = from; i < to; i++) {
      const left = panel.x + map.cellX[i];
      if (x < left || x > left + map.stripW || y < map.cellY[i] || y > map.cellY[i] + map.cellH) continue;
      const rect = berthRect(map, panel, map.shown[i]);
      let pod = -1;
      eachBlock(map, panel, map.shown[i], rect, (p, bx, w) => { if (x >= bx && x < bx + w && y >= rect.y && y <= rect.y + rect.h) pod = p; });
      return { panel, node: map.shown[i], pod };
    }
  }
  return null;
}
