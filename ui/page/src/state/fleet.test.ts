import { describe, expect, test } from 'vitest';
import type { Change, NodeView, Overview, PodView } from '../api/schema';
import { Fleet, lostTo, roomFor } from './fleet';

export const node = (name: string, more: Partial<NodeView> = {}): NodeView => ({
  name,
  zone: 'a',
  rack: '',
  gpuModel: 'A100',
  gpus: 8,
  cpu: 64_000,
  memory: 512,
  gpusUsed: 0,
  cpuUsed: 0,
  memoryUsed: 0,
  gpusKept: 0,
  ready: true,
  cordoned: false,
  models: [],
  ...more,
});
export const pod = (uid: string, at: string, more: Partial<PodView> = {}): PodView => ({
  uid,
  namespace: 'llm',
  name: uid,
  workload: 'Deployment/x',
  service: '',
  node: at,
  gpus: 1,
  cpu: 8_000,
  memory: 64,
  priority: 0,
  priorityClass: '',
  phase: at ? 'Running' : 'Waiting',
  ours: true,
  movable: true,
  hinted: false,
  since: '',
  reason: '',
  ...more,
});
const change = (more: Partial<Change>): Change => ({
  since: 1,
  revision: 2,
  nodes: [],
  nodesGone: [],
  pods: [],
  podsGone: [],
  plans: [],
  services: [],
  overview: {} as Overview,
  ...more,
});

describe('a fleet', () => {
  test('a pod that moves is at one node only, and both are drawn anew', () => {
    const fleet = new Fleet();
    fleet.load({ revision: 1, nodes: [node('n1'), node('n2')], pods: [pod('p', 'n1')], next: '' }, true);
    fleet.dirty.clear();
    const moved = fleet.apply(change({ pods: [pod('p', 'n2')] }));
    expect(fleet.podsAt('n1')).toEqual([]);
    expect(fleet.podsAt('n2').map((each) => each.uid)).toEqual(['p']);
    expect([...fleet.dirty].sort()).toEqual(['n1', 'n2']);
    expect([moved, fleet.revision]).toEqual([false, 2]);
  });

  test('a node that comes, goes or changes its place asks for a new layout; one that fills up does not', () => {
    const fleet = new Fleet();
    fleet.load({ revision: 1, nodes: [node('n1')], pods: [], next: '' }, true);
    expect(fleet.apply(change({ nodes: [node('n1', { gpusUsed: 3 })] }))).toBe(false);
    expect(fleet.apply(change({ nodes: [node('n2')] }))).toBe(true);
    expect(fleet.apply(change({ nodes: [node('n2', { rack: 'r' })] }))).toBe(true);
    expect(fleet.apply(change({ nodesGone: ['n1'] }))).toBe(true);
    expect([...fleet.nodes.keys()]).toEqual(['n2']);
  });

  test('a pod that is gone is gone', () => {
    const fleet = new Fleet();
    fleet.load({ revision: 1, nodes: [node('n1')], pods: [pod('p', 'n1')], next: '' }, true);
    fleet.apply(change({ podsGone: ['p', 'never seen'] }));
    expect([fleet.podsAt('n1'), fleet.pods.size]).toEqual([[], 0]);
  });
});

describe('room', () => {
  const shape = { gpus: 4, cpu: 32_000, memory: 100 };
  test('is what the scarcest resource leaves', () => {
    expect(roomFor(node('n'), shape)).toBe(2);
    expect(roomFor(node('n', { cpuUsed: 40_000 }), shape)).toBe(0);
    expect(roomFor(node('n', { gpusUsed: 3 }), shape)).toBe(1);
  });
  test('is none where nothing is placed', () => {
    expect(roomFor(node('n', { cordoned: true }), shape)).toBe(0);
    expect(roomFor(node('n', { ready: false }), shape)).toBe(0);
  });
  test('free GPUs that a size cannot use are lost to it', () => {
    expect(lostTo(node('n', { gpusUsed: 3 }), shape)).toBe(1);
    expect(lostTo(node('n', { gpusUsed: 5 }), shape)).toBe(3);
    expect(lostTo(node('n', { cordoned: true }), shape)).toBe(8);
  });
});
