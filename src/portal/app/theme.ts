import { signal } from '@preact/signals';

/** Light or dark: as the system has it, unless somebody chose. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'hotdesk.theme';

function kept(): Theme {
  const found = THEMES.find((theme) => theme === window.localStorage.getItem(KEY));
  return found ?? 'system';
}

export const theme = signal<Theme>(kept());

export function applyTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

export function chooseTheme(choice: Theme): void {
  theme.value = choice;
  window.localStorage.setItem(KEY, choice);
  applyTheme();
}
