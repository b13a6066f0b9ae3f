import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { DISPLAY_P3, linearToSrgb, parseProfile, ADOBE_RGB, SRGB, writeMatrixProfile } from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { readPhoto } from '../../src/host/files/photo';
import { TiffTree, entryOf, inMemory } from '../../src/host/files/tiffTree';
import {
  cameraExif,
  chromaticities,
  coded,
  exponent,
  pngChunk,
  profileChunk,
  withCameraExif,
  withChunks,
  tiffFile,
} from './support/colorFiles';
import { gradient, gradient16, image, temporaryFolder, warmLut } from './support/pictures';
import { refusal } from './support/refusal';

/* Colors that a file states anywhere but in an ICC profile, by their order of precedence. */
jest.setTimeout(60000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 48;
const HEIGHT = 32;
const ADOBE = [0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06];
const P3 = [0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06];
const plainPng = (): Promise<Buffer> => image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).png().toBuffer();
const plainJpeg = (): Promise<Buffer> => image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).jpeg({ quality: 95 }).toBuffer();

async function read(name: string, bytes: Buffer) {
  writeFileSync(at(name), bytes);
  const { pixels, notes } = await readPhoto(at(name));
  const known = pixels.space && parseProfile(pixels.space.profile);
  return { pixels, notes: notes.join(' '), known: known && 'known' in known ? known.known : undefined };
}

async function result(name: string): Promise<{ pixels: Buffer; icc: Buffer; exif: Buffer | undefined }> {
  const document = await new FilesHost(folder).open(at(name));
  const lut = warmLut(33);
  const retouch = { lut, story: ['A story.'], provenance: {}, record: () => ({}) };
  const { results } = await document.applyRetouch(retouch);
  const png = results.find((file) => file.endsWith('.png'))!;
  const { icc, exif } = await sharp(png).metadata();
  return { pixels: await sharp(png, { ignoreIcc: true }).raw().toBuffer(), icc: icc!, exif };
}

function colorSpaceOf(exif: Uint8Array): { colorSpace: number; index: string } {
  const tree = TiffTree.open(inMemory(exif))!;
  const below = (at: number, tag: number) => tree.numbers(entryOf(tree.directory(at), tag))[0];
  const main = below(tree.first, 0x8769);
  const index = tree.bytes(entryOf(tree.directory(below(main, 0xa005)), 1)!)!;
  return { colorSpace: below(main, 0xa001), index: Buffer.from(index).toString('latin1', 0, 3) };
}

describe('EXIF', () => {
  test('that says Adobe RGB gives the very results of an embedded Adobe RGB profile', async () => {
    const jpeg = await plainJpeg();
    writeFileSync(at('exif.jpg'), withCameraExif(jpeg, 65535, 'R03'));
    const profile = writeMatrixProfile(ADOBE_RGB, { description: 'Adobe RGB (1998)' });
    // APP2 in one piece.
    const head = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), profile]);
    const segment = Buffer.from([0xff, 0xe2, (head.length + 2) >> 8, (head.length + 2) & 255]);
    writeFileSync(at('icc.jpg'), Buffer.concat([jpeg.subarray(0, 2), segment, head, jpeg.subarray(2)]));
    expect(Buffer.compare((await sharp(at('icc.jpg')).metadata()).icc!, Buffer.from(profile))).toBe(0);
    const [stated, embedded] = [await result('exif.jpg'), await result('icc.jpg')];
    expect(Buffer.compare(stated.pixels, embedded.pixels)).toBe(0);
    expect(Buffer.compare(stated.icc, embedded.icc)).toBe(0);
    expect(Buffer.compare(stated.icc, Buffer.from(profile))).toBe(0);
    expect(colorSpaceOf(stated.exif!)).toEqual({ colorSpace: 65535, index: 'R03' });
    // As sRGB the same numbers would be retouched to others.
    writeFileSync(at('srgb.jpg'), jpeg);
    expect(Buffer.compare(stated.pixels, (await result('srgb.jpg')).pixels)).not.toBe(0);
  });

  test.each([
    ['R03 alone', 65535, 'R03', 'adobe-rgb'],
    ['ColorSpace 2', 2, undefined, 'adobe-rgb'],
    ['ColorSpace 2 and R98', 2, 'R98', 'adobe-rgb'],
    ['ColorSpace 1', 1, 'R98', undefined],
    ['ColorSpace 1 against R03', 1, 'R03', undefined],
    ['uncalibrated and R98', 65535, 'R98', undefined],
  ])('%s', async (_name, colorSpace, index, expected) => {
    const { known, notes } = await read('photo.jpg', withCameraExif(await plainJpeg(), colorSpace, index));
    expect(known).toBe(expected);
    expect(notes).toBe(expected ? 'The photo is in Adobe RGB (1998) by its EXIF; so are the results.' : '');
  });

  test('a name is a hint only beside an uncalibrated color space of a camera', async () => {
    const jpeg = await plainJpeg();
    const camera = await read('_MG_0001.JPG', withCameraExif(jpeg, 65535));
    expect(camera.notes).toContain('Adobe RGB (1998) by its EXIF and its name');
    expect((await read('_MG_0002.JPG', withCameraExif(jpeg, 1))).known).toBeUndefined();
    expect((await read('_MG_0003.JPG', jpeg)).known).toBeUndefined();
    const unclear = await read('IMG_0001.JPG', withCameraExif(jpeg, 65535));
    expect(unclear.known).toBeUndefined();
    expect(unclear.notes).toContain('not calibrated; they were taken as sRGB');
    // Libraries write 65535 for want of knowledge.
    expect((await read('_DSC0004.jpg', await sharp(jpeg).withExif({}).jpeg().toBuffer())).notes).toBe('');
  });

  test('counts in WebP and TIFF too, and less than a profile', async () => {
    const webp = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT)
      .withExif({ IFD2: { ColorSpace: '2' } })
      .webp()
      .toBuffer();
    expect((await read('a.webp', webp)).known).toBe('adobe-rgb');
    const tiff = tiffFile({ width: WIDTH, height: HEIGHT, data: Buffer.from(gradient(WIDTH, HEIGHT)) }, [
      [0x8769, 4, { below: [[0xa001, 3, [2]]] }],
    ]);
    expect((await read('a.tif', tiff)).known).toBe('adobe-rgb');
    const png = withChunks(await plainPng(), profileChunk(writeMatrixProfile(DISPLAY_P3)), ['eXIf', cameraExif(2)]);
    expect((await read('p3.png', png)).known).toBe('display-p3');
  });

  test('says what the results are: ColorSpace and the index follow them', async () => {
    const png = withChunks(await plainPng(), ['sRGB', Buffer.from([0])], ['eXIf', cameraExif(65535, 'R03')]);
    writeFileSync(at('other.png'), png);
    expect(colorSpaceOf((await result('other.png')).exif!)).toEqual({ colorSpace: 1, index: 'R98' });
    const p3 = withChunks(await plainPng(), coded(12, 13), ['eXIf', cameraExif(1, 'R98')]);
    writeFileSync(at('wide.png'), p3);
    expect(colorSpaceOf((await result('wide.png')).exif!)).toEqual({ colorSpace: 65535, index: '\0\0\0' });
  });
});

describe('TIFF', () => {
  const P3_PRIMARIES = [680, 1000, 320, 1000, 265, 1000, 690, 1000, 150, 1000, 60, 1000];
  const rationals = (values: number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
    return bytes;
  };

  test('of stated primaries and white keeps them', async () => {
    const picture = { width: WIDTH, height: HEIGHT, data: Buffer.from(gradient(WIDTH, HEIGHT)) };
    const tiff = tiffFile(picture, [
      [0x013e, 5, { data: rationals([3127, 10000, 3290, 10000]) }],
      [0x013f, 5, { data: rationals(P3_PRIMARIES) }],
    ]);
    // The helper counts data as one value.
    for (const [tag, count] of [
      [0x013e, 2],
      [0x013f, 6],
    ]) {
      const entry = tiff.indexOf(Buffer.from([tag >> 8, tag & 255, 0, 5]));
      tiff.writeUInt32BE(count, entry + 4);
    }
    const { known, notes } = await read('primaries.tif', tiff);
    expect(known).toBe('display-p3');
    expect(notes).toContain('by its TIFF tags');
  });
});

test('a TIFF curve that leads nowhere says nothing', async () => {
  const picture = { width: WIDTH, height: HEIGHT, data: Buffer.from(gradient(WIDTH, HEIGHT)) };
  const tiff = tiffFile(picture, [[0x012d, 3, Array.from({ length: 256 }, () => 7)]]);
  expect(await read('flat.tif', tiff)).toMatchObject({ known: undefined, notes: '' });
});

describe('PNG', () => {
  test.each([
    ['cICP Display P3', [coded(12, 13)], 'display-p3', 'by its cICP chunk'],
    ['cICP sRGB', [coded(1, 13)], undefined, ''],
    ['cICP of Display P3 without a curve', [coded(12, 2)], 'display-p3', 'by its cICP chunk'],
    ['cICP that states nothing, over cHRM', [coded(2, 2), chromaticities(...ADOBE)], 'adobe-rgb', 'its cHRM chunk'],
    ['cHRM and gAMA of Adobe RGB', [chromaticities(...ADOBE), exponent(0.45455)], 'adobe-rgb', 'cHRM and gAMA'],
    ['cHRM of Adobe RGB alone', [chromaticities(...ADOBE)], 'adobe-rgb', 'its cHRM chunk'],
    ['cHRM and gAMA of Display P3', [chromaticities(...P3), exponent(0.45455)], 'display-p3', 'cHRM and gAMA'],
    ['gAMA of sRGB', [exponent(0.45455)], undefined, ''],
    ['sRGB over cHRM', [['sRGB', Buffer.from([0])], chromaticities(...P3)], undefined, ''],
    ['cICP over a profile', [coded(12, 13), profileChunk(writeMatrixProfile(ADOBE_RGB))], 'display-p3', 'cICP'],
    ['a profile over cHRM', [profileChunk(writeMatrixProfile(ADOBE_RGB)), chromaticities(...P3)], 'adobe-rgb', ''],
    ['unknown cICP below a profile', [coded(10, 13), profileChunk(writeMatrixProfile(ADOBE_RGB))], 'adobe-rgb', ''],
    ['cHRM that spans nothing', [chromaticities(...Array.from({ length: 8 }, () => 0.3))], undefined, ''],
  ] as [string, [string, Buffer][], string | undefined, string][])('%s', async (_name, chunks, expected, note) => {
    const { known, notes, pixels } = await read('photo.png', withChunks(await plainPng(), ...chunks));
    expect(known).toBe(expected);
    expect(notes).toContain(note);
    if (!expected) expect(notes).toBe('');
    // Numbers stay.
    expect([...pixels.data]).toEqual([...gradient(WIDTH, HEIGHT)]);
  });

  test('numbers that are unknown are said', async () => {
    const { notes } = await read('photo.png', withChunks(await plainPng(), coded(10, 13)));
    expect(notes).toContain('primaries 10, curve 13');
  });

  test.each([
    ['PQ', 16],
    ['HLG', 18],
  ])('%s is refused with advice, with a profile or without', async (_name, transfer) => {
    for (const more of [[], [profileChunk(writeMatrixProfile(DISPLAY_P3))]] as [string, Buffer][][]) {
      writeFileSync(at('hdr.png'), withChunks(await plainPng(), coded(9, transfer), ...more));
      const error = await refusal(at('hdr.png'));
      expect(error).toMatchObject({ code: 'PHOTO_FORMAT', hint: expect.stringContaining('standard screens') });
      expect(error.message).toContain('high dynamic range');
    }
  });

  test('primaries and gamma of its own make a space of its own, white on white', async () => {
    const wide = [0.3127, 0.329, 0.7, 0.3, 0.17, 0.76, 0.14, 0.05];
    const { pixels, notes } = await read(
      'own.png',
      withChunks(await plainPng(), chromaticities(...wide), exponent(0.5)),
    );
    expect(notes).toContain('RGB of its own primaries by its cHRM and gAMA chunks');
    const { space } = parseProfile(pixels.space!.profile);
    if (space.kind !== 'rgb') throw new Error('Not RGB.');
    const white = space.toXyz.map((row) => row[0] + row[1] + row[2]);
    [0.9642, 1, 0.8249].forEach((value, i) => {
      expect(white[i]).toBeCloseTo(value, 4);
    });
    expect(space.curves[0]).toEqual({ kind: 'gamma', gamma: 2 });
  });

  test.each([8, 16])('linear values of %i bits become sRGB', async (bits) => {
    const data = bits === 16 ? gradient16(WIDTH, HEIGHT) : gradient(WIDTH, HEIGHT);
    const png = withChunks(await image(data, WIDTH, HEIGHT).png().toBuffer(), exponent(1));
    const { pixels, notes } = await read('linear.png', png);
    expect(notes).toBe('The photo is linear by its gAMA chunk; it was converted to sRGB.');
    expect(pixels.space).toBeUndefined();
    const top = bits === 16 ? 65535 : 255;
    data.forEach((value: number, i: number) => {
      expect(Math.abs(pixels.data[i] - linearToSrgb(value / top) * top)).toBeLessThanOrEqual(0.51);
    });
  });

  test('gray goes by its gAMA', async () => {
    const ramp = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => i % 256);
    const gray = await sharp(ramp, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const { pixels, notes } = await read('gray.png', withChunks(gray, exponent(1 / 1.8)));
    expect(notes).toContain('gray has a curve of its own by its gAMA chunk');
    for (const i of [10, 100, 200]) {
      expect(Math.abs(pixels.data[3 * i] - linearToSrgb((i / 255) ** 1.8) * 255)).toBeLessThanOrEqual(1);
    }
  });

  test('a chunk with a wrong check sum or behind the pixels says nothing', async () => {
    const png = withChunks(await plainPng(), coded(12, 13));
    png[33 + 8 + 4] ^= 1;
    expect((await read('crc.png', png)).known).toBeUndefined();
    const late = await plainPng();
    const bytes = Buffer.concat([late.subarray(0, -12), pngChunk(...coded(12, 13)), late.subarray(-12)]);
    expect((await read('late.png', bytes)).known).toBeUndefined();
  });
});

test('a gray photo with an RGB profile goes by that profile’s curve', async () => {
  const ramp = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => i % 256);
  const gray = await sharp(ramp, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 100 })
    .toBuffer();
  const profiled = async (space: typeof SRGB): Promise<number> => {
    const head = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), writeMatrixProfile(space)]);
    const segment = Buffer.from([0xff, 0xe2, (head.length + 2) >> 8, (head.length + 2) & 255]);
    const { pixels, notes } = await read(
      'gray.jpg',
      Buffer.concat([gray.subarray(0, 2), segment, head, gray.subarray(2)]),
    );
    expect(notes).toBe('');
    return pixels.data[3 * 40];
  };
  expect(await profiled(SRGB)).toBe((await read('plain.jpg', gray)).pixels.data[3 * 40]);
  expect(Math.abs((await profiled(ADOBE_RGB)) - linearToSrgb((40 / 255) ** (563 / 256)) * 255)).toBeLessThanOrEqual(3);
});
