// Paints a layout on two canvases that cover what is in view (and half a screen around it): berths with their ships below,
// arrows and outlines above, so that pointing at something repaints only the arrows.
const ships = document.getElementById('ships'), arrows = document.getElementById('arrows'), stage = document.getElementById('stage');
const OVERSCAN = 0.5, MAX_ARROWS = 150, MAX_PRINT_HEIGHT = 12000, PRINT_WIDTH = 1100, PRINT_SCREEN = 1000, LABEL_FONT = '11px ui-sans-serif, system-ui, sans-serif';
const BLOCK_FONT = '600 11px ui-sans-serif, system-ui, sans-serif';

let ink = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  ink = { hue: {}, on: {}, pattern: {} };
  for (const name of ['ink', 'muted', 'paper', 'water', 'slip', 'quay', 'tick', 'move', 'place', 'evict', 'warn']) ink[name] = get(name);
  for (const h of [0, 1, 2, 3, 4, 5, 's']) {
    ink.hue[h] = get(`tier-${h}`);
    ink.on[h] = get(`on-tier-${h}`);
    ink.pattern[h] = pattern(h, ink.on[h]);
  }
}

function pattern(hue, colour) { // a second sign beside the colour: stripes for every other tier, dots for the system's
  if (hue !== 's' && hue % 2 === 0) return null;
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const g = tile.getContext('2d');
  g.strokeStyle = g.fillStyle = colour;
  g.globalAlpha = 0.3;
  if (hue === 's') g.fillRect(2, 2, 1.5, 1.5);
  else { g.lineWidth = 1.2; g.beginPath(); g.moveTo(-1, 7); g.lineTo(7, -1); g.moveTo(-1, 1); g.lineTo(1, -1); g.moveTo(5, 7); g.lineTo(7, 5); g.stroke(); }
  return g.createPattern(tile, 'repeat');
}

let windowTop = 0, windowHeight = 0;
function paintAll(map, focus, paper) {
  const view = stage.getBoundingClientRect(), screen = window.innerHeight;
  windowTop = paper ? 0 : Math.max(0, Math.min(map.height, -view.top - screen * OVERSCAN));
  windowHeight = Math.min(paper ? MAX_PRINT_HEIGHT : screen * (1 + 2 * OVERSCAN), map.height - windowTop);
  const g = fit(ships, map.width);
  paintShips(g, map, focus);
  paintArrows(map, focus, paper ? g : fit(arrows, map.width)); // printers take a canvas for opaque: one is enough
}
const inWindow = () => {
  const top = -stage.getBoundingClientRect().top, bottom = top + window.innerHeight;
  return Math.max(0, top) >= windowTop && Math.min(stage.clientHeight, bottom) <= windowTop + windowHeight + 1;
};

function fit(canvas, width) { // sizes a canvas to the window, which empties it, and gives its context in stage coordinates
  const dpr = Math.min(3, window.devicePixelRatio || 1), h = Math.max(1, windowHeight);
  canvas.width = Math.round(width * dpr); canvas.height = Math.round(h * dpr);
  canvas.style.width = `${width}px`; canvas.style.height = `${h}px`; canvas.style.top = `${windowTop}px`;
  const g = canvas.getContext('2d');
  g.setTransform(dpr, 0, 0, dpr, 0, -windowTop * dpr);
  return g;
}

function paintShips(g, map, focus) {
  g.textBaseline = 'middle';
  for (const panel of map.panels) {
    if (map.both) text(g, panel.k === 0 && !panel.mirrored ? 'Before' : afterTitle(map.ui.wave), panel.x, 11, ink.ink, '600 13px ui-sans-serif, system-ui, sans-serif', map.panelW);
    if (map.anchorage.rows) paintAnchorage(g, map, panel, focus);
    for (const header of map.headers) {
      if (header.y + HEADER < windowTop || header.y > windowTop + windowHeight) continue;
      const name = map.grouping.values[header.value];
      text(g, `${name}  ·  ${groupSummary(map, panel, header)}`, panel.x, header.y + 14, ink.muted, LABEL_FONT, map.panelW);
      g.fillStyle = ink.tick; g.fillRect(panel.x, header.y + 25, map.panelW, 1);
    }
    const [from, to] = cellsBetween(map, windowTop, windowTop + windowHeight);
    for (let i = from; i < to; i++) paintBerth(g, map, panel, map.shown[i], focus);
  }
}
const afterTitle = (k) => (k === WAVES ? 'After' : k === 0 ? 'Before the first wave' : `After wave ${k}`);

function groupSummary(map, panel, header) {
  let load = 0, room = 0, r = -1;
  for (let i = header.from; i < header.to; i++) {
    const n = map.shown[i], m = measureOf(n, map.ui.measure);
    if (r >= 0 && m !== r) return plural(header.to - header.from, 'node');
    r = m;
    if (r >= 0) { load += used(n, panel.k, r); room += capacity(n, r); }
  }
  return `${plural(header.to - header.from, 'node')}, ${room ? Math.round((load / room) * 100) : 0} % of ${r < 0 ? '' : amountText(r, room)}`;
}

function paintAnchorage(g, map, panel, focus) {
  const { chips, total, hidden, moreX, moreY } = chipsOf(map, panel), y = map.anchorage.y;
  text(g, total ? `At anchor: ${plural(total, 'pod')} waiting` : 'Nobody waits', panel.x, y + 8, ink.muted, LABEL_FONT, map.room);
  for (const chip of chips) paintBlock(g, map, panel, chip.pod, chip.x, chip.y, chip.w, chip.h, focus);
  if (hidden > 0) text(g, `+${number(hidden)}`, moreX + 4, moreY + map.size.strip / 2, ink.muted, LABEL_FONT, 60);
}

function paintBerth(g, map, panel, node, focus) {
  const rect = berthRect(map, panel, node), { size, slot } = map;
  const bad = nodes.marks[node] & (CORDONED | NOT_READY);
  const found = focus.found;
  if (found) g.globalAlpha = found.node[node] || podsOn(node, panel.k).some((p) => found.pod[p]) ? 1 : 0.35;
  else if (map.quiet && !changes[node]) g.globalAlpha = 0.42;
  const length = slotCount(node, map.ui.measure) * slot, x = panel.mirrored ? rect.x + rect.w - length : rect.x;
  if (size.label) {
    const state = bad ? (bad & NOT_READY ? ' (not ready)' : ' (cordoned)') : '';
    label(g, nodes.name[node] + state, panel.mirrored ? rect.x + rect.w : rect.x, rect.y - size.label / 2, map.stripW, panel.mirrored, bad ? ink.warn : changes[node] ? ink.ink : ink.muted);
  }
  g.fillStyle = ink.slip; g.fillRect(x, rect.y, length, rect.h);
  if (bad) hatch(g, x, rect.y, length, rect.h);
  if (slot >= 6 && isSlots(measureOf(node, map.ui.measure))) {
    g.fillStyle = ink.tick;
    for (let s = 1; s * slot < length - 1; s++) g.fillRect(x + s * slot, rect.y + rect.h * 0.3, 1, rect.h * 0.4);
  }
  const berth = eachBlock(map, panel, node, rect, (pod, bx, w) => paintBlock(g, map, panel, pod, bx, rect.y, w, rect.h, focus));
  g.fillStyle = berth.overloaded ? ink.warn : ink.quay; // the quay; red when more is moored than fits
  const wall = size.strip > 14 ? 3 : 2;
  g.fillRect(panel.mirrored ? x + length : x - wall, rect.y - 1, wall, rect.h + 2);
  g.globalAlpha = 1;
}

// Before, those that will be gone; after, those that are no longer where they were.
const lastShown = (map) => (map.ui.view === 'before' ? WAVES : map.ui.wave);
function sailing(map, pod) {
  const v = voyageOf.get(pod);
  return v && nodeAt(pod, lastShown(map)) !== v.from ? v : undefined;
}

function paintBlock(g, map, panel, pod, x, y, w, h, focus) {
  const hue = tierHue[pods.tier[pod]], v = sailing(map, pod), gap = w > 4 ? 1 : w > 2 ? 0.5 : 0;
  const found = focus.found, lit = !found || found.pod[pod] || (found.nodes && nodeAt(pod, panel.k) >= 0 && found.node[nodeAt(pod, panel.k)]);
  const alpha = g.globalAlpha;
  g.globalAlpha = lit ? alpha : 0.18;
  g.fillStyle = ink.hue[hue];
  if (h >= 12 && w >= 8) {
    const bow = Math.min(h / 2, w / 3, 9), stern = 2; // the bow points away from the quay
    g.beginPath();
    g.roundRect(x + gap, y + 1, w - 2 * gap, h - 2, panel.mirrored ? [bow, stern, stern, bow] : [stern, bow, bow, stern]);
    g.fill();
    if (ink.pattern[hue]) { g.fillStyle = ink.pattern[hue]; g.fill(); }
    if (v) { g.strokeStyle = v.leaves ? (v.lands ? ink.move : ink.evict) : ink.place; g.lineWidth = 2; g.stroke(); }
  } else {
    g.fillRect(x + gap, y, Math.max(0.6, w - 2 * gap), h);
    if (v) { g.fillStyle = v.leaves ? (v.lands ? ink.move : ink.evict) : ink.place; g.fillRect(x + gap, y + h - Math.max(2, h / 4), Math.max(0.6, w - 2 * gap), Math.max(2, h / 4)); }
  }
  const rank = tierLabel[pods.tier[pod]];
  if (h >= 14 && w >= 6 + 7 * rank.length) {
    const sign = v && w >= 24 ? (v.leaves ? (v.lands ? '→' : '×') : '+') : '', tag = rank + sign;
    const room = w - 10, named = room > 62 && h >= 20 ? `${tag} ${pods.workloads[pods.workload[pod]][2]}` : tag;
    text(g, named, x + 5 + (panel.mirrored ? Math.min(4, w / 8) : 0), y + h / 2 + 0.5, ink.on[hue], BLOCK_FONT, room);
  }
  g.globalAlpha = alpha;
}

function hatch(g, x, y, w, h) {
  g.save(); g.beginPath(); g.rect(x, y, w, h); g.clip(); g.strokeStyle = ink.tick; g.beginPath();
  for (let i = -h; i < w; i += 6) { g.moveTo(x + i, y + h); g.lineTo(x + i + h, y); }
  g.stroke(); g.restore();
}

function text(g, words, x, y, colour, font, room) {
  g.font = font; g.fillStyle = colour; g.textAlign = 'left';
  g.fillText(shorten(g, words, room), x, y);
}
function label(g, words, x, y, room, right, colour) {
  g.font = LABEL_FONT; g.fillStyle = colour; g.textAlign = right ? 'right' : 'left';
  g.fillText(shorten(g, words, room, true), x, y);
  g.textAlign = 'left';
}
function shorten(g, words, room, keepTail) { // node names differ at the end, workloads at the beginning
  if (words.length < 4 || g.measureText(words).width <= room) return words;
  let lo = 1, hi = words.length;
  const cut = (n) => (keepTail ? `…${words.slice(words.length - n)}` : `${words.slice(0, n)}…`);
  while (lo < hi) { const mid = (lo + hi + 1) >> 1; if (g.measureText(cut(mid)).width <= room) lo = mid; else hi = mid - 1; }
  return cut(lo);
}

// Where a pod's arrow begins or ends in a panel. Across the channel that is the mouth of its berth, side by side with others.
function spot(map, panel, pod, k) {
  const node = nodeAt(pod, k);
  if (node < 0) {
    if (!map.anchorage.rows) return null;
    const { at, moreX, moreY } = chipsOf(map, panel);
    return at.get(pod) ?? { x: moreX, y: moreY, w: 46, h: map.size.strip };
  }
  const rect = berthRect(map, panel, node);
  if (!rect) return null;
  const length = slotCount(node, map.ui.measure) * map.slot, x = panel.mirrored ? rect.x + rect.w - length : rect.x;
  if (map.both) {
    const moving = podsOn(node, k).filter((p) => sailing(map, p));
    return { x, w: length, y: rect.y, h: (2 * rect.h * (moving.indexOf(pod) + 1)) / (moving.length + 1) };
  }
  let found = { ...rect, x, w: length };
  if (panel.k === k) eachBlock(map, panel, node, rect, (p, bx, w) => { if (p === pod) found = { x: bx, y: rect.y, w, h: rect.h }; });
  return found;
}

function shownVoyages(map, focus) { // all when they are few; else those of the wave, of what is pointed at, or of the search
  const k = lastShown(map);
  const under = voyages.filter((v) => (v.leaves || v.lands) <= k);
  const across = under.filter((v) => map.both || v.leaves); // within one map, those from the anchorage would hide it
  const at = focus.pinned ?? focus.hover?.node ?? -1;
  const pod = focus.hover?.pod ?? -1;
  const close = voyageOf.has(pod) ? [voyageOf.get(pod)] : under.filter((v) => at >= 0 && at < ANCHOR && (v.from === at || v.node === at));
  if (close.length) return { list: close, faint: across.length <= MAX_ARROWS ? across : [] };
  if (focus.found) return { list: under.filter((v) => focus.found.pod[v.pod] || focus.found.node[v.from] || focus.found.node[v.node]).slice(0, MAX_ARROWS), faint: [] };
  const few = across.length <= MAX_ARROWS;
  if (k && k < WAVES) return { list: across.filter((v) => v.leaves === k || v.lands === k).slice(0, MAX_ARROWS), faint: few ? across : [] };
  return { list: few ? across : [], faint: [], tooMany: few ? 0 : under.length };
}

function paintArrows(map, focus, g = fit(arrows, map.width)) {
  const { list, faint } = shownVoyages(map, focus);
  const before = map.panels[0], after = map.panels[map.panels.length - 1];
  const draw = (v, alpha) => {
    const k = lastShown(map);
    const a = spot(map, before, v.pod, 0), b = spot(map, after, v.pod, k);
    if (!a || !b) return;
    g.globalAlpha = alpha;
    g.strokeStyle = g.fillStyle = v.leaves ? (v.lands ? ink.move : ink.evict) : ink.place;
    g.lineWidth = v.leaves ? 1.75 : 1.5;
    g.setLineDash(v.leaves && !v.lands ? [5, 4] : v.leaves ? [] : [1.5, 3.5]);
    if (map.both) sail(g, a.x + a.w + 1, a.y + a.h / 2, b.x - 2, b.y + b.h / 2);
    else hop(g, a.x + a.w / 2, a.y + a.h / 2, b.x + b.w / 2, b.y + b.h / 2);
  };
  for (const v of faint) draw(v, 0.12);
  for (const v of list) draw(v, list.length > 100 ? 0.35 : list.length > 60 ? 0.5 : list.length > 20 ? 0.7 : 0.95);
  g.globalAlpha = 1; g.setLineDash([]);
  outline(g, map, focus.cursor, ink.ink, 1.5);
  outline(g, map, focus.pinned, ink.ink, 2.5);
  outline(g, map, focus.hover?.node, ink.ink, 1.5);
}

function sail(g, x1, y1, x2, y2) { // across the channel
  const bend = Math.max(24, (x2 - x1) * 0.5);
  g.beginPath(); g.moveTo(x1, y1); g.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2 - 6, y2); g.stroke();
  head(g, x2, y2, 0);
}
function hop(g, x1, y1, x2, y2) { // within one map
  const dx = x2 - x1, dy = y2 - y1, d = Math.hypot(dx, dy) || 1, lift = Math.min(60, d * 0.22);
  const cx = (x1 + x2) / 2 + (dy / d) * lift, cy = (y1 + y2) / 2 - (Math.abs(dx) / d) * lift;
  g.beginPath(); g.moveTo(x1, y1); g.quadraticCurveTo(cx, cy, x2, y2); g.stroke();
  head(g, x2, y2, Math.atan2(y2 - cy, x2 - cx));
}
function head(g, x, y, angle) {
  g.setLineDash([]);
  g.save(); g.translate(x, y); g.rotate(angle);
  g.beginPath(); g.moveTo(0, 0); g.lineTo(-8, -4); g.lineTo(-8, 4); g.fill(); g.restore();
}

function outline(g, map, node, colour, width) {
  if (node == null || node < 0 || node >= ANCHOR) return;
  g.strokeStyle = colour; g.lineWidth = width;
  for (const panel of map.panels) {
    const rect = berthRect(map, panel, node);
    if (rect) g.strokeRect(rect.x - 4, rect.y - 3, rect.w + 8, rect.h + 6);
  }
}
