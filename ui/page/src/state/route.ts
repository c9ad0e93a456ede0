// The URL's hash says all that a link should carry: the place, what is open in the drawer, and how the harbour is drawn.
//   #/harbour?group=rack&node=gpu-7    #/plans/plan-a1?pod=llm/agent-0    #/what-if?add=gpu-7:2
import { signal } from '@preact/signals';

export const PLACES = ['harbour', 'waiting', 'plans', 'services', 'what-if', 'history'] as const;
export type Place = (typeof PLACES)[number];

export interface Route {
  place: Place;
  /** Plan that is open, or empty. */
  name: string;
  query: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [first = '', ...rest] = path.split('/');
  const place = PLACES.find((known) => known === first) ?? 'harbour';
  return { place, name: decode(rest.join('/')), query: Object.fromEntries(new URLSearchParams(search)) };
}

export function formatRoute(route: Route): string {
  const search = new URLSearchParams(Object.entries(route.query).filter(([, value]) => value !== ''))
    .toString()
    .replaceAll('%2F', '/')
    .replaceAll('%3A', ':');
  const name = route.name ? `/${encodeURIComponent(route.name)}` : '';
  return `#/${route.place}${name}${search ? `?${search}` : ''}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => {
  route.value = parseRoute(location.hash);
});

/** Queries that belong to the harbour alone are kept by it, and the drawer closes when the place changes. */
export function go(place: Place, name = '', query: Record<string, string> = {}): void {
  location.hash = formatRoute({ place, name, query });
}

/** Changes queries of the place where we are. */
export function set(query: Record<string, string>): void {
  const now = route.value;
  location.hash = formatRoute({ ...now, query: { ...now.query, ...query } });
}

export const openNode = (node: string): void => set({ node, pod: '', workload: '' });
export const openPod = (pod: string): void => set({ pod, node: '', workload: '' });
export const openWorkload = (workload: string): void => set({ workload, node: '', pod: '' });
export const closeDrawer = (): void => set({ node: '', pod: '', workload: '' });
