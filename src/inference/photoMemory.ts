import type { Backend, Session } from './backend';
import { sha256 } from './bundle';
import { takeFloats } from './decoder';
import { throwIfCancelled } from './errors';
import type { Graphs } from './graphs';
import type { Manifest } from './manifest';
import { photoValues } from './photoInput';
import type { RgbImage } from './preprocess';

/** What the vision graph made of a photo. */
export interface PhotoFeatures {
  /** [3 * size * size], kept only where another graph takes the photo too, or the voice or what may be said follows from it. */
  readonly pixels?: Float32Array | undefined;
  /** [imageTokens * hidden]. */
  readonly rows: Float32Array;
}

/** A look at a photo: its features, and milliseconds. */
export interface Look extends PhotoFeatures {
  /** Spent on the vision graph, and on telling the photo from others before it; 0 for a photo that is known. */
  readonly visionMs: number;
  /** Spent on finding that a photo is known. */
  readonly recallMs: number;
}

export interface SeeingParts {
  readonly backend: Backend;
  readonly manifest: Pick<Manifest, 'photoInput' | 'focus' | 'voices' | 'wordingFile'>;
}

/** The features of the last photo, so that a second prompt on it does without the vision graph. */
export class PhotoMemory {
  private kept: { readonly key: string; readonly features: PhotoFeatures } | undefined;

  /**
   * The features of a photo: those that are kept, else the vision graph's, which is loaded for it. Throws InputError,
   * BundleError, InferenceError, CancelledError.
   */
  async look(
    parts: SeeingParts & { readonly graphs: Pick<Graphs, 'get' | 'visionIsDone'> },
    photo: RgbImage,
    signal: AbortSignal | undefined,
  ): Promise<Look> {
    const started = performance.now();
    const key = await this.keyOf(photo);
    const recallMs = performance.now() - started;
    if (this.kept?.key === key) return { ...this.kept.features, visionMs: 0, recallMs };
    const vision = await parts.graphs.get('vision', signal);
    const seeing = performance.now();
    const features = await seePhoto(parts, vision, photo, signal);
    const visionMs = recallMs + performance.now() - seeing;
    await parts.graphs.visionIsDone();
    this.kept = { key, features };
    return { ...features, visionMs, recallMs: 0 };
  }

  /** Tells photos apart by their content: a caller may draw into the same array again. */
  private async keyOf({ width, height, data }: RgbImage): Promise<string> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return `${width} x ${height} x ${data.length} ${await sha256(bytes)}`;
  }

  clear(): void {
    this.kept = undefined;
  }
}

/** Scales and encodes a photo. Throws InputError, InferenceError, CancelledError. */
async function seePhoto(
  { backend, manifest }: SeeingParts,
  vision: Session,
  photo: RgbImage,
  signal: AbortSignal | undefined,
): Promise<PhotoFeatures> {
  const { photoInput, focus, voices, wordingFile } = manifest;
  const pixels = photoValues(photo, photoInput);
  throwIfCancelled(signal);
  const image = backend.floats(pixels, [1, 3, photoInput.size, photoInput.size]);
  const { image_tokens: rows } = await vision.run({ image }, ['image_tokens']);
  // The rows may lie in memory of the runtime's, which is not ours to keep.
  return {
    pixels: focus || voices.length > 0 || wordingFile !== undefined ? pixels : undefined,
    rows: (await takeFloats(rows)).slice(),
  };
}
