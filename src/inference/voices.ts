import { InputError } from './errors';

/**
 * Which voice an answer is worded in: the same input always the same, another photo probably another. The same rule in
 * Python: `training/veraretouch/export/voices.py`.
 */

/** A photo counts as so many pixels, evenly apart, on either edge. */
export const VOICE_GRID = 8;
/** A pixel's channel counts in 16 levels: rounding of the preprocessing then seldom changes the voice. */
const LEVELS = 15;

/** 32-bit FNV-1a (Fowler, Noll and Vo), http://www.isthe.com/chongo/tech/comp/fnv. */
export function fnv1a(bytes: Iterable<number>): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** Number of the voice, below `count`, for a photo as the model sees it, [3, size, size] in [0, 1], and a trimmed text. */
export function voiceOfPhoto(pixels: Float32Array, size: number, text: string, count: number): number {
  const step = Math.floor(size / VOICE_GRID);
  const first = Math.floor(step / 2);
  const coarse = new Uint8Array(3 * VOICE_GRID * VOICE_GRID);
  for (let i = 0; i < coarse.length; i++) {
    const column = first + step * (i % VOICE_GRID);
    const row = first + step * (Math.floor(i / VOICE_GRID) % VOICE_GRID);
    const plane = Math.floor(i / (VOICE_GRID * VOICE_GRID));
    coarse[i] = nearest(pixels[(plane * size + row) * size + column], LEVELS);
  }
  return pick(coarse, text, count);
}

/** The same for the 38 parameters in [-1, 1], which count in hundredths. */
export function voiceOfParameters(values: Float32Array, count: number): number {
  return pick(
    Uint8Array.from(values, (value) => nearest(value, 100) + 128),
    '',
    count,
  );
}

/** A voice that a caller asks for. Throws InputError INPUT_VOICE where the model has none of that number. */
export function checkVoice(voice: number, count: number): number {
  if (Number.isInteger(voice) && voice >= 0 && voice < count) return voice;
  throw new InputError(
    'INPUT_VOICE',
    `Voice ${voice} was asked for; this model has ${count}. Nothing was retouched.`,
    count === 0 ? 'Leave the voice out.' : `Give a whole number from 0 to ${count - 1}, or leave it out.`,
  );
}

/** Computed as in Python, in single precision. */
function nearest(value: number, levels: number): number {
  return Math.floor(Math.fround(Math.fround(value * levels) + 0.5));
}

function pick(coarse: Uint8Array, text: string, count: number): number {
  return fnv1a([...coarse, ...new TextEncoder().encode(text)]) % count;
}
