// The embedded contents, and what follows from them: where each pod is after wave k, what became of it, what matches.
const data = JSON.parse(document.getElementById('berth-contents').textContent);
const { nodes, pods, tiers, waves, resources } = data;
const NODES = nodes.name.length, PODS = pods.name.length, WAVES = waves.length;
const ANCHOR = NODES; // the bucket of pods that wait
const IMMOVABLE = 1, GATED = 2, TERMINATING = 4, CORDONED = 1, NOT_READY = 2;
const SYSTEM_PRIORITY = 2000000000; // from here on Kubernetes reserves priorities for itself

const table = (rows) => rows.map((row) => { const t = new Float64Array(resources.length); for (const [r, v] of row) t[r] = v; return t; });
const frames = table(nodes.frames), shapes = table(pods.shapes);
const capacity = (node, r) => frames[nodes.frame[node]][r];
const asks = (pod, r) => shapes[pods.shape[pod]][r];
const podName = (pod) => `${pods.namespaces[pods.namespace[pod]]}/${pods.name[pod]}`;
const workloadName = (w) => pods.workloads[w].filter(Boolean).join('/');
const number = (n) => n.toLocaleString('en');
const plural = (n, noun) => `${number(n)} ${noun}${n === 1 ? '' : 's'}`;

const voyages = data.voyages.map(([pod, leaves, node, lands, leaveStep, landStep]) => ({ pod, leaves, node, lands, leaveStep, landStep, from: pods.node[pod] }));
const voyageOf = new Map(voyages.map((v) => [v.pod, v]));

// Tiers are labelled by rank, Kubernetes' own with a letter; colours and patterns follow the rank.
const ranked = tiers.map((t, i) => i).filter((i) => tiers[i].priority < SYSTEM_PRIORITY);
const tierLabel = tiers.map((t, i) => (t.priority < SYSTEM_PRIORITY ? String(ranked.indexOf(i) + 1) : 'S'));
const tierName = (t) => tiers[t].name || `priority ${tiers[t].priority}`;
const PALETTE = 6;
const tierHue = tiers.map((t, i) => {
  const rank = ranked.indexOf(i);
  return rank < 0 ? 's' : String(ranked.length <= PALETTE ? rank : Math.floor((rank * PALETTE) / ranked.length));
});

function nodeAt(pod, k) {
  const v = voyageOf.get(pod);
  if (!v) return pods.node[pod];
  if (v.lands && k >= v.lands) return v.node;
  return k < v.leaves ? v.from : -1;
}

// Within a berth: those that stay first, by tier and workload, so that they hold their place; those on the move last.
const drawOrder = Array.from({ length: PODS }, (_, i) => i).sort((a, b) =>
  voyageOf.has(a) - voyageOf.has(b) || pods.tier[a] - pods.tier[b] || pods.workload[a] - pods.workload[b] || a - b);

const states = new Map();
function stateAt(k) { // { start, list }: pods of node n are list[start[n] .. start[n + 1]); the last bucket waits
  if (states.has(k)) return states.get(k);
  const at = new Int32Array(PODS), start = new Int32Array(NODES + 3), placed = new Int32Array(tiers.length);
  for (let p = 0; p < PODS; p++) {
    const n = nodeAt(p, k);
    at[p] = n >= 0 ? n : pods.marks[p] & (GATED | TERMINATING) ? NODES + 1 : ANCHOR;
    if (n >= 0) placed[pods.tier[p]]++;
    start[at[p] + 1]++;
  }
  for (let n = 0; n < NODES + 2; n++) start[n + 1] += start[n];
  const list = new Int32Array(PODS), next = start.slice();
  for (const p of drawOrder) list[next[at[p]]++] = p;
  if (states.size > 3) states.delete(states.keys().next().value);
  const state = { start, list, placed, waiting: start[ANCHOR + 1] - start[ANCHOR] };
  states.set(k, state);
  return state;
}
const podsOn = (node, k) => { const s = stateAt(k); return s.list.subarray(s.start[node], s.start[node + 1]); };
const used = (node, k, r) => podsOn(node, k).reduce((sum, p) => sum + asks(p, r), 0);

const changes = new Uint8Array(NODES + 1);
for (const v of voyages) for (const n of [v.from, v.node]) if (n >= 0) changes[n] = 1;
const changedNodes = changes.reduce((a, b) => a + b, 0);
const mostWaiting = (() => { // over all waves, so that the anchorage keeps its height while the waves go by
  const delta = new Int32Array(WAVES + 2);
  for (const v of voyages) { if (v.leaves) delta[v.leaves]++; if (v.lands) delta[v.lands]--; }
  let now = stateAt(0).waiting, most = now;
  for (let k = 1; k <= WAVES; k++) { now += delta[k]; most = Math.max(most, now); }
  return most;
})();

// What a berth's length stands for: GPUs where a node has them, else cpu or memory, whichever is tighter over all.
const tightest = (() => {
  const share = (name) => {
    const r = resources.indexOf(name); let load = 0, room = 0;
    for (let n = 0; n < NODES; n++) room += r < 0 ? 0 : capacity(n, r);
    for (let p = 0; p < PODS; p++) load += r < 0 || pods.node[p] < 0 ? 0 : asks(p, r);
    return room ? load / room : -1;
  };
  return resources.indexOf(share('memory') > share('cpu') ? 'memory' : 'cpu');
})();
const ownMeasure = frames.map((frame) => {
  const most = data.slots.reduce((best, r) => (frame[r] > (best < 0 ? 0 : frame[best]) ? r : best), -1);
  return most < 0 ? tightest : most;
});
const measureOf = (node, choice) => (choice === 'auto' ? ownMeasure[nodes.frame[node]] : resources.indexOf(choice));
const isSlots = (r) => data.slots.includes(r);

function amountText(r, value) {
  const name = resources[r];
  if (name === 'cpu') return `${number(value / 1000)} cpu`;
  if (name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) {
    const unit = value ? Math.min(5, Math.floor(Math.log2(value) / 10)) : 0;
    return `${number(+(value / 1024 ** unit).toPrecision(4))} ${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'][unit]} ${name}`.replace('  ', ' ');
  }
  return `${number(value)} ${name.slice(name.lastIndexOf('/') + 1)}`;
}
const asksText = (shape) => pods.shapes[shape].filter(([r]) => resources[r] !== 'pods')
  .sort((a, b) => isSlots(b[0]) - isSlots(a[0])).map(([r, v]) => amountText(r, v)).join(', ') || 'nothing';

function fate(pod) { // what the plan does with a pod, in words
  const v = voyageOf.get(pod);
  const held = pods.why[pod] >= 0 ? ` (must not move: ${pods.reasons[pods.why[pod]]})` : '';
  if (!v) return (pods.marks[pod] & GATED ? 'gated' : pods.node[pod] < 0 ? 'waits' : pods.marks[pod] & TERMINATING ? 'is terminating' : 'stays') + held;
  const later = v.lands > v.leaves && v.leaves ? `, back in wave ${v.lands}` : '';
  if (!v.leaves) return `waits, then placed on ${nodes.name[v.node]} in wave ${v.lands}`;
  return v.lands ? `moves ${nodes.name[v.from]} → ${nodes.name[v.node]} in wave ${v.leaves}${later}` : `evicted in wave ${v.leaves}, waits`;
}

function matching(query) { // Uint8Array over pods and nodes, or null without a query
  const q = query.trim().toLowerCase();
  if (!q) return null;
  const named = pods.workloads.map((_, w) => workloadName(w).toLowerCase().includes(q));
  const found = { pod: new Uint8Array(PODS), node: new Uint8Array(NODES), pods: 0, nodes: 0 };
  for (let n = 0; n < NODES; n++) if (nodes.name[n].toLowerCase().includes(q)) { found.node[n] = 1; found.nodes++; }
  for (let p = 0; p < PODS; p++) if (named[pods.workload[p]] || podName(p).toLowerCase().includes(q)) { found.pod[p] = 1; found.pods++; }
  return found;
}
