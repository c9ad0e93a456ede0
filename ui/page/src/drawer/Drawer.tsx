// What is known of one pod, node or workload, beside the place where one was.
import { useEffect, useRef } from 'preact/hooks';
import { api } from '../api/client';
import type { PodDetail, PodView, Waits } from '../api/schema';
import { age, bytes, cores, percent, plural, shapeWords, shortWorkload } from '../format';
import { Icon } from '../parts/icons';
import { Reason, Skeleton, sentence, TierDot, TierName, Trouble, useAnswer } from '../parts/parts';
import { closeDrawer, openNode, openPod, openWorkload, route } from '../state/route';
import { fleet, version } from '../state/store';

export function Drawer() {
  const { pod, node, workload } = route.value.query;
  const box = useRef<HTMLElement>(null);
  const open = Boolean(pod || node || workload);
  const before = useRef<Element | null>(null);
  useEffect(() => {
    if (open) {
      before.current ??= document.activeElement;
      box.current?.focus();
    } else {
      if (before.current instanceof HTMLElement) before.current.focus();
      before.current = null;
    }
  }, [open, pod, node, workload]);
  if (!open) return null;
  return (
    <aside
      ref={box}
      class="drawer"
      tabIndex={-1}
      aria-label={pod ? `Pod ${pod}` : node ? `Node ${node}` : `Workload ${workload}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') closeDrawer();
      }}
    >
      <button type="button" class="button quiet square close" aria-label="Close" onClick={closeDrawer}>
        <Icon name="close" />
      </button>
      {pod ? <PodSheet name={pod} /> : node ? <NodeSheet name={node} /> : <WorkloadSheet name={workload ?? ''} />}
    </aside>
  );
}

function PodSheet({ name }: { name: string }) {
  const [namespace = '', ...rest] = name.split('/');
  const known = fleet.podNamed(name);
  version.value;
  const { value, problem, again } = useAnswer<PodDetail>(
    () => api.pod(namespace, rest.join('/')),
    [name, known?.node, known?.reason, known?.phase],
  );
  if (problem && (problem.status !== 404 || !known)) return <Trouble problem={problem} again={again} />;
  if (!value || `${value.pod.namespace}/${value.pod.name}` !== name) return <Skeleton lines={9} />;
  const { pod, waits } = value;
  return (
    <div class="stack">
      <header>
        <p class="kind">Pod in {pod.namespace}</p>
        <h2>{pod.name}</h2>
        <p class="row wrap">
          <TierName tier={pod} />
          <span>{shapeWords(pod)}</span>
        </p>
      </header>
      {waits ? <WaitsSaid waits={waits} /> : <HereSaid detail={value} />}
      {value.plan && (
        <a class="callout" href={`#/plans/${encodeURIComponent(value.plan)}`}>
          <Icon name="arrow" /> {pod.node ? 'A plan is to move it' : 'A plan brings it in'}: {value.plan}
        </a>
      )}
      {(value.hint || value.wishes.length > 0) && (
        <section>
          <h3>Hint, as understood</h3>
          {value.hint && <blockquote>{value.hint}</blockquote>}
          <ul class="wishes">
            {value.wishes.map((wish) => (
              <li key={wish.text}>
                <span class={wish.fulfilled === null ? 'muted' : wish.fulfilled ? 'yes' : 'no'}>
                  <Icon name={wish.fulfilled === null ? 'wait' : wish.fulfilled ? 'check' : 'cross'} />
                  <span class="unseen">
                    {wish.fulfilled === null ? 'not yet known: ' : wish.fulfilled ? 'fulfilled: ' : 'not fulfilled: '}
                  </span>
                </span>
                {sentence(wish.text)} <span class="muted">{wish.strength}</span>
              </li>
            ))}
          </ul>
          {value.notUnderstood.length > 0 && (
            <p class="muted">Not understood: {value.notUnderstood.map((each) => `“${each}”`).join(', ')}</p>
          )}
        </section>
      )}
      {value.scores.length > 0 && (
        <section>
          <h3>Nodes, as the scheduler would rank them now</h3>
          <ol class="scores">
            {value.scores.map((score) => (
              <li key={score.node}>
                <button type="button" class="link" onClick={() => openNode(score.node)}>
                  {score.node}
                </button>
                <Meter share={score.score} label={`score ${score.score.toFixed(2)}`} />
                <span class="number">{score.score.toFixed(2)}</span>
                <small class="muted">{score.because.join('; ')}</small>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>Facts</h3>
        <dl class="facts">
          <dt>Workload</dt>
          <dd>
            <button type="button" class="link" onClick={() => openWorkload(`${pod.namespace}/${pod.workload}`)}>
              {pod.workload}
            </button>
          </dd>
          {pod.service && (
            <>
              <dt>Service</dt>
              <dd>
                <a href="#/services">{pod.service}</a>
              </dd>
            </>
          )}
          <dt>Node</dt>
          <dd>
            {pod.node ? (
              <button type="button" class="link" onClick={() => openNode(pod.node)}>
                {pod.node}
              </button>
            ) : (
              'none yet'
            )}
          </dd>
          <dt>{pod.node ? 'Created' : 'Waits since'}</dt>
          <dd>{pod.since ? `${age(pod.since)} ago` : 'unknown'}</dd>
          <dt>Scheduler</dt>
          <dd>{pod.ours ? 'Berth' : 'not Berth'}</dd>
          <dt>May be moved</dt>
          <dd>{value.immovable.length === 0 ? 'yes' : value.immovable.map(sentence).join(' ')}</dd>
        </dl>
      </section>
    </div>
  );
}

function WaitsSaid({ waits }: { waits: Waits }) {
  return (
    <>
      <section class="callout waits">
        <Icon name="wait" />
        <div>
          <p class="lead">{sentence(waits.message)}</p>
          <p class="row wrap">
            <Reason code={waits.reason} />
            {waits.proven && (
              <span class="proven">
                <Icon name="check" /> proven
              </span>
            )}
          </p>
        </div>
      </section>
      <WaitsDetail waits={waits} />
    </>
  );
}

export function WaitsDetail({ waits }: { waits: Waits }) {
  return (
    <>
      {waits.remedies.length > 0 && (
        <section>
          <h3>What would help</h3>
          <Remedies waits={waits} />
        </section>
      )}
      {waits.nodes.length > 0 && (
        <section>
          <h3>Why not on the nodes there are</h3>
          <ul class="nodewhy">
            {waits.nodes.map((each) => (
              <li key={each.reason + each.message}>
                <b class="number">{plural(each.nodes, 'node')}</b>
                <span>{nodeWhy(each.reason, each.message)}</span>
                <Reason code={each.reason} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** "InsufficientResource nvidia.com/gpu" says its code twice. */
function nodeWhy(reason: string, message: string): string {
  const rest = message.startsWith(reason) ? message.slice(reason.length).trim() : message;
  if (!rest) return 'No more is known.';
  return reason === 'InsufficientResource' && rest !== message ? `Not enough ${rest}.` : sentence(rest);
}

function Remedies({ waits }: { waits: Waits }) {
  return (
    <ul class="sentences">
      {waits.remedies.map((remedy) => {
        const like = /more nodes? like (\S+)/.exec(remedy.message)?.[1];
        const number = /(\d+) more nodes? like/.exec(remedy.message)?.[1] ?? '1';
        return (
          <li key={remedy.message}>
            {sentence(`It would fit ${remedy.message}`)}{' '}
            {like && <a href={`#/what-if?add=${encodeURIComponent(like)}:${number}`}>Try it</a>}
          </li>
        );
      })}
    </ul>
  );
}

function HereSaid({ detail }: { detail: PodDetail }) {
  const { pod, scores, wishes } = detail;
  const here = scores.find((score) => score.node === pod.node);
  const kept = wishes.filter((wish) => wish.fulfilled).length;
  const parts = [
    `Runs on ${pod.node}`,
    wishes.length > 0 ? `which fulfils ${kept} of ${plural(wishes.length, 'wish', 'wishes')} of its hint` : '',
    here && here.because.length > 0 ? `ranked for ${here.because.join('; ')}` : '',
  ].filter(Boolean);
  return (
    <section class="callout here">
      <Icon name={pod.phase === 'Leaving' ? 'arrow' : 'check'} />
      <div>
        <p class="lead">{pod.phase === 'Leaving' ? `Is leaving ${pod.node}.` : sentence(parts.join(', '))}</p>
        {detail.immovable.length > 0 && <p class="muted">It is not moved: {detail.immovable.join('; ')}.</p>}
      </div>
    </section>
  );
}

function Meter({ share, label }: { share: number; label: string }) {
  return (
    <svg class="meter small" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect class="track" width="100" height="4" />
      <rect class="used" width={Math.max(0, Math.min(1, share)) * 100} height="4" />
    </svg>
  );
}

function NodeSheet({ name }: { name: string }) {
  version.value;
  const known = fleet.nodes.get(name);
  const { value, problem, again } = useAnswer(() => api.node(name), [name, known]);
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value || value.node.name !== name) return <Skeleton lines={9} />;
  const node = value.node;
  const amounts: [string, number, number, string][] = [
    ['GPUs', node.gpusUsed, node.gpus, `${node.gpusUsed} of ${node.gpus}`],
    ['Cores', node.cpuUsed, node.cpu, `${cores(node.cpuUsed)} of ${cores(node.cpu)}`],
    ['Memory', node.memoryUsed, node.memory, `${bytes(node.memoryUsed)} of ${bytes(node.memory)}`],
  ];
  const state = !node.ready
    ? 'It is not ready: nothing new is placed here.'
    : node.cordoned
      ? 'It is cordoned: what runs stays, nothing new is placed here.'
      : node.gpus - node.gpusUsed - node.gpusKept > 0
        ? `Has room for ${plural(node.gpus - node.gpusUsed - node.gpusKept, 'GPU')} more.`
        : node.gpus > 0
          ? 'All its GPUs are taken.'
          : 'A node without GPUs.';
  return (
    <div class="stack">
      <header>
        <p class="kind">Node</p>
        <h2>{node.name}</h2>
        <p>{[node.gpuModel, node.zone, node.rack].filter(Boolean).join(' · ')}</p>
      </header>
      <section class={node.ready && !node.cordoned ? 'callout here' : 'callout waits'}>
        <Icon name={node.ready ? (node.cordoned ? 'stop' : 'check') : 'cross'} />
        <div>
          <p class="lead">{state}</p>
          {node.gpusKept > 0 && <p>{plural(node.gpusKept, 'GPU')} kept by an active plan.</p>}
        </div>
      </section>
      <section>
        <h3>What is requested of it</h3>
        <ul class="amounts">
          {amounts
            .filter(([, , of]) => of > 0)
            .map(([words, used, of, said]) => (
              <li key={words}>
                <span>{words}</span>
                <Meter share={used / of} label={`${words} ${percent(used / of)}`} />
                <span class="number">{said}</span>
              </li>
            ))}
        </ul>
      </section>
      <PodList title="Pods, most important first" pods={value.pods} />
      {node.models.length > 0 && (
        <section>
          <h3>Models that lie there</h3>
          <ul class="chips">
            {node.models.map((model) => (
              <li key={model}>
                <code>{model}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      {value.taints.length > 0 && (
        <section>
          <h3>Taints</h3>
          <ul class="chips">
            {value.taints.map((taint) => (
              <li key={taint}>
                <code>{taint}</code>
              </li>
            ))}
          </ul>
        </section>
      )}
      <details>
        <summary>Labels ({Object.keys(value.labels).length})</summary>
        <ul class="labels">
          {Object.entries(value.labels)
            .sort(([a], [b]) => a.localeCompare(b))
            .map(([key, label]) => (
              <li key={key}>
                <code>
                  {key}={label}
                </code>
              </li>
            ))}
        </ul>
      </details>
      <div class="row wrap">
        <a class="button" href={`#/what-if?cordon=${encodeURIComponent(node.name)}`}>
          What if it were cordoned?
        </a>
        <a class="button" href={`#/what-if?add=${encodeURIComponent(node.name)}:1`}>
          What if there were one more?
        </a>
      </div>
    </div>
  );
}

function PodList({ title, pods }: { title: string; pods: readonly PodView[] }) {
  if (pods.length === 0)
    return (
      <section>
        <h3>{title}</h3>
        <p class="muted">None.</p>
      </section>
    );
  return (
    <section>
      <h3>
        {title} <span class="muted number">{pods.length}</span>
      </h3>
      <ul class="podlist">
        {pods.slice(0, 60).map((pod) => (
          <li key={pod.uid}>
            <button type="button" onClick={() => openPod(`${pod.namespace}/${pod.name}`)}>
              <TierDot priority={pod.priority} />
              <span>
                {pod.name}
                <small class="muted">
                  {pod.namespace}
                  {pod.node ? '' : ` · ${pod.phase === 'Gated' ? 'gated' : 'waits'} ${pod.reason}`}
                </small>
              </span>
              <span class="number muted">{pod.gpus ? plural(pod.gpus, 'GPU') : cores(pod.cpu)}</span>
            </button>
          </li>
        ))}
      </ul>
      {pods.length > 60 && <p class="muted">and {pods.length - 60} more</p>}
    </section>
  );
}

function WorkloadSheet({ name }: { name: string }) {
  version.value;
  const pods = [...fleet.pods.values()].filter((pod) => `${pod.namespace}/${pod.workload}` === name);
  const first = pods[0];
  if (!first) return <p class="muted">No pods of {name} any more.</p>;
  const waiting = pods.filter((pod) => !pod.node).length;
  const nodes = new Set(pods.map((pod) => pod.node).filter(Boolean));
  return (
    <div class="stack">
      <header>
        <p class="kind">Workload in {first.namespace}</p>
        <h2>{shortWorkload(name)}</h2>
        <p class="row wrap">
          <TierName tier={first} />
          <span>{first.workload.split('/')[0]}</span>
          <span>{shapeWords(first)} each</span>
        </p>
      </header>
      <section class={waiting ? 'callout waits' : 'callout here'}>
        <Icon name={waiting ? 'wait' : 'check'} />
        <p class="lead">
          {waiting
            ? `${waiting} of ${plural(pods.length, 'pod')} ${waiting === 1 ? 'waits' : 'wait'}; the others run on ${plural(nodes.size, 'node')}.`
            : `All ${plural(pods.length, 'pod')} run, on ${plural(nodes.size, 'node')}. The others are faded in the harbour.`}
        </p>
      </section>
      <PodList title="Pods" pods={pods.sort((a, b) => (a.node ? 1 : 0) - (b.node ? 1 : 0) || a.name.localeCompare(b.name))} />
      <a class="button" href={`#/what-if?priority=${encodeURIComponent(name)}:${first.priority}`}>
        What if it had another priority?
      </a>
    </div>
  );
}
