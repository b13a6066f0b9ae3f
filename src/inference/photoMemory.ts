import type { Backend, Session } from './backend';
import { sha256 } from './bundle';
import { takeFloats } from './decoder';
import { throwIfCancelled } from './errors';
import type { Manifest } from './manifest';
import { photoValues } from './photoInput';
import type { RgbImage } from './preprocess';

/** What the vision graph made of a photo. */
export interface PhotoFeatures {
  /** [3 * size * size], kept only where another graph takes the photo too. */
  readonly pixels?: Float32Array | undefined;
  /** [imageTokens * hidden]. */
  readonly rows: Float32Array;
}

export interface SeeingParts {
  readonly backend: Backend;
  readonly manifest: Pick<Manifest, 'photoInput' | 'focus'>;
}

/** The features of the last photo, so that a second prompt on it does without the vision graph. */
export class PhotoMemory {
  private kept: { readonly key: string; readonly features: PhotoFeatures } | undefined;

  /** Tells photos apart by their content: a caller may draw into the same array again. */
  async keyOf({ width, height, data }: RgbImage): Promise<string> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return `${width} x ${height} x ${data.length} ${await sha256(bytes)}`;
  }

  get(key: string): PhotoFeatures | undefined {
    return this.kept?.key === key ? this.kept.features : undefined;
  }

  keep(key: string, features: PhotoFeatures): void {
    this.kept = { key, features };
  }

  clear(): void {
    this.kept = undefined;
  }
}

/** Scales and encodes a photo. Throws InputError, InferenceError, CancelledError. */
export async function seePhoto(
  { backend, manifest }: SeeingParts,
  vision: Session,
  photo: RgbImage,
  signal: AbortSignal | undefined,
): Promise<PhotoFeatures> {
  const { photoInput, focus } = manifest;
  const pixels = photoValues(photo, photoInput);
  throwIfCancelled(signal);
  const image = backend.floats(pixels, [1, 3, photoInput.size, photoInput.size]);
  const { image_tokens: rows } = await vision.run({ image }, ['image_tokens']);
  // The rows may lie in memory of the runtime's, which is not ours to keep.
  return { pixels: focus && pixels, rows: (await takeFloats(rows)).slice() };
}
