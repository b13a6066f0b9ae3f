import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseProfile } from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { readPhoto } from '../../src/host/files/photo';
import { temporaryFolder, warmLut } from './support/pictures';
import { refusal } from './support/refusal';

/*
 * HEIC, read by libheif on a thread. The fixtures were written with x265 from 64 x 48 pixels that this project made up:
 * red, green, blue and white patches in the corners, a gradient between them.
 */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const fixture = (name: string): Buffer => readFileSync(path.resolve(__dirname, '../fixtures/heic', `${name}.heic`));

function written(bytes: Uint8Array, name = 'photo.heic'): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

const COLORS = { red: [250, 30, 20], green: [20, 240, 40], blue: [30, 20, 230], white: [255, 255, 255] } as const;

/** The names of the patches: top left, top right, bottom left, bottom right. */
function corners({ width, height, channels, data }: Awaited<ReturnType<typeof readPhoto>>['pixels']): string[] {
  const scale = data instanceof Uint16Array ? 257 : 1;
  return [
    [2, 2],
    [width - 3, 2],
    [2, height - 3],
    [width - 3, height - 3],
  ].map(([x, y]) => {
    const pixel = data.subarray((y * width + x) * channels, (y * width + x) * channels + 3);
    const found = Object.entries(COLORS).find(([, color]) =>
      color.every((value, c) => Math.abs(value - pixel[c] / scale) <= 3),
    );
    return found?.[0] ?? [...pixel].join();
  });
}

/** The same file with other bytes behind the only place where these are. */
function changed(bytes: Buffer, word: string, skip: number, values: readonly number[]): Buffer {
  const out = Buffer.from(bytes);
  const where = out.indexOf(word, 0, 'latin1');
  expect(where).toBeGreaterThan(0);
  out.set(values, where + word.length + skip);
  return out;
}

test('8 bits without a profile are sRGB', async () => {
  const { pixels, notes } = await readPhoto(written(fixture('plain')));
  expect(pixels).toMatchObject({ width: 64, height: 48, channels: 3, space: undefined });
  expect(corners(pixels)).toEqual(['red', 'green', 'blue', 'white']);
  expect(notes).toEqual([]);
});

test('10 bits become 16, white exactly', async () => {
  const { pixels } = await readPhoto(written(fixture('deep')));
  expect(pixels.data).toBeInstanceOf(Uint16Array);
  expect(corners(pixels)).toEqual(['red', 'green', 'blue', 'white']);
  expect([...pixels.data.slice(-3)]).toEqual([65535, 65535, 65535]);
});

test('transparency stays', async () => {
  const { pixels } = await readPhoto(written(fixture('alpha')));
  expect(pixels.channels).toBe(4);
  expect([pixels.data[3], pixels.data[4 * 63 + 3]]).toEqual([255, 128]);
});

test.each([
  [0, 48, ['blue', 'red', 'white', 'green']],
  [1, 64, ['red', 'green', 'blue', 'white']],
  [2, 48, ['green', 'white', 'red', 'blue']],
  [3, 64, ['white', 'blue', 'green', 'red']],
] as const)('is turned %i times to the left, whatever its EXIF says', async (turns, width, patches) => {
  const { pixels } = await readPhoto(written(changed(fixture('phone'), 'irot', 0, [turns])));
  expect(pixels.width).toBe(width);
  expect(corners(pixels)).toEqual(patches);
});

test("a phone's Display P3 by its profile stays, with its EXIF and XMP, to the results", async () => {
  const { pixels, notes, metadata } = await readPhoto(written(fixture('phone')));
  expect(notes).toEqual(['The photo is in Display P3; so are the results.']);
  expect(parseProfile(pixels.space!.profile)).toMatchObject({ known: 'display-p3' });
  // The numbers of the file, not those of sRGB: its green would be far outside.
  expect(corners(pixels)).toContain('green');
  expect(Buffer.from(metadata.exif!).toString('latin1')).toContain('Acme Phone');
  const document = await new FilesHost(folder).open(at('photo.heic'));
  const retouch = { lut: warmLut(), story: [], provenance: {}, record: () => ({}) };
  const { results } = await document.applyRetouch(retouch);
  const png = readFileSync(results.find((name) => name.endsWith('.png'))!);
  expect(png.includes('Acme Phone')).toBe(true);
  expect(png.includes('xmp:Rating="4"')).toBe(true);
});

test('Display P3 by number stays too; PQ and HLG are refused', async () => {
  const p3 = await readPhoto(written(changed(fixture('plain'), 'colrnclx', 0, [0, 12, 0, 13])));
  expect(p3.notes.join()).toContain('Display P3');
  expect(p3.pixels.space?.name).toBe('Display P3');
  expect(corners(p3.pixels)).toEqual(['red', 'green', 'blue', 'white']);
  for (const transfer of [16, 18]) {
    const error = await refusal(written(changed(fixture('deep'), 'colrnclx', 0, [0, 9, 0, transfer])));
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(error.message).toContain('high dynamic range');
  }
});

test('is known by its contents, whatever its name', async () => {
  expect((await readPhoto(written(fixture('plain'), 'IMG_1.JPG'))).pixels.width).toBe(64);
});

test('too many pixels are refused by the header', async () => {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(20000, 0);
  size.writeUInt32BE(20000, 4);
  const bytes = fixture('plain');
  // ispe of the picture and clap, which crops it, stay together: only the first counts here.
  const clap = bytes.indexOf('clap');
  if (clap > 0) bytes.write('free', clap, 'latin1');
  const error = await refusal(written(changed(bytes, 'ispe', 4, [...size])));
  expect(error.code).toMatch(/^PHOTO_(TOO_LARGE|DAMAGED)$/);
});

test('one that was cut short is refused as damaged', async () => {
  const bytes = fixture('phone');
  for (const share of [0.1, 0.3, 0.7, 0.98]) {
    const error = await refusal(written(bytes.subarray(0, Math.floor(bytes.length * share))));
    expect(error.code).toBe('PHOTO_DAMAGED');
  }
});

test('stops soon when the signal fires', async () => {
  const controller = new AbortController();
  const reading = readPhoto(written(fixture('phone')), controller.signal);
  setTimeout(() => {
    controller.abort();
  }, 20);
  await expect(reading).rejects.toMatchObject({ code: 'ABORT_ERR' });
});
