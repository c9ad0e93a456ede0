// Starts the page's scene (e2e/berth_e2e/page_scene.py) and a chromium, and ends both.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import AxeSource from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

export const REPOSITORY = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const PYTHON = process.env.BERTH_PYTHON ?? path.join(REPOSITORY, '.venv/bin/python');
const CHROMIUM = process.env.BERTH_CHROMIUM ?? '/usr/bin/chromium';
/** Where screenshots go; those that the documents show go there too when BERTH_IMAGES is set (`make page-images`). */
const SHOTS = path.join(REPOSITORY, 'out/ui');
const IMAGES = path.join(REPOSITORY, 'docs/images');
const SHOWN = ['harbour-light', 'harbour-dark', 'plans-light', 'moves-light', 'what-if-light', 'waiting-light', 'pod-light', 'large-light'];

export async function shot(page: Page, name: string): Promise<void> {
  const places = process.env.BERTH_IMAGES && SHOWN.includes(name) ? [SHOTS, IMAGES] : [SHOTS];
  for (const place of places) await page.screenshot({ path: path.join(place, `ui-${name}.png`) });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class Scene {
  private child: ChildProcess | null = null;
  constructor(
    readonly port: number,
    private readonly flags: string[],
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}/ui/`;
  }

  async start(): Promise<this> {
    const child = spawn(PYTHON, ['-m', 'berth_e2e.page_scene', '--port', String(this.port), ...this.flags], {
      cwd: REPOSITORY,
      env: { ...process.env, PYTHONPATH: path.join(REPOSITORY, 'e2e'), NUMBA_CPU_NAME: 'generic' },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true, // a group of its own, so that the planner's process ends with it
    });
    this.child = child;
    for (let i = 0; i < 300; i++) {
      if (child.exitCode !== null) throw new Error(`the scene ended with ${child.exitCode}`);
      try {
        // any answer will do: without a token it is 401
        await fetch(`http://127.0.0.1:${this.port}/api/v1/overview`);
        return this;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    throw new Error('the scene does not answer');
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** A page that fails the test on any error, and on anything that its Content-Security-Policy forbids. */
export async function open(browser: Browser, url: string, scheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; wrong: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: scheme, reducedMotion: 'reduce' });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())) wrong.push(message.text());
  });
  await page.goto(url);
  return { page, wrong };
}

/** What axe finds, by rule and place. The script comes in by the debugger, which no policy of the page concerns. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AxeSource.source);
  return page.evaluate(async () => {
    const axe = (
      globalThis as unknown as {
        axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe;
    const found = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return found.violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.html.slice(0, 160)}`));
  });
}
