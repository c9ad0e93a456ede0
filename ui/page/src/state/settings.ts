// What a person chose, kept in this browser.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

function stored<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  try {
    return allowed.find((value) => value === localStorage.getItem(`berth-${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`berth-${key}`, value);
  } catch {
    // a browser that keeps nothing
  }
}

export const theme = signal<Theme>(stored('theme', THEMES, 'system'));
export const nextTheme = (): Theme => THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';

const darkSystem = matchMedia('(prefers-color-scheme: dark)');
export const dark = signal(false);
effect(() => {
  keep('theme', theme.value);
  const settle = (): void => {
    dark.value = theme.value === 'dark' || (theme.value === 'system' && darkSystem.matches);
    document.documentElement.dataset.theme = dark.value ? 'dark' : 'light';
  };
  settle();
  darkSystem.addEventListener('change', settle);
  return () => darkSystem.removeEventListener('change', settle);
});

export const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
