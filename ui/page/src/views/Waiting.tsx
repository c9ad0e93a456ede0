// Who waits and why, most important first.
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import { WaitsDetail } from '../drawer/Drawer';
import { age, count, plural, shortWorkload } from '../format';
import { Icon } from '../parts/icons';
import { Empty, Reason, Skeleton, sentence, TierName, Trouble, useAnswer } from '../parts/parts';
import { openPod } from '../state/route';
import { version } from '../state/store';

export function Waiting() {
  const { value, problem, again } = useAnswer(() => api.waiting(), [Math.floor(version.value / 4)]);
  const [open, setOpen] = useState('');
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value) return <Skeleton lines={8} />;
  if (value.items.length === 0)
    return (
      <Empty icon="check" title="Nobody waits">
        Every pod that you may see has a node.
      </Empty>
    );
  return (
    <div class="page">
      <header class="page-head">
        <h1>Waiting</h1>
        <p>
          {plural(value.pods, 'pod waits', 'pods wait')}, most important first. Pods that are alike and wait for the same reason are one
          line.
        </p>
      </header>
      <ul class="list">
        {value.items.map((waits) => {
          const key = `${waits.pod} ${waits.priority}`;
          const shown = open === key;
          return (
            <li key={key} class="card waits-item">
              <div class="waits-head">
                <div class="who">
                  <h2>
                    <button type="button" class="link strong" onClick={() => openPod(waits.pod)}>
                      {shortWorkload(waits.workload)}
                    </button>
                    <span class="times"> ×{count(waits.pods)}</span>
                  </h2>
                  <p class="muted">
                    {waits.workload.split('/')[0]} · {waits.gpus ? `${plural(waits.gpus, 'GPU')} each` : 'no GPUs'}
                    {waits.since ? ` · for ${age(waits.since)}` : ''}
                  </p>
                  <TierName tier={waits} />
                </div>
                <div class="why">
                  <p class="lead">{sentence(waits.message)}</p>
                  <p class="row wrap">
                    <Reason code={waits.reason} />
                    {waits.proven && (
                      <span class="proven">
                        <Icon name="check" /> proven
                      </span>
                    )}
                    {waits.plan && (
                      <a href={`#/plans/${encodeURIComponent(waits.plan)}`}>
                        <Icon name="arrow" /> {waits.plan}
                      </a>
                    )}
                    {!waits.plan && waits.reason === 'FitsAfterMoves' && <a href="#/plans?preview=1">See the moves</a>}
                    {(waits.remedies.length > 0 || waits.nodes.length > 0) && (
                      <button type="button" class="link" aria-expanded={shown} onClick={() => setOpen(shown ? '' : key)}>
                        {shown ? 'Less' : 'Nodes by reason, and what would help'}
                      </button>
                    )}
                  </p>
                </div>
              </div>
              {shown && (
                <div class="waits-more">
                  <WaitsDetail waits={waits} />
                </div>
              )}
            </li>
          );
        })}
      </ul>
      {value.next && <p class="muted">Those after the first {value.items.length} lines are not shown.</p>}
    </div>
  );
}
