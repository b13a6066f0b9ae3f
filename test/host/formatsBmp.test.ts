import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { DISPLAY_P3, writeMatrixProfile } from '../../src/color';
import { readPhoto } from '../../src/host/files/photo';
import { type BmpRecipe, bmpFile, padded } from './support/bmpFile';
import { gradient, temporaryFolder } from './support/pictures';
import { refusal } from './support/refusal';

/* BMP of every coding, and GIF. */
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);

function written(recipe: BmpRecipe): string {
  writeFileSync(at('photo.bmp'), bmpFile(recipe));
  return at('photo.bmp');
}

async function pixelsOf(recipe: BmpRecipe): Promise<number[]> {
  return [...(await readPhoto(written(recipe))).pixels.data];
}

const BLACK = [0, 0, 0];
const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
/** Black, red, green, blue as blue, green, red, 0. */
const PALETTE = [0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0];

describe('BMP', () => {
  test.each([3, 5, 8])('24 bits, %i pixels wide, from the bottom and from the top', async (width) => {
    const height = 4;
    const data = gradient(width, height);
    const rows = Array.from({ length: height }, (_, y) =>
      Array.from({ length: 3 * width }, (_, i) => data[3 * width * y + i - (i % 3) + 2 - (i % 3)]),
    );
    const up = { width, height, bits: 24, pixels: padded([...rows].reverse()) };
    expect(await pixelsOf(up)).toEqual([...data]);
    expect(await pixelsOf({ ...up, height: -height, pixels: padded(rows) })).toEqual([...data]);
    const read = await readPhoto(written(up));
    expect(read.density).toBe(300);
    expect(read.notes).toEqual([]);
  });

  test('1, 4 and 8 bits by palette, that of OS/2 too', async () => {
    const picture = [...GREEN, ...BLACK, ...RED, ...RED, ...BLACK, ...GREEN];
    const two = { width: 3, height: 2, palette: PALETTE };
    expect(
      await pixelsOf({
        ...two,
        bits: 4,
        pixels: padded([
          [0x10, 0x20],
          [0x20, 0x10],
        ]),
      }),
    ).toEqual(picture);
    expect(
      await pixelsOf({
        ...two,
        bits: 8,
        pixels: padded([
          [1, 0, 2],
          [2, 0, 1],
        ]),
      }),
    ).toEqual(picture);
    const one = { width: 3, height: 1, bits: 1, pixels: padded([[0b10100000]]) };
    expect(await pixelsOf({ ...one, palette: PALETTE.slice(0, 8) })).toEqual([...RED, ...BLACK, ...RED]);
    const os2 = { ...one, header: 12, palette: [0, 0, 0, 255, 0, 0] };
    expect(await pixelsOf(os2)).toEqual([...BLUE, ...BLACK, ...BLUE]);
  });

  test('16 bits: 5 of each color, or 5, 6 and 5 by their masks', async () => {
    const [width, height] = [2, 1];
    expect(await pixelsOf({ width, height, bits: 16, pixels: Uint8Array.of(0, 0x7c, 0x1f, 0) })).toEqual([
      ...RED,
      ...BLUE,
    ]);
    const masks = [0xf800, 0x07e0, 0x001f];
    const pixels = Uint8Array.of(0xe0, 0x07, 0, 0x80);
    const half = [Math.round((16 * 255) / 31), 0, 0];
    for (const header of [40, 52, 124]) {
      expect(await pixelsOf({ width, height, bits: 16, compression: 3, header, masks, pixels })).toEqual([
        ...GREEN,
        ...half,
      ]);
    }
  });

  test('32 bits: alpha counts only where its bits are stated and not all 0', async () => {
    const [width, height] = [2, 1];
    const pixels = Uint8Array.of(0, 0, 255, 7, 255, 0, 0, 200);
    expect(await pixelsOf({ width, height, bits: 32, pixels })).toEqual([...RED, ...BLUE]);
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const stated = { width, height, bits: 32, compression: 3, header: 124, masks, pixels };
    expect(await pixelsOf(stated)).toEqual([...RED, 7, ...BLUE, 200]);
    const without = Uint8Array.of(0, 0, 255, 0, 255, 0, 0, 0);
    expect(await pixelsOf({ ...stated, pixels: without })).toEqual([...RED, ...BLUE]);
    // Ten bits of each color.
    const ten = Buffer.alloc(8);
    ten.writeUInt32LE(1023 << 20, 0);
    ten.writeUInt32LE(512 << 10, 4);
    const wide = { ...stated, masks: [1023 << 20, 1023 << 10, 1023].map((mask) => mask >>> 0), pixels: ten };
    expect(await pixelsOf(wide)).toEqual([...RED, 0, Math.round((512 * 255) / 1023), 0]);
  });

  test('RLE8: runs, single pixels, jumps, rows that end early', async () => {
    const pixels = Uint8Array.of(2, 1, 0, 3, 2, 3, 0, 0, 0, 0, 0, 2, 1, 0, 1, 2, 0, 1);
    const picture = [...[BLACK, GREEN, BLACK, BLACK, BLACK, BLACK], ...[RED, RED, GREEN, BLUE, BLACK, BLACK]].flat();
    const recipe = { width: 6, height: 2, bits: 8, compression: 1, palette: PALETTE, pixels };
    expect(await pixelsOf(recipe)).toEqual(picture);
    // A jump over a row, and nothing more.
    const jump = Uint8Array.of(1, 3, 0, 2, 0, 1, 1, 3, 0, 1);
    const jumped = [...BLACK, ...BLUE, ...BLACK, ...BLUE, ...BLACK, ...BLACK];
    expect(await pixelsOf({ ...recipe, width: 3, pixels: jump })).toEqual(jumped);
  });

  test('RLE4: runs of two colors in turn, single pixels', async () => {
    const pixels = Uint8Array.of(3, 0x12, 0, 3, 0x31, 0x20, 0, 0, 0, 1);
    const recipe = { width: 6, height: 1, bits: 4, compression: 2, palette: PALETTE, pixels };
    expect(await pixelsOf(recipe)).toEqual([...RED, ...GREEN, ...RED, ...BLUE, ...RED, ...GREEN]);
  });

  test('keeps the profile of its header', async () => {
    const icc = writeMatrixProfile(DISPLAY_P3, { description: 'Display P3' });
    const { pixels } = await readPhoto(
      written({ width: 1, height: 1, bits: 24, header: 124, pixels: Uint8Array.of(1, 2, 3, 0), icc }),
    );
    expect([...pixels.data]).toEqual([3, 2, 1]);
    expect(pixels.space?.name).toBe('Display P3');
  });

  test('too large, cut short, for printers, of an unknown header', async () => {
    const plain = { width: 20, height: 20, bits: 24, pixels: new Uint8Array(1200) };
    for (const [width, height] of [
      [20000, 20000],
      [30001, 1],
    ]) {
      expect(await refusal(written({ ...plain, width, height }))).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
    }
    for (const packing of [
      plain,
      { ...plain, bits: 8, compression: 1, palette: PALETTE, pixels: Uint8Array.of(9, 1, 9) },
    ]) {
      const bytes = bmpFile(packing);
      for (const length of [16, 40, bytes.length - 1]) {
        writeFileSync(at('cut.bmp'), bytes.subarray(0, length));
        expect((await refusal(at('cut.bmp'))).code).toBe('PHOTO_DAMAGED');
      }
    }
    const printer = await refusal(written({ ...plain, compression: 4 }));
    expect(printer).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(printer.message).toContain('JPEG');
    writeFileSync(at('text.bmp'), 'BMW makes cars, and this is a text.');
    expect(await refusal(at('text.bmp'))).toMatchObject({ code: 'PHOTO_NOT_AN_IMAGE' });
  });
});

test('of a GIF the first frame is read, and the number of the others said', async () => {
  const [width, height] = [8, 6];
  const frames = Buffer.concat([Buffer.alloc(width * height * 3, 255), Buffer.alloc(width * height * 3, 0)]);
  await sharp(frames, { raw: { width, height: 2 * height, channels: 3, pageHeight: height } })
    .gif({ delay: [100, 100] })
    .toFile(at('two.gif'));
  const { pixels, notes } = await readPhoto(at('two.gif'));
  expect(pixels).toMatchObject({ width, height });
  expect(pixels.data[0]).toBe(255);
  expect(notes).toContain('The file holds 2 frames; the first was read.');
});
