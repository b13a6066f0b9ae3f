import {
  ADOBE_RGB,
  bakeGrey,
  bakeInSpace,
  DISPLAY_P3,
  IccError,
  parseProfile,
  PROPHOTO_RGB,
  SRGB,
  writeMatrixProfile,
} from '../../../src/color/icc';
import { randomSource } from '../reference';
import { curv, matrixTags, rawProfile } from './rawProfile';
import { warm } from './retouches';

const COUNT = 2000;

const originals = [
  writeMatrixProfile(ADOBE_RGB, { version: 2 }),
  writeMatrixProfile(SRGB, { version: 4 }),
  writeMatrixProfile(DISPLAY_P3, { version: 4 }),
  writeMatrixProfile(PROPHOTO_RGB, { version: 4 }),
  writeMatrixProfile({ kind: 'grey', curve: { kind: 'gamma', gamma: 2.2 } }, { version: 4 }),
  rawProfile({ version: 2, tags: matrixTags(curv([0, 500, 4000, 12000, 20000, 33000, 48000, 65535])) }),
];

const random = randomSource(20260101);
const below = (limit: number): number => Math.floor(random() * limit);

/** Numbers that parsers trip over. */
const NUMBERS = [0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x00010000, 0xffff0000];

/** One change: a bit, a byte, a number, a stretch moved, cut out or doubled, or an early end. */
function mutate(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  // Header, table and the first tags are where structure is.
  const at = below(random() < 0.7 ? Math.min(bytes.length, 420) : bytes.length);
  const length = below(40);
  switch (below(7)) {
    case 0:
      copy[at] ^= 1 << below(8);
      return copy;
    case 1:
      copy[at] = below(256);
      return copy;
    case 2:
      new DataView(copy.buffer).setUint32(Math.min(at & ~3, copy.length - 4), NUMBERS[below(NUMBERS.length)]);
      return copy;
    case 3:
      copy.copyWithin(at, below(bytes.length), below(bytes.length));
      return copy;
    case 4:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
    case 5:
      return Uint8Array.from([...bytes.subarray(0, at + length), ...bytes.subarray(at)]);
    default:
      return copy.subarray(0, at);
  }
}

test(`${COUNT} damaged profiles: read or refused, and what is read can be used`, () => {
  const outcomes = new Map<string, number>();
  let slowest = 0;
  for (let i = 0; i < COUNT; i++) {
    let bytes = originals[i % originals.length];
    for (let changes = 1 + below(3); changes > 0; changes--) bytes = mutate(bytes);
    const start = process.cpuUsage();
    let outcome = 'read';
    try {
      const { space } = parseProfile(bytes);
      const values = space.kind === 'rgb' ? bakeInSpace(space, warm, 2).data : bakeGrey(space, warm, 5);
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    } catch (error) {
      if (!(error instanceof IccError)) throw error;
      outcome = error.code;
    }
    const { user, system } = process.cpuUsage(start);
    slowest = Math.max(slowest, (user + system) / 1000);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  // The mutations have to reach both sides and most of the checks to be worth their time.
  expect(outcomes.get('read')).toBeGreaterThan(COUNT / 10);
  expect(outcomes.size).toBeGreaterThanOrEqual(6);
  // Milliseconds of processor time, generously: a hang is what is looked for.
  expect(slowest).toBeLessThan(2000);
}, 300000);
