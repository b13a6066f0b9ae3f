import { type Reasoning, type RetouchResult } from '../../inference';

/** How a series keeps one look: that of its first photo, or the mean of what each would get. */
export type Match = 'first' | 'mean';

export type Answer = Pick<RetouchResult, 'mode' | 'reasoning' | 'timingsMs' | 'tokens' | 'latents' | 'monochrome'>;

export const NO_TIME = { load: 0, vision: 0, prefill: 0, decode: 0, picture: 0 } as const;

/** An answer that was given before: what it cost then does not count again. */
export function again(mode: Answer['mode'], latents: Float32Array, reasoning: Reasoning, monochrome?: boolean): Answer {
  return { mode, latents, reasoning, monochrome, tokens: 0, timingsMs: NO_TIME };
}

/** The mean of latents of one length; all zeros of a factor that is off in some photos count as they are. */
export function meanLatents(all: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(all[0]?.length ?? 0);
  for (const latents of all) latents.forEach((value, i) => (sum[i] += value));
  return Float32Array.from(sum, (value) => value / all.length);
}
