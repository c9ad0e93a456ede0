// The top of the page: which cluster, how full, who runs and who waits, who leads, what plan is under way. Read in five seconds.
import { useMemo, useRef, useState } from 'preact/hooks';
import { tierName } from '../colour';
import { count } from '../format';
import { openNode, openPod, openWorkload, PLACES, type Place, route } from '../state/route';
import { nextTheme, theme } from '../state/settings';
import { connection, fleet, overview, version } from '../state/store';
import { Icon } from './icons';
import { Reason, sentence, TierDot } from './parts';

const WORDS: Record<Place, string> = {
  harbour: 'Harbour',
  waiting: 'Waiting',
  plans: 'Plans',
  services: 'Services',
  'what-if': 'What-if',
  history: 'History',
};

export function CommandBar() {
  const seen = overview.value;
  return (
    <header class="top">
      <div class="bar">
        <a class="mark" href="#/harbour">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect class="hull" width="32" height="32" rx="8" />
            <path d="M7 8v16M25 8v16" />
            <rect class="one" x="10.5" y="9" width="11" height="6" rx="2" />
            <rect class="two" x="10.5" y="17" width="11" height="6" rx="2" />
          </svg>
          <span>
            <b>
              <span class="unseen">Berth at </span>
              {seen?.cluster || 'Berth'}
            </b>
            <Connection />
          </span>
        </a>
        <nav aria-label="Places">
          {PLACES.map((place) => (
            <a key={place} href={`#/${place}`} aria-current={route.value.place === place ? 'page' : undefined}>
              {WORDS[place]}
              {place === 'waiting' && seen && seen.waiting > 0 && <span class="badge">{count(seen.waiting)}</span>}
              {place === 'services' && seen && seen.servicesReady < seen.services && (
                <span class="badge warn">{seen.services - seen.servicesReady}</span>
              )}
            </a>
          ))}
        </nav>
        <span class="spring" />
        <Search />
        <button
          type="button"
          class="button quiet square"
          onClick={() => {
            theme.value = nextTheme();
          }}
          aria-label={`Theme: ${theme.value}. Change it`}
          title={`Theme: ${theme.value}`}
        >
          <Icon name={theme.value === 'dark' ? 'moon' : theme.value === 'light' ? 'sun' : 'system'} />
        </button>
      </div>
      {seen && <Figures />}
      <Notices />
    </header>
  );
}

function Connection() {
  const seen = overview.value;
  const words = {
    connecting: 'connecting…',
    live: 'live',
    still: seen?.source === 'Demo' ? 'the demo’s cluster' : 'a picture that stands still',
    lost: 'not connected, trying again',
  }[connection.value];
  return (
    <small class={`connection ${connection.value}`} role="status">
      {words}
    </small>
  );
}

function Figures() {
  const seen = overview.value;
  if (!seen) return null;
  const free = Math.max(0, seen.gpus - seen.gpusUsed);
  const useful = Math.max(0, free - seen.gpusStranded - seen.gpusKept);
  return (
    <section class="figures" aria-label="The cluster in a few numbers">
      {seen.may.seeNodes && (
        <>
          <div class="figure wide">
            <span class="label">GPUs</span>
            <span class="value">
              {count(seen.gpusUsed)}
              <small> of {count(seen.gpus)} used</small>
            </span>
            <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect class="track" width="100" height="6" />
              <rect class="used" width={share(seen.gpusUsed, seen.gpus)} height="6" />
              <rect class="kept" x={share(seen.gpusUsed, seen.gpus)} width={share(seen.gpusKept, seen.gpus)} height="6" />
              <rect class="stranded" x={100 - share(seen.gpusStranded, seen.gpus)} width={share(seen.gpusStranded, seen.gpus)} height="6" />
            </svg>
            <span class="note">
              {count(useful)} free · {count(seen.gpusKept)} kept · {count(seen.gpusStranded)} stranded
            </span>
          </div>
          <div class="figure">
            <span class="label">Nodes ready</span>
            <span class="value">
              {count(seen.readyNodes)}
              <small> of {count(seen.nodes)}</small>
            </span>
          </div>
        </>
      )}
      <div class="figure grow">
        <span class="label">Running and waiting, by tier</span>
        <ul class="tierline">
          {seen.tiers.slice(0, 5).map((tier) => (
            <li key={tier.priority} title={`priority ${tier.priority}`}>
              <TierDot priority={tier.priority} />
              <span class="what">{tierName(tier)}</span>
              <b class="number">{count(tier.running)}</b>
              {tier.waiting > 0 ? <b class="number waits">+{count(tier.waiting)} waiting</b> : null}
            </li>
          ))}
        </ul>
      </div>
      <div class="figure">
        <span class="label">Plan</span>
        {seen.activePlan ? (
          <a class="value small" href={`#/plans/${encodeURIComponent(seen.activePlan)}`}>
            {seen.activePhase}
            <small> {seen.activePlan}</small>
          </a>
        ) : (
          <span class="value small muted">none</span>
        )}
      </div>
      <div class="figure">
        <span class="label">Leader</span>
        {seen.source === 'Live' ? (
          <span class={seen.leader ? 'value small' : 'value small bad'}>
            <Icon name={seen.leader ? 'check' : 'warn'} /> {seen.leader || 'nobody'}
            <small>{seen.schedulerServes ? ' scheduler serves' : ' scheduler silent'}</small>
          </span>
        ) : (
          <span class="value small muted">no live cluster</span>
        )}
      </div>
    </section>
  );
}

const share = (part: number, of: number): number => (of > 0 ? Math.min(100, (100 * part) / of) : 0);

function Notices() {
  const notices = overview.value?.notices ?? [];
  const [all, setAll] = useState(false);
  if (notices.length === 0 && connection.value !== 'lost') return null;
  const shown = all ? notices : notices.slice(0, 2);
  return (
    <section class="notices" aria-label="Notices">
      {connection.value === 'lost' && (
        <p role="alert">
          <Icon name="warn" /> The connection is lost; what you see may be old. The page goes on by itself as soon as the server answers.
        </p>
      )}
      {shown.map((notice) => (
        <p key={notice.reason + notice.message}>
          <Icon name="info" /> {sentence(notice.message)} <Reason code={notice.reason} />
        </p>
      ))}
      {shown.length < notices.length && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          {notices.length - shown.length} more
        </button>
      )}
    </section>
  );
}

interface Hit {
  kind: 'node' | 'pod' | 'workload';
  name: string;
  more: string;
  open: () => void;
}
const MAX_HITS = 8;

function hitsFor(text: string): Hit[] {
  const wanted = text.trim().toLowerCase();
  if (wanted.length < 2) return [];
  const hits: Hit[] = [];
  for (const node of fleet.nodes.values()) {
    if (hits.length >= 4) break;
    if (node.name.toLowerCase().includes(wanted))
      hits.push({ kind: 'node', name: node.name, more: node.gpuModel, open: () => openNode(node.name) });
  }
  const workloads = new Set<string>();
  for (const pod of fleet.pods.values()) {
    const workload = `${pod.namespace}/${pod.workload}`;
    if (workloads.size < 4 && !workloads.has(workload) && workload.toLowerCase().includes(wanted)) {
      workloads.add(workload);
      hits.push({ kind: 'workload', name: workload, more: 'all its pods', open: () => openWorkload(workload) });
    }
    if (hits.length >= MAX_HITS) break;
    const key = `${pod.namespace}/${pod.name}`;
    if (key.toLowerCase().includes(wanted))
      hits.push({ kind: 'pod', name: key, more: pod.node || pod.reason || 'waits', open: () => openPod(key) });
  }
  return hits.slice(0, MAX_HITS);
}

function Search() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const seen = version.value;
  const hits = useMemo(() => hitsFor(text), [text, seen]);
  function choose(hit: Hit | undefined): void {
    if (!hit) return;
    hit.open();
    setText('');
    setOpen(false);
    input.current?.blur();
  }
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        placeholder="Find a pod, node, workload"
        aria-label="Find a pod, node or workload"
        role="combobox"
        aria-expanded={open && hits.length > 0}
        aria-controls="hits"
        aria-activedescendant={open && hits[at] ? `hit-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
          setOpen(true);
        }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(at + 1, hits.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (event.key === 'Enter') choose(hits[at]);
          else if (event.key === 'Escape') setText('');
          else return;
          event.preventDefault();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
      {open && text.trim().length > 1 && (
        <div class="hits" id="hits" role="listbox" aria-label="Found">
          {hits.length === 0 && <p class="muted">Nothing of that name.</p>}
          {hits.map((hit, i) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active one
            <div key={`${hit.kind} ${hit.name}`} id={`hit-${i}`} role="option" aria-selected={i === at} onPointerDown={() => choose(hit)}>
              <span class="kind">{hit.kind}</span>
              <b>{hit.name}</b>
              <small>{hit.more}</small>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
