import { type ColorFunction, deltaE2000, Lut3D, type Triple } from '../../../src/color';
import {
  bakeGrey,
  bakeInSpace,
  type ColorSpace,
  type GreySpace,
  KNOWN_SPACES,
  type KnownSpace,
  makeTransfer,
  parseProfile,
  retouchInSpace,
  type RgbSpace,
  writeMatrixProfile,
} from '../../../src/color/icc';
import { randomSource } from '../reference';
import {
  describedByPillow,
  findLittleCms,
  type MadeProfile,
  profilesFrom,
  type ProfileSpec,
  transformAll,
  transformBy,
} from './littleCms';
import { look } from './retouches';

/*
 * Colour management held against LittleCMS. What is compared is the whole road: a document's numbers through our LUT,
 * and the same numbers through LittleCMS to sRGB, the retouch, and LittleCMS back.
 */
const { available } = findLittleCms();
const compared = available ? test : test.skip;
const why = available ? '' : ' (skipped: no LittleCMS library beside Pillow or in the system)';

const NAMES = Object.keys(KNOWN_SPACES) as KnownSpace[];
const COLOURS = 1500;

function colours(seed: number, count: number): Float64Array {
  const random = randomSource(seed);
  return Float64Array.from({ length: count }, random);
}

/** Encoded values -> XYZ, by our reading of a profile. */
function toXyz(space: ColorSpace, values: Float64Array): number[] {
  if (space.kind === 'grey') {
    const curve = makeTransfer(space.curve)!;
    return Array.from(values, (value) => [0.9642, 1, 0.8249].map((white) => white * curve.toLinear(value))).flat();
  }
  const curves = space.curves.map((curve) => makeTransfer(curve)!);
  return inThrees(values).flatMap((color) => {
    const linear = color.map((value, i) => curves[i].toLinear(value));
    return space.toXyz.map((row) => row.reduce((sum, weight, i) => sum + weight * linear[i], 0));
  });
}

function inThrees(values: Float64Array): Triple[] {
  return Array.from({ length: values.length / 3 }, (_, i) => [values[3 * i], values[3 * i + 1], values[3 * i + 2]]);
}

function throughFunction(values: Float64Array, fn: ColorFunction): Float64Array {
  return Float64Array.from(inThrees(values).flatMap((color) => [...fn(...color)]));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

/** CIEDE2000 between colours of a document: mean and largest. */
function difference(profile: ProfileSpec, from: 'rgb' | 'grey', one: Float64Array, other: Float64Array) {
  const [first, second] = transformAll(
    [one, other].map((values) => ({ profiles: [profile, 'lab'], from, to: 'lab', values })),
  ).map(inThrees);
  const all = first.map((lab, i) => deltaE2000(lab, second[i]));
  return { mean: all.reduce((sum, value) => sum + value, 0) / all.length, largest: Math.max(...all) };
}

/** What LittleCMS is told to make each of the spaces from: chromaticities and curve as their standards print them. */
const SRGB_CURVE = { type: 3, curve: [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045] };
const D65 = [0.3127, 0.329] as const;
const made = (primaries: [number, number][], rest: Omit<MadeProfile, 'primaries'>): MadeProfile => ({
  primaries,
  ...rest,
});
const MADE: Record<KnownSpace, MadeProfile> = {
  srgb: made(
    [
      [0.64, 0.33],
      [0.3, 0.6],
      [0.15, 0.06],
    ],
    { white: D65, ...SRGB_CURVE },
  ),
  'display-p3': made(
    [
      [0.68, 0.32],
      [0.265, 0.69],
      [0.15, 0.06],
    ],
    { white: D65, ...SRGB_CURVE },
  ),
  'adobe-rgb': made(
    [
      [0.64, 0.33],
      [0.21, 0.71],
      [0.15, 0.06],
    ],
    { white: D65, type: 0, curve: [2.19921875] },
  ),
  'prophoto-rgb': made(
    [
      [0.7347, 0.2653],
      [0.1596, 0.8404],
      [0.0366, 0.0001],
    ],
    {
      white: [0.3457, 0.3585],
      type: 3,
      curve: [1.8, 1, 0, 0.0625, 0.03125],
    },
  ),
};
const GREY: GreySpace = { kind: 'grey', curve: { kind: 'gamma', gamma: 2.2 } };

compared(`what LittleCMS makes is read as LittleCMS means it, and recognised${why}`, () => {
  const specs = [...NAMES.map((name) => MADE[name]), 'srgb'] as const;
  const profiles = profilesFrom([...specs.map((save) => ({ save })), { pillowMakes: 'sRGB' as const }]);
  const read = profiles.map((bytes) => parseProfile(bytes) as { space: RgbSpace; known: KnownSpace });
  expect(read.map(({ known }) => known)).toEqual([...NAMES, 'srgb', 'srgb']);
  read.forEach(({ space, known }) => {
    expect(largestDifference(space.toXyz.flat(), KNOWN_SPACES[known].toXyz.flat())).toBeLessThan(2e-4);
  });
  const values = colours(1, 3 * COLOURS);
  const theirs = transformAll(profiles.map((bytes) => ({ profiles: [bytes, 'xyz'], from: 'rgb', to: 'xyz', values })));
  read.forEach(({ space }, i) => {
    expect(largestDifference(toXyz(space, values), theirs[i])).toBeLessThan(1e-4);
  });
});

compared(`what we write is accepted, and means the same to LittleCMS${why}`, () => {
  const spaces: ColorSpace[] = [...NAMES.map((name) => KNOWN_SPACES[name]), GREY];
  const written = spaces.flatMap((space) =>
    ([2, 4] as const).map((version) => ({
      space,
      version,
      bytes: writeMatrixProfile(space, { version, description: `Naïve ${version}` }),
    })),
  );
  expect(describedByPillow(written.map(({ bytes }) => bytes))).toEqual(
    written.map(({ version }) => (version === 2 ? 'Na?ve 2' : 'Naïve 4')),
  );
  const tasks = written.map(({ space, bytes }) => ({
    profiles: [bytes, 'xyz' as const],
    from: space.kind === 'rgb' ? ('rgb' as const) : ('grey' as const),
    to: 'xyz' as const,
    values: colours(2, 3 * COLOURS),
  }));
  transformAll(tasks).forEach((theirs, i) => {
    // The constants themselves, and what is read back.
    expect(largestDifference(toXyz(spaces[i >> 1], tasks[i].values), theirs)).toBeLessThan(1e-4);
    expect(largestDifference(toXyz(parseProfile(written[i].bytes).space, tasks[i].values), theirs)).toBeLessThan(1e-4);
  });
});

compared.each(NAMES)(
  `%s: the LUT in the document's space is the long way${why}`,
  (name) => {
    const document = MADE[name];
    const [bytes] = profilesFrom([{ save: document }]);
    const { space } = parseProfile(bytes) as { space: RgbSpace };
    // Colours that sRGB has.
    const inDocument = transformBy(['srgb', document], 'rgb', 'rgb', colours(3, 3 * COLOURS));
    const inSrgb = transformBy([document, 'srgb'], 'rgb', 'rgb', inDocument);
    // As the product has it: the retouch is a LUT in sRGB.
    const retouch = Lut3D.bake(33, look);
    const inLongWay = throughFunction(inSrgb, (r, g, b) => retouch.sample(r, g, b));
    const longWay = transformBy(['srgb', document], 'rgb', 'rgb', inLongWay);
    // The function without the grid differs by LittleCMS' 32-bit floats only.
    const exact = throughFunction(inDocument, retouchInSpace(space, retouch));
    expect(difference(document, 'rgb', exact, longWay).largest).toBeLessThanOrEqual(0.01);
    const lut = bakeInSpace(space, retouch, 33);
    const ours = throughFunction(inDocument, (r, g, b) => lut.sample(r, g, b));
    expect(difference(document, 'rgb', ours, longWay).mean).toBeLessThanOrEqual(0.5);
  },
  300000,
);

compared(`grey: the curve is the long way${why}`, () => {
  const document: MadeProfile = { white: [0.3457, 0.3585], type: 0, curve: [2.2] };
  const [bytes] = profilesFrom([{ save: document }]);
  const { space } = parseProfile(bytes) as { space: GreySpace };
  const curve = bakeGrey(space, look, 256);
  const values = Float64Array.from(curve, (_, i) => i / 255);
  const inSrgb = transformBy([document, 'srgb'], 'grey', 'rgb', values);
  const longWay = transformBy(['srgb', document], 'rgb', 'grey', throughFunction(inSrgb, look));
  expect(difference(document, 'grey', Float64Array.from(curve), longWay).largest).toBeLessThanOrEqual(0.5);
});
