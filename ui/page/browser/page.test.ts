// The page in a real chromium, over the real server: what a person sees and does. Needs chromium and the Python environment.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PlanDetail } from '../src/api/schema';
import type { Stage } from '../src/harbour/stage';
import { freePort, launch, open, Scene, shot, violations } from './scene';

let browser: Browser;
let scene: Scene;
let pages: { page: Page; wrong: string[] }[] = [];

beforeAll(async () => {
  [browser, scene] = await Promise.all([launch(), new Scene(await freePort(), ['--open']).start()]);
});
afterAll(async () => {
  await browser?.close();
  await scene?.stop();
});
afterEach(async () => {
  const all = pages;
  pages = [];
  for (const { page } of all) await page.close();
  expect(all.flatMap((each) => each.wrong)).toEqual([]);
});

async function at(hash: string, scheme: 'light' | 'dark' = 'light', on: Scene = scene): Promise<Page> {
  const opened = await open(browser, on.url + hash, scheme);
  pages.push(opened);
  return opened.page;
}
const text = (page: Page, selector: string) => page.locator(selector).first().textContent();
/** Where a node's berth lies on the screen. */
const spotOf = (page: Page, node: string): Promise<{ x: number; y: number }> =>
  page.evaluate((name) => {
    const stage = (window as unknown as { berthStage: Stage }).berthStage;
    const box = stage.boxOf(name);
    if (!box) throw new Error(`no berth of ${name}`);
    const sea = document.querySelector('.sea')?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { x: sea.left + (box.x - stage.view.x + 20) * stage.view.scale, y: sea.top + (box.y - stage.view.y + 30) * stage.view.scale };
  }, node);

describe('every place', () => {
  for (const scheme of ['light', 'dark'] as const)
    for (const [name, hash, seen] of [
      ['harbour', '#/harbour', 'At anchor'],
      ['harbour-table', '#/harbour?as=table', 'a100-12'],
      ['waiting', '#/waiting', /after \d+ moves/],
      ['plans', '#/plans/plan-7f3a', 'Wave 2'],
      ['services', '#/services', '1 of 2 replicas waits'],
      ['what-if', '#/what-if?add=a100-01:1', '2 more placed'],
      ['history', '#/history', 'What plans promised'],
      ['pod', '#/harbour?pod=llm/agent-70b-7d4b9-w0', /after \d+ moves/],
      ['node', '#/harbour?node=a100-04', 'Has room for 2 GPUs'],
      ['workload', '#/harbour?workload=llm/Deployment/embed', 'pods wait; the others run'],
    ] as const)
      test(`${name}, ${scheme}: says what it is for, and axe finds nothing`, async () => {
        const page = await at(hash, scheme);
        await page.getByText(seen).first().waitFor({ timeout: 30_000 });
        await page.waitForTimeout(250);
        await shot(page, `${name}-${scheme}`);
        expect(await violations(page)).toEqual([]);
      });
});

describe('the harbour', () => {
  test('a click on a ship opens its pod, on a berth its node; Escape closes', async () => {
    const page = await at('#/harbour');
    await page.locator('canvas.over').waitFor();
    await page.waitForTimeout(300);
    const ship = await spotOf(page, 'a100-01');
    await page.mouse.click(ship.x, ship.y);
    await page.getByRole('heading', { name: /chat-70b-7d4b9/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.drawer').waitFor({ state: 'detached' });
    await page.mouse.click(ship.x, ship.y - 22);
    await page.getByRole('heading', { name: 'a100-01' }).waitFor();
  });

  test('keys alone lead to a node, to its pods, and back', async () => {
    const page = await at('#/harbour');
    await page.locator('canvas.over').focus();
    await page.waitForTimeout(200);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.locator('[aria-live]', { hasText: '5 of 8 GPUs used' }).waitFor({ state: 'attached' });
    await page.keyboard.press('p');
    await page.locator('[aria-live]', { hasText: /Pod code-34b.*4 GPUs/ }).waitFor({ state: 'attached' });
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /code-34b/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement?.className === 'over', null, { timeout: 3_000 });
  });

  test('a slash finds a pod by a part of its name', async () => {
    const page = await at('#/services');
    await page.getByText('agent-70b').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('vision');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /vision-34b-7d4b9/ }).waitFor();
  });

  test('the theme is chosen by hand, and stays', async () => {
    const page = await at('#/harbour');
    await page.getByRole('button', { name: /Theme: system/ }).click();
    await page.getByRole('button', { name: /Theme: light/ }).click();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
    await page.reload();
    await page.locator('.figures').waitFor();
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
  });
});

describe('a plan', () => {
  test('is shown over the harbour, wave by wave', async () => {
    const told = (await (await fetch(scene.url.replace('/ui/', '/api/v1/plans/plan-7f3a'))).json()) as PlanDetail;
    const page = await at('#/plans/plan-7f3a');
    await page.getByRole('button', { name: 'Show on the harbour' }).click();
    await page.locator('.chartbar input').fill('2');
    await page.locator('.chartbar output', { hasText: 'After wave 2 of' }).waitFor();
    await page.waitForTimeout(300);
    await shot(page, 'moves-light');
    // each that has arrived by then lies there as a ghost, and nobody else does
    const expected = told.waves
      .slice(0, 2)
      .flatMap((wave) => wave.arrivals.flatMap((each) => Array<string>(each.count).fill(`${each.workload} at ${each.node}`)));
    const ghosts = await page.evaluate(
      (nodes) => {
        const stage = (window as unknown as { berthStage: Stage }).berthStage;
        return nodes.flatMap((node) =>
          (stage.slotsAt(node)?.ships ?? []).filter((ship) => ship.ghost).map((ship) => `${ship.workload} at ${node}`),
        );
      },
      Array.from({ length: 12 }, (_, i) => `a100-${String(i + 1).padStart(2, '0')}`),
    );
    expect(ghosts.sort()).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Take it off' }).click();
    await page.getByRole('heading', { name: /4 waiting pods placed/ }).waitFor();
  });

  test('is approved after saying what will happen, and the server says so to every page', async () => {
    const [page, other] = [await at('#/plans/plan-7f3a'), await at('#/plans')];
    await other.getByText('Proposed').first().waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText(/pods move in \d waves/).waitFor();
    await shot(page, 'approve-light');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.locator('.plan .phase.run').waitFor();
    await other.locator('.plan-item .phase.run').waitFor(); // by the change, without asking again by hand
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  });

  test('that was carried out has a way back', async () => {
    const page = await at('#/plans/plan-1c20');
    await page.getByRole('button', { name: 'The way back' }).click();
    await page.locator('.plan .trouble, .plan section.card h2').first().waitFor({ timeout: 30_000 });
    // in memory nothing was moved, so the server says that there is nothing to take back: in words, not as a failure of the page
    expect(await text(page, '.plan .trouble, .plan section.card')).toMatch(/[a-z]{3}/);
  });

  test('is cancelled after a question', async () => {
    const page = await at('#/plans/plan-7f3a');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Stop it' }).click();
    await page.locator('.plan .phase.bad').waitFor();
    expect(await text(page, '.plan .phase')).toContain('Cancelled');
  });

  test('made now is shown without being written', async () => {
    const page = await at('#/plans');
    await page.getByRole('button', { name: 'Preview a plan now' }).click();
    await page.getByText('A plan made now').waitFor({ timeout: 30_000 });
    await page.getByText('+4', { exact: true }).first().waitFor();
  });
});

describe('what-if', () => {
  test('a question is put together, answered, and stands in the address', async () => {
    const page = await at('#/what-if');
    await page.getByLabel('What if').selectOption('cordon');
    await page.getByLabel('Node, or label=value').fill('a100-02');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText('a100-02 cordoned').first().waitFor();
    await page.getByText('As it is').waitFor({ timeout: 30_000 });
    expect(page.url()).toContain('cordon=a100-02');
  });

  test('an unknown node is said, with what to do', async () => {
    const page = await at('#/what-if?add=nowhere:1');
    await page.getByRole('alert').getByText('nowhere').waitFor({ timeout: 40_000 });
    await page.getByText('BadChange').waitFor();
  });
});

describe('who may not, and what is not there', () => {
  let closed: Scene;
  beforeAll(async () => {
    closed = await new Scene(await freePort(), []).start();
  });
  afterAll(() => closed.stop());

  async function signedIn(as: string, hash: string): Promise<Page> {
    const page = await at(hash, 'light', closed);
    await page.getByLabel('Token').fill(as);
    await page.getByRole('button', { name: 'Sign in' }).click();
    return page;
  }

  test('without a token one is asked for; a wrong one is refused', async () => {
    const page = await signedIn('wrong', '#/harbour');
    await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
    await shot(page, 'sign-in-light');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Token').fill('admin');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('At anchor').waitFor();
  });

  test('a tenant sees their own pods, no nodes and no plans, and is told why', async () => {
    const page = await signedIn('tenant', '#/harbour');
    await page.getByText('You may not list nodes').waitFor();
    await shot(page, 'tenant-light');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Plans' }).click();
    await page.getByText('You may not list plans').waitFor();
    await page.getByRole('link', { name: /^Waiting/ }).click();
    await page.getByText('agent-70b').first().waitFor({ timeout: 30_000 });
  });

  test('a plan, a pod and a node that are gone are said to be gone', async () => {
    for (const hash of ['#/plans/gone', '#/harbour?pod=llm/gone', '#/harbour?node=gone']) {
      const page = await at(hash);
      await page.getByRole('alert').getByText('NotFound').waitFor({ timeout: 30_000 });
    }
  });
});

describe('a server that ends and comes back', () => {
  test('the page says so, keeps what it has, and goes on by itself', async () => {
    const mine = await new Scene(await freePort(), ['--open']).start();
    try {
      const page = await at('#/harbour', 'light', mine);
      await page.getByText('live', { exact: true }).waitFor();
      await mine.stop();
      await page.getByText('The connection is lost').waitFor({ timeout: 10_000 });
      await shot(page, 'disconnected-light');
      expect(await violations(page)).toEqual([]);
      expect(await page.getByText('At anchor').count()).toBe(1);
      await mine.start();
      await page.getByText('live', { exact: true }).waitFor({ timeout: 40_000 });
      expect(await page.getByText('The connection is lost').count()).toBe(0);
    } finally {
      await mine.stop();
    }
  });

  test('a page opened too early comes up as soon as the server is there', async () => {
    const page = await at('#/harbour');
    await page.route('**/api/v1/**', (route) => route.abort());
    await page.reload();
    await page.getByText('Not connected').waitFor();
    await page.unroute('**/api/v1/**');
    await page.getByText('At anchor').waitFor({ timeout: 10_000 });
  });
});

describe('5,000 nodes that change all the time', () => {
  test('are there in 1.5 s, and frames stay short', async () => {
    const large = await new Scene(await freePort(), ['--open', '--moving', '--nodes', '5000']).start();
    try {
      const page = await at('', 'light', large);
      await page.waitForFunction(() => (window as unknown as { berthStage?: { slots: Map<string, unknown> } }).berthStage?.slots.size);
      const first = await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.POSITIVE_INFINITY,
      );
      expect(first).toBeLessThanOrEqual(1_500);
      await page.waitForTimeout(4_000);
      await shot(page, 'large-light');
      const frames = await page.evaluate(async () => {
        const canvas = document.querySelector('canvas.over');
        const times: number[] = [];
        let last = performance.now();
        for (let i = 0; i < 150; i++) {
          canvas?.dispatchEvent(new WheelEvent('wheel', { deltaY: i < 75 ? -40 : 40, clientX: 700, clientY: 500, cancelable: true }));
          await new Promise(requestAnimationFrame);
          times.push(performance.now() - last);
          last = performance.now();
        }
        return times.sort((a, b) => a - b);
      });
      const at95 = frames[Math.floor(frames.length * 0.95)] ?? 0;
      console.log(`first contentful paint ${Math.round(first)} ms; frames: median ${frames[75]?.toFixed(1)}, 95th ${at95.toFixed(1)} ms`);
      // a machine that builds other things meanwhile is slower by some factor; what blocks for long is not the machine
      expect(frames[75]).toBeLessThanOrEqual(34);
      expect(at95).toBeLessThanOrEqual(100);
    } finally {
      await large.stop();
    }
  });
});
