// What lies at a node's berth, as slots from left to right: ships (pods, as long as the GPUs they hold), then what is kept, then what
// is free. A node without GPUs is measured in cores instead. Pure. With a chart, as it would be after its first `step` waves.
import type { NodeView, PodView, WaveView } from '../api/schema';
import { lostTo, type Shape } from '../state/fleet';

export interface Ship {
  pod: PodView | null;
  /** Workload and priority, also of a ghost. */
  workload: string;
  priority: number;
  start: number;
  length: number;
  /** It is here only when the chart is carried out. */
  ghost: boolean;
  /** It leaves in the chart. */
  leaves: boolean;
}
export interface Slots {
  total: number;
  byCores: boolean;
  ships: Ship[];
  kept: number;
  free: number;
  /** Of the free ones, of no use to the shape that was asked for. */
  lost: number;
}

/** By node: what leaves and what comes, up to a wave. */
export interface Voyages {
  leaves: Map<string, Set<string>>;
  later: Set<string>;
  comes: Map<string, { workload: string; priority: number; gpus: number; count: number }[]>;
}

export function voyages(waves: readonly WaveView[], step: number): Voyages {
  const made: Voyages = { leaves: new Map(), later: new Set(), comes: new Map() };
  waves.forEach((wave, w) => {
    for (const move of wave.moves) {
      if (move.state === 'Done') continue; // the picture has it already
      if (w >= step) made.later.add(move.pod);
      else {
        const gone = made.leaves.get(move.source) ?? new Set();
        gone.add(move.pod);
        made.leaves.set(move.source, gone);
      }
    }
    if (w >= step || wave.done) return;
    for (const arrival of wave.arrivals) {
      const come = made.comes.get(arrival.node) ?? [];
      come.push({ workload: arrival.workload, priority: arrival.priority, gpus: arrival.gpus, count: arrival.count });
      made.comes.set(arrival.node, come);
    }
  });
  return made;
}

export function slotsOf(node: NodeView, pods: readonly PodView[], shape: Shape | null, chart: Voyages | null): Slots {
  const byCores = node.gpus === 0;
  const total = byCores ? Math.max(1, node.cpu) : node.gpus;
  const gone = chart?.leaves.get(node.name);
  const ships: Ship[] = [];
  let at = 0;
  for (const pod of pods) {
    const length = byCores ? pod.cpu : pod.gpus;
    if (length === 0 || (gone?.has(`${pod.namespace}/${pod.name}`) ?? false)) continue;
    const leaves = chart?.later.has(`${pod.namespace}/${pod.name}`) ?? false;
    ships.push({ pod, workload: pod.workload, priority: pod.priority, start: at, length, ghost: false, leaves });
    at += length;
  }
  for (const come of chart?.comes.get(node.name) ?? [])
    for (let i = 0; i < come.count && come.gpus > 0 && !byCores; i++) {
      ships.push({
        pod: null,
        workload: come.workload,
        priority: come.priority,
        start: at,
        length: come.gpus,
        ghost: true,
        leaves: false,
      });
      at += come.gpus;
    }
  // pods that the caller may not see hold room too
  if (!chart && !byCores && node.gpusUsed > at) at = node.gpusUsed;
  const free = Math.max(0, total - at);
  const kept = byCores ? 0 : Math.min(free, node.gpusKept);
  const changed = chart ? { ...node, gpusUsed: Math.min(total, at) } : node;
  const lost = byCores || !shape ? 0 : Math.min(free - kept, lostTo(changed, shape));
  return { total, byCores, ships, kept, free: free - kept, lost };
}
