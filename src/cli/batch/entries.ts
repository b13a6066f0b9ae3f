import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isPlainName } from '../../host/files/names';
import { type Reasoning } from '../../inference';
import { isReasoning, isRecord, type RetouchRecord } from '../record';

/** A photo as it was when it was taken up: another size or time of change makes it another photo. */
export interface PhotoState {
  readonly photo: string;
  readonly size: number;
  readonly modified: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** What the system said, where it did: ENOSPC, EACCES, ... */
  readonly system?: string | undefined;
}

/** A line of the journal. `job` tells batches with other settings in the same folder apart. */
export type Entry = { readonly job: string } & (
  | ({ readonly kind: 'begin'; readonly name: string; readonly id: string; readonly at: number } & PhotoState)
  | ({ readonly kind: 'done'; readonly name: string; readonly record: RetouchRecord } & PhotoState)
  | ({ readonly kind: 'failed'; readonly failure: Failure } & PhotoState)
  | ({ readonly kind: 'seen'; readonly latents: readonly number[]; readonly reasoning: Reasoning } & PhotoState)
);

/** `id` stands in the record of the result too: what is found under `name` is this photo's only if it says so. */
export type Begun = Extract<Entry, { kind: 'begin' }>;
export type Finished = Extract<Entry, { kind: 'done' | 'failed' }>;
export type Seen = Extract<Entry, { kind: 'seen' }>;

/** The photo as it is now; size and time 0 where there is none. */
export async function stateOf(photo: string): Promise<PhotoState> {
  const key = path.resolve(photo);
  return stat(photo).then(
    ({ size, mtimeMs }) => ({ photo: key, size, modified: Math.round(mtimeMs) }),
    () => ({ photo: key, size: 0, modified: 0 }),
  );
}

/**
 * A line of the journal as an entry; undefined for anything else. Anybody can write into the file, and disks fail: a
 * line is taken whole, with every value of its kind, or not at all.
 */
export function parseEntry(line: string): Entry | undefined {
  const entry = jsonOf(line);
  if (!isObject(entry) || typeof entry['job'] !== 'string' || !isState(entry)) return undefined;
  const { kind, name, at, id, record, failure, latents, reasoning } = entry;
  const sound =
    (kind === 'begin' && isPlainName(name) && typeof id === 'string' && isNumber(at)) ||
    (kind === 'done' && isPlainName(name) && isRecord(record)) ||
    (kind === 'failed' && isFailure(failure)) ||
    (kind === 'seen' && Array.isArray(latents) && latents.every(isNumber) && isReasoning(reasoning));
  return sound ? (entry as unknown as Entry) : undefined;
}

/** The parsed JSON, undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isState({ photo, size, modified }: Record<string, unknown>): boolean {
  return typeof photo === 'string' && photo !== '' && isNumber(size) && isNumber(modified);
}

function isFailure(value: unknown): value is Failure {
  if (!isObject(value)) return false;
  const { code, message, hint, system } = value;
  const optional = [hint, system].every((text) => text === undefined || typeof text === 'string');
  return typeof code === 'string' && typeof message === 'string' && optional;
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** Failures that are the photo's own: it will be refused again until it is another file. */
const LASTING = new Set(['PHOTO_NOT_AN_IMAGE', 'PHOTO_FORMAT', 'PHOTO_DAMAGED', 'PHOTO_TOO_LARGE', 'INPUT_IMAGE']);
/** What libraries call damage although the machine is to blame. */
const MACHINE =
  /out of memory|allocat|too many open files|input\/output error|i\/o error|no space left|\bE(IO|NOMEM|MFILE|NFILE)\b/i;

/** Will this photo fail again however often it is tried? Everything else is tried again by the next run. */
export function isLasting({ code, message }: Failure): boolean {
  return LASTING.has(code) && !MACHINE.test(message);
}
