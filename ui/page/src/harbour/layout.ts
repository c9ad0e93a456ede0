// Where each node lies on the water: groups (a zone, a rack, a model of GPU) as blocks beside each other, in them berths in rows.
// World coordinates: a berth has always the same size, and the view scales. The number of columns is chosen so that all of it fits
// the window at the largest scale. Pure; 5,000 nodes take some milliseconds.
import type { NodeView } from '../api/schema';

export type Grouping = 'zone' | 'rack' | 'model' | 'none';
export const GROUPINGS: readonly Grouping[] = ['zone', 'rack', 'model', 'none'];

export const BERTH = { width: 192, height: 64, gap: 12 } as const;
const LABEL_PX = 24; // a group's label, on the screen
const BLOCK_GAP_PX = 16;
const LARGEST = 1.7;
const SMALLEST = 0.01;

export interface Berth {
  node: string;
  x: number;
  y: number;
  group: number;
}
export interface Block {
  label: string;
  nodes: number;
  gpus: number;
  used: number;
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Layout {
  berths: Berth[];
  index: Map<string, number>;
  blocks: Block[];
  width: number;
  height: number;
  scale: number;
  /** Cells of `grid.size` to berths, for finding what is under the pointer. */
  grid: { size: number; cells: Map<number, number[]> };
}

const natural = new Intl.Collator('en', { numeric: true });

export function groupOf(node: NodeView, by: Grouping): string {
  if (by === 'zone') return node.zone || 'no zone';
  if (by === 'rack') return [node.zone, node.rack].filter(Boolean).join(' / ') || 'no rack';
  if (by === 'model') return node.gpuModel || (node.gpus ? 'GPUs of unknown model' : 'no GPUs');
  return '';
}

export function layOut(nodes: Iterable<NodeView>, by: Grouping, width: number, height: number): Layout {
  const groups = new Map<string, NodeView[]>();
  for (const node of nodes) {
    const label = groupOf(node, by);
    const group = groups.get(label);
    if (group) group.push(node);
    else groups.set(label, [node]);
  }
  const sorted = [...groups].sort(([a], [b]) => natural.compare(a, b));
  for (const [, members] of sorted) members.sort((a, b) => natural.compare(a.name, b.name));
  const labelled = by !== 'none';
  const sizes = sorted.map(([, members]) => members.length);

  let best = { scale: 0, aspect: 1 };
  for (const aspect of ASPECTS) {
    const scale = largestScale(sizes, labelled, aspect, width, height);
    if (scale > best.scale * 1.02) best = { scale, aspect };
  }
  return place(sorted, labelled, best.scale, best.aspect, width);
}

/** Width by height of a block; the first that gives the largest scale is taken. */
const ASPECTS = [Number.POSITIVE_INFINITY, 1.4, 0.7, 1, 2, 3, 5] as const;

function largestScale(sizes: readonly number[], labelled: boolean, aspect: number, width: number, height: number): number {
  if (fits(sizes, labelled, LARGEST, aspect, width, height)) return LARGEST;
  let low: number = SMALLEST;
  let high: number = LARGEST;
  for (let i = 0; i < 20; i++) {
    const middle = (low + high) / 2;
    if (fits(sizes, labelled, middle, aspect, width, height)) low = middle;
    else high = middle;
  }
  return low;
}

/** Blocks on shelves: each as wide as its share asks, in whole columns. */
function shelves(sizes: readonly number[], labelled: boolean, scale: number, aspect: number, width: number) {
  // many small groups get less between them
  const crowd = sizes.length > 40 ? 0.6 : 1;
  const label = labelled ? (LABEL_PX * crowd) / scale : 0;
  const gap = (BLOCK_GAP_PX * crowd) / scale;
  const pitch = BERTH.width + BERTH.gap;
  const row = BERTH.height + BERTH.gap;
  const most = Math.max(1, Math.floor((width / scale + BERTH.gap) / pitch));
  const columns = sizes.map((n) => Math.max(1, Math.min(n, most, Math.round(Math.sqrt((n * row * aspect) / pitch)))));
  const spots: { x: number; y: number; width: number; height: number; columns: number }[] = [];
  let x = 0;
  let y = 0;
  let shelf = 0;
  sizes.forEach((n, i) => {
    const cols = columns[i] ?? 1;
    const w = cols * pitch - BERTH.gap;
    const h = label + Math.ceil(n / cols) * row - BERTH.gap;
    if (x > 0 && x + w > width / scale) {
      x = 0;
      y += shelf + gap;
      shelf = 0;
    }
    spots.push({ x, y, width: w, height: h, columns: cols });
    x += w + gap;
    shelf = Math.max(shelf, h);
  });
  return { spots, label, height: y + shelf };
}

function fits(sizes: readonly number[], labelled: boolean, scale: number, aspect: number, width: number, height: number): boolean {
  if (width < BERTH.width * scale) return false;
  return shelves(sizes, labelled, scale, aspect, width).height * scale <= height;
}

function place(groups: [string, NodeView[]][], labelled: boolean, scale: number, aspect: number, width: number): Layout {
  const { spots, label, height } = shelves(
    groups.map(([, members]) => members.length),
    labelled,
    scale,
    aspect,
    width,
  );
  const berths: Berth[] = [];
  const index = new Map<string, number>();
  const blocks: Block[] = [];
  let right = 0;
  groups.forEach(([name, members], g) => {
    const spot = spots[g];
    if (!spot) return;
    let gpus = 0;
    let used = 0;
    members.forEach((node, i) => {
      gpus += node.gpus;
      used += node.gpusUsed;
      index.set(node.name, berths.length);
      berths.push({
        node: node.name,
        x: spot.x + (i % spot.columns) * (BERTH.width + BERTH.gap),
        y: spot.y + label + Math.floor(i / spot.columns) * (BERTH.height + BERTH.gap),
        group: g,
      });
    });
    right = Math.max(right, spot.x + spot.width);
    blocks.push({
      label: labelled ? name : '',
      nodes: members.length,
      gpus,
      used,
      x: spot.x,
      y: spot.y,
      width: spot.width,
      height: spot.height,
    });
  });
  return { berths, index, blocks, width: right, height, scale, grid: gridOf(berths) };
}

function gridOf(berths: readonly Berth[]): Layout['grid'] {
  const size = 256;
  const cells = new Map<number, number[]>();
  berths.forEach((berth, i) => {
    for (let cx = Math.floor(berth.x / size); cx <= Math.floor((berth.x + BERTH.width) / size); cx++)
      for (let cy = Math.floor(berth.y / size); cy <= Math.floor((berth.y + BERTH.height) / size); cy++) {
        const key = cx * 65_536 + cy;
        const cell = cells.get(key);
        if (cell) cell.push(i);
        else cells.set(key, [i]);
      }
  });
  return { size, cells };
}

/** The berth at a point of the world. */
export function berthAt(layout: Layout, x: number, y: number): Berth | undefined {
  const { size, cells } = layout.grid;
  for (const i of cells.get(Math.floor(x / size) * 65_536 + Math.floor(y / size)) ?? []) {
    const berth = layout.berths[i];
    if (berth && x >= berth.x && x < berth.x + BERTH.width && y >= berth.y && y < berth.y + BERTH.height) return berth;
  }
  return undefined;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The nearest berth in a direction: straight ahead counts more than aside. */
export function neighbour(layout: Layout, from: string, direction: Direction): string {
  const here = layout.berths[layout.index.get(from) ?? -1];
  if (!here) return layout.berths[0]?.node ?? '';
  const level = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  let best: Berth | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const berth of layout.berths) {
    const ahead = sign * (level ? berth.x - here.x : berth.y - here.y);
    if (ahead <= 0) continue;
    const aside = Math.abs(level ? berth.y - here.y : berth.x - here.x);
    const far = ahead + aside * 4;
    if (far < least) {
      least = far;
      best = berth;
    }
  }
  return best?.node ?? here.node;
}
