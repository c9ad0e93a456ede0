// The harbour as a table: for screen readers, for sorting, for copying.
import { useMemo, useState } from 'preact/hooks';
import type { NodeView } from '../api/schema';
import { count, percent } from '../format';
import { lostTo, type Shape } from '../state/fleet';
import { openNode } from '../state/route';
import { fleet, version } from '../state/store';

const PAGE = 100;
const natural = new Intl.Collator('en', { numeric: true });
type Column = 'name' | 'place' | 'model' | 'free' | 'lost' | 'cpu' | 'memory' | 'pods';
const COLUMNS: readonly (readonly [Column, string])[] = [
  ['name', 'Node'],
  ['place', 'Zone, rack'],
  ['model', 'GPU model'],
  ['free', 'GPUs free'],
  ['lost', 'of no use'],
  ['cpu', 'Cores'],
  ['memory', 'Memory'],
  ['pods', 'Pods'],
];

export function NodeTable({ shape }: { shape: Shape | null }) {
  const [column, setColumn] = useState<Column>('name');
  const [down, setDown] = useState(false);
  const [shown, setShown] = useState(PAGE);
  const seen = version.value;
  const rows = useMemo(() => {
    const lost = (node: NodeView): number => (shape ? lostTo(node, shape) : 0);
    const measure: Record<Column, (a: NodeView, b: NodeView) => number> = {
      name: () => 0,
      place: (a, b) => natural.compare(`${a.zone} ${a.rack}`, `${b.zone} ${b.rack}`),
      model: (a, b) => natural.compare(a.gpuModel, b.gpuModel),
      free: (a, b) => a.gpus - a.gpusUsed - (b.gpus - b.gpusUsed),
      lost: (a, b) => lost(a) - lost(b),
      cpu: (a, b) => a.cpuUsed / (a.cpu || 1) - b.cpuUsed / (b.cpu || 1),
      memory: (a, b) => a.memoryUsed / (a.memory || 1) - b.memoryUsed / (b.memory || 1),
      pods: (a, b) => (fleet.at.get(a.name)?.size ?? 0) - (fleet.at.get(b.name)?.size ?? 0),
    };
    return [...fleet.nodes.values()].sort((a, b) => (down ? -1 : 1) * (measure[column](a, b) || natural.compare(a.name, b.name)));
  }, [seen, column, down, shape?.gpus, shape?.cpu, shape?.memory]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section class="tablewrap" tabIndex={0} aria-label="Nodes">
      <table class="table">
        <caption class="unseen">Nodes, {count(rows.length)}</caption>
        <thead>
          <tr>
            {COLUMNS.map(([key, words]) => (
              <th
                key={key}
                scope="col"
                class={key === 'name' || key === 'place' || key === 'model' ? '' : 'number'}
                aria-sort={key === column ? (down ? 'descending' : 'ascending') : 'none'}
              >
                <button
                  type="button"
                  class="sort"
                  onClick={() => {
                    setDown(key === column ? !down : key !== 'name' && key !== 'place' && key !== 'model');
                    setColumn(key);
                  }}
                >
                  {words}
                  <span aria-hidden="true">{key === column ? (down ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((node) => (
            <tr key={node.name}>
              <th scope="row">
                <button type="button" class="link" onClick={() => openNode(node.name)}>
                  {node.name}
                </button>
              </th>
              <td>{[node.zone, node.rack].filter(Boolean).join(', ') || '–'}</td>
              <td>{node.gpuModel || '–'}</td>
              <td class="number">
                {node.gpus - node.gpusUsed} of {node.gpus}
              </td>
              <td class="number">{shape ? lostTo(node, shape) : 0}</td>
              <td class="number">{percent(node.cpuUsed / (node.cpu || 1))}</td>
              <td class="number">{percent(node.memoryUsed / (node.memory || 1))}</td>
              <td class="number">{fleet.at.get(node.name)?.size ?? 0}</td>
              <td>{[node.ready ? '' : 'not ready', node.cordoned ? 'cordoned' : ''].filter(Boolean).join(', ') || 'ready'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown < rows.length && (
        <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
          {PAGE} more of {count(rows.length - shown)}
        </button>
      )}
    </section>
  );
}
