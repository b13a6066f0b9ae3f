import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { initializeCanvas, readPsd } from 'ag-psd';
import sharp from 'sharp';
import {
  ADOBE_RGB,
  bakeInSpace,
  deltaE2000,
  DISPLAY_P3,
  linearToSrgb,
  Lut3D,
  parseCube,
  parseProfile,
  PROPHOTO_RGB,
  type RgbSpace,
  srgbToLab,
  SRGB,
  toSrgb,
  writeMatrixProfile,
} from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { type Retouch } from '../../src/host/host';
import { gradient, gradient16, image, temporaryFolder, warmLut } from './support/pictures';

jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 48;
const HEIGHT = 32;

const SPACES: [string, RgbSpace, string][] = [
  ['display-p3', DISPLAY_P3, 'Display P3'],
  ['adobe-rgb', ADOBE_RGB, 'Adobe RGB (1998)'],
  ['prophoto', PROPHOTO_RGB, 'ProPhoto RGB'],
];

/** A PNG with these very numbers and this profile: an image library would convert when it attaches one. */
async function tagged(data: Uint8Array | Uint16Array, profile: Uint8Array, channels: 3 | 4 = 3): Promise<Buffer> {
  const plain = await image(data, WIDTH, HEIGHT, channels).png().toBuffer();
  return withProfile(plain, profile);
}

/** A PNG (whose header ends at byte 33) with an iCCP chunk behind its header. */
function withProfile(png: Buffer, profile: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from('iCCPtest\0\0', 'latin1'), deflateSync(profile)]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

const retouchOf = (lut: Lut3D): Retouch => ({ lut, story: ['A story.'], provenance: {}, record: () => ({}) });

async function retouched(file: string, lut: Lut3D) {
  const out = path.dirname(file);
  const document = await new FilesHost(out).open(file);
  const proxy = await document.readProxy(1024);
  const { results } = await document.applyRetouch(retouchOf(lut));
  const of = (extension: string) => results.find((name) => name.endsWith(extension))!;
  return { document, proxy, psd: of('.psd'), png: of('.png'), cube: of('.cube') };
}

async function numbers(file: string, deep: boolean) {
  const picture = sharp(file, { ignoreIcc: true }).toColourspace(deep ? 'rgb16' : 'srgb');
  const { data } = await picture.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
  return deep ? new Uint16Array(new Uint8Array(data).buffer) : new Uint8Array(data);
}

beforeAll(() => {
  const createImageData = (width: number, height: number) =>
    ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as ImageData;
  initializeCanvas(() => {
    throw new Error('No canvas is needed here.');
  }, createImageData);
});

describe.each(SPACES)('a photo in %s', (key, space, name) => {
  const profile = writeMatrixProfile(space, { description: name });
  // As the file says it: its numbers are rounded.
  const stored = parseProfile(profile).space as RgbSpace;

  test.each([8, 16])('of %i bits keeps its numbers and its profile; the retouch comes into its space', async (bits) => {
    const data = bits === 16 ? gradient16(WIDTH, HEIGHT) : gradient(WIDTH, HEIGHT);
    const file = at(`${key}-${bits}.png`);
    writeFileSync(file, await tagged(data, profile));
    const lut = warmLut(33);
    const { document, png, psd, cube } = await retouched(file, lut);
    expect(document.notes.join()).toContain(`The photo is in ${name}; so are the results.`);
    const expected = bakeInSpace(stored, lut, 33).apply(data.slice(), 3);
    expect([...(await numbers(png, bits === 16))]).toEqual([...expected]);
    expect(Buffer.compare((await sharp(png).metadata()).icc!, Buffer.from(profile))).toBe(0);
    const layered = readPsd(readFileSync(psd), { useImageData: true });
    const below = layered.children![0].imageData!.data;
    expect(Math.round(bits === 16 ? data[300] / 257 : data[300])).toBe(below[400]);
    expect(readFileSync(psd).includes(Buffer.from(profile))).toBe(true);
    const text = readFileSync(cube, 'latin1');
    expect(text).toContain(`(${name})`);
    expect(parseCube(text).lut.data.length).toBe(lut.data.length);
  });

  test('comes back bit by bit when nothing is changed', async () => {
    const data = gradient16(WIDTH, HEIGHT);
    const file = at(`${key}-same.png`);
    writeFileSync(file, await tagged(data, profile));
    const { png } = await retouched(file, Lut3D.identity(33));
    expect([...(await numbers(png, true))]).toEqual([...data]);
  });

  test('is shown to the model in sRGB', async () => {
    const data = gradient(WIDTH, HEIGHT);
    const file = at(`${key}-proxy.png`);
    writeFileSync(file, await tagged(data, profile));
    const { proxy } = await retouched(file, Lut3D.identity(2));
    const way = toSrgb(space);
    const differences: number[] = [];
    for (let i = 0; i < data.length; i += 3) {
      const wanted = way(data[i] / 255, data[i + 1] / 255, data[i + 2] / 255);
      const shown = [0, 1, 2].map((c) => proxy.data[i + c] / 255) as [number, number, number];
      differences.push(deltaE2000(srgbToLab(...wanted), srgbToLab(...shown)));
    }
    differences.sort((a, b) => a - b);
    expect(differences.reduce((sum, value) => sum + value) / differences.length).toBeLessThan(0.5);
    expect(differences[Math.floor(0.99 * differences.length)]).toBeLessThan(2);
    // The numbers themselves would be another picture.
    expect([...proxy.data]).not.toEqual([...data]);
  });
});

test('a profile that is sRGB by its contents changes nothing, whatever it is called', async () => {
  const data = gradient(WIDTH, HEIGHT);
  writeFileSync(at('own.png'), await tagged(data, writeMatrixProfile(SRGB, { description: 'Something else' })));
  const { document, png } = await retouched(at('own.png'), Lut3D.identity(5));
  expect(document.notes).toEqual([]);
  expect([...(await numbers(png, false))]).toEqual([...data]);
});

test('transparent places show a neutral middle grey in every space', async () => {
  const data = gradient(WIDTH, HEIGHT, 4).map((value, i) => (i % 4 === 3 ? 0 : value));
  writeFileSync(at('clear.png'), await tagged(data, writeMatrixProfile(PROPHOTO_RGB), 4));
  const { proxy } = await retouched(at('clear.png'), Lut3D.identity(2));
  for (const value of proxy.data) expect(Math.abs(value - 128)).toBeLessThanOrEqual(2);
});

test.each([8, 16])('grey of %i bits is read by its own curve', async (bits) => {
  const gamma = writeMatrixProfile({ kind: 'grey', curve: { kind: 'gamma', gamma: 1.8 } });
  const ramp = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i * 255) / (WIDTH * HEIGHT - 1));
  const picture = sharp(ramp, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
  const grey = bits === 16 ? picture.toColourspace('grey16') : picture.toColourspace('b-w');
  const plain = await grey.png().toBuffer();
  const stored = await sharp(plain).metadata();
  expect([stored.channels, stored.depth]).toEqual([1, bits === 16 ? 'ushort' : 'uchar']);
  writeFileSync(at(`grey-${bits}.png`), withProfile(plain, gamma));
  const { png } = await retouched(at(`grey-${bits}.png`), Lut3D.identity(33));
  const out = await numbers(png, bits === 16);
  const top = bits === 16 ? 65535 : 255;
  for (const i of [200, 700, 1100]) {
    const wanted = linearToSrgb((ramp[i] / 255) ** 1.8) * top;
    for (let c = 0; c < 3; c++) expect(Math.abs(out[3 * i + c] - wanted)).toBeLessThanOrEqual(bits === 16 ? 40 : 1);
  }
});

test('a profile that only the image library can open is converted, and said', async () => {
  const data = gradient(WIDTH, HEIGHT);
  const odd = Buffer.concat([writeMatrixProfile(DISPLAY_P3), Buffer.alloc(64)]);
  odd.writeUInt32BE(odd.length, 0);
  // One of the three curves that share their data reaches into what follows.
  const size = odd.indexOf('gTRC', 0, 'latin1') + 8;
  odd.writeUInt32BE(odd.readUInt32BE(size) + 4, size);
  writeFileSync(at('odd.png'), await tagged(data, odd));
  const { document, png } = await retouched(at('odd.png'), Lut3D.identity(5));
  expect(document.notes.join()).toMatch(/color profile cannot be worked in.*overlap.*converted to sRGB/);
  expect([...(await numbers(png, false))]).not.toEqual([...data]);
});

test('a profile that nobody can open is left out, and nothing is said to be converted', async () => {
  const data = gradient(WIDTH, HEIGHT);
  const broken = Buffer.from(writeMatrixProfile(DISPLAY_P3));
  // A version that nobody knows.
  broken[8] = 9;
  writeFileSync(at('broken.png'), await tagged(data, broken));
  const { document, png } = await retouched(at('broken.png'), Lut3D.identity(33));
  expect(document.notes.join()).toMatch(/color profile cannot be used.*version 9.*taken as sRGB/);
  expect([...(await numbers(png, false))]).toEqual([...data]);
  expect((await sharp(png).metadata()).icc).toBeDefined();
});

test('a profile that the PNG reader drops is missed', async () => {
  const cut = writeMatrixProfile(DISPLAY_P3).subarray(0, 200);
  writeFileSync(at('dropped.png'), await tagged(gradient(WIDTH, HEIGHT), cut));
  expect((await sharp(at('dropped.png')).metadata()).icc).toBeUndefined();
  const document = await new FilesHost(folder).open(at('dropped.png'));
  expect(document.notes.join()).toMatch(/color profile cannot be used \(it is damaged\).*taken as sRGB/);
});
