import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { VeraRetouchError } from '../../src/color';
import { bmffBoxes } from '../../src/host/files/formats/bmff';
import { readBmpPhoto } from '../../src/host/files/formats/bmpPhoto';
import { baselineExposure, isCutShort, rawMetadata } from '../../src/host/files/formats/rawMetadata';
import { soundMetadata } from '../../src/host/files/metadata';
import { readPhoto } from '../../src/host/files/photo';
import { readPsdPhoto } from '../../src/host/files/psdPhoto';
import { inMemory } from '../../src/host/files/tiffTree';
import { changed } from '../support/changed';
import { bmpFile } from './support/bmpFile';
import { dng } from './support/dng';
import { cameraExif } from './support/metadata';
import { temporaryFolder } from './support/pictures';
import { psdFile } from './support/psdFile';

/* Damaged files of the newer formats: none may end the process, keep it busy or throw what is not ours. */
jest.setTimeout(600000);
const folder = temporaryFolder();
const RUNS = { numRuns: 2000, seed: 5 };
const [width, height] = [16, 12];

async function ours(
  read: () => Promise<{ pixels: { width: number; height: number; channels: number; data: ArrayLike<number> } }>,
) {
  try {
    const { pixels } = await read();
    expect(pixels.data).toHaveLength(pixels.width * pixels.height * pixels.channels);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof VeraRetouchError)) throw thrown;
    return false;
  }
}

const palette = Array.from({ length: 64 }, (_, i) => (i * 37) % 256);
const BMPS: [string, Buffer][] = [
  ['24 bits', bmpFile({ width, height, bits: 24, pixels: new Uint8Array(48 * height).fill(99) })],
  [
    'fields',
    bmpFile({
      ...{ width, height, bits: 32, compression: 3, header: 124 },
      masks: [0xff0000, 0xff00, 0xff, 0xff000000],
      pixels: new Uint8Array(64 * height).fill(77),
    }),
  ],
  [
    'RLE8',
    bmpFile({
      ...{ width, height, bits: 8, compression: 1, palette },
      pixels: Uint8Array.from([
        ...Array.from({ length: 12 }, () => [9, 3, 0, 4, 1, 2, 3, 4, 0, 2, 1, 0, 0, 0]).flat(),
        0,
        1,
      ]),
    }),
  ],
];

test.each(BMPS)('BMP, %s', async (_, whole) => {
  expect(await ours(() => readBmpPhoto('photo.bmp', inMemory(whole)))).toBe(true);
  const check = async (bytes: Uint8Array): Promise<void> => {
    await ours(() => readBmpPhoto('photo.bmp', inMemory(bytes)));
  };
  await fc.assert(fc.asyncProperty(changed(whole), check), RUNS);
});

test.each([1, 2, 3, 4])('PSB of the mode %i', async (mode) => {
  const channels = { 1: 1, 2: 1, 3: 3, 4: 4 }[mode]!;
  const data = new Uint8Array(width * height * channels).fill(70);
  const colors = mode === 2 ? { palette: new Uint8Array(768).fill(9) } : {};
  const whole = psdFile({ mode, width, height, channels, data, large: true, packed: true, layers: -1, ...colors });
  expect(await ours(() => readPsdPhoto('photo.psb', inMemory(whole)))).toBe(true);
  const check = async (bytes: Uint8Array): Promise<void> => {
    await ours(() => readPsdPhoto('photo.psb', inMemory(bytes)));
  };
  // The image library makes a CMYK picture slower than the rest together.
  await fc.assert(fc.asyncProperty(changed(whole), check), { ...RUNS, numRuns: mode === 4 ? 100 : 2000 });
});

/** Boxes of a CR3, with EXIF. */
function cr3(): Buffer {
  const box = (type: string, ...parts: Uint8Array[]): Buffer => {
    const content = Buffer.concat(parts);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const canon = Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex');
  return Buffer.concat([
    box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
    box('moov', box('uuid', canon, box('CMT1', cameraExif(true)), box('CMT2', cameraExif(true)))),
  ]);
}

test('what raw files say about themselves', () => {
  const raf = Buffer.concat([Buffer.from('FUJIFILMCCD-RAW '), Buffer.alloc(84)]);
  raf.writeUInt32BE(raf.length, 84);
  const jpeg = Buffer.concat([
    Buffer.of(0xff, 0xd8, 0xff, 0xe1, 1, 0),
    Buffer.from('Exif\0\0'),
    cameraExif(),
    Buffer.alloc(300),
  ]);
  const orf = Buffer.from(cameraExif(true));
  orf.write('RO', 2, 'latin1');
  const files = [cr3(), Buffer.concat([raf, jpeg]), orf, dng(() => [0.1, 0.1, 0.1], { width: 8, height: 8 })];
  for (const whole of files) {
    const { metadata } = soundMetadata(rawMetadata(inMemory(whole)));
    expect(Buffer.from(metadata.exif ?? []).toString('latin1')).toContain('Acme');
    const check = (bytes: Uint8Array): void => {
      const source = inMemory(bytes);
      soundMetadata(rawMetadata(source));
      expect(Math.abs(baselineExposure(source))).toBeLessThanOrEqual(5);
      isCutShort(source);
      expect(bmffBoxes(source).length).toBeLessThanOrEqual(256);
    };
    fc.assert(fc.property(changed(whole), check), RUNS);
  }
});

/* Each on a thread of its own, with a library to be started: a few only. */
test.each([
  ['heic', () => readFileSync(path.resolve(__dirname, '../fixtures/heic/plain.heic'))],
  ['dng', () => dng((x, y) => [x / 64, y / 48, 0.2])],
] as const)('%s, decoded', async (ending, make) => {
  const file = path.join(folder, `photo.${ending}`);
  const check = async (bytes: Uint8Array): Promise<void> => {
    writeFileSync(file, bytes);
    await ours(() => readPhoto(file));
  };
  await fc.assert(fc.asyncProperty(changed(make()), check), { numRuns: 25, seed: 5 });
});
