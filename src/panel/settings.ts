import { type Acceptance } from './modelOffer';
import { type PanelState } from './state';

const MOST_HISTORY = 8;

/** What outlives the page. */
export interface Settings {
  readonly history: readonly string[];
  /** Has the first-run help been seen? */
  readonly seen: boolean;
  /** Terms of models that were accepted. */
  readonly accepted: readonly Acceptance[];
}

/** Whatever was stored, by whatever version. */
export function readSettings(json: unknown): Settings {
  const stored = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const accepted = Array.isArray(stored['accepted']) ? (stored['accepted'] as unknown[]) : [];
  const history = Array.isArray(stored['history']) ? (stored['history'] as unknown[]) : [];
  return {
    history: history.filter((entry): entry is string => typeof entry === 'string').slice(0, MOST_HISTORY),
    seen: stored['seen'] === true,
    accepted: accepted.filter(isAcceptance).map(({ bundle, terms }) => ({ bundle, terms })),
  };
}

function isAcceptance(entry: unknown): entry is Acceptance {
  const { bundle, terms } = (entry ?? {}) as { bundle?: unknown; terms?: unknown };
  return [bundle, terms].every((digest) => typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest));
}

export function settingsOf({ history, help, accepted }: PanelState): Settings {
  return { history, seen: !help, accepted };
}

/** The instructions used last, the newest first, each once. */
export function withUsed(history: readonly string[], instruction: string): readonly string[] {
  const text = instruction.trim();
  return text === '' ? history : [text, ...history.filter((entry) => entry !== text)].slice(0, MOST_HISTORY);
}
