// The controls: what is shown lives in the address (#view=after&wave=2&q=...), so that a view can be shared.
const WIDE = 760, MANY_NODES = 300;
const narrow = () => stage.clientWidth < WIDE;
const defaults = () => ({ view: !WAVES ? 'before' : narrow() ? 'after' : 'both', wave: WAVES, group: '', measure: 'auto', only: NODES > MANY_NODES && changedNodes > 0 && changedNodes <= MANY_NODES, q: '', node: '', zoom: 0 });
const focus = { hover: null, cursor: null, pinned: null, found: null };
let ui = defaults(), map = null, queued = false, stale = false;

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1)), base = defaults();
  const count = (name, low, high) => { const n = Number.parseInt(given.get(name) ?? '', 10); return Number.isNaN(n) ? base[name] : Math.max(low, Math.min(high, n)); };
  ui = { ...base, view: ['before', 'both', 'after'].includes(given.get('view')) && WAVES ? given.get('view') : base.view,
    wave: count('wave', 0, WAVES), zoom: count('zoom', -SIZES.length, SIZES.length),
    group: nodes.groupings.some((g) => g.name === given.get('group')) ? given.get('group') : '',
    measure: measures().some(([value]) => value === given.get('measure')) ? given.get('measure') : 'auto',
    only: given.has('only') ? given.get('only') === '1' && changedNodes > 0 : base.only, q: given.get('q') ?? '', node: given.get('node') ?? '' };
}
function writeAddress() {
  const base = defaults(), given = new URLSearchParams();
  for (const [key, value] of Object.entries(ui)) if (value !== base[key]) given.set(key, value === true ? '1' : value === false ? '0' : value);
  const address = given.toString() ? `#${given}` : location.pathname + location.search;
  try { history.replaceState(null, '', address); } catch { /* a page without an address of its own, such as a preview */ }
}

const measures = () => [['auto', data.slots.length ? 'GPUs first' : 'the tightest'],
  ...resources.filter((name, r) => data.slots.includes(r) || ['cpu', 'memory', 'pods'].includes(name)).map((name) => [name, name])];

function change(part) {
  Object.assign(ui, part);
  if ('wave' in part && ui.view === 'before') ui.view = 'after';
  writeAddress();
  show();
}

function show() {
  focus.found = matching(ui.q);
  const pinned = nodes.name.indexOf(ui.node);
  focus.pinned = pinned < 0 ? null : pinned;
  if (focus.pinned === null) by('detail').hidden = true; else writeDetail(pinned, () => { change({ node: '' }); stage.focus(); });
  for (const radio of document.getElementsByName('view')) radio.checked = radio.value === ui.view;
  by('wave').value = ui.wave;
  by('wave').setAttribute('aria-valuetext', afterTitle(ui.wave));
  by('wave-label').textContent = ui.wave === WAVES ? `After all ${plural(WAVES, 'wave')}` : ui.wave ? `After wave ${ui.wave} of ${WAVES}` : 'Before the first wave';
  by('group').value = ui.group; by('measure').value = ui.measure; by('only').checked = ui.only;
  if (by('q').value !== ui.q) by('q').value = ui.q;
  for (const item of document.querySelectorAll('[data-wave]')) item.classList.toggle('now', ui.view !== 'before' && Number(item.dataset.wave) === ui.wave);
  arrange();
}

function arrange(width = stage.clientWidth, screen = window.innerHeight) {
  map = layoutMap(ui, width, screen);
  stage.style.height = `${map.height}px`;
  by('larger').disabled = map.largest; by('smaller').disabled = map.smallest;
  say();
  paint();
}

function say() {
  const k = ui.view === 'before' ? 0 : ui.wave, state = stateAt(k);
  const placed = state.placed.reduce((a, b) => a + b, 0);
  let undrawn = 0; // pods on a node that ask for nothing of what its length stands for
  for (let n = 0; n < NODES; n++) { const r = measureOf(n, ui.measure); for (const p of podsOn(n, k)) undrawn += r < 0 || !asks(p, r) ? 1 : 0; }
  const hidden = shownVoyages(map, { ...focus, hover: null }).tooMany;
  by('state').textContent = [`${k ? afterTitle(k) : 'Before'}: ${plural(placed, 'pod')} placed, ${number(state.waiting)} waiting.`,
    undrawn ? `${plural(undrawn, 'pod')} without ${ui.measure === 'auto' ? data.slots.length ? 'a GPU' : 'requests' : ui.measure} not drawn.` : '',
    focus.found ? `Found ${plural(focus.found.pods, 'pod')}, ${plural(focus.found.nodes, 'node')}.` : '',
    hidden ? `Point at a node, or choose a wave, to see its arrows (${number(hidden)} in all).` : '',
    ui.only ? `${number(NODES - changedNodes)} nodes that do not change are left out.` : ''].filter(Boolean).join(' ');
}

function paint() { // at most once a frame
  stale = true;
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => { queued = false; if (stale) paintAll(map, focus); stale = false; });
}

function point(event) {
  const box = stage.getBoundingClientRect(), target = hit(map, event.clientX - box.left, event.clientY - box.top);
  const same = target?.node === focus.hover?.node && target?.pod === focus.hover?.pod && target?.panel === focus.hover?.panel;
  focus.hover = target;
  if (!same) { paintArrows(map, focus); const tip = by('tip'); tip.hidden = !target; if (target) tip.replaceChildren(...tipFor(target)); }
  if (target) placeTip(event.clientX, event.clientY);
}
function placeTip(x, y) {
  const tip = by('tip'), w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = `${Math.max(8, Math.min(x + 14, window.innerWidth - w - 12))}px`;
  tip.style.top = `${y + 18 + h > window.innerHeight ? Math.max(8, y - h - 12) : y + 18}px`;
}

function sailTo(step) { // the keyboard's cursor
  const at = map.cellOf && focus.cursor !== null ? map.cellOf[focus.cursor] : -1;
  const i = Math.max(0, Math.min(map.shown.length - 1, at < 0 ? 0 : at + step));
  if (!map.shown.length) return;
  focus.cursor = map.shown[i];
  const panel = map.panels[map.panels.length - 1], rect = berthRect(map, panel, focus.cursor), box = stage.getBoundingClientRect();
  if (box.top + rect.y < 120 || box.top + rect.y + rect.h > window.innerHeight - 40) window.scrollBy({ top: box.top + rect.y - window.innerHeight / 2 });
  by('said').textContent = spoken(focus.cursor, panel.k);
  const tip = by('tip');
  tip.hidden = false; tip.replaceChildren(...tipFor({ node: focus.cursor, pod: -1 }));
  const now = stage.getBoundingClientRect();
  placeTip(now.left + rect.x, now.top + rect.y + rect.h - 8);
  paintArrows(map, { ...focus, hover: { node: focus.cursor, pod: -1 } });
}

function find() { // Enter in the search field: go to the first match
  if (!focus.found) return;
  const k = ui.view === 'before' ? 0 : ui.wave;
  const node = map.shown.find((n) => focus.found.node[n] || podsOn(n, k).some((p) => focus.found.pod[p]));
  if (node === undefined) return;
  focus.cursor = node;
  sailTo(0);
}

function listen() {
  for (const radio of document.getElementsByName('view')) radio.addEventListener('change', () => change({ view: radio.value }));
  by('wave').addEventListener('input', () => change({ wave: Number(by('wave').value) }));
  by('group').addEventListener('change', () => change({ group: by('group').value }));
  by('measure').addEventListener('change', () => change({ measure: by('measure').value }));
  by('only').addEventListener('change', () => change({ only: by('only').checked }));
  by('q').addEventListener('input', () => change({ q: by('q').value }));
  by('larger').addEventListener('click', () => change({ zoom: ui.zoom + 1 }));
  by('smaller').addEventListener('click', () => change({ zoom: ui.zoom - 1 }));
  by('controls').addEventListener('submit', (event) => { event.preventDefault(); find(); });
  by('skip').addEventListener('click', (event) => { event.preventDefault(); by('order').scrollIntoView(); by('order').focus(); });
  stage.addEventListener('pointermove', point);
  stage.addEventListener('pointerleave', () => { focus.hover = null; by('tip').hidden = true; paintArrows(map, focus); });
  stage.addEventListener('click', (event) => { point(event); if (focus.hover && focus.hover.node < ANCHOR) change({ node: nodes.name[focus.hover.node] }); });
  stage.addEventListener('blur', () => { by('tip').hidden = true; });
  stage.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -map.columns, ArrowDown: map.columns, Home: -NODES, End: NODES }[event.key];
    if (step) { event.preventDefault(); sailTo(step); }
    if (event.key === 'Enter' && focus.cursor !== null) { change({ node: nodes.name[focus.cursor] }); by('tip').hidden = true; by('detail').focus(); }
  });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') { by('tip').hidden = true; if (ui.node) { change({ node: '' }); stage.focus(); } } });
  window.addEventListener('scroll', () => { if (!inWindow()) paint(); }, { passive: true });
  window.addEventListener('hashchange', () => { readAddress(); show(); });
  new ResizeObserver(() => { if (map && map.width !== stage.clientWidth) arrange(); }).observe(stage);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); paint(); });
  by('nodes').addEventListener('toggle', writeNodes);
  const paper = (on) => { document.documentElement.classList.toggle('paper', on); readColours(); if (on) { arrange(PRINT_WIDTH, PRINT_SCREEN); stale = false; paintAll(map, focus, true); } else arrange(); };
  window.addEventListener('beforeprint', () => { if (NODES <= MAX_PRINTED_NODES) { writeNodes(); by('nodes').open = true; } paper(true); });
  window.addEventListener('afterprint', () => paper(false));
}

function start() {
  writeHead(); writeTiers(); writeLegend(); writeWaves((wave) => { change({ wave }); by('map').scrollIntoView(); });
  writeWaiting(); writeFigures();
  by('group').append(...['', ...nodes.groupings.map((g) => g.name)].map((name) => el('option', { value: name }, name || 'none')));
  by('measure').append(...measures().map(([value, words]) => el('option', { value }, words)));
  by('wave').max = WAVES;
  by('only-label').textContent = `Only changes (${plural(changedNodes, 'node')})`;
  for (const id of ['views', 'wave-control', 'only-control']) by(id).hidden = !WAVES;
  readColours();
  readAddress();
  listen();
  show();
}
start();
