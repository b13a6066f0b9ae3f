import { roundEven } from './change';
import type { Readings } from './readings';

/** How a figure is rounded: to the nearest five, as a percentage, or as a size of at least 1. */
export const ROUNDINGS = ['five', 'percent', 'size'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/** One way to speak of a fault. `{word}` in a text is the place of a degree, `{n}` and `{m}` are those of figures. */
export interface Said {
  readonly texts: readonly string[];
  /** Readings of the figures, with what each is rounded to. */
  readonly figures: readonly (readonly [reading: string, rounding: Rounding])[];
  /** The first word whose limit the size of a reading is below; the last word has none. */
  readonly degrees?: { readonly of: string; readonly below: readonly number[]; readonly words: readonly string[] };
  /** So only of a photo with a reading above a limit. */
  readonly above?: readonly [reading: string, limit: number];
}

/** A fault of a photo: when it has it, and its words. The same in Python: `training/veraretouch/reasoning/faults.py`. */
export interface Fault {
  /** Any of these says so: sign * reading > sign * limit. */
  readonly shown: readonly (readonly [reading: string, sign: number, limit: number])[];
  /** Above this detail is lost, which counts whether or not a plan can bring it back. */
  readonly lost?: readonly [reading: string, limit: number];
  /** Of these the first that fits the photo is taken. */
  readonly said: readonly Said[];
}

const toFive = (value: number): number => 5 * roundEven(value / 5);
const ROUND: Readonly<Record<Rounding, (value: number) => number>> = {
  five: toFive,
  percent: (value) => Math.max(1, value < 10 ? roundEven(value) : toFive(value)),
  size: (value) => Math.max(1, roundEven(Math.abs(value))),
};

/** Texts with the photo's own degree and figures in their places. */
export function filled({ texts, figures, degrees }: Said, photo: Readings): string[] {
  const size = degrees && Math.abs(photo(degrees.of));
  const word = degrees?.words[degrees.below.filter((limit) => size! >= limit).length] ?? '';
  const [n, m] = figures.map(([reading, rounding]) => String(ROUND[rounding](photo(reading))));
  return texts.map((text) => text.replace('{word}', word).replace('{n}', n).replace('{m}', m));
}

/** Every wording of a fault, whether or not the photo shows it. */
export function faultTexts({ said }: Fault, photo: Readings): string[] {
  const fits = said.find(({ above }) => !above || photo(above[0]) > above[1]);
  return fits ? filled(fits, photo) : [];
}

export function isShown({ shown }: Fault, photo: Readings): boolean {
  return shown.some(([reading, sign, limit]) => sign * photo(reading) > sign * limit);
}

export function isLost({ lost }: Fault, photo: Readings): boolean {
  return lost !== undefined && photo(lost[0]) > lost[1];
}
