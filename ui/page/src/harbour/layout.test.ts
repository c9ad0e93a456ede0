import { describe, expect, test } from 'vitest';
import { node, pod } from '../state/fleet.test';
import { BERTH, berthAt, groupOf, layOut, neighbour } from './layout';
import { slotsOf, voyages } from './ships';

const many = (n: number) => Array.from({ length: n }, (_, i) => node(`n${i}`, { zone: `z${i % 3}`, rack: `r${i % 50}` }));

describe('a layout', () => {
  for (const [n, by] of [
    [1, 'none'],
    [12, 'zone'],
    [300, 'rack'],
    [5000, 'zone'],
    [5000, 'rack'],
  ] as const)
    test(`${n} nodes by ${by} fit the window, and no two overlap`, () => {
      const layout = layOut(many(n), by, 1400, 560);
      expect(layout.berths).toHaveLength(n);
      expect(layout.width * layout.scale).toBeLessThanOrEqual(1401);
      expect(layout.height * layout.scale).toBeLessThanOrEqual(561);
      const spots = new Set(layout.berths.map((berth) => `${Math.round(berth.x)} ${Math.round(berth.y)}`));
      expect(spots.size).toBe(n);
      for (const berth of layout.berths.slice(0, 200)) {
        expect(berthAt(layout, berth.x + BERTH.width / 2, berth.y + BERTH.height / 2)?.node).toBe(berth.node);
        expect(berthAt(layout, berth.x - 2, berth.y - 2)?.node).not.toBe(berth.node);
      }
    });

  test('names are sorted as people count', () => {
    expect(layOut([node('n10'), node('n9')], 'none', 800, 400).berths.map((berth) => berth.node)).toEqual(['n9', 'n10']);
  });

  test('arrows lead to the neighbour and back', () => {
    const layout = layOut(many(12), 'none', 900, 400);
    const first = layout.berths[0]?.node ?? '';
    const right = neighbour(layout, first, 'right');
    expect(right).not.toBe(first);
    expect(neighbour(layout, right, 'left')).toBe(first);
    expect(neighbour(layout, first, 'left')).toBe(first);
  });

  test('what has no label has a group of its own', () => {
    expect(groupOf(node('n', { zone: '' }), 'zone')).toBe('no zone');
    expect(groupOf(node('n', { gpus: 0, gpuModel: '' }), 'model')).toBe('no GPUs');
  });
});

describe('ships', () => {
  const shape = { gpus: 8, cpu: 8_000, memory: 64 };
  test('lie without gaps; then what is kept, then what is free, and the lost part of it', () => {
    const slots = slotsOf(node('n', { gpusUsed: 5, gpusKept: 1 }), [pod('a', 'n', { gpus: 4 }), pod('b', 'n')], shape, null);
    expect(slots.ships.map((ship) => [ship.start, ship.length])).toEqual([
      [0, 4],
      [4, 1],
    ]);
    expect([slots.kept, slots.free, slots.lost]).toEqual([1, 2, 2]);
  });

  test('pods that are not shown hold their room', () => {
    expect(slotsOf(node('n', { gpusUsed: 6 }), [pod('a', 'n')], null, null).free).toBe(2);
  });

  test('a chart takes off what leaves by then, and puts ghosts where they come', () => {
    const move = {
      pod: 'llm/a',
      workload: 'Deployment/x',
      priority: 0,
      source: 'n',
      target: 'm',
      gpus: 4,
      cost: 1,
      state: 'Planned',
      message: '',
    } as const;
    const arrival = { workload: 'llm/Deployment/y', priority: 9, node: 'n', count: 1, gpus: 8 };
    const waves = [
      { moves: [move], arrivals: [], done: false },
      { moves: [], arrivals: [arrival], done: false },
    ];
    const at = (step: number) => slotsOf(node('n', { gpusUsed: 4 }), [pod('a', 'n', { gpus: 4 })], shape, voyages(waves, step));
    expect(at(0).ships.map((ship) => [ship.ghost, ship.leaves])).toEqual([[false, true]]);
    expect([at(1).ships.length, at(1).free, at(1).lost]).toEqual([0, 8, 0]);
    expect(at(2).ships.map((ship) => [ship.ghost, ship.length])).toEqual([[true, 8]]);
  });
});
