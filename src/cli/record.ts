import { type Field, type Mode, type Reasoning, type RetouchResult } from '../inference';
import { titlesOf } from './console';

/** What NAME.json and --json hold for one photo: exactly these fields. Texts are empty where the model says nothing. */
export interface RetouchRecord {
  readonly mode: Mode;
  readonly reasoning: Reasoning;
  /** Milliseconds. load: model and photo; render: LUT and pixels; write: encoding and writing the files. */
  readonly timingsMs: Readonly<Record<'load' | 'vision' | 'prefill' | 'decode' | 'render' | 'write', number>>;
  /** Tokens of the answer. */
  readonly tokens: number;
  readonly device: string;
  /** Name and version of the model bundle. */
  readonly bundle: string;
  /** What is to be known of how the photo was read, one sentence each. */
  readonly notes: readonly string[];
  /** Settings and result as a name of their own ("job-result"): by it a batch knows what is its own. */
  readonly job: string;
}

export interface RecordParts {
  readonly result: Pick<RetouchResult, 'mode' | 'reasoning' | 'timingsMs' | 'tokens'>;
  readonly load: number;
  readonly render: number;
  readonly write: number;
  readonly device: string;
  readonly bundle: string;
  readonly notes: readonly string[];
  readonly job: string;
}

export function makeRecord({ result, load, render, write, device, bundle, notes, job }: RecordParts): RetouchRecord {
  const { vision, prefill, decode } = result.timingsMs;
  const tenths = (value: number): number => Math.round(value * 10) / 10;
  return {
    mode: result.mode,
    reasoning: result.reasoning,
    timingsMs: {
      load: tenths(load),
      vision: tenths(vision),
      prefill: tenths(prefill),
      decode: tenths(decode),
      render: tenths(render),
      write: tenths(write),
    },
    tokens: result.tokens,
    device,
    bundle,
    notes,
    job,
  };
}

const FACTOR_NAMES = ['light', 'globalColor', 'specificColor'] as const;
const STAGES = ['load', 'vision', 'prefill', 'decode', 'render', 'write'] as const;

/** Is this a record as `makeRecord` makes it? For what is read from files, in which anything may stand. */
export function isRecord(value: unknown): value is RetouchRecord {
  if (!isObject(value)) return false;
  const { mode, reasoning, timingsMs, tokens, device, bundle, notes, job } = value;
  return (
    [mode, device, bundle, job].every((text) => typeof text === 'string') &&
    isReasoning(reasoning) &&
    isObject(timingsMs) &&
    [tokens, ...STAGES.map((stage) => timingsMs[stage])].every(Number.isFinite) &&
    Array.isArray(notes) &&
    notes.every((note) => typeof note === 'string')
  );
}

export function isReasoning(value: unknown): value is Reasoning {
  if (!isObject(value) || typeof value['elements'] !== 'string') return false;
  return [value['problems'], value['plan']].every(
    (texts) => isObject(texts) && FACTOR_NAMES.every((factor) => typeof texts[factor] === 'string'),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What is said where the reasoning is left out. */
export const FAST = 'Fast answer: no reasoning is written.';

/** The reasoning as paragraphs for people: one per field that says something, with its title. */
export function storyOf({ elements, problems, plan }: Reasoning): string[] {
  const paragraphs: string[] = [];
  const add = (field: Field, text: string): void => {
    if (text === '') return;
    const { group, factor } = titlesOf(field);
    paragraphs.push(`${group}${factor === undefined ? '' : `, ${factor.toLowerCase()}`}: ${text}`);
  };
  add('elements', elements);
  for (const [group, texts] of [
    ['problems', problems],
    ['plan', plan],
  ] as const) {
    for (const factor of FACTOR_NAMES) add(`${group}.${factor}`, texts[factor]);
  }
  return paragraphs;
}
