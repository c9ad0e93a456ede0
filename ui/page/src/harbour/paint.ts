// Draws berths and ships. What is told grows with the scale: far off a berth is a bar of its ships' colours, nearer its slots show,
// near at hand names and the fill of cores and memory. Whoever calls has translated and scaled the context to the world.
import type { NodeView } from '../api/schema';
import type { Paint, Pattern } from '../colour';
import { BERTH } from './layout';
import type { Slots } from './ships';

export interface Ink {
  water: string;
  berth: string;
  edge: string;
  slot: string;
  text: string;
  muted: string;
  hatch: string;
  keep: string;
  focus: string;
  move: string;
  bar: string;
  barTrack: string;
  hidden: string;
  warn: string;
}
const NAMES: readonly (keyof Ink)[] = [
  'water', 'berth', 'edge', 'slot', 'text', 'muted', 'hatch', 'keep', 'focus', 'move', 'bar', 'barTrack', 'hidden', 'warn',
]; // biome-ignore format: a list

/** The theme's colours, from the style sheet. */
export function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const ink = {} as Record<keyof Ink, string>;
  for (const name of NAMES) ink[name] = style.getPropertyValue(`--sea-${name.toLowerCase()}`).trim();
  return ink;
}

export const FAR = 0.28;
export const NEAR = 0.62;
const HEAD = 18;
const PAD = 8;
const SLOT_TOP = HEAD + 4;
const SLOT_HEIGHT = 22;
const BAR_TOP = SLOT_TOP + SLOT_HEIGHT + 5;

const tiles = new Map<string, CanvasPattern | null>();
/** A tile drawn once, in device pixels: stripes and dots keep their size whatever the scale. */
export function patternOf(g: CanvasRenderingContext2D, kind: Pattern | 'hatch', colour: string): CanvasPattern | null {
  const key = `${kind} ${colour}`;
  const known = tiles.get(key);
  if (known !== undefined) return known;
  const tile = document.createElement('canvas');
  const size = kind === 'hatch' ? 8 : 6;
  tile.width = size;
  tile.height = size;
  const t = tile.getContext('2d');
  if (t) {
    t.strokeStyle = colour;
    t.fillStyle = colour;
    t.lineWidth = kind === 'hatch' ? 1.6 : 1.2;
    if (kind === 'dots') t.fillRect(2, 2, 2, 2);
    else {
      t.beginPath();
      for (const shift of [-size, 0, size]) {
        t.moveTo(shift, size);
        t.lineTo(shift + size, 0);
      }
      t.stroke();
    }
  }
  const made = g.createPattern(tile, 'repeat');
  tiles.set(key, made);
  return made;
}

export interface Look {
  scale: number;
  ink: Ink;
  paintOf: (priority: number, workload: string, namespace: string) => Paint;
  /** Ships that do not match are faded. */
  matches: ((workload: string, namespace: string) => boolean) | null;
}

export function drawBerth(g: CanvasRenderingContext2D, x: number, y: number, node: NodeView, slots: Slots, look: Look): void {
  const { ink, scale } = look;
  const px = 1 / scale;
  const out = !node.ready || node.cordoned;
  g.fillStyle = ink.berth;
  if (scale < FAR) {
    g.fillRect(x, y, BERTH.width, BERTH.height);
    drawShips(g, x, y, BERTH.width, BERTH.height, slots, look, true);
    if (out) drawOut(g, x, y, node, look);
    return;
  }
  g.beginPath();
  g.roundRect(x, y, BERTH.width, BERTH.height, 6);
  g.fill();
  g.strokeStyle = ink.edge;
  g.lineWidth = px;
  g.stroke();
  const near = scale >= NEAR;
  const top = near ? SLOT_TOP : PAD;
  const height = near ? SLOT_HEIGHT : BERTH.height - PAD * 2 - 10;
  drawShips(g, x + PAD, y + top, BERTH.width - PAD * 2, height, slots, look, false);
  const barTop = near ? BAR_TOP : BERTH.height - PAD - 6;
  drawBar(g, x + PAD, y + barTop, node.cpuUsed, node.cpu, ink);
  drawBar(g, x + PAD, y + barTop + 6, node.memoryUsed, node.memory, ink);
  if (near) {
    g.fillStyle = ink.text;
    g.font = '600 11px system-ui, sans-serif';
    g.textBaseline = 'middle';
    g.textAlign = 'left';
    g.fillText(clip(node.name, 21), x + PAD, y + HEAD / 2 + 3);
    g.fillStyle = ink.muted;
    g.font = '10.5px system-ui, sans-serif';
    g.textAlign = 'right';
    const right = slots.byCores
      ? `${Math.round((100 * node.cpuUsed) / Math.max(1, node.cpu))}% cpu`
      : `${slots.total - slots.free - slots.kept}/${slots.total}`;
    g.fillText(right, x + BERTH.width - PAD - (out ? 16 : 0), y + HEAD / 2 + 3);
    g.textAlign = 'left';
  }
  if (out) drawOut(g, x, y, node, look);
}

function drawShips(
  g: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  slots: Slots,
  look: Look,
  far: boolean,
): void {
  const { ink, scale } = look;
  const unit = width / slots.total;
  const gap = far || slots.byCores ? 0 : Math.min(2, unit * 0.12);
  const px = 1 / scale;
  let at = 0;
  for (const ship of slots.ships) {
    // a ghost's workload has its namespace in front
    const slash = ship.pod ? -1 : ship.workload.indexOf('/');
    const namespace = ship.pod?.namespace ?? ship.workload.slice(0, slash);
    const workload = ship.workload.slice(slash + 1);
    const paint = look.paintOf(ship.priority, workload, namespace);
    const sx = x + ship.start * unit + gap / 2;
    const w = ship.length * unit - gap;
    at = Math.max(at, ship.start + ship.length);
    const faded = look.matches !== null && !look.matches(workload, namespace);
    g.globalAlpha = faded ? 0.14 : ship.ghost ? 0.55 : ship.pod?.phase === 'Leaving' || ship.leaves ? 0.5 : 1;
    g.fillStyle = paint.fill;
    if (far) g.fillRect(sx, y, Math.max(w, px), height);
    else {
      g.beginPath();
      g.roundRect(sx, y, w, height, Math.min(4, w / 3));
      g.fill();
    }
    if (paint.pattern !== 'plain' && w * scale > 5) {
      const pattern = patternOf(g, paint.pattern, paint.ink === '#ffffff' ? 'rgb(255 255 255 / .45)' : 'rgb(16 22 29 / .35)');
      if (pattern) {
        pattern.setTransform(new DOMMatrix([px, 0, 0, px, 0, 0]));
        g.fillStyle = pattern;
        g.fill();
      }
    }
    if (!far && (ship.ghost || ship.leaves)) {
      g.globalAlpha = faded ? 0.14 : 1;
      g.setLineDash([4 * px, 3 * px]);
      g.strokeStyle = ink.move;
      g.lineWidth = 2 * px;
      g.stroke();
      g.setLineDash([]);
    }
    if (!far && scale >= NEAR && w * scale > 34) {
      g.globalAlpha = faded ? 0.3 : 1;
      g.fillStyle = ship.ghost || ship.leaves ? ink.text : paint.ink;
      g.font = '600 10.5px system-ui, sans-serif';
      g.textBaseline = 'middle';
      const name = workload.split('/').at(-1) ?? '';
      const fits = Math.floor((w - 8) / 6);
      if (fits >= 3) g.fillText(clip(name, fits), sx + 5, y + height / 2 + 0.5);
    }
  }
  g.globalAlpha = 1;
  // what is held by pods that are not shown
  const held = slots.total - slots.free - slots.kept - at;
  if (held > 0 && !slots.byCores) {
    g.fillStyle = ink.hidden;
    for (let i = 0; i < held; i++) cell(g, x + (at + i) * unit + gap / 2, y, unit - gap, height, far);
    at += held;
  }
  if (slots.byCores) {
    if (!far) {
      g.strokeStyle = ink.slot;
      g.lineWidth = px;
      g.strokeRect(x, y, width, height);
    }
    return;
  }
  for (let i = 0; i < slots.kept; i++) {
    const sx = x + (at + i) * unit + gap / 2;
    g.strokeStyle = ink.keep;
    g.lineWidth = (far ? 1 : 2) * px;
    g.setLineDash(far ? [] : [3 * px, 2 * px]);
    g.strokeRect(sx + px, y + px, unit - gap - 2 * px, height - 2 * px);
    g.setLineDash([]);
  }
  at += slots.kept;
  const usable = slots.free - slots.lost;
  if (far) {
    g.fillStyle = ink.slot;
    g.fillRect(x + at * unit, y, usable * unit, height);
    g.fillStyle = ink.slot;
    g.fillRect(x + (at + usable) * unit, y, slots.lost * unit, height);
    if (slots.lost > 0) hatched(g, x + (at + usable) * unit, y, slots.lost * unit, height, ink, scale);
    return;
  }
  for (let i = 0; i < slots.free; i++) {
    const sx = x + (at + i) * unit + gap / 2;
    const w = unit - gap;
    g.fillStyle = ink.slot;
    cell(g, sx, y, w, height, far);
    if (i < usable) continue;
    const hatch = patternOf(g, 'hatch', ink.hatch);
    if (!hatch) continue;
    hatch.setTransform(new DOMMatrix([px, 0, 0, px, 0, 0]));
    g.fillStyle = hatch;
    if (far) g.fillRect(sx, y, w, height);
    else g.fill();
  }
}

const FLAT = 0.12; // below that a hatch would be a blur: one colour between the two

function hatched(g: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, ink: Ink, scale: number): void {
  if (scale < FLAT) {
    g.fillStyle = ink.hatch;
    g.fillRect(x, y + h * 0.35, w, h * 0.3);
    return;
  }
  const hatch = patternOf(g, 'hatch', ink.hatch);
  if (!hatch) return;
  hatch.setTransform(new DOMMatrix([1 / scale, 0, 0, 1 / scale, 0, 0]));
  g.fillStyle = hatch;
  g.fillRect(x, y, w, h);
}

function cell(g: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, far: boolean): void {
  if (far) {
    g.fillRect(x, y, w, h);
    return;
  }
  g.beginPath();
  g.roundRect(x, y, w, h, Math.min(4, w / 3));
  g.fill();
}

function drawBar(g: CanvasRenderingContext2D, x: number, y: number, used: number, of: number, ink: Ink): void {
  const width = BERTH.width - PAD * 2;
  g.fillStyle = ink.barTrack;
  g.fillRect(x, y, width, 3);
  if (of <= 0) return;
  g.fillStyle = used > of ? ink.warn : ink.bar;
  g.fillRect(x, y, width * Math.min(1, used / of), 3);
}

/** Dimmed, with a sign: a bar for cordoned, a cross for not ready. */
function drawOut(g: CanvasRenderingContext2D, x: number, y: number, node: NodeView, look: Look): void {
  const { ink, scale } = look;
  const px = 1 / scale;
  g.globalAlpha = 0.62;
  g.fillStyle = ink.water;
  g.fillRect(x - px, y - px, BERTH.width + 2 * px, BERTH.height + 2 * px);
  g.globalAlpha = 1;
  const r = scale >= NEAR ? 6 : Math.min(BERTH.height * 0.36, 9 * px);
  const cx = scale >= NEAR ? x + BERTH.width - PAD - 5 : x + BERTH.width / 2;
  const cy = scale >= NEAR ? y + HEAD / 2 + 3 : y + BERTH.height / 2;
  g.strokeStyle = node.ready ? ink.text : ink.warn;
  g.lineWidth = Math.max(1.6, r / 4);
  g.beginPath();
  if (node.ready) {
    g.arc(cx, cy, r, 0, Math.PI * 2);
    g.moveTo(cx - r * 0.6, cy);
    g.lineTo(cx + r * 0.6, cy);
  } else {
    const d = r * 0.75;
    g.moveTo(cx - d, cy - d);
    g.lineTo(cx + d, cy + d);
    g.moveTo(cx + d, cy - d);
    g.lineTo(cx - d, cy + d);
  }
  g.stroke();
}

const clip = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** Which ship is at a point of the berth, in world coordinates from its corner. */
export function shipAt(slots: Slots, dx: number, scale: number): number {
  const inset = scale < FAR ? 0 : PAD;
  const unit = (BERTH.width - inset * 2) / slots.total;
  const at = (dx - inset) / unit;
  return slots.ships.findIndex((ship) => at >= ship.start && at < ship.start + ship.length);
}

/** The ship's rectangle within the berth. */
export function shipBox(slots: Slots, ship: number, scale: number): { x: number; y: number; width: number; height: number } | null {
  const found = slots.ships[ship];
  if (!found) return null;
  const far = scale < FAR;
  const near = scale >= NEAR;
  const inset = far ? 0 : PAD;
  const unit = (BERTH.width - inset * 2) / slots.total;
  return {
    x: inset + found.start * unit,
    y: far ? 0 : near ? SLOT_TOP : PAD,
    width: found.length * unit,
    height: far ? BERTH.height : near ? SLOT_HEIGHT : BERTH.height - PAD * 2 - 10,
  };
}
