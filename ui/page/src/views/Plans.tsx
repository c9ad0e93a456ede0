// Plans, newest first; one of them in full: what it gains, what is proven, what moves, how far it is; and what can be done with it.
import { useEffect, useState } from 'preact/hooks';
import { type ApiProblem, api } from '../api/client';
import type { PlanDetail, PlanView, WaveView, WhatIf } from '../api/schema';
import { age, clock, count, plural, shortWorkload } from '../format';
import { Icon, type IconName } from '../parts/icons';
import {
  Ask,
  Empty,
  type Question,
  Sentences,
  Skeleton,
  sentence,
  showOnHarbour,
  TierDot,
  TierTable,
  Trouble,
  useAnswer,
  WhatIfAnswer,
} from '../parts/parts';
import { go, openNode, openPod, route } from '../state/route';
import { overview, plansVersion } from '../state/store';

const UNDER_WAY = new Set(['Proposed', 'Approved', 'Reserved', 'Executing']);
const GOOD = new Set(['Completed', 'Succeeded']);

export function phaseKind(phase: string): 'wait' | 'run' | 'good' | 'bad' {
  if (phase === 'Proposed') return 'wait';
  if (UNDER_WAY.has(phase)) return 'run';
  return GOOD.has(phase) ? 'good' : 'bad';
}

export function Phase({ phase }: { phase: string }) {
  const kind = phaseKind(phase);
  const icons: Record<typeof kind, IconName> = { wait: 'wait', run: 'arrow', good: 'check', bad: 'stop' };
  return (
    <span class={`phase ${kind}`}>
      <Icon name={icons[kind]} />
      {phase || 'Proposed'}
    </span>
  );
}

export function Plans() {
  const { value, problem, again } = useAnswer(() => api.plans(), [plansVersion.value]);
  const [preview, setPreview] = useState<WhatIf | null>(null);
  const [thinking, setThinking] = useState(false);
  const [refused, setRefused] = useState<ApiProblem | null>(null);
  const chosen = route.value.name;
  const asked = route.value.query.preview === '1';
  function look(): void {
    setThinking(true);
    setRefused(null);
    api
      .preview()
      .then(setPreview, (error: ApiProblem) => setRefused(error))
      .finally(() => setThinking(false));
  }
  useEffect(() => {
    if (asked && !preview && !thinking) look();
  }, [asked]);
  if (overview.value && !overview.value.may.seePlans)
    return (
      <Empty icon="stop" title="You may not list plans">
        Ask for the right to list packingplans (the ClusterRole berth-viewer has it).
      </Empty>
    );
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value) return <Skeleton lines={8} />;
  return (
    <div class={chosen ? 'page split' : 'page'}>
      <div class="stack">
        <header class="page-head row">
          <div>
            <h1>Plans</h1>
            {!chosen && <p>What Berth wants to move, what it moved, and what is proven about it. Newest first.</p>}
          </div>
          <span class="spring" />
          <button
            type="button"
            class="button"
            disabled={thinking}
            onClick={() => {
              if (chosen) go('plans', '', { preview: '1' });
              look();
            }}
          >
            {thinking ? 'Planning…' : 'Preview a plan now'}
          </button>
        </header>
        {refused && <Trouble problem={refused} again={look} />}
        {preview && !chosen && <WhatIfAnswer answer={preview} back="#/plans" />}
        {value.items.length === 0 && !preview && !thinking && (
          <Empty icon="arrow" title="No plans yet" within>
            {overview.value?.source === 'Live'
              ? 'A plan is made when a pod cannot be placed and moving others would make room.'
              : 'A picture that stands still has no plans. “Preview a plan now” shows what one would do.'}
          </Empty>
        )}
        <ul class="list plans">
          {value.items.map((plan) => (
            <li key={plan.name}>
              <a
                class="card plan-item"
                href={`#/plans/${encodeURIComponent(plan.name)}`}
                aria-current={plan.name === chosen ? 'true' : undefined}
              >
                <span class="row">
                  <Phase phase={plan.phase} />
                  <span class="spring" />
                  <small class="muted">{plan.ended ? clock(plan.ended) : `${age(plan.created)} old`}</small>
                </span>
                <b>{sentence(plan.summary || plan.name)}</b>
                {plan.message && <span class="said">{sentence(plan.message)}</span>}
                <small class="muted number">
                  {plan.name} · +{plan.gains} {plan.gains === 1 ? 'pod' : 'pods'} · {plural(plan.moves, 'move')} ·{' '}
                  {plural(plan.evictions, 'eviction')}
                </small>
                {UNDER_WAY.has(plan.phase) && plan.waves > 0 && <Progress plan={plan} />}
              </a>
            </li>
          ))}
        </ul>
      </div>
      {chosen && <Plan key={chosen} name={chosen} />}
    </div>
  );
}

function Progress({ plan }: { plan: PlanView }) {
  return (
    <span class="row">
      <svg
        class="meter small"
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${plan.wavesDone} of ${plan.waves} waves done`}
      >
        <rect class="track" width="100" height="4" />
        <rect class="used" width={(100 * plan.wavesDone) / Math.max(1, plan.waves)} height="4" />
      </svg>
      <small class="number muted">
        {plan.wavesDone}/{plan.waves} waves
      </small>
    </span>
  );
}

function Plan({ name }: { name: string }) {
  const [acted, setActed] = useState(0);
  const { value, problem, again } = useAnswer(() => api.plan(name), [name, plansVersion.value, acted]);
  const [question, setQuestion] = useState<Question | null>(null);
  const [back, setBack] = useState<WhatIf | null>(null);
  const [thinking, setThinking] = useState(false);
  const [refused, setRefused] = useState<ApiProblem | null>(null);
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value) return <Skeleton lines={10} />;
  const { plan } = value;
  async function act(doing: () => Promise<PlanDetail>): Promise<void> {
    await doing();
    setActed((n) => n + 1);
  }
  const approve: Question = {
    title: `Have ${plan.name} carried out?`,
    says: [
      `${plural(plan.moves, 'pod moves', 'pods move')} in ${plural(plan.waves, 'wave')}, by eviction; each has a node waiting for it`,
      plan.evictions > 0 ? `${plural(plan.evictions, 'pod loses', 'pods lose')} its place with none waiting` : 'No pod loses its place',
      'Disruption budgets hold; each wave is checked again against the cluster before it starts',
      'You can cancel at any time; what is under way by then is finished',
    ],
    yes: 'Approve',
    act: () => act(() => api.approve(plan.name)),
  };
  const cancel: Question = {
    title: `Stop ${plan.name}?`,
    says: [
      'What is under way is finished, no further wave starts',
      'What it kept free is released at once',
      'Pods that it has moved stay where they are now',
    ],
    yes: 'Stop it',
    danger: true,
    act: () => act(() => api.cancel(plan.name)),
  };
  function reverse(): void {
    setThinking(true);
    setRefused(null);
    api
      .reverse(plan.name)
      .then(setBack, (error: ApiProblem) => setRefused(error))
      .finally(() => setThinking(false));
  }
  const cheaper = value.cost > value.leastCost;
  return (
    <article class="stack plan" aria-label={`Plan ${plan.name}`}>
      <header class="card stack">
        <div class="row wrap">
          <a class="button quiet square" href="#/plans" aria-label="Back to all plans">
            <Icon name="back" />
          </a>
          <Phase phase={plan.phase} />
          <code>{plan.name}</code>
          <span class="spring" />
          <span class="muted">
            {plan.trigger && `${plan.trigger} · `}
            {plan.policy ? `policy ${plan.policy} · ` : ''}
            {clock(plan.created)}
            {plan.ended ? ` to ${clock(plan.ended)}` : value.deadline ? ` · until ${clock(value.deadline)}` : ''}
          </span>
        </div>
        <h2>{sentence(plan.summary || `${plural(plan.moves, 'move')} gain ${plural(plan.gains, 'pod')}`)}</h2>
        {plan.message && <p>{sentence(plan.message)}</p>}
        <div class="row wrap">
          {value.canApprove && (
            <button type="button" class="button primary" onClick={() => setQuestion(approve)}>
              <Icon name="check" /> Approve
            </button>
          )}
          {value.canCancel && (
            <button type="button" class="button danger" onClick={() => setQuestion(cancel)}>
              <Icon name="stop" /> Cancel
            </button>
          )}
          {value.canReverse && (
            <button type="button" class="button" onClick={reverse} disabled={thinking}>
              <Icon name="back" /> {thinking ? 'Looking for the way back…' : 'The way back'}
            </button>
          )}
          {value.waves.length > 0 && (
            <button
              type="button"
              class="button"
              onClick={() => showOnHarbour(plan.name, value.waves, `#/plans/${encodeURIComponent(plan.name)}`)}
            >
              <Icon name="grid" /> Show on the harbour
            </button>
          )}
          {!value.canApprove && !value.canCancel && UNDER_WAY.has(plan.phase) && overview.value && !overview.value.may.act && (
            <span class="muted">You may look, not act: approving needs the right to patch packingplans.</span>
          )}
        </div>
        {refused && <Trouble problem={refused} again={reverse} />}
      </header>
      {back && <WhatIfAnswer answer={back} back={`#/plans/${encodeURIComponent(plan.name)}`} />}
      <section class="card stack">
        <h3>What it gains</h3>
        <TierTable tiers={value.tiers} />
      </section>
      <section class="card stack">
        <h3>What is proven</h3>
        <Sentences lines={value.proof} />
        <p class="number">
          Cost <b>{count(value.cost)}</b>; <b>{count(value.leastCost)}</b> is the least that any plan with this result can cost
          {cheaper ? '.' : ': it cannot be had for less.'}
        </p>
      </section>
      <section class="stack">
        <h3>Waves</h3>
        <Waves waves={value.waves} phase={plan.phase} />
      </section>
      {question && <Ask question={question} close={() => setQuestion(null)} />}
    </article>
  );
}

export function Waves({ waves, phase }: { waves: readonly WaveView[]; phase: string }) {
  const current = UNDER_WAY.has(phase) && phase === 'Executing' ? waves.findIndex((wave) => !wave.done) : -1;
  return (
    <ol class="waves">
      {waves.map((wave, w) => (
        <li key={w} class={wave.done ? 'done' : w === current ? 'now' : ''} aria-current={w === current ? 'step' : undefined}>
          <h4>
            Wave {w + 1}
            <span class="muted">
              {wave.done ? ' done' : w === current ? ' under way' : ''} · {plural(wave.moves.length, 'move')}
              {wave.arrivals.length > 0
                ? `, ${plural(
                    wave.arrivals.reduce((n, each) => n + each.count, 0),
                    'pod',
                  )} placed`
                : ''}
            </span>
          </h4>
          {wave.moves.length > 0 && (
            <table class="table moves">
              <caption class="unseen">Moves of wave {w + 1}</caption>
              <thead class="unseen">
                <tr>
                  <th scope="col">Pod</th>
                  <th scope="col">From and to</th>
                  <th scope="col">Cost</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <tbody>
                {wave.moves.map((move) => (
                  <tr key={move.pod}>
                    <td>
                      <button type="button" class="link" onClick={() => openPod(move.pod)}>
                        <TierDot priority={move.priority} /> {move.pod.split('/').at(-1)}
                      </button>
                    </td>
                    <td class="fromto">
                      <button type="button" class="link" onClick={() => openNode(move.source)}>
                        {move.source}
                      </button>
                      <Icon name="arrow" />
                      {move.target ? (
                        <button type="button" class="link" onClick={() => openNode(move.target)}>
                          {move.target}
                        </button>
                      ) : (
                        <span class="loss">no place</span>
                      )}
                    </td>
                    <td class="number muted">
                      {move.gpus ? plural(move.gpus, 'GPU') : ''} · cost {move.cost}
                    </td>
                    <td>
                      <MoveState state={move.state} message={move.message} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          {wave.arrivals.length > 0 && (
            <p class="arrivals muted">
              Then:{' '}
              {wave.arrivals.map((each) => (
                <span key={each.workload + each.node}>
                  <TierDot priority={each.priority} /> {shortWorkload(each.workload)}
                  {each.count > 1 ? ` ×${each.count}` : ''} at {each.node}
                </span>
              ))}
            </p>
          )}
        </li>
      ))}
    </ol>
  );
}

function MoveState({ state, message }: { state: 'Planned' | 'UnderWay' | 'Done' | 'Failed'; message: string }) {
  const words = { Planned: 'planned', UnderWay: 'under way', Done: 'done', Failed: 'failed' }[state];
  const icon: IconName = state === 'Done' ? 'check' : state === 'Failed' ? 'cross' : state === 'UnderWay' ? 'arrow' : 'wait';
  return (
    <span class={`movestate ${state.toLowerCase()}`}>
      <Icon name={icon} /> {words}
      {message && <small class="muted">{sentence(message)}</small>}
    </span>
  );
}
