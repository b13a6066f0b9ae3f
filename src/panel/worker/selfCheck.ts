import { type Retoucher } from '../../inference';
import { parseChecksums, sha256 } from '../../inference/bundle';
import { bytesOfBase64 } from './assets';
import { type SelfCheck } from './protocol';

/** A cosine below this, or a colour further off, is not rounding: the device computes something else. */
export const LEAST_COSINE = 0.99;
export const MOST_COLOUR = 0.02;
/** Two words may be about as likely, and the device's rounding decides; a device that is wrong agrees on next to none. */
export const LEAST_WORDS = 0.5;

/** The case of parity.json that is compared: what PyTorch gave for one photo. */
export interface Golden {
  readonly photo: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  /** Of the whole answer: a device is not wrong that finds another word as likely. */
  readonly words: readonly number[];
  /** Were the words given, and not chosen by the model? */
  readonly given: boolean;
  /** In which it is worded, in a bundle that has voices. */
  readonly voice?: number | undefined;
  readonly latents: Float32Array;
  readonly colours: Float32Array;
  readonly rendered: Float32Array;
}

interface ParityCase {
  readonly mode: string;
  readonly given?: boolean;
  readonly voice?: number;
  readonly image?: { readonly width: number; readonly height: number; readonly rgbBase64: string };
  readonly tokens: readonly number[];
  readonly latents: readonly number[];
  readonly render: readonly { readonly rgb: readonly number[]; readonly out: readonly number[] }[];
}

/** The shortest answer to a photo in parity.json; undefined where the bundle has none, or not the one it lists. */
export async function readGolden(read: (name: string) => Promise<Uint8Array>): Promise<Golden | undefined> {
  let bytes: Uint8Array;
  try {
    const listed = parseChecksums(new TextDecoder().decode(await read('SHA256SUMS'))).get('parity.json');
    if (listed === undefined) return undefined;
    bytes = await read('parity.json');
    if ((await sha256(bytes)) !== listed) return undefined;
  } catch {
    return undefined;
  }
  const { cases } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly cases: readonly ParityCase[] };
  const photos = cases.filter((item) => item.mode === 'auto' && item.image);
  photos.sort((a, b) => a.tokens.length - b.tokens.length);
  const found = photos.at(0);
  if (!found?.image) return undefined;
  const { width, height, rgbBase64 } = found.image;
  return {
    words: found.tokens,
    given: found.given === true,
    voice: found.voice,
    photo: { width, height, data: bytesOfBase64(rgbBase64) },
    latents: Float32Array.from(found.latents),
    colours: Float32Array.from(found.render.flatMap(({ rgb }) => rgb)),
    rendered: Float32Array.from(found.render.flatMap(({ out }) => out)),
  };
}

/**
 * Runs every kind of graph that a photo goes through, the decoder with its cache above all, and compares. It also loads
 * them and has the GPU compile its programs, so the first click does not wait for that.
 */
export async function compareWithGolden(retoucher: Retoucher, golden: Golden, signal: AbortSignal): Promise<SelfCheck> {
  const started = performance.now();
  const { words, voice } = golden;
  const { latents, agreed } = await retoucher.auto(golden.photo, { signal, words, voice });
  const rendered = await retoucher.renderColours(golden.colours, golden.latents, { signal });
  return {
    kind: 'compared',
    cosine: cosine(latents, golden.latents),
    colours: rendered.reduce((most, value, i) => Math.max(most, Math.abs(value - golden.rendered[i])), 0),
    // Where the picture comes first it does not tell whether the words behind it would be right.
    words: retoucher.capabilities.pictureFirst && !golden.given ? agreed : undefined,
    milliseconds: performance.now() - started,
  };
}

export function isRight(check: SelfCheck): boolean {
  // Written so that a NaN is wrong.
  if (check.kind === 'none') return true;
  const { cosine: like, colours, words = 1 } = check;
  return like >= LEAST_COSINE && colours <= MOST_COLOUR && words >= LEAST_WORDS;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return aa === 0 && bb === 0 ? 1 : ab / Math.sqrt(aa * bb);
}
