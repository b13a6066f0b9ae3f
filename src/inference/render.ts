import { Lut3D, gridPoints } from '../color/lut3d';
import type { Backend, Session } from './backend';
import { takeFloats } from './decoder';
import { InferenceError, InputError, throwIfCancelled } from './errors';
import { FACTORS, type Factor } from './params';

/** How much of each factor is applied: 1 as the model says, 0 not at all; a missing factor counts as 1. */
export type Strength = Readonly<Partial<Record<Factor, number>>>;

/** Above this the latents leave what the renderer was trained on by far. */
export const MAX_STRENGTH = 2;

/** Colours of one run: long enough to keep the processor busy, short enough for a cancellation to be felt. */
const CHUNK = 4096;

/**
 * A copy of `latents` ([3, D] row-major) with each factor's row multiplied by its strength.
 * Throws InputError INPUT_LATENTS or INPUT_STRENGTH (a number from 0 to 2 is needed).
 */
export function scaleLatents(latents: Float32Array, strength: Strength, latentSize: number): Float32Array {
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
  for (const name of Object.keys(strength)) {
    if (!FACTORS.includes(name as Factor)) {
      throw new InputError(
        'INPUT_STRENGTH',
        `There is no factor ${JSON.stringify(name)}. Nothing was rendered.`,
        `Use ${FACTORS.join(', ')}.`,
      );
    }
  }
  const scaled = latents.slice();
  FACTORS.forEach((factor, i) => {
    const value = strength[factor] ?? 1;
    if (!(value >= 0 && value <= MAX_STRENGTH)) {
      throw new InputError(
        'INPUT_STRENGTH',
        `The strength of ${factor} is ${value}. Nothing was rendered.`,
        `Give a number from 0 (off) over 1 (as the model says) to ${MAX_STRENGTH}.`,
      );
    }
    for (let k = i * latentSize; k < (i + 1) * latentSize; k++) scaled[k] *= value;
  });
  return scaled;
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

/** The LUT of a retouch: the renderer evaluated at size^3 colours. Throws as renderColours does. */
export async function bakeLut(
  backend: Backend,
  renderer: Session,
  latents: Float32Array,
  size: number,
  signal?: AbortSignal,
): Promise<Lut3D> {
  return new Lut3D(size, await renderColours(backend, renderer, gridPoints(size), latents, signal));
}
