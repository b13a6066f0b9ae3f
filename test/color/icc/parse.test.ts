import { VeraRetouchError } from '../../../src/color';
import {
  type Curve,
  IccError,
  KNOWN_SPACES,
  type KnownSpace,
  makeTransfer,
  parseProfile,
  type RgbSpace,
  writeMatrixProfile,
} from '../../../src/color/icc';
import { TagTable } from '../../../src/color/icc/container';
import { curv, LINEAR, matrixTags, para, rawProfile, type RawProfile, xyz } from './rawProfile';

/** The code of the IccError that reading must throw. */
function refusal(bytes: Uint8Array): string {
  try {
    parseProfile(bytes);
  } catch (error) {
    if (error instanceof IccError && error.hint !== undefined) return error.code;
    throw error;
  }
  return 'was accepted';
}

function rgb(bytes: Uint8Array): { space: RgbSpace; known: KnownSpace | undefined } {
  const profile = parseProfile(bytes);
  if (profile.space.kind !== 'rgb') throw new Error('not RGB');
  return profile as { space: RgbSpace; known: KnownSpace | undefined };
}

const toLinear = (curve: Curve, x: number): number => makeTransfer(curve)!.toLinear(x);

test('a table of tags is as long as the bytes at most', () => {
  const table = (length: number, count: number): TagTable => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(128, count);
    return new TagTable(bytes);
  };
  // A header of 128 bytes, the count in 4, and 12 for each tag.
  table(132 + 36, 3);
  for (const length of [132 + 35, 132 + 32, 132 + 25]) {
    expect(() => table(length, 3)).toThrow(expect.objectContaining({ code: 'ICC_TRUNCATED' }));
  }
});

describe('what can be read', () => {
  test('matrix: white lands on D50, the rest stays within rounding', () => {
    const { space } = rgb(rawProfile({ tags: matrixTags() }));
    [0.9642, 1, 0.8249].forEach((white, i) => {
      expect(space.toXyz[i][0] + space.toXyz[i][1] + space.toXyz[i][2]).toBeCloseTo(white, 12);
    });
    expect(Math.abs(space.toXyz[0][0] - 0.43607)).toBeLessThan(3e-4);
    expect(Math.abs(space.toXyz[2][2] - 0.7141)).toBeLessThan(3e-4);
  });

  test('a white that is not D50 on purpose stays', () => {
    const tags = matrixTags();
    tags[2] = ['bXYZ', xyz(0.18, 0.072, 0.95)];
    const { space } = rgb(rawProfile({ tags }));
    expect(space.toXyz[2][2]).toBeCloseTo(0.95, 4);
  });

  test.each<[string, Buffer, (x: number) => number]>([
    ['curv, no entry', curv([]), (x) => x],
    ['curv, gamma 1.5', curv([0x180]), (x) => x ** 1.5],
    ['curv, three entries', curv([0, 16384, 65535]), (x) => (x < 0.5 ? x / 2 : 0.25 + (x - 0.5) * 1.5)],
    ['para 0', para(0, [1.5]), (x) => x ** 1.5],
    ['para 1', para(1, [2, 1.25, -0.25]), (x) => Math.max(0, 1.25 * x - 0.25) ** 2],
    ['para 2', para(2, [2, 1, -0.25, 0.125]), (x) => Math.max(0, x - 0.25) ** 2 + 0.125],
    ['para 3', para(3, [2, 0.75, 0.25, 0.5, 0.25]), (x) => (x >= 0.25 ? (0.75 * x + 0.25) ** 2 : x / 2)],
    [
      'para 4',
      para(4, [2, 0.75, 0.125, 0.25, 0.25, 0.125, 0.0625]),
      (x) => (x >= 0.25 ? (0.75 * x + 0.125) ** 2 + 0.125 : 0.25 * x + 0.0625),
    ],
  ])('%s', (_name, data, expected) => {
    const { space } = rgb(rawProfile({ tags: matrixTags(data) }));
    const transfer = makeTransfer(space.curves[1])!;
    for (let x = 0; x <= 1; x += 1 / 64) {
      const y = transfer.toLinear(x);
      expect(Math.abs(y - Math.min(1, expected(x)))).toBeLessThan(3e-5);
      // Level stretches and ends beyond [0,1] have no one way back.
      expect(Math.abs(transfer.toLinear(transfer.fromLinear(y)) - y)).toBeLessThan(3e-6);
    }
  });

  test('each channel has its own curve; tags may share data', () => {
    const { space } = rgb(rawProfile({ version: 2, tags: matrixTags([curv([0x180]), curv([0x200]), LINEAR]) }));
    expect(space.curves.map((curve) => toLinear(curve, 0.25))).toEqual([0.125, 0.0625, 0.25]);
    const shared = { offset: 128 + 4 + 12 * 6 + 60, size: 12 };
    const tags: RawProfile['tags'] = [...matrixTags().slice(0, 4), ['gTRC', shared], ['bTRC', shared]];
    expect(rgb(rawProfile({ tags })).space.curves[2]).toEqual({ kind: 'gamma', gamma: 1 });
  });

  test('grey', () => {
    const { space } = parseProfile(rawProfile({ colorSpace: 'GRAY', tags: [['kTRC', curv([0x200])]] }));
    expect(space).toEqual({ kind: 'grey', curve: { kind: 'gamma', gamma: 2 } });
  });

  test('bytes after the end, unneeded tags that point nowhere, and a view into a larger buffer', () => {
    const bytes = rawProfile({ tags: [...matrixTags(), ['zzzz', { offset: 2 ** 31, size: 2 ** 31 }]] });
    const padded = new Uint8Array(bytes.length + 300).fill(255);
    padded.set(bytes, 100);
    expect(rgb(padded.subarray(100)).space).toEqual(rgb(bytes).space);
  });

  test('curves that stay level or jump have a way back that stays near', () => {
    for (const data of [curv([0, 0, 0, 9000, 9000, 65535]), para(4, [2.4, 0.9, 0.1, 0, 0.1, 0, 0])]) {
      const transfer = makeTransfer(rgb(rawProfile({ tags: matrixTags(data) })).space.curves[0])!;
      for (let x = 0; x <= 1; x += 1 / 128) {
        expect(Math.abs(transfer.fromLinear(transfer.toLinear(x)) - x)).toBeLessThan(1e-4);
      }
    }
  });
});

test.each([2, 4] as const)('written in version %i, numbers take four bytes each and no more', (version) => {
  const bytes = Buffer.from(writeMatrixProfile(KNOWN_SPACES['display-p3'], { version }));
  // The tag table (ICC.1, 7.3); readers take the count of numbers in `chad` from its length.
  const sizes = new Map(
    Array.from({ length: bytes.readUInt32BE(128) }, (_, i) => {
      const at = 132 + 12 * i;
      return [bytes.toString('latin1', at, at + 4), bytes.readUInt32BE(at + 8)];
    }),
  );
  for (const name of ['wtpt', 'rXYZ', 'gXYZ', 'bXYZ']) expect([name, sizes.get(name)]).toEqual([name, 8 + 3 * 4]);
  expect(sizes.get('chad')).toBe(8 + 9 * 4);
});

describe('recognition, by content', () => {
  const names = Object.keys(KNOWN_SPACES) as KnownSpace[];

  test.each(names.flatMap((name) => [[name, 2] as const, [name, 4] as const]))('%s, version %i', (name, version) => {
    expect(rgb(writeMatrixProfile(KNOWN_SPACES[name], { version, description: 'another name' })).known).toBe(name);
  });

  test('ProPhoto with a pure gamma 1.8, as it is sold', () => {
    const curve: Curve = { kind: 'gamma', gamma: 461 / 256 };
    const space: RgbSpace = { ...KNOWN_SPACES['prophoto-rgb'], curves: [curve, curve, curve] };
    expect(rgb(writeMatrixProfile(space)).known).toBe('prophoto-rgb');
  });

  test('sRGB primaries alone do not make sRGB, nor does its curve alone', () => {
    expect(rgb(rawProfile({ tags: matrixTags(curv([0x233])) })).known).toBeUndefined();
    const swapped: RgbSpace = { ...KNOWN_SPACES['adobe-rgb'], curves: KNOWN_SPACES.srgb.curves };
    expect(rgb(writeMatrixProfile(swapped, { version: 4 })).known).toBeUndefined();
  });
});

describe('what is refused', () => {
  const tags = matrixTags();
  const [data] = [rawProfile({ tags })];
  const without = (name: string): RawProfile['tags'] => tags.filter(([tag]) => tag !== name);
  const withTag = (name: string, content: Buffer | { offset: number; size: number }): Uint8Array =>
    rawProfile({ tags: [...without(name)!, [name, content]] });

  test.each<[string, string, Uint8Array]>([
    ['no bytes', 'ICC_TRUNCATED', new Uint8Array(0)],
    ['no header', 'ICC_TRUNCATED', data.subarray(0, 131)],
    ['end missing', 'ICC_TRUNCATED', data.subarray(0, -1)],
    ['another format', 'ICC_INVALID', new Uint8Array(4096).fill(0x20)],
    ['length below the header', 'ICC_INVALID', rawProfile({ tags, length: 100 })],
    ['length beyond the end', 'ICC_TRUNCATED', rawProfile({ tags, length: 2 ** 32 - 1 })],
    ['too large', 'ICC_TOO_LARGE', new Uint8Array(64 * 1024 * 1024 + 1)],
    ['version 1', 'ICC_VERSION', rawProfile({ tags, version: 1 })],
    ['version 5', 'ICC_VERSION', rawProfile({ tags, version: 5 })],
    ['device link', 'ICC_CLASS', rawProfile({ tags, deviceClass: 'link', connectionSpace: 'RGB ' })],
    ['named colours', 'ICC_CLASS', rawProfile({ tags, deviceClass: 'nmcl' })],
    ['CMYK', 'ICC_COLOR_SPACE', rawProfile({ tags, colorSpace: 'CMYK', deviceClass: 'prtr', connectionSpace: 'Lab ' })],
    ['Lab', 'ICC_COLOR_SPACE', rawProfile({ tags, colorSpace: 'Lab ', deviceClass: 'spac' })],
    ['tables', 'ICC_LUT_BASED', rawProfile({ tags: [...tags, ['A2B0', LINEAR]], connectionSpace: 'Lab ' })],
    ['Lab as connection', 'ICC_CONNECTION_SPACE', rawProfile({ tags, connectionSpace: 'Lab ' })],
    ['giant tag count', 'ICC_TRUNCATED', rawProfile({ tags, count: 2 ** 32 - 1 })],
    ['no red', 'ICC_INVALID', rawProfile({ tags: without('rXYZ')! })],
    ['no curve', 'ICC_INVALID', rawProfile({ tags: without('bTRC')! })],
    ['no grey curve', 'ICC_INVALID', rawProfile({ colorSpace: 'GRAY', tags })],
    ['tag beyond the end', 'ICC_TRUNCATED', withTag('gTRC', { offset: data.length - 4, size: 12 })],
    ['tag far beyond the end', 'ICC_TRUNCATED', withTag('gTRC', { offset: 2 ** 32 - 1, size: 2 ** 32 - 1 })],
    ['tag inside the header', 'ICC_INVALID', withTag('gTRC', { offset: 64, size: 12 })],
    ['tag inside the table', 'ICC_INVALID', withTag('gTRC', { offset: 140, size: 12 })],
    ['overlapping tags', 'ICC_INVALID', withTag('gTRC', { offset: data.length - 40, size: 20 })],
    ['tag listed twice', 'ICC_INVALID', rawProfile({ tags: [...tags, ['rXYZ', xyz(1, 1, 1)]] })],
    ['primary of another type', 'ICC_INVALID', withTag('rXYZ', para(4, [1, 1, 1, 1, 1, 1, 1]))],
    ['primary cut short', 'ICC_TRUNCATED', withTag('rXYZ', xyz(1, 1, 1).subarray(0, 16))],
    ['primary out of this world', 'ICC_INVALID', withTag('rXYZ', xyz(30000, 1, 1))],
    ['two equal primaries', 'ICC_INVALID', withTag('rXYZ', xyz(0.38515, 0.71687, 0.09708))],
    ['curve of another type', 'ICC_INVALID', withTag('rTRC', xyz(1, 1, 1))],
    ['curve without count', 'ICC_TRUNCATED', withTag('rTRC', LINEAR.subarray(0, 11))],
    ['giant curve', 'ICC_TRUNCATED', withTag('rTRC', curv([0, 65535], 2 ** 32 - 1))],
    ['curve with one entry too few', 'ICC_TRUNCATED', withTag('rTRC', curv([0, 65535], 3))],
    ['curve longer than its numbers justify', 'ICC_TOO_LARGE', withTag('rTRC', curv(Array<number>(65537).fill(9)))],
    ['gamma 0', 'ICC_INVALID', withTag('rTRC', curv([0]))],
    ['falling curve', 'ICC_INVALID', withTag('rTRC', curv([65535, 0]))],
    ['level curve', 'ICC_INVALID', withTag('rTRC', curv([500, 500, 500]))],
    ['unknown function', 'ICC_INVALID', withTag('rTRC', para(5, [1, 1, 1, 1, 1, 1, 1]))],
    ['function without parameters', 'ICC_TRUNCATED', withTag('rTRC', para(4, [1, 1]))],
    ['function that falls', 'ICC_INVALID', withTag('rTRC', para(3, [-1, 1, 0.5, 1, 0]))],
    ['function that divides by 0', 'ICC_INVALID', withTag('rTRC', para(1, [2, 0, 0]))],
  ])('%s: %s', (_name, code, bytes) => {
    expect(refusal(bytes)).toBe(code);
  });

  test('the error is one of the project, and shows no raw bytes', () => {
    const bytes = rawProfile({ tags, colorSpace: 'A\u0000\u001b\n' });
    expect(() => parseProfile(bytes)).toThrow(VeraRetouchError);
    expect(() => parseProfile(bytes)).toThrow('It is for "A???"');
  });
});
