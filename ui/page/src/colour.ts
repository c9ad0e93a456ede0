// Colours that say who a pod is. After Okabe and Ito, told apart with any colour vision; past the sixth they come again with a
// pattern, so that colour alone never has to tell two apart.
import type { PodView, Tier } from './api/schema';

export type Pattern = 'plain' | 'stripes' | 'dots';
export interface Paint {
  fill: string;
  ink: string;
  pattern: Pattern;
}

const HUES = ['#d55e00', '#e69f00', '#009e73', '#56b4e9', '#0072b2', '#cc79a7'] as const;
const SYSTEM: Paint = { fill: '#8b95a1', ink: '#10161d', pattern: 'dots' };
const SYSTEM_PRIORITY = 1_000_000_001; // above what users may set: system-cluster-critical and system-node-critical
const PATTERNS: readonly Pattern[] = ['plain', 'stripes', 'dots'];

function nth(n: number): Paint {
  const fill = HUES[n % HUES.length] ?? HUES[0];
  return { fill, ink: inkOn(fill), pattern: PATTERNS[Math.floor(n / HUES.length) % PATTERNS.length] ?? 'plain' };
}

/** Black or white, whichever reads better on it. */
export function inkOn(fill: string): string {
  const light = luminance(fill);
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.0552 ? '#ffffff' : '#10161d';
}

export function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Paints by priority: the most important tier gets the warmest colour. */
export function tierPaints(tiers: readonly Tier[]): Map<number, Paint> {
  const paints = new Map<number, Paint>();
  let rank = 0;
  for (const tier of [...tiers].sort((a, b) => b.priority - a.priority)) {
    if (tier.priority >= SYSTEM_PRIORITY) paints.set(tier.priority, SYSTEM);
    else paints.set(tier.priority, nth(rank++));
  }
  return paints;
}

const byWorkload = new Map<string, Paint>();
/** The same workload has the same paint in every session. */
export function workloadPaint(pod: Pick<PodView, 'namespace' | 'workload'>): Paint {
  const key = `${pod.namespace}/${pod.workload}`;
  let paint = byWorkload.get(key);
  if (!paint) {
    let hash = 2166136261;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619);
    paint = nth((hash >>> 0) % (HUES.length * PATTERNS.length));
    byWorkload.set(key, paint);
  }
  return paint;
}

export const UNKNOWN: Paint = SYSTEM;
export const tierName = (tier: { priority: number; priorityClass: string }): string => tier.priorityClass || `priority ${tier.priority}`;
