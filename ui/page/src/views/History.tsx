// The last days: how full, how many waited, what plans promised and what came of it. Charts are a few SVG paths.
import { useMemo, useState } from 'preact/hooks';
import { type ApiProblem, api, historyCsv } from '../api/client';
import type { Sample, History as Told } from '../api/schema';
import { clock, count, percent, plural, seconds } from '../format';
import { Icon } from '../parts/icons';
import { Empty, Skeleton, TierName, Trouble, useAnswer } from '../parts/parts';
import { route, set } from '../state/route';
import { Phase } from './Plans';

const SPANS = [
  ['6h', '6 hours', 6],
  ['24h', '24 hours', 24],
  ['7d', '7 days', 168],
] as const;

export function History() {
  const span = SPANS.find(([key]) => key === route.value.query.span) ?? SPANS[1];
  const since = useMemo(() => new Date(Date.now() - span[2] * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z'), [span]);
  const { value, problem, again } = useAnswer<Told>(() => api.history(since), [since]);
  const [refused, setRefused] = useState<ApiProblem | null>(null);
  function save(): void {
    historyCsv(since).then(
      (blob) => {
        const link = document.createElement('a');
        link.href = URL.createObjectURL(blob);
        link.download = 'berth-history.csv';
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      },
      (error: ApiProblem) => setRefused(error),
    );
  }
  if (problem?.status === 404)
    return (
      <Empty icon="wait" title="No history here">
        Only a live cluster has one: the leader records it.
      </Empty>
    );
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value) return <Skeleton lines={8} />;
  return (
    <div class="page">
      <header class="page-head row wrap">
        <div>
          <h1>History</h1>
          <p>
            {clock(value.since)} to {clock(value.until)}.{!value.complete && ' The recorder has not run all that time.'}
          </p>
        </div>
        <span class="spring" />
        <fieldset class="choice">
          <legend>Last</legend>
          {SPANS.map(([key, words]) => (
            <button type="button" key={key} aria-pressed={key === span[0]} onClick={() => set({ span: key })}>
              {words}
            </button>
          ))}
        </fieldset>
        <button type="button" class="button" onClick={save}>
          Save as CSV
        </button>
      </header>
      {refused && <Trouble problem={refused} />}
      {value.samples.length < 2 ? (
        <Empty icon="wait" title="Nothing recorded yet" within>
          The leader takes a sample every few seconds; come back in a minute.
        </Empty>
      ) : (
        <div class="charts">
          <Chart title="GPUs in use" samples={value.samples} of={(s) => (s.gpus ? s.gpusUsed / s.gpus : 0)} top={1} as={percent} />
          <Chart title="GPUs stranded" samples={value.samples} of={(s) => s.gpusStranded} as={(n) => count(Math.round(n))} />
          <Chart title="Pods waiting" samples={value.samples} of={(s) => s.waiting} as={(n) => count(Math.round(n))} />
          <Chart title="Oldest wait" samples={value.samples} of={(s) => s.oldestWaitSeconds} as={seconds} />
        </div>
      )}
      <div class="columns even">
        <section class="card stack">
          <h2>What plans promised, and what came of it</h2>
          <p>
            <b class="number">{count(value.podsGained)}</b> pods gained by <b class="number">{count(value.movesMade)}</b> moves.
          </p>
          {value.outcomes.length === 0 ? (
            <p class="muted">No plan ended in that time.</p>
          ) : (
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Plan</th>
                  <th scope="col">Ended</th>
                  <th scope="col" class="number">
                    Moves
                  </th>
                  <th scope="col" class="number">
                    Pods gained
                  </th>
                  <th scope="col" class="number">
                    Took
                  </th>
                </tr>
              </thead>
              <tbody>
                {value.outcomes.map((each) => (
                  <tr key={each.name}>
                    <th scope="row">
                      <a href={`#/plans/${encodeURIComponent(each.name)}`}>{each.name}</a>
                    </th>
                    <td>
                      <Phase phase={each.outcome} />
                    </td>
                    <td class="number">
                      {each.movesMade} of {each.movesPlanned}
                    </td>
                    <td class="number">
                      <span class={each.gainsMade < each.gainsPlanned ? 'loss' : ''}>{each.gainsMade}</span> of {each.gainsPlanned}
                    </td>
                    <td class="number">{seconds(each.seconds)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
        <section class="card stack">
          <h2>How long pods waited</h2>
          {value.waits.length === 0 ? (
            <p class="muted">No pod that waited was placed in that time.</p>
          ) : (
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Tier</th>
                  <th scope="col" class="number">
                    Placed
                  </th>
                  <th scope="col" class="number">
                    Median
                  </th>
                  <th scope="col" class="number">
                    19 of 20 within
                  </th>
                </tr>
              </thead>
              <tbody>
                {value.waits.map((tier) => (
                  <tr key={tier.priority}>
                    <th scope="row">
                      <TierName tier={tier} />
                    </th>
                    <td class="number">{count(tier.placed)}</td>
                    <td class="number">{seconds(tier.medianSeconds)}</td>
                    <td class="number">{seconds(tier.p95Seconds)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      </div>
      <p class="muted">
        <Icon name="info" /> Kept by the leader in bounded space; a restart may lose some of it.
      </p>
    </div>
  );
}

/** Steps, since a sample holds until the next one. x and y from 0 to 100. */
export function stepPath(points: readonly (readonly [number, number])[], top: number): string {
  const first = points[0]?.[0] ?? 0;
  const last = points.at(-1)?.[0] ?? 1;
  const x = (at: number): string => ((100 * (at - first)) / Math.max(1, last - first)).toFixed(2);
  const y = (value: number): string => (100 - (100 * value) / (top || 1)).toFixed(2);
  return points.map(([at, value], i) => (i === 0 ? `M${x(at)} ${y(value)}` : `H${x(at)}V${y(value)}`)).join('');
}

const MAX_POINTS = 400;

function Chart(props: {
  title: string;
  samples: readonly Sample[];
  of: (sample: Sample) => number;
  as: (n: number) => string;
  top?: number;
}) {
  const { title, samples, of, as } = props;
  const [at, setAt] = useState(-1);
  const every = Math.max(1, Math.ceil(samples.length / MAX_POINTS));
  const kept = samples.filter((_, i) => i % every === 0 || i === samples.length - 1);
  const points = kept.map((sample): [number, number] => [Date.parse(sample.at), of(sample)]);
  const highest = Math.max(...points.map(([, value]) => value));
  const top = props.top ?? (highest > 0 ? highest * 1.1 : 1);
  const line = stepPath(points, top);
  const now = points.at(-1)?.[1] ?? 0;
  const shown = points[at];
  return (
    <figure class="card chart">
      <figcaption>
        <span class="label">{title}</span>
        <b class="number">{as(shown ? shown[1] : now)}</b>
        <small class="muted">{shown ? clock(new Date(shown[0]).toISOString()) : `now; at most ${as(highest)}`}</small>
      </figcaption>
      <svg
        viewBox="0 0 100 100"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: now ${as(now)}, at most ${as(highest)}, over ${plural(points.length, 'sample')}`}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setAt(Math.round(((event.clientX - box.left) / box.width) * (points.length - 1)));
        }}
        onPointerLeave={() => setAt(-1)}
      >
        <path class="area" d={`${line}V100H0Z`} />
        <path class="line" d={line} />
      </svg>
    </figure>
  );
}
