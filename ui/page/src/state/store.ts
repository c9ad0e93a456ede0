// What the page knows, as signals. One place loads it and keeps it fresh; views only read.
import { batch, computed, effect, signal } from '@preact/signals';
import { ApiProblem, api } from '../api/client';
import type { Change, Overview, WaveView, WhatIf } from '../api/schema';
import { tierPaints } from '../colour';
import { Fleet } from './fleet';
import { follow } from './live';

export const fleet = new Fleet();
/** Grows when nodes come or go; `painted` with every change. */
export const layoutVersion = signal(0);
export const version = signal(0);
export const overview = signal<Overview | null>(null);
export const loading = signal(true);
export const trouble = signal<ApiProblem | null>(null);
export const connection = signal<'connecting' | 'live' | 'still' | 'lost'>('connecting');
/** Grow when one of them changed: views that show them ask again. */
export const plansVersion = signal(0);
export const servicesVersion = signal(0);
const tierKey = computed(() => (overview.value?.tiers ?? []).map((tier) => tier.priority).join());
/** The same map as long as the tiers are the same: who draws with it starts over when it changes. */
export const paints = computed(() => {
  tierKey.value;
  return tierPaints(overview.peek()?.tiers ?? []);
});

/** A plan, or what would be one, laid over the harbour; `step`: how many of its waves are shown as done. */
export interface Chart {
  title: string;
  waves: WaveView[];
  step: number;
  back: string;
}
export const chart = signal<Chart | null>(null);
export const lastWhatIf = signal<WhatIf | null>(null);

/** Said aloud to screen readers. */
export const said = signal('');

let stop: (() => void) | null = null;
let loadingNow: Promise<void> | null = null;
let held: Change[] = [];
const RELOAD_AGAIN = 3_000;

export async function start(): Promise<void> {
  stop?.();
  stop = null;
  await load();
  if (trouble.value) return;
  stop = follow({ onChange, onState, revision: () => fleet.revision });
}

/** Everything anew. Changes that come meanwhile wait. */
export function load(): Promise<void> {
  loadingNow ??= loadOnce().finally(() => {
    loadingNow = null;
    const waiting = held;
    held = [];
    for (const change of waiting) onChange(change);
  });
  return loadingNow;
}

async function loadOnce(): Promise<void> {
  try {
    const [first, page] = await Promise.all([api.overview(), api.harbour('')]);
    batch(() => {
      fleet.load(page, true);
      overview.value = first;
      trouble.value = null;
      loading.value = false;
      layoutVersion.value += 1;
      version.value += 1;
      if (connection.value === 'connecting' && first.source !== 'Live') connection.value = 'still';
    });
    for (let next = page.next; next; ) {
      const more = await api.harbour(next);
      next = more.next;
      const revision = fleet.revision;
      batch(() => {
        fleet.load(more, false);
        fleet.revision = revision; // of the first page: what changed since comes as changes, or all is loaded anew
        layoutVersion.value += 1;
        version.value += 1;
      });
    }
  } catch (error) {
    loading.value = false;
    trouble.value = error instanceof ApiProblem ? error : new ApiProblem(0, 'PageError', String(error));
  }
}

function onChange(change: Change): void {
  if (loadingNow) {
    held.push(change);
    return;
  }
  if (change.since !== fleet.revision && change.revision !== fleet.revision) {
    if (change.revision > fleet.revision || change.since === change.revision) void load();
    return;
  }
  batch(() => {
    const moved = change.since === fleet.revision ? fleet.apply(change) : false;
    overview.value = change.overview;
    if (moved) layoutVersion.value += 1;
    version.value += 1;
    if (change.plans.length > 0) plansVersion.value += 1;
    if (change.services.length > 0) servicesVersion.value += 1;
  });
}

function onState(state: 'live' | 'lost', problem: ApiProblem | null): void {
  if (state === 'lost' && overview.value?.source !== 'Live' && connection.value === 'still') return;
  if (problem?.status === 401) trouble.value = problem;
  connection.value = state === 'live' && overview.value?.source !== 'Live' ? 'still' : state;
}

/** Until the first load works, it is tried again. */
export function retryUntilThere(): void {
  effect(() => {
    const wrong = trouble.value;
    if (wrong && (wrong.status === 0 || wrong.status >= 500)) setTimeout(() => void start(), RELOAD_AGAIN);
  });
}
