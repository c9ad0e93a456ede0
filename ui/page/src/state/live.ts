// Follows /changes: server-sent events read from a fetch, since an EventSource cannot carry a token. Reconnects by itself, longer
// and longer, and goes on from the last event it had.

import { ApiProblem, headers, problemOf, ROOT } from '../api/client';
import type { Change } from '../api/schema';

export interface Event {
  id: string;
  data: string;
}

/** Parses an event stream piece by piece: give it text as it comes, it gives the events that are complete. */
export function eventParser(): (text: string) => Event[] {
  let rest = '';
  return (text) => {
    rest += text;
    const events: Event[] = [];
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const field = (name: string): string =>
        lines
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
          .join('\n');
      if (lines.some((line) => line.startsWith('data:'))) events.push({ id: field('id'), data: field('data') });
    }
    return events;
  };
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
const SILENT = 40_000; // the server says that it is alive every 15 s

export interface Follower {
  onChange: (change: Change) => void;
  onState: (state: 'live' | 'lost', problem: ApiProblem | null) => void;
  /** The revision we hold, to go on from. */
  revision: () => number;
}

/** Follows until stopped. Ends by itself where there is nothing to follow (404: a picture that stands still). */
export function follow(follower: Follower): () => void {
  let stopped = false;
  let abort = new AbortController();
  let wait = FIRST_WAIT;

  async function once(): Promise<boolean> {
    abort = new AbortController();
    let heard = setTimeout(() => abort.abort(), SILENT);
    try {
      const response = await fetch(`${ROOT}/changes`, {
        headers: { ...headers(), Accept: 'text/event-stream', 'Last-Event-ID': String(follower.revision()) },
        signal: abort.signal,
        cache: 'no-store',
      });
      if (response.status === 404) return false;
      if (!response.ok || !response.body) throw await problemOf(response);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const parse = eventParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(heard);
        heard = setTimeout(() => abort.abort(), SILENT);
        wait = FIRST_WAIT;
        follower.onState('live', null);
        for (const event of parse(value)) follower.onChange(JSON.parse(event.data) as Change);
      }
    } finally {
      clearTimeout(heard);
    }
    return true;
  }

  void (async () => {
    while (!stopped) {
      let problem: ApiProblem | null = null;
      try {
        if (!(await once())) return;
      } catch (error) {
        problem = error instanceof ApiProblem ? error : null;
      }
      if (stopped) return;
      follower.onState('lost', problem);
      await new Promise((resolve) => setTimeout(resolve, wait * (0.8 + 0.4 * Math.random())));
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
  })();
  return () => {
    stopped = true;
    abort.abort();
  };
}
