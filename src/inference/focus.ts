import type { Backend, Session, Tensor } from './backend';
import { takeFloats } from './decoder';
import { InferenceError, throwIfCancelled } from './errors';
import type { Manifest } from './manifest';

/** What an answer turns to, factor by factor. */
export interface Focus {
  /** [3, hidden]: what shall be done, as the adaptor takes it. */
  readonly plan: Float32Array;
  /** [9, hidden]: what is added where the three problems open, where the three plans open, where latents are read. */
  readonly rows: Float32Array;
}

export interface PhotoFocusParts {
  readonly manifest: Pick<Manifest, 'focus' | 'dimensions'>;
  readonly backend: Backend;
  /** What the plan does to the photo. */
  readonly effect: Session;
  readonly signal: AbortSignal | undefined;
}

export interface SeenPhoto {
  /** [1, 3, size, size]. */
  readonly pixels: Tensor;
  /** [imageTokens, hidden]. */
  readonly rows: Float32Array;
}

/** A style in words. */
export interface StyleWords {
  readonly style: Session;
  /** [S, hidden]. */
  readonly embeds: Float32Array;
}

/** Of sliders [3, hidden]: they come without a photo, so their plan is written by what shall be done. */
export function focusOnSliders({ focus }: Pick<Manifest, 'focus'>, plan: Float32Array): Focus | undefined {
  return focus && { plan, rows: concatenate(new Float32Array(plan.length), plan, plan) };
}

/**
 * Of a photo, for a style or without: a problem is what the photo is and what it lacks, a plan describes what comes of it.
 * Throws InferenceError when a graph gives another size, CancelledError.
 */
export async function focusOnPhoto(parts: PhotoFocusParts, photo: SeenPhoto, words?: StyleWords): Promise<Focus> {
  const { manifest, backend, effect } = parts;
  const { hidden } = manifest.dimensions;
  const first = manifest.focus!.imageRow * hidden;
  const own = photo.rows.subarray(first, first + 3 * hidden);
  const plan = words ? await planOfStyle(parts, photo, words) : own;
  throwIfCancelled(parts.signal);
  const feeds = { image: photo.pixels, plan: backend.floats(plan, [1, 3, hidden]) };
  const { effect_tokens: tokens } = await effect.run(feeds, ['effect_tokens']);
  const effects = checked(await takeFloats(tokens), 3 * hidden, 'effect');
  const problems = own.map((value, i) => value + effects[i]);
  return { plan, rows: concatenate(problems, effects, plan) };
}

async function planOfStyle(
  { manifest, backend }: PhotoFocusParts,
  photo: SeenPhoto,
  { style, embeds }: StyleWords,
): Promise<Float32Array> {
  const { hidden, imageTokens } = manifest.dimensions;
  const feeds = {
    embeds: backend.floats(embeds, [1, embeds.length / hidden, hidden]),
    image_tokens: backend.floats(photo.rows, [1, imageTokens, hidden]),
  };
  const { style_tokens: tokens } = await style.run(feeds, ['style_tokens']);
  return checked(await takeFloats(tokens), 3 * hidden, 'style');
}

function checked(values: Float32Array, expected: number, what: string): Float32Array {
  if (values.length === expected) return values;
  throw new InferenceError(
    `The encoding of the ${what} has ${values.length} values where bundle.json's dimensions say ${expected}. ` +
      'No result was produced.',
    'Get the bundle again, or export it anew.',
  );
}

function concatenate(...parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
