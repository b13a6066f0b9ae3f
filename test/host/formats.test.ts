import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { type VeraRetouchError, parseProfile, writeMatrixProfile, DISPLAY_P3 } from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { readPhoto } from '../../src/host/files/photo';
import { exifBlock } from './support/metadata';
import { gradient, gradient16, image, temporaryFolder } from './support/pictures';
import { refusal } from './support/refusal';

/* AVIF; and what is told from its contents, whatever its name: HEIC, camera raw (formatsHeic, formatsRaw read whole ones). */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 64;
const HEIGHT = 48;
const LOSSLESS = { lossless: true, chromaSubsampling: '4:4:4', effort: 0 } as const;

async function refused(name: string, bytes: Buffer | string): Promise<VeraRetouchError> {
  writeFileSync(at(name), bytes, 'latin1');
  return refusal(at(name));
}

/** The same file with other numbers for its colours (ITU-T H.273). */
function coded(avif: Buffer, primaries: number, transfer: number): Buffer {
  const out = Buffer.from(avif);
  const where = out.indexOf('colrnclx');
  expect(where).toBeGreaterThan(0);
  out.writeUInt16BE(primaries, where + 8);
  out.writeUInt16BE(transfer, where + 10);
  return out;
}

describe('AVIF', () => {
  test('of 8 bits is read as other programs show it', async () => {
    await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).avif(LOSSLESS).toFile(at('a.avif'));
    const { pixels, notes } = await readPhoto(at('a.avif'));
    expect(notes).toEqual([]);
    expect(pixels).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
    expect([...pixels.data]).toEqual([...(await sharp(at('a.avif')).raw().toBuffer())]);
  });

  test('keeps its transparency and is turned upright', async () => {
    const data = gradient(WIDTH, HEIGHT, 4);
    await image(data, WIDTH, HEIGHT, 4).withMetadata({ orientation: 6 }).avif(LOSSLESS).toFile(at('turned.avif'));
    const { pixels } = await readPhoto(at('turned.avif'));
    expect(pixels).toMatchObject({ width: HEIGHT, height: WIDTH, channels: 4 });
    // Top left is what was bottom left.
    expect(pixels.data[3]).toBe(data[(HEIGHT - 1) * WIDTH * 4 + 3]);
  });

  test.each([10, 12] as const)('of %i bits is read with 16, black and white exactly', async (bitdepth) => {
    const data = gradient16(WIDTH, HEIGHT);
    data.fill(0, 0, 3 * WIDTH);
    data.fill(65535, 3 * WIDTH, 6 * WIDTH);
    await image(data, WIDTH, HEIGHT)
      .avif({ ...LOSSLESS, bitdepth })
      .toFile(at(`${bitdepth}.avif`));
    const document = await new FilesHost(folder).open(at(`${bitdepth}.avif`));
    expect(document.bitDepth).toBe(16);
    const { pixels } = await readPhoto(at(`${bitdepth}.avif`));
    expect([...pixels.data.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect([...pixels.data.subarray(3 * WIDTH, 3 * WIDTH + 3)]).toEqual([65535, 65535, 65535]);
    const step = 65536 / 2 ** bitdepth;
    // Lossless but for the way to YCbCr and back.
    const far = [...pixels.data].filter((value, i) => Math.abs(value - data[i]) > 4 * step);
    expect(far).toEqual([]);
  });

  test('in Display P3 by number keeps its colours; unknown numbers are said; high dynamic range is refused', async () => {
    const avif = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).avif(LOSSLESS).toBuffer();
    writeFileSync(at('p3.avif'), coded(avif, 12, 13));
    const { pixels, notes } = await readPhoto(at('p3.avif'));
    expect(notes.join()).toContain('Display P3 by its color numbers; so are the results');
    expect(parseProfile(pixels.space!.profile)).toMatchObject({ known: 'display-p3' });
    writeFileSync(at('wide.avif'), coded(avif, 10, 13));
    expect((await readPhoto(at('wide.avif'))).notes.join()).toContain('primaries 10, curve 13');
    const error = await refused('hdr.avif', coded(avif, 9, 16));
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(error.message).toContain('high dynamic range');
  });

  test('with a profile keeps it', async () => {
    writeFileSync(at('p3.icc'), writeMatrixProfile(DISPLAY_P3, { description: 'Display P3' }));
    await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT)
      .withIccProfile(at('p3.icc'))
      .avif(LOSSLESS)
      .toFile(at('profile.avif'));
    const { pixels } = await readPhoto(at('profile.avif'));
    expect(pixels.space!.name).toBe('Display P3');
    expect(Buffer.compare(Buffer.from(pixels.space!.profile), readFileSync(at('p3.icc')))).toBe(0);
  });

  test('that was cut short is refused', async () => {
    const avif = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).avif(LOSSLESS).toBuffer();
    for (const share of [0.2, 0.9]) {
      const error = await refused('cut.avif', avif.subarray(0, avif.length * share));
      expect(error.code).toMatch(/^PHOTO_(DAMAGED|NOT_AN_IMAGE)$/);
    }
  });
});

describe('HEIC that holds nothing to read is refused, by its contents', () => {
  test('pixels of another coding than it says', async () => {
    // An AVIF that says that its picture is coded with HEVC.
    const avif = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).avif(LOSSLESS).toBuffer();
    const text = avif
      .toString('latin1')
      .replaceAll('avif', 'heic')
      .replaceAll('av01', 'hvc1')
      .replaceAll('av1C', 'hvcC');
    expect((await refused('photo.heic', text)).code).toMatch(/^PHOTO_(DAMAGED|FORMAT)$/);
  });

  test('the beginning of one, named like a JPEG', async () => {
    const error = await refused('phone.jpg', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic\0\0\0\0');
    expect(error.code).toBe('PHOTO_DAMAGED');
  });
});

describe('camera raw that the decoder does not know is refused with a way out', () => {
  test.each(['a.nef', 'a.CR3', 'a.raw'])('by its name: %s', async (name) => {
    const png = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).png().toBuffer();
    const error = await refused(name, png.toString('latin1'));
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(error.message).toContain('camera raw');
    expect(error.hint).toContain('16-bit TIFF');
    expect((await refused(name, 'II*\0 what a camera writes')).code).toMatch(/^PHOTO_(DAMAGED|FORMAT)$/);
  });

  test.each([
    [
      'DNG',
      exifBlock(
        [
          [0x010f, 2, 'Acme'],
          [0xc612, 1, [1, 4, 0, 0]],
        ],
        undefined,
        true,
      ),
    ],
    [
      'NEF',
      exifBlock(
        [
          [0x00fe, 4, [1]],
          [0x014a, 4, { below: [[0x0106, 3, [32803]]] }],
        ],
        undefined,
        true,
      ),
    ],
    ['linear pixels', exifBlock([[0x0106, 3, [34892]]])],
    ['CR2', 'II*\0\x10\0\0\0CR\x02\0 and more'],
    ['CR3', '\0\0\0\x18ftypcrx \0\0\0\x01crx isom'],
    ['RAF', 'FUJIFILMCCD-RAW 0201'],
    ['ORF', 'IIRO\x08\0\0\0 and so on ..'],
    ['RW2', 'IIU\0\x18\0\0\0 and so on ..'],
    ['X3F', 'FOVb and what follows .'],
    ['MRW', '\0MRM and what follows .'],
  ])('by its contents, named .tif: %s', async (_, bytes) => {
    const error = await refused('renamed.tif', bytes);
    // To the decoder for raw files it went, which found nothing in it.
    if (error.code === 'PHOTO_FORMAT') expect(error.message).toContain('camera raw');
    else expect(error.code).toBe('PHOTO_DAMAGED');
  });

  test('but a TIFF of an editor, with the camera named and a small picture beside the large one, is read', async () => {
    const tiff = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT)
      .tiff({ pyramid: true, tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer();
    writeFileSync(at('editor.tif'), tiff);
    expect((await readPhoto(at('editor.tif'))).pixels.width).toBe(WIDTH);
  });
});

describe('a format that is known and not read', () => {
  test.each([
    ['JPEG XL', '\xff\x0a\xfa\x7f\x01\x90'],
    ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14'],
    ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14'],
    ['JPEG 2000', '\xff\x4f\xff\x51\0\x2f'],
    ['an AVIF animation', '\0\0\0\x18ftypavis\0\0\0\0avismsf1'],
    ['JPEG XR', 'II\xbc\x01\x20\0\0\0'],
    ['OpenEXR', 'v/1\x01\x02\0\0\0'],
    ['PDF', '%PDF-1.7\n'],
  ])('%s is named, and is no damage', async (name, beginning) => {
    const error = await refused('unread.jpg', beginning + 'x'.repeat(200));
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT', hint: expect.stringContaining('TIFF') as string });
    expect(error.message).toContain(`is ${name}, which is not read`);
  });

  test('what begins like none of them is no picture', async () => {
    expect(await refused('unread.jpg', 'x'.repeat(200))).toMatchObject({ code: 'PHOTO_NOT_AN_IMAGE' });
  });
});
