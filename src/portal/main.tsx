import { render } from 'preact';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/table.css';
import './style/pages.css';
import './style/orders.css';
import './style/accounts.css';
import './style/people.css';
import './style/insight.css';
import './style/forced.css';
import { App } from './app/app.tsx';
import { followLinks } from './app/router.ts';
import { readSession } from './app/session.ts';
import { applyTheme } from './app/theme.ts';
import { failed } from './ui/toast.tsx';

const AGAIN_MS = 2_000;

applyTheme();
followLinks();
const root = document.getElementById('app');
if (root) render(<App />, root);
begin();

/** Nothing can be shown before it is known who is signed in: it is asked until there is an answer. */
function begin(isTold = false): void {
  readSession().catch((error: unknown) => {
    if (!isTold) failed(error);
    setTimeout(() => begin(true), AGAIN_MS);
  });
}
