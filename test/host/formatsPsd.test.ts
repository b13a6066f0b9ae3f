import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { DISPLAY_P3, writeMatrixProfile } from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { readPhoto } from '../../src/host/files/photo';
import { ask } from './support/oracle';
import { gradient, gradient16, image, temporaryFolder, warmLut } from './support/pictures';
import { type PsdRecipe, psdFile } from './support/psdFile';
import { refusal } from './support/refusal';

/* Large documents, and Photoshop's modes beside RGB. */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const [WIDTH, HEIGHT] = [37, 23];

function written(recipe: Omit<PsdRecipe, 'width' | 'height'>, name = 'photo.psd'): string {
  writeFileSync(at(name), psdFile({ width: WIDTH, height: HEIGHT, ...recipe }));
  return at(name);
}

/** One channel of a gradient, whose rows and columns differ. */
const one = <T extends Uint8Array | Uint16Array>(data: T): T => data.filter((_, i) => i % 3 === 2) as T;

describe('a large document (PSB)', () => {
  test.each([false, true])('is read like a PSD, 8 and 16 bits, packed: %s', async (packed) => {
    for (const data of [gradient(WIDTH, HEIGHT), gradient16(WIDTH, HEIGHT)]) {
      const file = written({ mode: 3, channels: 3, data, large: true, packed, layers: 1 }, 'photo.psb');
      const { pixels, notes } = await readPhoto(file);
      expect(pixels.data.constructor).toBe(data.constructor);
      expect([...pixels.data]).toEqual([...data]);
      expect(notes).toEqual(["The PSB's composite picture was read; its layers are not in the results."]);
    }
  });

  test('keeps its transparency and becomes a PSD', async () => {
    const data = gradient(WIDTH, HEIGHT, 4).map((value, i) => (i % 4 === 3 ? 255 : value));
    const file = written({ mode: 3, channels: 4, data, large: true, layers: -1 }, 'clear.psb');
    const document = await new FilesHost(folder).open(file);
    expect(document.hasAlpha).toBe(true);
    const retouch = { lut: warmLut(), story: [], provenance: {}, record: () => ({}) };
    const { results } = await document.applyRetouch(retouch);
    expect(results.filter((name) => /\.(psd|png)$/.test(name))).toHaveLength(2);
  });

  test('of more pixels than fit is refused by its header; one that was cut short as damaged', async () => {
    const bytes = psdFile({
      mode: 3,
      width: WIDTH,
      height: HEIGHT,
      channels: 3,
      data: gradient(WIDTH, HEIGHT),
      large: true,
    });
    for (const size of [300000, 20000]) {
      const huge = Buffer.from(bytes);
      huge.writeUInt32BE(size, 14);
      huge.writeUInt32BE(size, 18);
      writeFileSync(at('huge.psb'), huge);
      expect(await refusal(at('huge.psb'))).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
    }
    for (const share of [0.01, 0.2, 0.9]) {
      writeFileSync(at('cut.psb'), bytes.subarray(0, Math.max(5, Math.floor(bytes.length * share))));
      expect((await refusal(at('cut.psb'))).code).toBe('PHOTO_DAMAGED');
    }
  });
});

describe('gray', () => {
  test('without a profile has the curve of sRGB, which is said', async () => {
    for (const data of [one(gradient(WIDTH, HEIGHT)), one(gradient16(WIDTH, HEIGHT))]) {
      const { pixels, notes } = await readPhoto(written({ mode: 1, channels: 1, data }));
      expect(pixels.channels).toBe(3);
      expect([...pixels.data]).toEqual([...data].flatMap((value) => [value, value, value]));
      expect(notes.join()).toContain('curve of sRGB was assumed');
    }
  });

  test('becomes sRGB by its own curve, as in a PNG', async () => {
    const data = one(gradient(WIDTH, HEIGHT));
    const png = await sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
      .toColourspace('b-w')
      .withIccProfile(grayProfile(1.8))
      .png()
      .toBuffer();
    writeFileSync(at('gray.png'), png);
    const icc = (await sharp(png).metadata()).icc!;
    const { pixels } = await readPhoto(written({ mode: 1, channels: 1, data, resources: { 1039: icc } }));
    // Gamma 1.8: middle values become darker in sRGB, ends stay.
    const stored = [...data].map((value) => Math.round(255 * srgb((value / 255) ** 1.8)));
    pixels.data.forEach((value, i) => {
      expect(Math.abs(value - stored[Math.floor(i / 3)])).toBeLessThanOrEqual(1);
    });
  });

  test('keeps its transparency, without the white it was blended with', async () => {
    const data = Uint8Array.from({ length: 2 * WIDTH * HEIGHT }, (_, i) => (i % 2 === 0 ? 178 : 128));
    const { pixels } = await readPhoto(written({ mode: 1, channels: 2, data, layers: -1 }));
    expect(pixels.channels).toBe(4);
    // 178 = c * 128 / 255 + 255 * (1 - 128 / 255)
    expect([...pixels.data.subarray(0, 4)]).toEqual([102, 102, 102, 128]);
  });
});

function srgb(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** A file with a gray profile of this gamma (ICC.1:2001-04). */
function grayProfile(gamma: number): string {
  const curve = Buffer.from([0x63, 0x75, 0x72, 0x76, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const white = Buffer.alloc(20);
  white.write('XYZ ', 0, 'latin1');
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => white.writeUInt32BE(value, 8 + 4 * i));
  const header = Buffer.alloc(128 + 4 + 24);
  header.writeUInt32BE(header.length + 36, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write('mntrGRAYXYZ ', 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => header.writeUInt32BE(value, 68 + 4 * i));
  header.writeUInt32BE(2, 128);
  header.write('wtpt', 132, 'latin1');
  header.writeUInt32BE(156, 136);
  header.writeUInt32BE(20, 140);
  header.write('kTRC', 144, 'latin1');
  header.writeUInt32BE(176, 148);
  header.writeUInt32BE(16, 152);
  writeFileSync(at('gray.icc'), Buffer.concat([header, white, curve]));
  return at('gray.icc');
}

describe('CMYK', () => {
  /** Inks of the gradient, and the profile that they are for, from the image library's own press. */
  async function inks(): Promise<{ data: Uint8Array; icc: Buffer }> {
    const cmyk = image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).toColourspace('cmyk').withIccProfile('cmyk');
    const tiff = await cmyk.tiff().toBuffer();
    const data = await sharp(tiff, { ignoreIcc: true }).toColourspace('cmyk').raw().toBuffer();
    return { data: new Uint8Array(data), icc: (await sharp(tiff).metadata()).icc! };
  }

  test('becomes sRGB by its profile, as LittleCMS does it; 8 and 16 bits', async () => {
    const { data, icc } = await inks();
    expect(data).toHaveLength(WIDTH * HEIGHT * 4);
    writeFileSync(at('pixels'), data);
    writeFileSync(at('cmyk.icc'), icc);
    ask('convert_pixels.py', 'CMYK', `${WIDTH}`, `${HEIGHT}`, at('pixels'), at('cmyk.icc'), at('converted'));
    const expected = readFileSync(at('converted'));
    for (const bits of [8, 16]) {
      const stored =
        bits === 8 ? data.map((value) => 255 - value) : Uint16Array.from(data, (value) => 65535 - value * 257);
      const { pixels, notes } = await readPhoto(
        written({ mode: 4, channels: 4, data: stored, resources: { 1039: icc } }),
      );
      expect(pixels).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
      expect(pixels.space).toBeUndefined();
      expect(pixels.data).toBeInstanceOf(Uint8Array);
      const far = [...pixels.data].map((value, i) => Math.abs(value - expected[i]));
      expect(Math.max(...far)).toBeLessThanOrEqual(1);
      const depth = bits === 16 ? ', with 8 bits per channel' : '';
      expect(notes).toContain(`The photo is CMYK; it was converted to sRGB${depth}.`);
    }
  });

  test('without a profile is converted too, and what was assumed is said', async () => {
    const { data } = await inks();
    const stored = data.map((value) => 255 - value);
    const { pixels, notes } = await readPhoto(written({ mode: 4, channels: 4, data: stored }));
    expect(notes.join()).toContain('without a profile');
    // No ink is white, all of it dark.
    const ends = new Uint8Array(WIDTH * HEIGHT * 4).fill(255, 0, 4);
    const { pixels: two } = await readPhoto(written({ mode: 4, channels: 4, data: ends }));
    expect(Math.min(...two.data.subarray(0, 3))).toBeGreaterThan(250);
    expect(Math.max(...two.data.subarray(3, 6))).toBeLessThan(40);
    expect(pixels.channels).toBe(3);
  });

  test('keeps its transparency; a spot color is left out', async () => {
    const data = Uint8Array.from({ length: WIDTH * HEIGHT * 5 }, (_, i) => (i % 5 === 4 ? 200 : 255));
    const clear = (await readPhoto(written({ mode: 4, channels: 5, data, layers: -1 }))).pixels;
    expect(clear.channels).toBe(4);
    expect(clear.data[3]).toBe(200);
    const names = { 1006: Buffer.from('\x04Gold') };
    const spot = await readPhoto(written({ mode: 4, channels: 5, data, layers: 1, resources: names }));
    expect(spot.pixels.channels).toBe(3);
    expect(spot.notes.join()).toContain('1 more channels');
  });
});

test('a duotone is read as its gray, which is said', async () => {
  const data = one(gradient(WIDTH, HEIGHT));
  const { pixels, notes } = await readPhoto(written({ mode: 8, channels: 1, data, palette: Buffer.alloc(500) }));
  expect(pixels.data[3 * 50]).toBe(data[50]);
  expect(notes.join()).toContain('duotone');
});

test('indexed color is read by its table, its transparent color too', async () => {
  const palette = Uint8Array.from({ length: 768 }, (_, i) => (i * 7) % 256);
  const data = one(gradient(WIDTH, HEIGHT));
  const colors = [...data].map((index) => [palette[index], palette[256 + index], palette[512 + index]]);
  const { pixels } = await readPhoto(written({ mode: 2, channels: 1, data, palette }));
  expect([...pixels.data]).toEqual(colors.flat());
  const clear = { 1047: Uint8Array.of(0, data[5]) };
  const { pixels: second } = await readPhoto(written({ mode: 2, channels: 1, data, palette, resources: clear }));
  expect([...second.data]).toEqual(colors.flatMap((color, i) => [...color, data[i] === data[5] ? 0 : 255]));
  expect((await refusal(written({ mode: 2, channels: 1, data }))).code).toBe('PHOTO_DAMAGED');
});

test.each([
  [0, 'Bitmap', 'Grayscale'],
  [7, 'Multichannel', 'RGB Color'],
  [9, 'Lab', 'RGB Color'],
])('mode %i is refused with the way out', async (mode, name, wayOut) => {
  const error = await refusal(written({ mode, channels: 3, data: gradient(WIDTH, HEIGHT) }));
  expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
  expect(error.message).toContain(name);
  expect(error.hint).toContain(wayOut);
});

test('a profile that is damaged leaves sRGB, which is said; one of the right kind stays', async () => {
  const data = gradient(WIDTH, HEIGHT);
  const broken = await readPhoto(written({ mode: 3, channels: 3, data, resources: { 1039: Buffer.alloc(200) } }));
  expect([...broken.pixels.data]).toEqual([...data]);
  expect(broken.notes.join()).toContain('taken as sRGB');
  const p3 = writeMatrixProfile(DISPLAY_P3, { description: 'Display P3' });
  const { pixels } = await readPhoto(written({ mode: 3, channels: 3, data, resources: { 1039: p3 } }));
  expect(pixels.space?.name).toBe('Display P3');
});
