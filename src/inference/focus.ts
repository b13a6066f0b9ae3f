import type { Backend, Session } from './backend';
import { takeFloats, type Focus } from './decoder';
import { InferenceError } from './errors';
import type { Dimensions, Manifest } from './manifest';

/** The rows [3, hidden] of a photo that stand for the factors; `imageRows` is [imageTokens, hidden]. */
function ownRows({ focus, dimensions }: Pick<Manifest, 'focus' | 'dimensions'>, imageRows: Float32Array): Float32Array {
  const first = focus!.imageRow * dimensions.hidden;
  return imageRows.subarray(first, first + 3 * dimensions.hidden);
}

/** What an answer about a photo alone turns to; undefined for a bundle without such rows. */
export function focusOnPhoto(manifest: Manifest, imageRows: Float32Array): Focus | undefined {
  if (!manifest.focus) return undefined;
  const own = ownRows(manifest, imageRows);
  return { image: own, plan: own };
}

/** What an answer about sliders turns to: `paramRows` is [3, hidden]. */
export function focusOnSliders(manifest: Manifest, paramRows: Float32Array): Focus | undefined {
  return manifest.focus && { plan: paramRows };
}

/**
 * What an answer about a style turns to: the plan's rows come from the style's words [S, hidden] and the photo.
 * Throws InferenceError when the graph gives another size.
 */
export async function focusOnStyle(
  manifest: Manifest,
  backend: Backend,
  style: Session,
  words: Float32Array,
  imageRows: Float32Array,
): Promise<Focus> {
  const { hidden, imageTokens }: Dimensions = manifest.dimensions;
  const feeds = {
    embeds: backend.floats(words, [1, words.length / hidden, hidden]),
    image_tokens: backend.floats(imageRows, [1, imageTokens, hidden]),
  };
  const { style_tokens: tokens } = await style.run(feeds, ['style_tokens']);
  const plan = await takeFloats(tokens);
  if (plan.length !== 3 * hidden) {
    throw new InferenceError(
      `The encoding of the style has ${plan.length} values where bundle.json's dimensions say ${3 * hidden}. ` +
        'No result was produced.',
      'Get the bundle again, or export it anew.',
    );
  }
  return { image: ownRows(manifest, imageRows), plan };
}
