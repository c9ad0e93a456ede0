// The cluster in the page's memory: nodes and pods by name, pods by the node they lie at. Changed in place, since a cluster may have
// 24,000 pods; `version` tells who draws it that something changed, `dirty` which nodes.
import type { Change, Harbour, NodeView, PodView } from '../api/schema';

/** A pod's size: what it takes of a node. */
export interface Shape {
  gpus: number;
  cpu: number;
  memory: number;
}

export class Fleet {
  readonly nodes = new Map<string, NodeView>();
  readonly pods = new Map<string, PodView>();
  /** Without a node: under ''. */
  readonly at = new Map<string, Set<string>>();
  readonly dirty = new Set<string>();
  revision = 0;

  /** A page of the harbour. The first (`fresh`) empties what was there. */
  load(page: Harbour, fresh: boolean): void {
    if (fresh) {
      this.nodes.clear();
      this.pods.clear();
      this.at.clear();
    }
    this.revision = page.revision;
    for (const node of page.nodes) this.nodes.set(node.name, node);
    for (const pod of page.pods) this.put(pod);
  }

  /** True: nodes came or went, so that the layout has to be made anew. Only for a change whose `since` is our revision. */
  apply(change: Change): boolean {
    let moved = false;
    for (const name of change.nodesGone) {
      moved = this.nodes.delete(name) || moved;
      this.dirty.delete(name);
    }
    for (const node of change.nodes) {
      const known = this.nodes.get(node.name);
      moved ||=
        known === undefined ||
        known.zone !== node.zone ||
        known.rack !== node.rack ||
        known.gpuModel !== node.gpuModel ||
        known.gpus !== node.gpus;
      this.nodes.set(node.name, node);
      this.dirty.add(node.name);
    }
    for (const uid of change.podsGone) this.drop(uid);
    for (const pod of change.pods) this.put(pod);
    this.revision = change.revision;
    return moved;
  }

  podsAt(node: string): PodView[] {
    const found: PodView[] = [];
    for (const uid of this.at.get(node) ?? []) {
      const pod = this.pods.get(uid);
      if (pod) found.push(pod);
    }
    return found.sort(bySize);
  }

  waiting(): PodView[] {
    return this.podsAt('').sort((a, b) => b.priority - a.priority || bySize(a, b));
  }

  podNamed(key: string): PodView | undefined {
    for (const pod of this.pods.values()) if (`${pod.namespace}/${pod.name}` === key) return pod;
    return undefined;
  }

  private put(pod: PodView): void {
    const before = this.pods.get(pod.uid);
    if (before && before.node !== pod.node) this.leave(before);
    this.pods.set(pod.uid, pod);
    let there = this.at.get(pod.node);
    if (!there) {
      there = new Set();
      this.at.set(pod.node, there);
    }
    there.add(pod.uid);
    this.dirty.add(pod.node);
  }

  private drop(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    this.leave(pod);
    this.pods.delete(uid);
  }

  private leave(pod: PodView): void {
    this.at.get(pod.node)?.delete(pod.uid);
    this.dirty.add(pod.node);
  }
}

/** Big ships first, so that the same pods lie at the same slots whatever order they came in. */
function bySize(a: PodView, b: PodView): number {
  return b.gpus - a.gpus || b.cpu - a.cpu || (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0);
}

/** How many more pods of that size find room on the node, as its requests stand. */
export function roomFor(node: NodeView, shape: Shape): number {
  if (!node.ready || node.cordoned) return 0;
  const gpus = node.gpus - node.gpusUsed;
  const cpu = node.cpu - node.cpuUsed;
  const memory = node.memory - node.memoryUsed;
  if (gpus < 0 || cpu < 0 || memory < 0) return 0;
  let fits = Number.POSITIVE_INFINITY;
  if (shape.gpus) fits = Math.min(fits, Math.floor(gpus / shape.gpus));
  if (shape.cpu) fits = Math.min(fits, Math.floor(cpu / shape.cpu));
  if (shape.memory) fits = Math.min(fits, Math.floor(memory / shape.memory));
  return fits === Number.POSITIVE_INFINITY ? 0 : fits;
}

/** Free GPUs of a node that pods of that size cannot use: a fragment as they see it. */
export function lostTo(node: NodeView, shape: Shape): number {
  const free = Math.max(0, node.gpus - node.gpusUsed);
  return Math.max(0, free - roomFor(node, shape) * shape.gpus);
}
