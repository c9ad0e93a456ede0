import { beforeAll, expect, test, vi } from 'vitest';

let route: typeof import('./route');
beforeAll(async () => {
  vi.stubGlobal('location', { hash: '' });
  vi.stubGlobal('addEventListener', () => undefined);
  route = await import('./route');
});

test('a link comes back as it was sent', () => {
  for (const hash of ['#/harbour', '#/harbour?group=rack&pod=llm/agent-0', '#/plans/plan-7f3a', '#/what-if?add=gpu-7:2'])
    expect(route.formatRoute(route.parseRoute(hash))).toBe(hash);
});

test('what is unknown leads to the harbour, and broken escapes break nothing', () => {
  expect(route.parseRoute('').place).toBe('harbour');
  expect(route.parseRoute('#/nowhere').place).toBe('harbour');
  expect(route.parseRoute('#/plans/%E0%A4%A').name).toBe('%E0%A4%A');
});
