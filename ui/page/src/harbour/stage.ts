// The two canvases of the harbour: berths below, what points at them above. Paints at most once a frame, and as little as it can:
// a change of some nodes repaints their berths; while a large harbour is dragged or zoomed the last picture is moved, and painted
// sharp when the hand rests. What it costs with 5,000 nodes is measured by benchmarks/page_frames.py.
import type { Paint } from '../colour';
import type { Fleet, Shape } from '../state/fleet';
import { BERTH, type Berth, berthAt, type Layout } from './layout';
import { drawBerth, FAR, type Ink, shipAt, shipBox } from './paint';
import { type Slots, slotsOf, type Voyages } from './ships';
import { kept, type Size, type View, whole, zoom } from './view';

const MANY = 1_200; // berths in view from which a gesture moves the picture instead of painting
const REST_MS = 110;

export interface Spot {
  node: string;
  /** Of the node's slots; -1: the berth itself. */
  ship: number;
}
export interface Arrow {
  from: string;
  to: string;
  /** Of the wave that comes next; the others are faint. */
  next: boolean;
}
export interface Scene {
  layout: Layout;
  ink: Ink;
  shape: Shape | null;
  voyages: Voyages | null;
  arrows: Arrow[];
  paintOf: (priority: number, workload: string, namespace: string) => Paint;
  matches: ((workload: string, namespace: string) => boolean) | null;
}

export class Stage {
  view: View = { scale: 1, x: 0, y: 0 };
  hovered: Spot | null = null;
  focused: Spot | null = null;
  selected = '';
  private scene: Scene | null = null;
  private readonly slots = new Map<string, Slots>();
  private size: Size = { width: 0, height: 0 };
  private ratio = 1;
  private frame = 0;
  private full = true;
  private stale: Set<string> = new Set();
  private shot: HTMLCanvasElement | null = null;
  private shotView: View | null = null;
  private rest = 0;

  constructor(
    private readonly base: HTMLCanvasElement,
    private readonly over: HTMLCanvasElement,
    private readonly fleet: Fleet,
    private readonly onView: () => void,
  ) {}

  resize(size: Size): void {
    this.size = size;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.base, this.over]) {
      canvas.width = Math.round(size.width * this.ratio);
      canvas.height = Math.round(size.height * this.ratio);
    }
    this.repaint();
  }

  /** keepView: the same world, drawn otherwise. */
  show(scene: Scene, keepView: boolean): void {
    this.scene = scene;
    this.slots.clear();
    if (keepView) this.view = kept(this.view, scene.layout, this.size);
    else this.view = whole(scene.layout);
    this.repaint();
    this.onView();
  }

  fit(): void {
    if (!this.scene) return;
    this.view = whole(this.scene.layout);
    this.repaint();
    this.onView();
  }

  /** Those nodes look different. */
  touch(nodes: Iterable<string>): void {
    for (const node of nodes) {
      this.slots.delete(node);
      this.stale.add(node);
    }
    this.ask();
  }

  repaint(): void {
    this.full = true;
    this.ask();
  }

  point(): void {
    this.ask();
  }

  pan(dx: number, dy: number): void {
    this.moveTo({
      scale: this.view.scale,
      x: this.view.x - dx / this.view.scale,
      y: this.view.y - dy / this.view.scale,
    });
  }

  zoomBy(factor: number, at: { x: number; y: number }): void {
    if (this.scene) this.moveTo(zoom(this.view, factor, at, this.scene.layout.scale * 0.8));
  }

  moveTo(view: View): void {
    if (!this.scene) return;
    this.view = kept(view, this.scene.layout, this.size);
    if (this.inView().length > MANY || this.shotView) this.slide();
    else this.full = true;
    this.ask();
    this.onView();
  }

  slotsAt(node: string): Slots | null {
    const scene = this.scene;
    const found = this.fleet.nodes.get(node);
    if (!scene || !found) return null;
    let slots = this.slots.get(node);
    if (!slots) {
      slots = slotsOf(found, this.fleet.podsAt(node), scene.shape, scene.voyages);
      this.slots.set(node, slots);
    }
    return slots;
  }

  /** What is under a point of the screen. */
  find(x: number, y: number): Spot | null {
    if (!this.scene) return null;
    const wx = x / this.view.scale + this.view.x;
    const wy = y / this.view.scale + this.view.y;
    const berth = berthAt(this.scene.layout, wx, wy);
    if (!berth) return null;
    const slots = this.slotsAt(berth.node);
    let ship = -1;
    if (slots) {
      const aim = shipAt(slots, wx - berth.x, this.view.scale);
      const box = shipBox(slots, aim, this.view.scale);
      // a berth of some pixels is one thing; its ships are told apart from where they can be hit
      if (box && box.width * this.view.scale >= 6 && wy - berth.y >= box.y && wy - berth.y <= box.y + box.height) ship = aim;
    }
    return { node: berth.node, ship };
  }

  boxOf(node: string): (Size & { x: number; y: number }) | null {
    const berth = this.scene?.layout.berths[this.scene.layout.index.get(node) ?? -1];
    return berth ? { x: berth.x, y: berth.y, width: BERTH.width, height: BERTH.height } : null;
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
  }

  private slide(): void {
    if (!this.shotView) {
      this.shot ??= document.createElement('canvas');
      this.shot.width = this.base.width;
      this.shot.height = this.base.height;
      this.shot.getContext('2d')?.drawImage(this.base, 0, 0);
      this.shotView = this.painted;
    }
    clearTimeout(this.rest);
    this.rest = window.setTimeout(() => {
      this.shotView = null;
      this.repaint();
    }, REST_MS);
  }

  private painted: View = this.view;

  private ask(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private inView(): Berth[] {
    const scene = this.scene;
    if (!scene) return [];
    const { scale, x, y } = this.view;
    const right = x + this.size.width / scale;
    const bottom = y + this.size.height / scale;
    return scene.layout.berths.filter((b) => b.x + BERTH.width > x && b.x < right && b.y + BERTH.height > y && b.y < bottom);
  }

  private toWorld(g: CanvasRenderingContext2D): void {
    const k = this.view.scale * this.ratio;
    g.setTransform(k, 0, 0, k, -this.view.x * k, -this.view.y * k);
  }

  private paint(): void {
    const scene = this.scene;
    const g = this.base.getContext('2d', { alpha: false });
    if (!scene || !g || this.size.width === 0) return;
    if (this.shotView && this.shot) this.paintShot(g, scene, this.shotView, this.shot);
    else if (this.full) this.paintAll(g, scene);
    else this.paintStale(g, scene);
    this.paintOver(scene);
  }

  private paintShot(g: CanvasRenderingContext2D, scene: Scene, from: View, shot: HTMLCanvasElement): void {
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = scene.ink.water;
    g.fillRect(0, 0, this.base.width, this.base.height);
    const k = this.view.scale / from.scale;
    const dx = (from.x - this.view.x) * this.view.scale * this.ratio;
    const dy = (from.y - this.view.y) * this.view.scale * this.ratio;
    g.imageSmoothingEnabled = false;
    g.drawImage(shot, dx, dy, shot.width * k, shot.height * k);
  }

  private paintAll(g: CanvasRenderingContext2D, scene: Scene): void {
    this.full = false;
    this.stale.clear();
    this.painted = this.view;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = scene.ink.water;
    g.fillRect(0, 0, this.base.width, this.base.height);
    this.toWorld(g);
    for (const berth of this.inView()) this.drawOne(g, scene, berth);
    this.labels(g, scene);
  }

  private paintStale(g: CanvasRenderingContext2D, scene: Scene): void {
    if (this.stale.size === 0) return;
    this.toWorld(g);
    for (const node of this.stale) {
      const berth = scene.layout.berths[scene.layout.index.get(node) ?? -1];
      if (!berth) continue;
      g.fillStyle = scene.ink.water;
      g.fillRect(berth.x - 1, berth.y - 1, BERTH.width + 2, BERTH.height + 2);
      this.drawOne(g, scene, berth);
    }
    this.stale.clear();
  }

  private drawOne(g: CanvasRenderingContext2D, scene: Scene, berth: Berth): void {
    const node = this.fleet.nodes.get(berth.node);
    const slots = this.slotsAt(berth.node);
    if (node && slots)
      drawBerth(g, berth.x, berth.y, node, slots, {
        scale: this.view.scale,
        ink: scene.ink,
        paintOf: scene.paintOf,
        matches: scene.matches,
      });
  }

  /** Of the groups, at the size of text whatever the scale. */
  private labels(g: CanvasRenderingContext2D, scene: Scene): void {
    g.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    g.textBaseline = 'top';
    g.textAlign = 'left';
    for (const block of scene.layout.blocks) {
      if (!block.label) continue;
      const x = (block.x - this.view.x) * this.view.scale;
      const y = (block.y - this.view.y) * this.view.scale;
      const width = block.width * this.view.scale;
      if (x > this.size.width || y > this.size.height || x + width < 0 || y + 24 < 0) continue;
      g.fillStyle = scene.ink.text;
      g.font = '600 12px system-ui, sans-serif';
      const name = fitted(g, block.label, width);
      g.fillText(name, x, y + 4);
      const used = g.measureText(name).width;
      const rest = block.gpus ? `${block.used} of ${block.gpus} GPUs` : `${block.nodes} ${block.nodes === 1 ? 'node' : 'nodes'}`;
      g.font = '12px system-ui, sans-serif';
      g.fillStyle = scene.ink.muted;
      if (used + 12 + g.measureText(rest).width < width) g.fillText(rest, x + used + 8, y + 4);
    }
  }

  private paintOver(scene: Scene): void {
    const g = this.over.getContext('2d');
    if (!g) return;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.over.width, this.over.height);
    this.toWorld(g);
    const px = 1 / this.view.scale;
    for (const arrow of scene.arrows) this.arrow(g, scene, arrow, px);
    if (this.selected) this.frameAround(g, scene, { node: this.selected, ship: -1 }, px, 2.5, scene.ink.focus);
    if (this.hovered) this.frameAround(g, scene, this.hovered, px, 1.5, scene.ink.text);
    if (this.focused) this.frameAround(g, scene, this.focused, px, 3, scene.ink.focus);
  }

  private frameAround(g: CanvasRenderingContext2D, scene: Scene, spot: Spot, px: number, line: number, colour: string): void {
    const berth = scene.layout.berths[scene.layout.index.get(spot.node) ?? -1];
    if (!berth) return;
    const slots = this.slotsAt(spot.node);
    const box = spot.ship >= 0 && slots ? shipBox(slots, spot.ship, this.view.scale) : null;
    const at = box ?? { x: 0, y: 0, width: BERTH.width, height: BERTH.height };
    const out = box ? 1 * px : 2 * px;
    g.strokeStyle = colour;
    g.lineWidth = line * px;
    g.beginPath();
    g.roundRect(berth.x + at.x - out, berth.y + at.y - out, at.width + 2 * out, at.height + 2 * out, this.view.scale < FAR ? 2 * px : 6);
    g.stroke();
  }

  private arrow(g: CanvasRenderingContext2D, scene: Scene, arrow: Arrow, px: number): void {
    const from = this.boxOf(arrow.from);
    const to = this.boxOf(arrow.to);
    if (!from || !to) return;
    const x1 = from.x + from.width / 2;
    const y1 = from.y + from.height / 2;
    const x2 = to.x + to.width / 2;
    const y2 = to.y + to.height / 2;
    const bend = 0.18;
    const cx = (x1 + x2) / 2 - (y2 - y1) * bend;
    const cy = (y1 + y2) / 2 + (x2 - x1) * bend;
    const angle = Math.atan2(y2 - cy, x2 - cx);
    const head = 9 * px;
    for (const [colour, line] of [
      [scene.ink.water, 5],
      [scene.ink.move, 2],
    ] as const) {
      g.globalAlpha = arrow.next ? 1 : 0.22;
      g.strokeStyle = colour;
      g.fillStyle = colour;
      g.lineWidth = line * px;
      g.beginPath();
      g.moveTo(x1, y1);
      g.quadraticCurveTo(cx, cy, x2 - head * 0.7 * Math.cos(angle), y2 - head * 0.7 * Math.sin(angle));
      g.stroke();
      g.beginPath();
      g.moveTo(x2, y2);
      g.lineTo(x2 - head * Math.cos(angle - 0.42), y2 - head * Math.sin(angle - 0.42));
      g.lineTo(x2 - head * Math.cos(angle + 0.42), y2 - head * Math.sin(angle + 0.42));
      g.fill();
    }
    g.globalAlpha = 1;
  }
}

function fitted(g: CanvasRenderingContext2D, text: string, width: number): string {
  if (g.measureText(text).width <= width) return text;
  // of "zone / rack" the end tells more
  let kept = text.split(' / ').at(-1) ?? text;
  if (g.measureText(kept).width <= width) return kept;
  while (kept.length > 1 && g.measureText(`${kept}…`).width > width) kept = kept.slice(0, -1);
  return kept.length > 1 ? `${kept}…` : '';
}
