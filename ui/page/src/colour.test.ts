import { expect, test } from 'vitest';
import { luminance, tierPaints, workloadPaint } from './colour';

const tier = (priority: number) => ({ priority, priorityClass: '', running: 1, waiting: 0, gpus: 1 });

test('no two of eighteen tiers look the same, and their names can be read on them', () => {
  const paints = [...tierPaints(Array.from({ length: 18 }, (_, i) => tier(i))).values()];
  expect(new Set(paints.map((paint) => `${paint.fill} ${paint.pattern}`)).size).toBe(18);
  for (const paint of paints) {
    const [a, b] = [luminance(paint.fill), luminance(paint.ink)];
    expect((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)).toBeGreaterThanOrEqual(4.5);
  }
});

test('the colours of tiers do not change when the system has pods too', () => {
  const alone = tierPaints([tier(1000)]).get(1000);
  expect(tierPaints([tier(2_000_001_000), tier(1000)]).get(1000)).toEqual(alone);
});

test('a workload keeps its colour', () => {
  const pod = { namespace: 'llm', workload: 'Deployment/chat' };
  expect(workloadPaint(pod)).toBe(workloadPaint({ ...pod }));
});
