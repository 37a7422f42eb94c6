import { render } from 'preact';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/parts.css';
import './style/table.css';
import './style/pages.css';
import { App } from './app/app.tsx';
import { followLinks } from './app/router.ts';
import { readSession } from './app/session.ts';
import { applyTheme } from './app/theme.ts';
import { failed } from './ui/toast.tsx';

applyTheme();
followLinks();
const root = document.getElementById('app');
if (root) render(<App />, root);
readSession().catch(failed);
