import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { python } from '../../support/python';

/** LittleCMS, through Python; see oracle.py. */

/** A profile: its bytes, one that LittleCMS has built in, or one that it makes from chromaticities. */
export type ProfileSpec = Uint8Array | 'srgb' | 'lab' | 'xyz' | MadeProfile;

export interface MadeProfile {
  /** Absent for grey. */
  readonly primaries?: readonly (readonly [number, number])[];
  readonly white: readonly [number, number];
  /** Function type of ICC's parametricCurveType. */
  readonly type: number;
  readonly curve: readonly number[];
}

export type Format = 'rgb' | 'grey' | 'lab' | 'xyz';

export type Task =
  | { profiles: ProfileSpec[]; from: Format; to: Format; values: ArrayLike<number> }
  | { save: ProfileSpec }
  | { pillow: Uint8Array }
  | { pillowMakes: 'sRGB' };

interface Report {
  readonly available: boolean;
  readonly littlecms: string;
  readonly results?: (string | null)[];
}

function call(tasks: readonly Task[]): Report {
  const input = JSON.stringify({ tasks }, (_key, value: unknown) =>
    value instanceof Uint8Array
      ? Buffer.from(value).toString('base64')
      : value instanceof Float64Array
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
        : value,
  );
  const script = path.join(__dirname, 'oracle.py');
  const run = spawnSync(python(), [script], { encoding: 'utf8', input, maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Report;
}

/** Whether there is a LittleCMS library beside Pillow or in the system, and Pillow's version of it. */
export function findLittleCms(): { available: boolean; version: string } {
  const { available, littlecms } = call([]);
  return { available, version: littlecms };
}

/** Results in the order of the tasks, in one start of Python; each a refusal if LittleCMS refuses. */
function results(tasks: readonly Task[]): string[] {
  return call(tasks).results!.map((result, i) => {
    if (result === null) throw new Error(`LittleCMS refused task ${i}.`);
    return result;
  });
}

/** Colours, component after component, through profiles by LittleCMS: relative colorimetric, 64-bit floats. */
export function transformAll(
  tasks: readonly { profiles: ProfileSpec[]; from: Format; to: Format; values: Float64Array }[],
): Float64Array[] {
  return results(tasks).map((text) => {
    const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
    return new Float64Array(bytes.buffer);
  });
}

export function transformBy(profiles: ProfileSpec[], from: Format, to: Format, values: Float64Array): Float64Array {
  return transformAll([{ profiles, from, to, values }])[0];
}

/** Profiles that LittleCMS or Pillow makes, as bytes. */
export function profilesFrom(tasks: readonly ({ save: ProfileSpec } | { pillowMakes: 'sRGB' })[]): Uint8Array[] {
  return results(tasks).map((text) => Uint8Array.from(Buffer.from(text, 'base64')));
}

/** Descriptions as Pillow reads them from profiles that it can use. */
export function describedByPillow(profiles: readonly Uint8Array[]): string[] {
  return results(profiles.map((pillow) => ({ pillow })));
}
