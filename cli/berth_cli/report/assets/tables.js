// What is said in words and tables: the head of the page, tiers, waves, who waits, one node, all nodes. Sets text only, never markup.
const MAX_STEPS = 300, MAX_PRINTED_NODES = 200;

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) key === 'on' ? node.addEventListener('click', value) : node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== ''));
  return node;
}
const cell = (...children) => el('td', {}, ...children);
const figure = (value) => el('td', { class: 'n' }, typeof value === 'number' ? number(value) : value);
const swatch = (tier) => el('span', { class: `swatch t${tierHue[tier]}`, 'aria-hidden': 'true' }, tierLabel[tier]);
const heads = (...names) => el('thead', {}, el('tr', {}, ...names.map((name) => el('th', { scope: 'col', class: name.startsWith('#') ? 'n' : '' }, name.replace('#', '')))));
const by = (id) => document.getElementById(id);
const signed = (n) => (n > 0 ? `+${number(n)}` : n < 0 ? `−${number(-n)}` : '±0');

function writeHead() {
  by('title').textContent = data.title;
  by('taken').textContent = data.taken ? ` · cluster as of ${data.taken}` : '';
  by('headline').textContent = data.headline;
  by('facts').append(
    el('span', { class: data.proven ? 'seal yes' : 'seal' }, data.proven ? '✓ ' : '≈ ', data.proof),
    el('span', { class: 'seal' }, data.effort),
    el('span', { class: data.verified ? 'seal' : 'seal bad' }, data.verified ? 'Checked by an independent verifier' : 'Not verified: do not apply'));
  by('footer').textContent = `Berth · generated ${data.generated} · ${plural(NODES, 'node')}, ${plural(PODS, 'pod')}, solved in ${data.elapsed_seconds.toFixed(2)} s`;
}

function writeTiers() {
  const widest = Math.max(1, ...tiers.map((t) => t.pods));
  by('tiers-table').append(heads('Priority', 'Placed', '#Before', '#After', '#Of', 'What is proven, given the tiers above'), el('tbody', {}, ...tiers.map((tier, t) => {
    const bar = el('span', { class: 'meter', 'aria-hidden': 'true' });
    const part = (kind, count) => { if (count <= 0) return; const i = el('i', { class: `${kind} t${tierHue[t]}` }); i.style.width = `${(count / widest) * 100}%`; bar.append(i); };
    part('held', Math.min(tier.before, tier.after)); part('won', tier.after - tier.before); part('lost', tier.before - tier.after);
    part('open', tier.pods - Math.max(tier.before, tier.after));
    const change = tier.after - tier.before;
    return el('tr', {}, el('th', { scope: 'row' }, swatch(t), el('span', { class: 'name' }, tierName(t)), tier.name ? el('small', {}, ` ${number(tier.priority)}`) : ''),
      cell(bar), figure(tier.before), el('td', { class: 'n' }, number(tier.after), change ? el('b', { class: change > 0 ? 'up' : 'down' }, ` ${signed(change)}`) : ''),
      figure(tier.pods), el('td', { title: tier.evidence ? `Evidence: ${tier.evidence}` : '' }, tier.certificate));
  })));
}

function writeLegend() {
  const sample = (kind, words) => el('span', {}, el('i', { class: `key ${kind}`, 'aria-hidden': 'true' }), words);
  by('legend').append(...tiers.map((_, t) => el('span', {}, swatch(t), tierName(t))),
    ...(voyages.some((v) => v.leaves && v.lands) ? [sample('move', '→ moves')] : []),
    ...(voyages.some((v) => !v.leaves) ? [sample('place', '+ placed')] : []),
    ...(voyages.some((v) => v.leaves && !v.lands) ? [sample('evict', '× evicted')] : []));
}

function writeWaves(choose) {
  if (!WAVES) { by('waves').replaceWith(el('p', {}, 'There is nothing to do.')); return; }
  by('waves').append(...waves.map((wave, i) => {
    const k = i + 1, gains = wave.gains.map(([t, n]) => el('span', { class: n > 0 ? 'gain up' : 'gain down' }, `${signed(n)} ${tierName(t)}`));
    const parts = [wave.moves ? plural(wave.moves, 'move') : '', wave.evictions ? plural(wave.evictions, 'eviction') : '', `${number(wave.placed)} placed`];
    const details = el('details', {}, el('summary', {}, el('b', {}, `Wave ${k}`), ` ${parts.filter(Boolean).join(', ')}`, ...gains));
    details.addEventListener('toggle', () => { if (details.open && details.children.length === 1) details.append(stepsOf(k)); });
    return el('li', { 'data-wave': k }, el('button', { type: 'button', class: 'show', 'aria-label': `Show after wave ${k}`, on: () => choose(k) }, 'show'), details);
  }));
}

function stepsOf(k) { // step by step: evictions first, then placements; several pods of a workload alike on one line
  const steps = [], to = (n) => nodes.name[n];
  const add = (step, verb, where, v) => {
    steps[step] ??= new Map();
    const key = `${verb} ${where} ${pods.workload[v.pod]} ${pods.tier[v.pod]}`, line = steps[step].get(key) ?? { verb, where, v, count: 0 };
    line.count++;
    steps[step].set(key, line);
  };
  for (const v of voyages) if (v.leaves === k) add(v.leaveStep, 'Evict', v.lands ? `from ${to(v.from)}, bound for ${to(v.node)}` : `from ${to(v.from)}, to wait`, v);
  for (const v of voyages) if (v.lands === k) add(v.landStep, 'Place', `on ${to(v.node)}`, v);
  const rows = steps.flatMap((lines, step) => [...lines.values()].map((line, i) => ({ ...line, step, first: !i })));
  const several = steps.filter(Boolean).length > 1;
  const list = el('ul', {}, ...rows.slice(0, MAX_STEPS).map(({ verb, where, v, count, step, first }) => el('li', { class: several && first && step ? 'step' : '' },
    swatch(pods.tier[v.pod]), `${verb} ${number(count)} × `, el('span', { class: 'name' }, workloadName(pods.workload[v.pod])), ` ${where}`)));
  if (rows.length > MAX_STEPS) list.append(el('li', {}, `and ${number(rows.length - MAX_STEPS)} more`));
  return list;
}

function writeWaiting() {
  if (!data.waiting.length) { by('waiting').append(el('p', {}, 'Nobody.')); return; }
  by('waiting').append(el('div', { class: 'scroll' }, el('table', {}, heads('Workload', '#Pods', 'Each asks for', 'Why'), el('tbody', {}, ...data.waiting.map((row) =>
    el('tr', {}, el('th', { scope: 'row' }, swatch(row.tier), el('span', { class: 'name' }, row.workloads.map(workloadName).join(', ')), row.others ? ` and ${plural(row.others, 'other')}` : ''), figure(row.count), cell(asksText(row.shape)),
      cell(row.why, row.evicted ? ` (${number(row.evicted)} evicted by this plan)` : '')))))));
  if (data.waiting_left_out) by('waiting').append(el('p', {}, `and ${plural(data.waiting_left_out, 'pod')} more of lower rank`));
}

function writeFigures() {
  const moved = voyages.filter((v) => v.leaves && v.lands).length, gone = voyages.filter((v) => v.leaves && !v.lands).length;
  const rows = [['Moves', number(moved)], ['Evictions', number(gone)], ['Disruption', data.disruption],
    ['Nodes in use', data.nodes_in_use[0] === data.nodes_in_use[1] ? number(data.nodes_in_use[0]) : `${number(data.nodes_in_use[0])} → ${number(data.nodes_in_use[1])}`],
    ['Nodes touched', `${number(changedNodes)} of ${number(NODES)}`]];
  by('figures').append(...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  by('notes').append(...data.notes.map((note) => el('li', {}, note)));
  by('notes-section').hidden = !data.notes.length;
}

function loadText(node, k) {
  const rows = frames[nodes.frame[node]];
  return resources.map((name, r) => [name, r]).filter(([name, r]) => rows[r] && (isSlots(r) || name === 'cpu' || name === 'memory'))
    .map(([, r]) => `${amountText(r, used(node, k, r)).replace(/ [^ ]+$/, '')} of ${amountText(r, rows[r])}`).join(', ');
}
const nodeGroups = (node) => nodes.groupings.map((g) => g.values[g.of[node]]).join(' · ');

function writeDetail(node, close) {
  const box = by('detail');
  const rows = [...new Set([...podsOn(node, 0), ...podsOn(node, WAVES), ...voyages.filter((v) => v.from === node || v.node === node).map((v) => v.pod)])];
  box.replaceChildren(el('button', { type: 'button', class: 'close', 'aria-label': 'Close', on: close }, '×'), el('h3', { class: 'name' }, nodes.name[node]),
    el('p', {}, [nodeGroups(node), nodes.marks[node] & CORDONED ? 'cordoned' : '', nodes.marks[node] & NOT_READY ? 'not ready' : ''].filter(Boolean).join(' · ')),
    el('dl', {}, el('dt', {}, 'Before'), el('dd', {}, loadText(node, 0)), el('dt', {}, 'After'), el('dd', {}, loadText(node, WAVES))),
    el('ul', {}, ...rows.map((pod) => el('li', { class: voyageOf.has(pod) ? 'changed' : '' }, swatch(pods.tier[pod]), el('span', { class: 'name' }, podName(pod)),
      el('small', {}, ` ${asksText(pods.shape[pod])} — ${fate(pod)}`)))));
  box.hidden = false;
}

function writeNodes() {
  const box = by('nodes-table');
  if (box.children.length) return;
  box.append(el('table', {}, heads('Node', ...nodes.groupings.map((g) => g.name), '#Pods before', '#Pods after', 'Before', 'After'), el('tbody', {}, ...nodes.name.map((name, n) =>
    el('tr', {}, el('th', { scope: 'row', class: 'name' }, name), ...nodes.groupings.map((g) => cell(g.values[g.of[n]])),
      figure(podsOn(n, 0).length), figure(podsOn(n, WAVES).length), cell(loadText(n, 0)), cell(loadText(n, WAVES)))))));
}

function tipFor(target) {
  const { node, pod } = target, lines = [];
  if (pod >= 0) lines.push(el('p', {}, swatch(pods.tier[pod]), el('b', { class: 'name' }, podName(pod))), el('p', { class: 'name' }, `${workloadName(pods.workload[pod])} · ${tierName(pods.tier[pod])}`), el('p', {}, `asks for ${asksText(pods.shape[pod])}; ${fate(pod)}`));
  if (node < ANCHOR) lines.push(el('p', { class: 'where' }, el('b', { class: 'name' }, nodes.name[node]), nodeGroups(node) ? ` · ${nodeGroups(node)}` : ''), el('p', {}, `before ${loadText(node, 0)}`), ...(changes[node] ? [el('p', {}, `after ${loadText(node, WAVES)}`)] : []));
  return lines;
}
const spoken = (node, k) => {
  const list = [...podsOn(node, k)].slice(0, 12).map((p) => `${pods.name[p]}, ${tierName(pods.tier[p])}, ${fate(p)}`);
  return `${nodes.name[node]}, ${loadText(node, k)}. ${plural(podsOn(node, k).length, 'pod')}: ${list.join('; ')}`;
};
