// Numbers as people read them.
const whole = new Intl.NumberFormat('en');
export const count = (n: number): string => whole.format(n);
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${n >= 100 || Number.isInteger(n) ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

export const cores = (millicores: number): string => {
  const n = millicores / 1000;
  return `${Number.isInteger(n) ? count(n) : n.toFixed(1)} ${n === 1 ? 'core' : 'cores'}`;
};

export function seconds(s: number): string {
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** "3 min", counted from a moment as the API writes it; empty when unknown. */
export function age(moment: string, now = Date.now()): string {
  const at = Date.parse(moment);
  return Number.isNaN(at) ? '' : seconds(Math.max(0, (now - at) / 1000));
}

export function clock(moment: string): string {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return '';
  return at.toLocaleString(undefined, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
}

export const percent = (share: number): string => `${Math.round(share * 100)}%`;

/** namespace/kind/name or kind/name, without the kind. */
export const shortWorkload = (workload: string): string => workload.split('/').at(-1) ?? workload;

export const shapeWords = (shape: { gpus: number; cpu: number; memory: number }): string =>
  [shape.gpus ? plural(shape.gpus, 'GPU') : '', shape.cpu ? cores(shape.cpu) : '', shape.memory ? bytes(shape.memory) : '']
    .filter(Boolean)
    .join(', ');
