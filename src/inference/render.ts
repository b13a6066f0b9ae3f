import type { Backend, Session } from './backend';
import { takeFloats } from './decoder';
import { InferenceError, InputError, throwIfCancelled } from './errors';
import { takeColorOut } from './monochrome';
import { FACTORS, type Factor } from './params';

/**
 * How much of a retouch is applied. Each factor from 0 (not at all) over 1 (as the model says) to 2, by scaling its
 * latent; `overall` from 0 (the photo as it was) to 1, by blending. What is missing counts as 1.
 */
export type Strength = Readonly<Partial<Record<Factor | 'overall', number>>>;

/** Above this the latents leave what the renderer was trained on by far. */
export const MAX_STRENGTH = 2;

/** Colours of one run: long enough to keep the processor busy, short enough for a cancellation to be felt. */
const CHUNK = 4096;

/** A retouch at given strengths, ready to be rendered. */
export interface StrongRetouch {
  /** [3, D] row-major, each factor's row multiplied by its strength. */
  readonly latents: Float32Array;
  /**
   * How much of what the renderer does to colours at latents of zero is taken back, 0 to 1. It has learnt that they mean
   * "as it was", but only nearly: without this, strengths of 0 would leave a trace. It goes from all at 0 to nothing at 1,
   * where the answer is exactly the model's.
   */
  readonly rest: number;
  /** How much of the color that is left is taken out, 0 to 1: in black and white it follows the strength of the global color. */
  readonly gray: number;
  readonly overall: number;
}

/**
 * Scales `latents` ([3, D] row-major) by strengths. `monochrome`: they are those of a black-and-white retouch.
 * Throws InputError INPUT_LATENTS or INPUT_STRENGTH (factors take 0 to 2, `overall` 0 to 1).
 */
export function withStrength(
  latents: Float32Array,
  strength: Strength,
  latentSize: number,
  monochrome = false,
): StrongRetouch {
  checkLatents(latents, latentSize);
  const unknown = Object.keys(strength).find((name) => name !== 'overall' && !FACTORS.includes(name as Factor));
  if (unknown !== undefined) {
    throw new InputError(
      'INPUT_STRENGTH',
      `There is no factor ${JSON.stringify(unknown)}. Nothing was rendered.`,
      `Use ${FACTORS.join(', ')}, overall.`,
    );
  }
  const scaled = latents.slice();
  let most = 0;
  FACTORS.forEach((factor, i) => {
    const value = checkedStrength(strength, factor, MAX_STRENGTH);
    const row = scaled.subarray(i * latentSize, (i + 1) * latentSize);
    if (row.some((entry) => entry !== 0)) most = Math.max(most, value);
    for (let k = 0; k < row.length; k++) row[k] *= value;
  });
  const gray = monochrome ? Math.min(1, strength.globalColor ?? 1) : 0;
  return { latents: scaled, rest: 1 - Math.min(1, most), gray, overall: checkedStrength(strength, 'overall', 1) };
}

function checkedStrength(strength: Strength, name: Factor | 'overall', most: number): number {
  const value = strength[name] ?? 1;
  if (value >= 0 && value <= most) return value;
  throw new InputError(
    'INPUT_STRENGTH',
    `The strength of ${name} is ${value}. Nothing was rendered.`,
    most === 1
      ? 'Give a number from 0 (the photo as it was) to 1 (the whole retouch).'
      : `Give a number from 0 (off) over 1 (as the model says) to ${most}.`,
  );
}

function checkLatents(latents: Float32Array, latentSize: number): void {
  if (latents.length !== 3 * latentSize) {
    throw new InputError(
      'INPUT_LATENTS',
      `${latents.length} latent values were given; this bundle has 3 x ${latentSize}. Nothing was rendered.`,
      'Use latents only with the bundle that made them.',
    );
  }
  const bad = latents.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new InputError(
      'INPUT_LATENTS',
      `Latent value ${bad} is ${latents[bad]}. Nothing was rendered.`,
      'Run the model again.',
    );
  }
}

/** Throws InputError INPUT_COLOURS unless these are colours [N, 3] in [0, 1]. */
export function checkColours(colours: Float32Array): void {
  if (colours.length % 3 === 0 && colours.every((value) => value >= 0 && value <= 1)) return;
  throw new InputError(
    'INPUT_COLOURS',
    'The colours are no rows of three values in [0, 1]. Nothing was rendered.',
    'Check them.',
  );
}

/**
 * Evaluates the Retouch Renderer: `colours` [N, 3] sRGB in [0, 1], `latents` [3, D] -> [N, 3] sRGB in [0, 1].
 * Throws CancelledError between chunks, InferenceError when a value that comes out is no number.
 */
export async function renderColours(
  backend: Backend,
  renderer: Session,
  colours: Float32Array,
  latents: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const out = new Float32Array(colours.length);
  const shape = [3, latents.length / 3];
  for (let at = 0; at < colours.length; at += 3 * CHUNK) {
    throwIfCancelled(signal);
    const chunk = colours.slice(at, at + 3 * CHUNK);
    const { out: rendered } = await renderer.run(
      { rgb: backend.floats(chunk, [chunk.length / 3, 3]), latents: backend.floats(latents, shape) },
      ['out'],
    );
    out.set(await takeFloats(rendered), at);
  }
  throwIfCancelled(signal);
  if (out.some((value) => !Number.isFinite(value))) {
    throw new InferenceError(
      'The renderer gave values that are no numbers. No result was produced.',
      'Choose another device.',
    );
  }
  return out;
}

/**
 * Colours of a retouch at its strengths: `colours` [N, 3] sRGB in [0, 1] -> [N, 3] sRGB in [0, 1]. Throws as
 * renderColours does.
 */
export async function renderRetouch(
  backend: Backend,
  renderer: Session,
  colours: Float32Array,
  { latents, rest, gray, overall }: StrongRetouch,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (rest === 1 || overall === 0) {
    throwIfCancelled(signal);
    return colours.slice();
  }
  const out = await renderColours(backend, renderer, colours, latents, signal);
  if (rest > 0) {
    const still = await renderColours(backend, renderer, colours, new Float32Array(latents.length), signal);
    for (let i = 0; i < out.length; i++) {
      out[i] = Math.min(1, Math.max(0, out[i] + rest * (colours[i] - still[i])));
    }
  }
  if (gray > 0) takeColorOut(out, gray);
  if (overall < 1) for (let i = 0; i < out.length; i++) out[i] = colours[i] + overall * (out[i] - colours[i]);
  return out;
}
