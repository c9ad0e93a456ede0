// The harbour: berths on the water, who waits at anchor beside them, and a chart of moves laid over both.
import { effect } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { NodeView, PodView } from '../api/schema';
import { tierName, UNKNOWN, workloadPaint } from '../colour';
import { bytes, cores, count, plural, shapeWords, shortWorkload } from '../format';
import { Icon } from '../parts/icons';
import { Empty, Skeleton, TierDot } from '../parts/parts';
import { lostTo, type Shape } from '../state/fleet';
import { closeDrawer, go, openNode, openPod, route, set } from '../state/route';
import { calm, dark } from '../state/settings';
import { chart, fleet, layoutVersion, loading, overview, paints, said, version } from '../state/store';
import { type Direction, GROUPINGS, type Grouping, layOut, neighbour } from './layout';
import { NodeTable } from './NodeTable';
import { readInk } from './paint';
import { voyages } from './ships';
import { type Arrow, Stage } from './stage';
import { showing } from './view';

const GROUP_WORDS: Record<Grouping, string> = { zone: 'Zone', rack: 'Rack', model: 'GPU model', none: 'None' };
const MAX_ARROWS = 400;
const MARGIN = 24;

/** The first grouping that tells nodes apart. */
function defaultGrouping(): Grouping {
  const zones = new Set<string>();
  for (const node of fleet.nodes.values()) zones.add(node.zone);
  return zones.size > 1 ? 'zone' : 'none';
}

/** Sizes of the pods that wait, most important first, without repeats. */
export function waitingShapes(): { key: string; shape: Shape; pods: PodView[] }[] {
  const shapes = new Map<string, { key: string; shape: Shape; pods: PodView[] }>();
  for (const pod of fleet.waiting()) {
    if (pod.gpus === 0 || pod.phase !== 'Waiting') continue;
    const key = `${pod.gpus}-${pod.cpu}-${pod.memory}`;
    const known = shapes.get(key);
    if (known) known.pods.push(pod);
    else shapes.set(key, { key, shape: { gpus: pod.gpus, cpu: pod.cpu, memory: pod.memory }, pods: [pod] });
  }
  return [...shapes.values()];
}

export function Harbour() {
  const query = route.value.query;
  const seen = version.value;
  const grouping = GROUPINGS.find((by) => by === query.group) ?? defaultGrouping();
  const byWorkload = query.colour === 'workload';
  const shapes = useMemo(waitingShapes, [seen]);
  const chosen = query.room === 'none' ? undefined : (shapes.find((each) => each.key === query.room) ?? shapes[0]);
  const asTable = query.as === 'table';
  if (loading.value) return <Skeleton lines={8} />;
  if (overview.value && !overview.value.may.seeNodes)
    return (
      <div class="page">
        <Empty icon="stop" title="You may not list nodes">
          The harbour needs the right to list nodes. Your own pods are under <a href="#/waiting">Waiting</a>, your services under{' '}
          <a href="#/services">Services</a>.
        </Empty>
      </div>
    );
  if (fleet.nodes.size === 0)
    return (
      <div class="page">
        <Empty icon="grid" title="No nodes">
          This cluster has no nodes yet. They show up here as soon as they register.
        </Empty>
      </div>
    );
  return (
    <div class="harbour">
      <h1 class="unseen">Harbour</h1>
      <div class="toolbar" role="toolbar" aria-label="How the harbour is drawn">
        <Choice label="Group by" value={grouping} options={GROUPINGS.map((by) => [by, GROUP_WORDS[by]])} pick={(group) => set({ group })} />
        <Choice
          label="Colour by"
          value={byWorkload ? 'workload' : 'tier'}
          options={[
            ['tier', 'Tier'],
            ['workload', 'Workload'],
          ]}
          pick={(colour) => set({ colour })}
        />
        {shapes.length > 0 && (
          <label class="field inline">
            Hatch what is no room for
            <select value={chosen?.key ?? 'none'} onChange={(event) => set({ room: event.currentTarget.value })}>
              {shapes.map(({ key, shape, pods }) => (
                <option key={key} value={key}>
                  {plural(shape.gpus, 'GPU')} · {plural(pods.length, 'pod waits', 'pods wait')}
                </option>
              ))}
              <option value="none">nobody</option>
            </select>
          </label>
        )}
        <span class="spring" />
        <button type="button" class="button quiet" aria-pressed={asTable} onClick={() => set({ as: asTable ? '' : 'table' })}>
          <Icon name={asTable ? 'grid' : 'table'} /> {asTable ? 'Drawing' : 'Table'}
        </button>
      </div>
      {asTable ? (
        <NodeTable shape={chosen?.shape ?? null} />
      ) : (
        <Water grouping={grouping} byWorkload={byWorkload} shape={chosen?.shape ?? null} />
      )}
      <Anchorage />
      {!asTable && <Legend byWorkload={byWorkload} shape={chosen?.shape ?? null} />}
      {chart.value && <ChartBar />}
    </div>
  );
}

function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  pick: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend>{props.label}</legend>
      {props.options.map(([value, words]) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.pick(value)}>
          {words}
        </button>
      ))}
    </fieldset>
  );
}

interface Tip {
  x: number;
  y: number;
  node: NodeView;
  pod: PodView | null;
  ghost: string;
}

function Water({ grouping, byWorkload, shape }: { grouping: Grouping; byWorkload: boolean; shape: Shape | null }) {
  const frame = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [tip, setTip] = useState<Tip | null>(null);
  const lastLayout = useRef<unknown>(null);

  useEffect(() => {
    const box = frame.current;
    if (!box || !base.current || !over.current) return;
    const made = new Stage(base.current, over.current, fleet, () => setTip(null));
    stage.current = made;
    // the page's own figures are taken from here: see benchmarks/page_frames.py
    (window as unknown as { berthStage: Stage }).berthStage = made;
    const watch = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = box;
      made.resize({ width, height });
      setSize({ width, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.stop();
    };
  }, []);

  const layout = useMemo(
    () => (size.width > 0 ? layOut(fleet.nodes.values(), grouping, size.width - MARGIN * 2, size.height - MARGIN * 2) : null),
    [grouping, size, layoutVersion.value],
  );
  const laid = chart.value;
  const query = route.value.query;
  const only = query.workload ?? '';

  useEffect(() => {
    if (!layout || !stage.current) return;
    const arrows: Arrow[] = (laid?.waves ?? [])
      .flatMap((wave, w) => wave.moves.map((move) => ({ from: move.source, to: move.target, next: w === laid?.step })))
      .filter((arrow) => arrow.to)
      .slice(0, MAX_ARROWS);
    const byTier = paints.value;
    stage.current.show(
      {
        layout,
        ink: readInk(),
        shape,
        voyages: laid ? voyages(laid.waves, laid.step) : null,
        arrows,
        paintOf: (priority, workload, namespace) =>
          byWorkload ? workloadPaint({ namespace, workload }) : (byTier.get(priority) ?? UNKNOWN),
        matches: only ? (workload, namespace) => `${namespace}/${workload}` === only : null,
      },
      lastLayout.current === layout,
    );
    lastLayout.current = layout;
  }, [layout, byWorkload, shape?.gpus, shape?.cpu, shape?.memory, laid, only, dark.value, paints.value]);

  useEffect(
    () =>
      effect(() => {
        version.value;
        stage.current?.touch(fleet.dirty);
        fleet.dirty.clear();
      }),
    [],
  );

  useEffect(() => {
    if (!stage.current) return;
    const pod = query.pod ? fleet.podNamed(query.pod) : undefined;
    stage.current.selected = query.node || pod?.node || '';
    const box = stage.current.boxOf(stage.current.selected);
    if (box) stage.current.moveTo(showing(stage.current.view, box, size));
    stage.current.point();
  }, [query.node, query.pod, layout]);

  useEffect(() => {
    const canvas = over.current;
    if (!canvas) return;
    // passive listeners could not keep the page from scrolling
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      stage.current?.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0018)), {
        x: event.clientX - box.left,
        y: event.clientY - box.top,
      });
    };
    canvas.addEventListener('wheel', wheel, { passive: false });
    return () => canvas.removeEventListener('wheel', wheel);
  }, []);

  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  function spotOf(event: PointerEvent) {
    const box = over.current?.getBoundingClientRect();
    if (!box) return null;
    return {
      x: event.clientX - box.left,
      y: event.clientY - box.top,
      found: stage.current?.find(event.clientX - box.left, event.clientY - box.top) ?? null,
    };
  }
  function onMove(event: PointerEvent): void {
    const now = stage.current;
    if (!now) return;
    if (drag.current) {
      const dx = event.clientX - drag.current.x;
      const dy = event.clientY - drag.current.y;
      if (!drag.current.moved && Math.hypot(dx, dy) < 4) return;
      drag.current = { x: event.clientX, y: event.clientY, moved: true };
      now.pan(dx, dy);
      return;
    }
    const spot = spotOf(event);
    const found = spot?.found ?? null;
    const node = found ? fleet.nodes.get(found.node) : undefined;
    if (found?.node !== now.hovered?.node || found?.ship !== now.hovered?.ship) {
      now.hovered = found;
      now.point();
    }
    if (!spot || !found || !node) setTip(null);
    else {
      const ship = found.ship >= 0 ? now.slotsAt(found.node)?.ships[found.ship] : undefined;
      setTip({
        x: spot.x,
        y: spot.y,
        node,
        pod: ship?.pod ?? null,
        ghost: ship?.ghost ? shortWorkload(ship.workload) : '',
      });
    }
  }
  function onUp(event: PointerEvent): void {
    const dragged = drag.current?.moved ?? false;
    drag.current = null;
    if (dragged) return;
    const found = spotOf(event)?.found;
    if (!found) {
      closeDrawer();
      return;
    }
    const pod = found.ship >= 0 ? stage.current?.slotsAt(found.node)?.ships[found.ship]?.pod : undefined;
    if (pod) openPod(`${pod.namespace}/${pod.name}`);
    else openNode(found.node);
  }

  function focusOn(node: string, ship: number): void {
    const now = stage.current;
    const box = now?.boxOf(node);
    if (!now || !box) return;
    now.focused = { node, ship };
    now.moveTo(showing(now.view, box, size));
    const found = fleet.nodes.get(node);
    const pod = ship >= 0 ? now.slotsAt(node)?.ships[ship]?.pod : undefined;
    if (pod) said.value = `Pod ${pod.name}, ${plural(pod.gpus, 'GPU')}, ${pod.priorityClass || `priority ${pod.priority}`}`;
    else if (found)
      said.value = `${node}: ${found.gpusUsed} of ${plural(found.gpus, 'GPU')} used, ${plural(fleet.podsAt(node).length, 'pod')}${stateWords(found)}`;
  }

  function onKey(event: KeyboardEvent): void {
    const now = stage.current;
    if (!now || !layout) return;
    const middle = { x: size.width / 2, y: size.height / 2 };
    const at = now.focused;
    const ships = at ? (now.slotsAt(at.node)?.ships ?? []) : [];
    const ways: Record<string, Direction> = {
      ArrowLeft: 'left',
      ArrowRight: 'right',
      ArrowUp: 'up',
      ArrowDown: 'down',
    };
    const way = ways[event.key];
    if (way && at && at.ship >= 0 && (way === 'left' || way === 'right')) {
      // among the ships of a berth, and on to the next berth past the last of them
      const next = at.ship + (way === 'left' ? -1 : 1);
      if (next >= 0 && next < ships.length) focusOn(at.node, next);
      else focusOn(neighbour(layout, at.node, way), -1);
    } else if (way) focusOn(at ? neighbour(layout, at.node, way) : (layout.berths[0]?.node ?? ''), -1);
    else if (event.key === 'Enter' || event.key === ' ') {
      if (!at) focusOn(layout.berths[0]?.node ?? '', -1);
      else if (at.ship >= 0) {
        const pod = ships[at.ship]?.pod;
        if (pod) openPod(`${pod.namespace}/${pod.name}`);
      } else openNode(at.node);
    } else if (event.key === 'p' && at && ships.length > 0) focusOn(at.node, at.ship < 0 ? 0 : (at.ship + 1) % ships.length);
    else if (event.key === 'n' && at) focusOn(at.node, -1);
    else if (event.key === 'Escape') {
      if (query.node || query.pod || query.workload) closeDrawer();
      else if (at && at.ship >= 0) focusOn(at.node, -1);
      else {
        now.focused = null;
        now.point();
      }
    } else if (event.key === '+' || event.key === '=') now.zoomBy(1.3, middle);
    else if (event.key === '-') now.zoomBy(1 / 1.3, middle);
    else if (event.key === '0') now.fit();
    else return;
    event.preventDefault();
  }

  return (
    <div class="water" ref={frame}>
      <div class="sea">
        <canvas ref={base} aria-hidden="true" />
        <canvas
          ref={over}
          class="over"
          tabIndex={0}
          role="application"
          aria-label={`The harbour: ${plural(fleet.nodes.size, 'node')}. Arrow keys go from node to node, P to its pods, Enter opens, Escape closes, plus and minus zoom. The table beside it says the same.`}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            drag.current = { x: event.clientX, y: event.clientY, moved: false };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={onMove}
          onPointerUp={onUp}
          onPointerCancel={() => {
            drag.current = null;
          }}
          onPointerLeave={() => {
            if (stage.current) stage.current.hovered = null;
            stage.current?.point();
            setTip(null);
          }}
          onKeyDown={onKey}
          onFocus={() => {
            if (stage.current && !stage.current.focused && over.current?.matches(':focus-visible'))
              focusOn(layout?.berths[0]?.node ?? '', -1);
          }}
          onBlur={() => {
            if (stage.current) stage.current.focused = null;
            stage.current?.point();
          }}
        />
      </div>
      <fieldset class="zoom">
        <legend class="unseen">Zoom</legend>
        <button type="button" aria-label="Closer" onClick={() => stage.current?.zoomBy(1.4, { x: size.width / 2, y: size.height / 2 })}>
          <Icon name="plus" />
        </button>
        <button
          type="button"
          aria-label="Farther"
          onClick={() => stage.current?.zoomBy(1 / 1.4, { x: size.width / 2, y: size.height / 2 })}
        >
          <Icon name="minus" />
        </button>
        <button type="button" aria-label="Show all" onClick={() => stage.current?.fit()}>
          <Icon name="fit" />
        </button>
      </fieldset>
      {tip && <Tooltip tip={tip} width={size.width} height={size.height} shape={shape} />}
    </div>
  );
}

export const stateWords = (node: NodeView): string => `${node.ready ? '' : ', not ready'}${node.cordoned ? ', cordoned' : ''}`;

function Tooltip({ tip, width, height, shape }: { tip: Tip; width: number; height: number; shape: Shape | null }) {
  const { node, pod } = tip;
  const style = {
    transform: `translate(${tip.x > width - 300 ? tip.x - 276 : tip.x + 16}px, ${tip.y > height - 170 ? tip.y - 130 : tip.y + 16}px)`,
  };
  return (
    <div class="tooltip" style={style} aria-hidden="true">
      {pod ? (
        <>
          <strong>
            <TierDot priority={pod.priority} /> {pod.name}
          </strong>
          <span>
            {pod.namespace} · {pod.workload}
          </span>
          <span>{shapeWords(pod)}</span>
          <span class="muted">
            {pod.priorityClass || `priority ${pod.priority}`}
            {pod.movable ? '' : ' · not movable'}
            {pod.hinted ? ' · has a hint' : ''}
            {pod.phase === 'Leaving' ? ' · leaving' : ''}
          </span>
        </>
      ) : (
        <>
          <strong>{tip.ghost ? `${tip.ghost} → ${node.name}` : node.name}</strong>
          <span>
            {[node.gpuModel, node.zone, node.rack].filter(Boolean).join(' · ') || 'no labels of place'}
            {stateWords(node)}
          </span>
          <span>
            {node.gpus > 0 && `${node.gpusUsed}/${node.gpus} GPUs · `}
            {cores(node.cpuUsed)} of {cores(node.cpu)} · {bytes(node.memoryUsed)} of {bytes(node.memory)}
          </span>
          <span class="muted">
            {plural(fleet.podsAt(node.name).length, 'pod')}
            {shape && lostTo(node, shape) > 0 ? ` · ${lostTo(node, shape)} free, of no use to a pod of ${plural(shape.gpus, 'GPU')}` : ''}
            {node.gpusKept > 0 ? ` · ${node.gpusKept} kept by a plan` : ''}
          </span>
        </>
      )}
    </div>
  );
}

const AT_ANCHOR = 12;

/** Who waits outside, most important first: a ship each for pods that are alike. */
function Anchorage() {
  version.value;
  const groups = new Map<string, PodView[]>();
  for (const pod of fleet.waiting()) {
    if (pod.phase === 'Leaving') continue;
    const key = `${pod.namespace}/${pod.workload}/${pod.priority}/${pod.phase}/${pod.gpus}`;
    const group = groups.get(key);
    if (group) group.push(pod);
    else groups.set(key, [pod]);
  }
  const all = [...groups.values()];
  const shown = all.slice(0, AT_ANCHOR);
  return (
    <section class="anchorage" aria-label="Pods that wait">
      <h2>
        At anchor <span class="number">{count(overview.value?.waiting ?? 0)}</span>
      </h2>
      {shown.length === 0 ? (
        <p class="muted">
          <Icon name="check" /> Every pod has its berth.
        </p>
      ) : (
        <ul>
          {shown.map((pods) => {
            const pod = pods[0];
            if (!pod) return null;
            return (
              <li key={pod.uid}>
                <button type="button" class="ship" onClick={() => openPod(`${pod.namespace}/${pod.name}`)}>
                  <TierDot priority={pod.priority} />
                  <span>
                    <b>{shortWorkload(pod.workload)}</b>
                    {pods.length > 1 && <span class="times"> ×{pods.length}</span>}
                    <small>
                      {pod.gpus ? plural(pod.gpus, 'GPU') : cores(pod.cpu)}
                      {pod.phase === 'Gated' ? ' · gated' : ''} · {pod.priorityClass || pod.priority}
                    </small>
                  </span>
                </button>
              </li>
            );
          })}
          {all.length > shown.length && (
            <li>
              <a href="#/waiting" class="ship more">
                {all.length - shown.length} more
              </a>
            </li>
          )}
        </ul>
      )}
      <a class="quiet-link" href="#/waiting">
        Why they wait
      </a>
    </section>
  );
}

function Legend({ byWorkload, shape }: { byWorkload: boolean; shape: Shape | null }) {
  return (
    <section class="legend" aria-label="Legend">
      {byWorkload ? (
        <span class="muted">One colour a workload; click a pod to see its own.</span>
      ) : (
        (overview.value?.tiers ?? []).map((tier) => (
          <span key={tier.priority}>
            <TierDot priority={tier.priority} /> {tierName(tier)}
          </span>
        ))
      )}
      <span>
        <i class="swatch slot" /> free
      </span>
      {shape && (
        <span>
          <i class="swatch hatch" /> free, too little for {plural(shape.gpus, 'GPU')}
        </span>
      )}
      <span>
        <i class="swatch keep" /> kept by a plan
      </span>
      <span>
        <i class="swatch bars" /> cores, memory
      </span>
      <span>
        <Icon name="stop" /> cordoned
      </span>
      <span>
        <Icon name="cross" /> not ready
      </span>
    </section>
  );
}

/** Before, wave by wave, after. */
function ChartBar() {
  const laid = chart.value;
  const [playing, setPlaying] = useState(false);
  const last = laid?.waves.length ?? 0;
  useEffect(() => {
    if (!playing || !laid) return;
    const timer = setTimeout(
      () => {
        if (laid.step >= last) setPlaying(false);
        else chart.value = { ...laid, step: laid.step + 1 };
      },
      calm() ? 1600 : 900,
    );
    return () => clearTimeout(timer);
  }, [playing, laid]);
  if (!laid) return null;
  const to = (step: number): void => {
    chart.value = { ...laid, step };
    said.value = words(step);
  };
  const words = (step: number): string => (step === 0 ? 'Before' : step === last ? 'After' : `After wave ${step} of ${last}`);
  return (
    <section class="chartbar" aria-label={`Moves of: ${laid.title}`}>
      <div>
        <strong>{laid.title}</strong>
        <span class="muted">
          {plural(
            laid.waves.reduce((n, wave) => n + wave.moves.length, 0),
            'move',
          )}{' '}
          in {plural(last, 'wave')}
        </span>
      </div>
      <button
        type="button"
        class="button"
        onClick={() => {
          if (!playing && laid.step >= last) to(0);
          setPlaying(!playing);
        }}
      >
        {playing ? 'Pause' : 'Play'}
      </button>
      <label>
        <span class="unseen">Wave</span>
        <input
          type="range"
          min={0}
          max={last}
          step={1}
          value={laid.step}
          aria-valuetext={words(laid.step)}
          onInput={(event) => to(Number(event.currentTarget.value))}
        />
      </label>
      <output>{words(laid.step)}</output>
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          chart.value = null;
          if (laid.back) location.hash = laid.back;
          else go('harbour');
        }}
      >
        <Icon name="close" /> Take it off
      </button>
    </section>
  );
}
