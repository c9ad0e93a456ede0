// Asks the API. Types are made from ui/openapi.json (`npm run api`). ETags are the browser's work: it asks again with the tag it has.
import type {
  Asked,
  Fragments,
  Harbour,
  History,
  NodeDetail,
  Overview,
  PlanDetail,
  Plans,
  PodDetail,
  Services,
  Waiting,
  WhatIf,
} from './schema';

export const ROOT = '../api/v1';
const TOKEN = 'berth-token';
const PAGE = 2_500; // nodes a page of the harbour: about a megabyte, so that the first is drawn while the next is on its way

/** An answer that is not 2xx, or none at all (status 0). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** Within the cluster each request carries the caller's own token. It lives as long as the tab. */
export const token = {
  get: (): string => sessionStorage.getItem(TOKEN) ?? '',
  set: (value: string): void => (value ? sessionStorage.setItem(TOKEN, value) : sessionStorage.removeItem(TOKEN)),
};

export function headers(): Record<string, string> {
  const held = token.get();
  return held ? { Authorization: `Bearer ${held}` } : {};
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  let told: { reason?: string; message?: string } = {};
  try {
    told = (await response.json()) as typeof told;
  } catch {
    // not one of ours: a proxy's page
  }
  return new ApiProblem(
    response.status,
    told.reason ?? `Http${response.status}`,
    told.message ?? `the server answered ${response.status}; something between may have answered in its place`,
  );
}

const TRIES = 4;

/** When the planner has too much to do (429) it says when to come again; nobody has to press a button for that. */
async function ask<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  for (let tried = 1; ; tried++) {
    const response = await send(method, path, body, signal);
    if (response.ok) return (await response.json()) as T;
    if (response.status !== 429 || tried >= TRIES) throw await problemOf(response);
    const wait = Number(response.headers.get('Retry-After')) || 3;
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 10) * 1_000));
  }
}

async function send(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(`${ROOT}${path}`, {
      method,
      headers: { ...headers(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'NoConnection', 'the server does not answer; is berth ui, or the port-forward, still running?');
  }
}

const one = (text: string): string => encodeURIComponent(text);
const page = (after: string, limit: number): string => `?limit=${limit}${after ? `&after=${one(after)}` : ''}`;

export const api = {
  overview: () => ask<Overview>('GET', '/overview'),
  harbour: (after: string) => ask<Harbour>('GET', `/harbour${page(after, PAGE)}`),
  pod: (namespace: string, name: string, signal?: AbortSignal) =>
    ask<PodDetail>('GET', `/pods/${one(namespace)}/${one(name)}`, undefined, signal),
  node: (name: string, signal?: AbortSignal) => ask<NodeDetail>('GET', `/nodes/${one(name)}`, undefined, signal),
  waiting: (after = '') => ask<Waiting>('GET', `/waiting${page(after, 200)}`),
  plans: (after = '') => ask<Plans>('GET', `/plans${page(after, 100)}`),
  plan: (name: string) => ask<PlanDetail>('GET', `/plans/${one(name)}`),
  approve: (name: string) => ask<PlanDetail>('POST', `/plans/${one(name)}/approve`),
  cancel: (name: string) => ask<PlanDetail>('POST', `/plans/${one(name)}/cancel`),
  reverse: (name: string) => ask<WhatIf>('POST', `/plans/${one(name)}/reverse`),
  preview: () => ask<WhatIf>('POST', '/plans/preview'),
  services: (after = '') => ask<Services>('GET', `/services${page(after, 200)}`),
  fragments: () => ask<Fragments>('GET', '/fragments'),
  whatIf: (asked: Asked) => ask<WhatIf>('POST', '/what-if', asked),
  history: (since: string) => ask<History>('GET', `/history?since=${one(since)}`),
};

/** As a file: a link cannot carry the token. */
export async function historyCsv(since: string): Promise<Blob> {
  const response = await fetch(`${ROOT}/history.csv?since=${one(since)}`, { headers: headers() });
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}
