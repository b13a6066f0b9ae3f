import { parametersFromSliders, Retoucher, type RetouchResult, type RgbImage } from '../../src/inference';
import { memorySource, readBundle, TINY } from './support/bundles';
import { nodeBackend } from './support/nodeBackend';

const PHOTO: RgbImage = { width: 8, height: 6, data: Uint8Array.from({ length: 144 }, (_, i) => (i * 37) & 255) };
const PARAMETERS = parametersFromSliders({ Exposure2012: 40 });

let retoucher: Retoucher;
let clock: jest.SpyInstance;
beforeAll(async () => {
  retoucher = await Retoucher.load(memorySource(readBundle(TINY)), nodeBackend(), { verify: 'used' });
});
beforeEach(() => {
  // Each look at the clock is a hundred later than the one before: times are counts of looks, and add up exactly.
  let now = 1e6;
  clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 100));
});
afterEach(() => {
  clock.mockRestore();
});
afterAll(() => retoucher.dispose());

const answers: [string, () => Promise<RetouchResult>][] = [
  ['auto', () => retoucher.auto(PHOTO)],
  ['auto again, on a photo that is known', () => retoucher.auto(PHOTO)],
  ['style', () => retoucher.style(PHOTO, 'warm')],
  ['param', () => retoucher.param(PARAMETERS)],
];

test.each(answers)(
  '%s: where the picture follows the words, it takes what all parts take together',
  async (_name, ask) => {
    const { vision, prefill, decode, picture } = (await ask()).timingsMs;
    // The picture is there one look at the clock before the answer is.
    expect(picture).toBe(vision + prefill + decode - 100);
    for (const ms of [prefill, decode, picture]) expect(ms).toBeGreaterThan(0);
  },
);

test.each([
  ...answers,
  ['auto on another photo', () => retoucher.auto({ ...PHOTO, data: PHOTO.data.slice().reverse() })],
] as typeof answers)('%s: its parts together take no longer than the call', async (_name, ask) => {
  const before = performance.now();
  const { load, vision, prefill, decode } = (await ask()).timingsMs;
  expect(load + vision + prefill + decode).toBeLessThan(performance.now() - before);
});

test('a photo that is known takes no time to be seen', async () => {
  await retoucher.auto(PHOTO);
  const { vision, load } = (await retoucher.auto(PHOTO)).timingsMs;
  expect([vision, load]).toEqual([0, 0]);
});

test('a reference has no words, and its picture takes what seeing takes', async () => {
  const { tokens, tokenIds, timingsMs } = await retoucher.reference(PHOTO, PHOTO);
  expect([tokens, tokenIds]).toEqual([0, []]);
  expect(timingsMs).toMatchObject({ prefill: 0, decode: 0, vision: 100, picture: 100 });
  expect(timingsMs.load).toBeGreaterThan(0);
});
