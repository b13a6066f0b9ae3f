import { type PanelState } from './state';

const MOST_HISTORY = 8;

/** What outlives the page. */
export interface Settings {
  readonly history: readonly string[];
  /** Has the first-run help been seen? */
  readonly seen: boolean;
}

/** Whatever was stored, by whatever version. */
export function readSettings(json: unknown): Settings {
  const stored = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const history = Array.isArray(stored['history']) ? (stored['history'] as unknown[]) : [];
  return {
    history: history.filter((entry): entry is string => typeof entry === 'string').slice(0, MOST_HISTORY),
    seen: stored['seen'] === true,
  };
}

export function settingsOf({ history, help }: PanelState): Settings {
  return { history, seen: !help };
}

/** The instructions used last, the newest first, each once. */
export function withUsed(history: readonly string[], instruction: string): readonly string[] {
  const text = instruction.trim();
  return text === '' ? history : [text, ...history.filter((entry) => entry !== text)].slice(0, MOST_HISTORY);
}
