import { srgbToLinear } from '../../color/convert';
import { BANDS, bandOf, CENTRES, COLOURED, okPolar, turn } from './bandChange';
import { roundEven, type Pixels } from './change';

/** What faults of a photo are told by, as a number for each name. The same in Python: `measure.stats`, `faults.reading`. */
export type Readings = (name: string) => number;

/** Values of L* in order, at a share of the pixels. */
const SHARES: Readonly<Record<string, number>> = { p2: 0.02, p10: 0.1, median: 0.5, p90: 0.9, p98: 0.98 };
/** Of the whole picture: L* from p2 to p98, % of the pixels, mean chroma, mean a* and b* of near-neutral pixels. */
const OF_ALL = [...Object.keys(SHARES), 'range', 'clipped', 'crushed', 'chroma', 'neutral_a', 'neutral_b'];
/** Of the coloured pixels of a hue band: means; of hue, degrees from the band's centre towards the next band. */
const OF_BAND = ['chroma', 'lightness', 'offset'];
const CLIPPED = srgbToLinear(Math.fround(250 / 255));

/** Is it the name of a reading: of the whole ("median"), or of a hue band ("chroma.red")? */
export function isReading(name: string): boolean {
  return OF_ALL.includes(name) || OF_BAND.some((kind) => BANDS.some((band) => name === `${kind}.${band}`));
}

/** Measures a photo. Of a band without coloured pixels all readings are 0. */
export function readingsOf(photo: Pixels): Readings {
  const found = new Map<string, number>([...tones(photo), ...colours(photo), ...bands(photo)]);
  return (name) => found.get(name)!;
}

function tones({ count, linear, lightness }: Pixels): [string, number][] {
  const sorted = lightness.slice().sort();
  const at = (share: number): number => sorted[Math.min(count - 1, roundEven(share * (count - 1)))];
  let [clipped, crushed] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (lightness[i] <= 2) crushed++;
    const most = Math.max(linear[3 * i], linear[3 * i + 1], linear[3 * i + 2]);
    if (most >= CLIPPED && lightness[i] >= 85) clipped++;
  }
  return [
    ...Object.entries(SHARES).map(([name, share]): [string, number] => [name, at(share)]),
    ['range', at(SHARES['p98']) - at(SHARES['p2'])],
    ['clipped', (100 * clipped) / count],
    ['crushed', (100 * crushed) / count],
  ];
}

function colours(photo: Pixels): [string, number][] {
  const neutral = photo.neutral();
  const overNeutral = (values: Float64Array): number => neutral.reduce((sum, i) => sum + values[i], 0) / neutral.length;
  return [
    ['chroma', photo.chroma.reduce((sum, value) => sum + value, 0) / photo.count],
    ['neutral_a', overNeutral(photo.a)],
    ['neutral_b', overNeutral(photo.b)],
  ];
}

function bands({ count, linear, chroma, lightness }: Pixels): [string, number][] {
  /** Per band: pixels, then sums in the order of OF_BAND. */
  const sums = BANDS.map(() => [0, 0, 0, 0]);
  for (let i = 0; i < count; i++) {
    const [coloured, hue] = okPolar(linear[3 * i], linear[3 * i + 1], linear[3 * i + 2]);
    if (coloured < COLOURED) continue;
    const band = bandOf(hue);
    const sum = sums[band];
    sum[0]++;
    sum[1] += chroma[i];
    sum[2] += lightness[i];
    sum[3] += turn(hue - CENTRES[band]);
  }
  return sums.flatMap(([pixels, ...values], band) =>
    values.map((value, k): [string, number] => [`${OF_BAND[k]}.${BANDS[band]}`, value / Math.max(1, pixels)]),
  );
}
