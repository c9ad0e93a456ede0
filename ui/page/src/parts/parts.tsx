// Small pieces that every view uses: states, a tier's name with its colour, the table of tiers, a question before an action.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../api/client';
import type { TierProof, WhatIf } from '../api/schema';
import { tierName, UNKNOWN } from '../colour';
import { plural, seconds } from '../format';
import { go } from '../state/route';
import { chart, paints } from '../state/store';
import { Icon, type IconName } from './icons';

export function TierDot({ priority }: { priority: number }) {
  const paint = paints.value.get(priority) ?? UNKNOWN;
  return (
    <svg class="dot" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
      <rect width="12" height="12" rx="3" fill={paint.fill} />
      {paint.pattern === 'stripes' && <path d="M0 12L12 0M-3 9L9 -3M3 15L15 3" stroke={paint.ink} stroke-width="1.2" opacity=".6" />}
      {paint.pattern === 'dots' && <path d="M3 3h2v2h-2zM7 7h2v2h-2z" fill={paint.ink} opacity=".6" />}
    </svg>
  );
}

export function TierName({ tier }: { tier: { priority: number; priorityClass: string } }) {
  return (
    <span class="tier-name" title={`priority ${tier.priority}`}>
      <TierDot priority={tier.priority} />
      {tierName(tier)}
    </span>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} data-width={i % 3} />
      ))}
    </div>
  );
}

/** within: there is a heading of the page above it. */
export function Empty({
  icon,
  title,
  within = false,
  children,
}: {
  icon: IconName;
  title: string;
  within?: boolean;
  children?: ComponentChildren;
}) {
  const Title = within ? 'h2' : 'h1';
  return (
    <div class="empty">
      <Icon name={icon} />
      <Title>{title}</Title>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Trouble({ problem, again }: { problem: ApiProblem; again?: () => void }) {
  const refused = problem.status === 401 || problem.status === 403;
  return (
    <div class="trouble" role="alert">
      <Icon name={refused ? 'stop' : 'warn'} />
      <div>
        <strong>
          {refused
            ? 'You may not see this'
            : problem.status === 0
              ? 'Not connected'
              : problem.status === 404
                ? 'Not here'
                : 'That did not work'}
        </strong>
        <p>{sentence(problem.message)}</p>
        <code>{problem.reason}</code>
      </div>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export const sentence = (text: string): string => {
  const trimmed = text.trim();
  if (!trimmed) return '';
  // names stay as they are written: llm-urgent, gpu-7, llm/agent
  const isName = /^[^\s]*[-/_.\d][^\s]*(\s|$)/.test(trimmed) || /^\S+:/.test(trimmed);
  const started = isName ? trimmed : trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(started) ? started : `${started}.`;
};

export function Reason({ code }: { code: string }) {
  return code ? <code class="reason">{code}</code> : null;
}

/** What an address answers; asked anew when a key changes, and the old answer stays on screen meanwhile. */
export function useAnswer<T>(
  ask: () => Promise<T>,
  keys: readonly unknown[],
): { value: T | null; problem: ApiProblem | null; again: () => void } {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    ask().then(
      (answer) => {
        if (!wanted) return;
        setValue(answer);
        setProblem(null);
      },
      (error: unknown) => wanted && setProblem(error instanceof ApiProblem ? error : new ApiProblem(0, 'PageError', String(error))),
    );
    return () => {
      wanted = false;
    };
  }, [...keys, turn]);
  return { value, problem, again: () => setTurn(turn + 1) };
}

export function TierTable({ tiers, before = 'Before', after = 'After' }: { tiers: readonly TierProof[]; before?: string; after?: string }) {
  return (
    <table class="table tiers">
      <caption class="unseen">Pods placed by tier</caption>
      <thead>
        <tr>
          <th scope="col">Tier</th>
          <th scope="col" class="number">
            {before}
          </th>
          <th scope="col" class="number">
            {after}
          </th>
          <th scope="col" class="number">
            Of
          </th>
          <th scope="col">At most</th>
        </tr>
      </thead>
      <tbody>
        {tiers.map((tier) => {
          const gain = tier.after - tier.before;
          return (
            <tr key={tier.priority}>
              <th scope="row">
                <TierName tier={tier} />
              </th>
              <td class="number">{tier.before}</td>
              <td class="number">
                {tier.after}
                {gain !== 0 && <span class={gain > 0 ? 'gain' : 'loss'}>{gain > 0 ? `+${gain}` : `−${-gain}`}</span>}
              </td>
              <td class="number">{tier.pods}</td>
              <td>
                {tier.proven ? (
                  <span class="proven">
                    <Icon name="check" />
                    {tier.atMost}, proven
                  </span>
                ) : (
                  <span class="open">{tier.atMost}, not proven</span>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export function Sentences({ lines }: { lines: readonly string[] }) {
  return (
    <ul class="sentences">
      {lines.map((line) => (
        <li key={line}>{sentence(line)}</li>
      ))}
    </ul>
  );
}

export function showOnHarbour(title: string, waves: WhatIf['waves'], back: string): void {
  chart.value = { title, waves, step: 0, back };
  go('harbour');
}

/** The answer to a preview, a reversal or a what-if. */
export function WhatIfAnswer({ answer, back, compared = false }: { answer: WhatIf; back: string; compared?: boolean }) {
  return (
    <section class="card stack" aria-label={answer.title}>
      <header class="card-head">
        <h2>{sentence(answer.title).replace(/\.$/, '')}</h2>
        <span class="muted number">
          {seconds(answer.seconds)} · {plural(answer.moves, 'move')} · {plural(answer.evictions, 'eviction')}
        </span>
      </header>
      {answer.message && <p>{sentence(answer.message)}</p>}
      <TierTable tiers={answer.tiers} before={compared ? 'As it is' : 'Now'} after={compared ? 'With the change' : 'After'} />
      <Pods title="Placed by it" pods={answer.placed} sign="gain" />
      <Pods title="Without a place" pods={answer.lost} sign="loss" />
      <Sentences lines={answer.proof} />
      {answer.waves.length > 0 && (
        <div class="row">
          <button type="button" class="button" onClick={() => showOnHarbour(answer.title, answer.waves, back)}>
            <Icon name="grid" /> Show the moves on the harbour
          </button>
          <span class="muted">Nothing is written.</span>
        </div>
      )}
    </section>
  );
}

const SOME = 8;
function Pods({ title, pods, sign }: { title: string; pods: readonly string[]; sign: 'gain' | 'loss' }) {
  const [all, setAll] = useState(false);
  if (pods.length === 0) return null;
  const shown = all ? pods : pods.slice(0, SOME);
  return (
    <div>
      <h3>
        {title} <span class={sign}>{pods.length}</span>
      </h3>
      <ul class="chips">
        {shown.map((pod) => (
          <li key={pod}>
            <code>{pod}</code>
          </li>
        ))}
        {shown.length < pods.length && (
          <li>
            <button type="button" class="link" onClick={() => setAll(true)}>
              and {pods.length - shown.length} more
            </button>
          </li>
        )}
      </ul>
    </div>
  );
}

export interface Question {
  title: string;
  says: string[];
  yes: string;
  danger?: boolean;
  act: () => Promise<unknown>;
}

/** Says what will happen, and asks. Escape and the first button say no. */
export function Ask({ question, close }: { question: Question; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  async function act(): Promise<void> {
    setBusy(true);
    try {
      await question.act();
      close();
    } catch (error) {
      setProblem(error instanceof ApiProblem ? error : new ApiProblem(0, 'PageError', String(error)));
      setBusy(false);
    }
  }
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="question" onClose={close}>
      <h2 id="question">{question.title}</h2>
      <Sentences lines={question.says} />
      {problem && <Trouble problem={problem} />}
      <div class="row end">
        <button type="button" class="button" onClick={close} disabled={busy}>
          No, leave it
        </button>
        <button type="button" class={question.danger ? 'button danger' : 'button primary'} onClick={() => void act()} disabled={busy}>
          {busy ? 'Working…' : question.yes}
        </button>
      </div>
    </dialog>
  );
}
