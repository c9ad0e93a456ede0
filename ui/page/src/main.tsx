// The page: a bar on top, one place below it, a drawer beside it.
import './style/tokens.css';
import './style/page.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { token } from './api/client';
import { Drawer } from './drawer/Drawer';
import { Harbour } from './harbour/Harbour';
import { CommandBar } from './parts/CommandBar';
import { Icon } from './parts/icons';
import { Skeleton, Trouble } from './parts/parts';
import { route } from './state/route';
import { loading, overview, retryUntilThere, said, start, trouble } from './state/store';
import { History } from './views/History';
import { Plans } from './views/Plans';
import { Services } from './views/Services';
import { Waiting } from './views/Waiting';
import { WhatIf } from './views/WhatIf';

const VIEWS = {
  harbour: Harbour,
  waiting: Waiting,
  plans: Plans,
  services: Services,
  'what-if': WhatIf,
  history: History,
};

function Page() {
  const { place, name } = route.value;
  const View = VIEWS[place];
  const wrong = trouble.value;
  useEffect(() => {
    const words = {
      harbour: 'Harbour',
      waiting: 'Waiting',
      plans: name || 'Plans',
      services: 'Services',
      'what-if': 'What-if',
      history: 'History',
    };
    document.title = `${words[place]} · ${overview.value?.cluster ?? 'Berth'}`;
  }, [place, name, overview.value?.cluster]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <CommandBar />
      <div class="body">
        <main id="main" tabIndex={-1} class={place === 'harbour' ? 'full' : ''}>
          {wrong?.status === 401 ? (
            <SignIn message={wrong.message} />
          ) : wrong && !overview.value ? (
            <Trouble problem={wrong} again={() => void start()} />
          ) : loading.value ? (
            <Skeleton lines={10} />
          ) : (
            <View />
          )}
        </main>
        <Drawer />
      </div>
      <div class="unseen" aria-live="polite">
        {said.value}
      </div>
    </>
  );
}

/** In the cluster everybody comes with their own token; `berth ui` on one's own machine needs none. */
function SignIn({ message }: { message: string }) {
  const [text, setText] = useState('');
  return (
    <form
      class="card signin stack"
      onSubmit={(event) => {
        event.preventDefault();
        token.set(text.trim());
        trouble.value = null;
        loading.value = true;
        void start();
      }}
    >
      <h1>
        <Icon name="stop" /> Who are you?
      </h1>
      <p>{message}</p>
      <label class="field">
        Token
        <input
          type="password"
          value={text}
          required
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <p class="muted">
        <code>kubectl create token NAME</code> makes one for a service account. It is kept in this tab alone and sent to this server alone;
        what you see and may do follows from it. <code>kubectl berth ui</code> needs none.
      </p>
      <button type="submit" class="button primary">
        Sign in
      </button>
    </form>
  );
}

addEventListener('keydown', (event) => {
  const typing =
    event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || event.target instanceof HTMLTextAreaElement;
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    document.getElementById('search')?.focus();
    event.preventDefault();
  }
});

const root = document.getElementById('app');
if (root) render(<Page />, root);
retryUntilThere();
void start();
