import { writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { checkJpeg } from '../../src/host/files/damage/jpegCheck';
import { lzwLength } from '../../src/host/files/damage/lzw';
import { tiffLayout } from '../../src/host/files/damage/tiffLayout';
import { readPhoto } from '../../src/host/files/photo';
import { TiffTree, entryOf, inMemory } from '../../src/host/files/tiffTree';
import { tiffFile, withChunks } from './support/colorFiles';
import { gradient, gradient16, image, temporaryFolder } from './support/pictures';
import { refusal } from './support/refusal';

/* Damage is seen, what is whole is read, and what is not supported is not called damaged. */
jest.setTimeout(60000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 256;
const HEIGHT = 192;
const picture = (bits = 8): Sharp => {
  const data = bits === 16 ? gradient16(WIDTH, HEIGHT) : gradient(WIDTH, HEIGHT);
  return image(data, WIDTH, HEIGHT);
};

async function read(name: string, bytes: Uint8Array) {
  writeFileSync(at(name), bytes);
  return readPhoto(at(name));
}

async function refused(name: string, bytes: Uint8Array) {
  writeFileSync(at(name), bytes);
  return refusal(at(name));
}

const TILED = { tile: true, tileWidth: 64, tileHeight: 64 } as const;
type Compression = 'deflate' | 'lzw' | 'none' | 'jpeg' | 'packbits';
type Kind = [name: string, write: () => Promise<Buffer>, raw: boolean];
const kind = (compression: Compression, options: object = {}, bits = 8, gray = false): Kind[1] => {
  const source = (): Sharp => (gray ? picture().toColourspace('b-w') : picture(bits));
  return () =>
    source()
      .tiff({ compression, ...options })
      .toBuffer();
};
const TIFFS: Kind[] = [
  ['deflate tiles', kind('deflate', TILED), false],
  ['deflate tiles of 16 bits', kind('deflate', TILED, 16), false],
  ['LZW tiles', kind('lzw', TILED), false],
  ['LZW tiles of gray', kind('lzw', TILED, 8, true), false],
  ['LZW tiles with a predictor', kind('lzw', { ...TILED, predictor: 'horizontal' }), false],
  ['PackBits tiles', kind('packbits', TILED), true],
  ['raw tiles', kind('none', TILED), true],
  ['raw tiles of 16 bits', kind('none', TILED, 16), true],
  ['JPEG tiles', kind('jpeg', TILED), false],
  ['BigTIFF, deflate tiles', kind('deflate', { ...TILED, bigtiff: true }), false],
  ['JPEG strips', kind('jpeg'), false],
  ['LZW strips', kind('lzw'), false],
  ['deflate strips', kind('deflate'), false],
];

describe.each(TIFFS)('TIFF, %s', (name, write, raw) => {
  test('is read when whole', async () => {
    const bytes = await write();
    const { pixels, notes } = await read('whole.tif', bytes);
    expect(notes).toEqual([]);
    const wanted = await sharp(bytes)
      .toColourspace(pixels.data.BYTES_PER_ELEMENT === 2 ? 'rgb16' : 'srgb')
      .raw({ depth: pixels.data.BYTES_PER_ELEMENT === 2 ? 'ushort' : 'uchar' })
      .toBuffer();
    expect(Buffer.compare(Buffer.from(pixels.data.buffer, pixels.data.byteOffset, wanted.length), wanted)).toBe(0);
  });

  test('is refused when a part lies beyond the end of the file', async () => {
    const bytes = await write();
    const tree = TiffTree.open(inMemory(bytes))!;
    const directory = tree.directory(tree.first)!;
    const entry = entryOf(directory, 324) ?? entryOf(directory, 273)!;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const size = entry.type === 16 ? 8 : 4;
    const last = entry.valueAt + (entry.count - 1) * size;
    if (size === 8) view.setBigUint64(last, BigInt(bytes.length - 20), tree.littleEndian);
    else view.setUint32(last, bytes.length - 20, tree.littleEndian);
    expect(entry.type === 3).toBe(false);
    const error = await refused('beyond.tif', bytes);
    expect(error.code).toBe('PHOTO_DAMAGED');
  });

  test(`${raw ? 'is not judged' : 'is refused'} when zeros stand in place of a part`, async () => {
    const bytes = await write();
    const { offsets, byteCounts } = tiffLayout(inMemory(bytes))!;
    const middle = offsets.length >> 1;
    bytes.fill(0, offsets[middle] + (byteCounts[middle] >> 2), offsets[middle] + byteCounts[middle]);
    if (name.startsWith('raw')) expect((await read('zeroed.tif', bytes)).notes).toEqual([]);
    else if (!raw) expect((await refused('zeroed.tif', bytes)).code).toBe('PHOTO_DAMAGED');
  });
});

const JPEGS: [string, JpegOptions][] = [
  ['baseline', { quality: 90 }],
  ['baseline 4:4:4', { quality: 97, chromaSubsampling: '4:4:4' }],
  ['progressive', { quality: 90, progressive: true }],
  ['progressive with optimized scans', { quality: 80, mozjpeg: true }],
];

describe.each(JPEGS)('JPEG, %s', (_name, options) => {
  const write = (): Promise<Buffer> => picture().jpeg(options).toBuffer();

  test('of any size is whole', async () => {
    for (const [width, height] of [
      [1, 1],
      [7, 9],
      [16, 17],
      [33, 64],
      [200, 131],
    ]) {
      const bytes = await image(gradient(width, height), width, height).jpeg(options).toBuffer();
      expect(checkJpeg(bytes)).toEqual({ kind: 'whole', endMissing: false });
      const gray = await image(gradient(width, height), width, height).toColourspace('b-w').jpeg(options).toBuffer();
      expect(checkJpeg(gray)).toEqual({ kind: 'whole', endMissing: false });
    }
  });

  test('that lacks only its end mark is read, and it is said', async () => {
    const bytes = await write();
    const whole = await read('whole.jpg', bytes);
    const { pixels, notes } = await read('open.jpg', bytes.subarray(0, -2));
    expect(notes).toEqual(["The JPEG's end mark is missing; its picture is complete."]);
    expect(Buffer.compare(Buffer.from(pixels.data), Buffer.from(whole.pixels.data))).toBe(0);
  });

  test('with stray bytes in its header or behind its end is read', async () => {
    const bytes = await write();
    const junk = Buffer.from([1, 2, 3, 4]);
    // Behind the first segment.
    const second = 4 + bytes.readUInt16BE(4);
    for (const odd of [
      Buffer.concat([bytes, Buffer.alloc(5000)]),
      Buffer.concat([bytes.subarray(0, second), junk, bytes.subarray(second)]),
    ]) {
      expect((await read('odd.jpg', odd)).notes).toEqual([]);
    }
  });

  test('with bytes overwritten is refused where its codes say so, also where the decoder warns of nothing', async () => {
    const bytes = await write();
    const scan = bytes.lastIndexOf(Buffer.from([0xff, 0xda]));
    let silent = 0;
    for (let i = 1; i < 12; i++) {
      const place = scan + 16 + Math.round(((bytes.length - scan - 40) * i) / 12);
      const odd = Buffer.from(bytes);
      for (let k = 0; k < 16; k++) odd[place + k] = (odd[place + k] * 37 + 11 * i + k) & 0x7f;
      if (checkJpeg(odd).kind !== 'damaged') continue;
      const warns = sharp(odd, { failOn: 'warning' }).raw().toBuffer();
      silent += await warns.then(
        () => 1,
        () => 0,
      );
      expect([i, (await refused(`overwritten${i}.jpg`, odd)).code]).toEqual([i, 'PHOTO_DAMAGED']);
    }
    // Progressive ones are nearly always warned of.
    if (!options.progressive && !options.mozjpeg) expect(silent).toBeGreaterThan(0);
  });

  test('with a part zeroed, cut out or cut off is refused', async () => {
    const bytes = await write();
    const [half, more] = [bytes.length >> 1, Math.round(bytes.length * 0.6)];
    const zeroed = Buffer.from(bytes).fill(0, half, more);
    const tail = Buffer.from(bytes).fill(0, half);
    const without = Buffer.concat([bytes.subarray(0, half), bytes.subarray(more)]);
    for (const [i, damaged] of [zeroed, tail, without, bytes.subarray(0, half), bytes.subarray(0, -100)].entries()) {
      const error = await refused(`damaged${i}.jpg`, damaged);
      expect([i, error.code]).toEqual([i, 'PHOTO_DAMAGED']);
    }
  });
});

describe('PNG', () => {
  test('with damaged data beside the picture, or without its end, is read', async () => {
    const whole = await picture().png().toBuffer();
    const time = withChunks(whole, ['tIME', Buffer.from([7, 226, 13, 40, 1, 1, 1])]);
    time[33 + 8] ^= 1;
    for (const bytes of [time, withChunks(whole, ['sBIT', Buffer.from([99])]), whole.subarray(0, -12)]) {
      const { pixels } = await read('odd.png', bytes);
      expect(Buffer.compare(Buffer.from(pixels.data), Buffer.from(gradient(WIDTH, HEIGHT)))).toBe(0);
    }
  });

  test('with damage in the picture, or cut short, is refused', async () => {
    const bytes = await picture().png().toBuffer();
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] ^= 1;
    for (const [name, damaged, why] of [
      ['flipped.png', flipped, 'a check sum (IDAT) is wrong'],
      ['cut.png', bytes.subarray(0, bytes.length >> 1), 'it ends early'],
    ] as const) {
      const { code, message } = await refused(name, damaged);
      expect(code).toBe('PHOTO_DAMAGED');
      expect(message).toContain(why);
    }
  });
});

test.each(['webp', 'avif'] as const)('%s that was cut short is refused', async (format) => {
  const bytes = await picture().toFormat(format, { quality: 60 }).toBuffer();
  for (const share of [0.3, 0.7, 0.95]) {
    const error = await refused(`cut.${format}`, bytes.subarray(0, Math.round(bytes.length * share)));
    expect(error.code).toMatch(/^PHOTO_(DAMAGED|NOT_AN_IMAGE)$/);
  }
});

describe('a TIFF that is not supported is not called damaged, and the way out is named', () => {
  const data = Buffer.alloc(16 * 16 * 6, 100);
  const size = { width: 16, height: 16, data };
  test.each([
    ['LZMA', tiffFile({ ...size, compression: 34925 }), 'compressed as LZMA'],
    ['Zstandard', tiffFile({ ...size, compression: 50000 }), 'compressed as Zstandard'],
    ['old-style JPEG strips', tiffFile({ ...size, compression: 6, photometric: 6 }), 'old-style JPEG'],
    ['an unknown compression', tiffFile({ ...size, compression: 61234 }), 'in the way 61234'],
    ['Lab', tiffFile({ ...size, photometric: 8 }), 'in Lab color'],
    [
      'YCbCr that is neither JPEG nor subsampled',
      tiffFile({ ...size, photometric: 6 }, [[530, 3, [1, 1]]]),
      'in YCbCr color',
    ],
    ['a kind of color nobody knows', tiffFile({ ...size, photometric: 51177 }), 'in colors of another kind (51177)'],
    ['12 bits', tiffFile({ ...size, bits: 12 }), '12 bits per channel'],
    ['24 bits', tiffFile({ ...size, bits: 24 }), '24 bits per channel'],
    [
      'tiles in planes',
      tiffFile(size, [
        [284, 3, [2]],
        [322, 4, [16]],
        [323, 4, [16]],
        [324, 4, [8, 8, 8]],
        [325, 4, [256, 256, 256]],
      ]),
      'one plane for each channel',
    ],
  ])('%s', async (_name, bytes, what) => {
    const error = await refused('unsupported.tif', bytes);
    expect(error.message).toContain(what);
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT', hint: expect.stringContaining('LZW or ZIP') });
  });
});

describe('channels of a TIFF beside RGB', () => {
  const EDGE = 16;
  const rgb = gradient(EDGE, EDGE);
  const withExtras = (extras: number[], bits: 8 | 16, tagged = true): Buffer => {
    const samples = 3 + extras.length;
    const values = Array.from({ length: EDGE * EDGE }, (_, i) => [
      ...rgb.subarray(3 * i, 3 * i + 3),
      ...extras.map((_e, k) => 60 + 50 * k),
    ]);
    const bytes = values.flat().flatMap((value) => (bits === 16 ? [value, value] : [value]));
    const picture = { width: EDGE, height: EDGE, data: Buffer.from(bytes), samples, bits };
    return tiffFile(picture, tagged ? [[338, 3, extras]] : []);
  };
  test.each([
    ['a saved selection', [0], true, undefined, '1 more channel'],
    ['a selection that nothing is said of', [0], false, undefined, '1 more channel'],
    ['transparency', [2], true, 60, ''],
    ['two selections', [0, 0], true, undefined, '2 more channels'],
    ['transparency and a selection', [2, 0], true, 60, '1 more channel'],
    ['a selection and transparency', [0, 2], true, 110, '1 more channel'],
  ] as [string, number[], boolean, number | undefined, string][])('%s', async (_name, extras, tagged, alpha, note) => {
    for (const bits of [8, 16] as const) {
      const { pixels, notes } = await read('extras.tif', withExtras(extras, bits, tagged));
      expect(pixels.channels).toBe(alpha === undefined ? 3 : 4);
      expect(notes.join()).toContain(note);
      if (!note) expect(notes).toEqual([]);
      const unit = bits === 16 ? 257 : 1;
      const { channels, data } = pixels;
      for (const i of [0, 100, 255]) {
        const wanted = [...rgb.subarray(3 * i, 3 * i + 3), ...(alpha === undefined ? [] : [alpha])];
        expect([...data.subarray(channels * i, channels * (i + 1))]).toEqual(wanted.map((value) => value * unit));
      }
    }
  });
});

test('an empty EXIF block is no damage', async () => {
  const jpeg = await picture().jpeg().toBuffer();
  for (const block of ['II*\0\x08\0\0\0\0\0\0\0\0\0', 'MM\0*\0\0\0\x08\0\0\0\0\0\0', 'II*\0\x08\0\0\0', '']) {
    const body = Buffer.from(`Exif\0\0${block}`, 'latin1');
    const head = Buffer.from([0xff, 0xe1, 0, body.length + 2]);
    const { notes } = await read('exif.jpg', Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]));
    expect(notes).toEqual([]);
  }
  const head = Buffer.from([0xff, 0xe1, 0, 20]);
  const odd = Buffer.concat([
    jpeg.subarray(0, 2),
    head,
    Buffer.from('Exif\0\0II*\0\xff\xff\xff\xffabcd', 'latin1'),
    jpeg.subarray(2),
  ]);
  expect((await read('odd.jpg', odd)).notes.join()).toContain('EXIF data was left out');
});

test('a name that is not UTF-8 is said to be one', async () => {
  const bytes = Buffer.concat([Buffer.from(`${folder}/Caf`), Buffer.from([0xe9]), Buffer.from('.jpg')]);
  writeFileSync(bytes, await picture().jpeg().toBuffer());
  // As it arrives on the command line and out of a folder.
  const error = await refusal(bytes.toString('utf8'));
  expect(error).toMatchObject({ code: 'PHOTO_UNREADABLE', hint: expect.stringContaining('Rename') });
  expect(error.message).toContain('not coded in UTF-8');
});

test('LZW of the order of bits before TIFF 5.0 is left to its decoder', () => {
  expect(lzwLength(Uint8Array.of(0, 1, 4, 8), 99)).toBe(99);
});
