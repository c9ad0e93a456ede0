// Where room is lost to fragments, and what a change would be worth. The question stands in the address, so that it can be sent on.
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, api } from '../api/client';
import type { WhatIf as Answer, Asked, Fragments } from '../api/schema';
import { count, plural, shapeWords } from '../format';
import { Icon } from '../parts/icons';
import { Skeleton, Trouble, useAnswer, WhatIfAnswer } from '../parts/parts';
import { route, set } from '../state/route';
import { fleet, lastWhatIf, version } from '../state/store';

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);

/** `add=gpu-7:2,gpu-9:1` and so on: what a link asks. A pair's last colon parts it. */
export function askedOf(query: Readonly<Record<string, string>>): Asked {
  const pairs = (text: string | undefined): [string, number][] =>
    list(text)
      .map((each): [string, number] => {
        const colon = each.lastIndexOf(':');
        return colon < 0 ? [each, 1] : [each.slice(0, colon), Number(each.slice(colon + 1))];
      })
      .filter(([name, number]) => name !== '' && Number.isInteger(number));
  return {
    add: pairs(query.add).map(([like, number]) => ({ like, count: number })),
    cordon: list(query.cordon),
    remove: list(query.remove),
    priorities: pairs(query.priority).map(([workload, priority]) => ({ workload, priority })),
  };
}

export const isEmpty = (asked: Asked): boolean =>
  asked.add.length + asked.cordon.length + asked.remove.length + asked.priorities.length === 0;

export function sentenceOf(asked: Asked): string[] {
  return [
    ...asked.add.map((each) => `${plural(each.count, 'more node', 'more nodes')} like ${each.like}`),
    ...asked.cordon.map((each) => `${each} cordoned`),
    ...asked.remove.map((each) => `${each} removed`),
    ...asked.priorities.map((each) => `${each.workload} at priority ${each.priority}`),
  ];
}

export function WhatIf() {
  const query = route.value.query;
  const asked = askedOf(query);
  const key = JSON.stringify(asked);
  const [answer, setAnswer] = useState<Answer | null>(lastWhatIf.value);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [thinking, setThinking] = useState(false);
  useEffect(() => {
    setProblem(null);
    if (isEmpty(asked)) {
      setAnswer(null);
      return;
    }
    let wanted = true;
    setThinking(true);
    api
      .whatIf(asked)
      .then(
        (told) => {
          if (!wanted) return;
          setAnswer(told);
          lastWhatIf.value = told;
        },
        (error: unknown) => wanted && setProblem(error instanceof ApiProblem ? error : new ApiProblem(0, 'PageError', String(error))),
      )
      .finally(() => wanted && setThinking(false));
    return () => {
      wanted = false;
    };
  }, [key]);
  const back = location.hash;
  return (
    <div class="page">
      <header class="page-head">
        <h1>What-if</h1>
        <p>Asks the planner what a change would be worth. Nothing is written.</p>
      </header>
      <div class="columns">
        <div class="stack">
          <Builder query={query} />
          {!isEmpty(asked) && (
            <ul class="chips asked" aria-label="The question">
              {sentenceOf(asked).map((words) => (
                <li key={words}>{words}</li>
              ))}
              <li>
                <button type="button" class="link" onClick={() => set({ add: '', cordon: '', remove: '', priority: '' })}>
                  Clear
                </button>
              </li>
            </ul>
          )}
          {thinking && (
            <div class="card">
              <p class="muted">Two plans are being made: for the cluster as it is, and for the changed one…</p>
              <Skeleton lines={4} />
            </div>
          )}
          {problem && <Trouble problem={problem} />}
          {answer && !thinking && !problem && !isEmpty(asked) && <WhatIfAnswer answer={answer} back={back} compared />}
          {isEmpty(asked) && <p class="muted">Put a question together above; several changes at once are one question.</p>}
        </div>
        <FragmentsCard />
      </div>
    </div>
  );
}

const join = (now: string | undefined, more: string): string => [...list(now), more].join(',');

function Builder({ query }: { query: Readonly<Record<string, string>> }) {
  const [kind, setKind] = useState<'add' | 'cordon' | 'remove' | 'priority'>('add');
  const [name, setName] = useState('');
  const [number, setNumber] = useState('1');
  version.value;
  const workloads = new Set<string>();
  if (kind === 'priority')
    for (const pod of fleet.pods.values()) if (workloads.size < 500) workloads.add(`${pod.namespace}/${pod.workload}`);
  const names = kind === 'priority' ? [...workloads].sort() : [...fleet.nodes.keys()].slice(0, 500);
  const wants = kind === 'add' || kind === 'priority';
  return (
    <form
      class="card builder"
      onSubmit={(event) => {
        event.preventDefault();
        if (!name.trim()) return;
        set({ [kind]: join(query[kind], wants ? `${name.trim()}:${Number(number)}` : name.trim()) });
        setName('');
      }}
    >
      <label class="field">
        What if
        <select
          value={kind}
          onChange={(event) => {
            setKind(event.currentTarget.value as typeof kind);
            setName('');
          }}
        >
          <option value="add">there were more nodes like</option>
          <option value="cordon">a node were cordoned:</option>
          <option value="remove">a node were gone:</option>
          <option value="priority">a workload had another priority:</option>
        </select>
      </label>
      <label class="field grow">
        {kind === 'priority' ? 'Workload' : kind === 'add' ? 'Node of that shape' : 'Node, or label=value'}
        <input
          list="names"
          value={name}
          required
          onInput={(event) => setName(event.currentTarget.value)}
          placeholder={names[0] ?? ''}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      <datalist id="names">
        {names.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {wants && (
        <label class="field short">
          {kind === 'add' ? 'How many' : 'Priority'}
          <input
            type="number"
            value={number}
            min={kind === 'add' ? 1 : -2_147_483_648}
            max={kind === 'add' ? 1000 : 1_000_000_000}
            required
            onInput={(event) => setNumber(event.currentTarget.value)}
          />
        </label>
      )}
      <button type="submit" class="button primary">
        Ask
      </button>
    </form>
  );
}

function FragmentsCard() {
  const { value, problem, again } = useAnswer<Fragments>(() => api.fragments(), [Math.floor(version.value / 8)]);
  if (problem) return <Trouble problem={problem} again={again} />;
  if (!value)
    return (
      <div class="card">
        <Skeleton lines={6} />
      </div>
    );
  const most = Math.max(1, ...value.holes.map((hole) => hole.nodes));
  return (
    <section class="card stack" aria-label="Fragments">
      <header class="card-head">
        <h2>Free room, and how it is broken up</h2>
      </header>
      <p>
        <b class="number">{count(value.gpusFree)}</b> GPUs are free. <b class="number">{count(value.gpusStranded)}</b> of them are of no use
        to any size of pod here: no cores or memory are left beside them, or their node takes no pods.
      </p>
      <h3>Free GPUs together on one node</h3>
      <ul class="holes">
        {value.holes.map((hole) => (
          <li key={hole.gpus}>
            <span class="number">{plural(hole.gpus, 'GPU')}</span>
            <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class="used" width={(100 * hole.nodes) / most} height="6" />
            </svg>
            <span class="number">{plural(hole.nodes, 'node')}</span>
          </li>
        ))}
        {value.holes.length === 0 && <li class="muted">None: every GPU is taken.</li>}
      </ul>
      <h3>How many more would fit, by size</h3>
      <table class="table">
        <caption class="unseen">Room by size of pod</caption>
        <thead>
          <tr>
            <th scope="col">Each</th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Fit now
            </th>
            <th scope="col" class="number">
              At most
            </th>
          </tr>
        </thead>
        <tbody>
          {value.shapes.map((shape) => (
            <tr key={shapeWords(shape)}>
              <th scope="row" title={shapeWords(shape)}>
                {plural(shape.gpus, 'GPU')}
                <small class="muted block">{shapeWords({ ...shape, gpus: 0 })}</small>
              </th>
              <td class="number">{count(shape.waiting)}</td>
              <td class="number">
                {count(shape.fitsNow)}
                {shape.fitsNow < shape.fitsAtMost && (
                  <span class="loss" title="lost to fragments">
                    −{count(shape.fitsAtMost - shape.fitsNow)}
                  </span>
                )}
              </td>
              <td class="number">{count(shape.fitsAtMost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted">
        <Icon name="info" /> “At most” counts free GPUs alone: more is not possible in any order.
      </p>
    </section>
  );
}
