import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { VeraRetouchError } from '../../src/color';
import { readPhoto } from '../../src/host/files/photo';
import { makeProxy } from '../../src/host/files/proxy';
import { gradient, gradient16, image, temporaryFolder } from './support/pictures';

jest.setTimeout(120000);
const folder = temporaryFolder();
const LOSSLESS = { png: {}, tiff: { compression: 'lzw' }, webp: { lossless: true } } as const;
const at = (name: string): string => path.join(folder, name);

async function failure(file: string): Promise<VeraRetouchError> {
  const thrown: unknown = await readPhoto(file).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(VeraRetouchError);
  return thrown as VeraRetouchError;
}

/** A PNG whose header claims a size that its few bytes do not have. */
function pngClaiming(width: number, height: number): Buffer {
  const png = readFileSync(at('small.png'));
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

beforeAll(async () => {
  await image(gradient(60, 40), 60, 40).png().toFile(at('small.png'));
});

describe('pixels', () => {
  test.each(['png', 'tiff', 'webp'] as const)('of a lossless %s come through unchanged', async (format) => {
    const data = gradient(61, 43);
    const picture = image(data, 61, 43);
    await picture.toFormat(format, LOSSLESS[format]).toFile(at(`p.${format}`));
    const { pixels } = await readPhoto(at(`p.${format}`));
    expect(pixels).toMatchObject({ width: 61, height: 43, channels: 3 });
    expect(Buffer.compare(Buffer.from(pixels.data as Uint8Array), Buffer.from(data))).toBe(0);
  });

  test.each(['png', 'tiff'] as const)('of a 16-bit %s keep all their bits, and their transparency', async (format) => {
    const data = gradient16(31, 20, 4);
    await image(data, 31, 20, 4)
      .toFormat(format, LOSSLESS[format])
      .toFile(at(`deep.${format}`));
    const { pixels } = await readPhoto(at(`deep.${format}`));
    expect(pixels.channels).toBe(4);
    expect(pixels.data).toBeInstanceOf(Uint16Array);
    expect([...pixels.data]).toEqual([...data]);
  });

  test('are turned upright', async () => {
    const data = gradient(30, 20);
    await image(data, 30, 20).withMetadata({ orientation: 6 }).png().toFile(at('turned.png'));
    const { pixels } = await readPhoto(at('turned.png'));
    expect([pixels.width, pixels.height]).toEqual([20, 30]);
    // Orientation 6: shown turned clockwise, so the stored bottom left corner is the shown top left one.
    expect([...pixels.data.subarray(0, 3)]).toEqual([...data.subarray(19 * 30 * 3, 19 * 30 * 3 + 3)]);
  });

  test('that are grey or CMYK become RGB', async () => {
    await image(gradient(20, 20), 20, 20).greyscale().jpeg().toFile(at('grey.jpg'));
    await image(gradient(20, 20), 20, 20).toColourspace('cmyk').jpeg().toFile(at('cmyk.jpg'));
    const grey = (await readPhoto(at('grey.jpg'))).pixels;
    expect(grey.channels).toBe(3);
    expect(grey.data[0]).toBe(grey.data[1]);
    const cmyk = await readPhoto(at('cmyk.jpg'));
    expect(cmyk.pixels.channels).toBe(3);
    expect(cmyk.notes.join()).toContain('CMYK');
  });

  test.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
  ])('%i x %i is read and has a proxy', async (width, height) => {
    await image(gradient(width, height), width, height).png().toFile(at('thin.png'));
    const { pixels } = await readPhoto(at('thin.png'));
    expect([pixels.width, pixels.height]).toEqual([width, height]);
    const proxy = await makeProxy(pixels, 1024);
    expect([proxy.width, proxy.height]).toEqual([Math.min(1024, width), Math.min(1024, height)]);
    expect(proxy.data).toHaveLength(proxy.width * proxy.height * 3);
  });
});

describe('the proxy', () => {
  test('is never larger than the photo, keeps its proportions and its mean', async () => {
    const data = gradient(2000, 1000);
    const proxy = await makeProxy({ width: 2000, height: 1000, channels: 3, data }, 1024);
    expect([proxy.width, proxy.height]).toEqual([1024, 512]);
    const mean = (values: Uint8Array, channel: number): number =>
      values.reduce((sum, value, i) => (i % 3 === channel ? sum + value : sum), 0) / (values.length / 3);
    for (const channel of [0, 1, 2]) expect(mean(proxy.data, channel)).toBeCloseTo(mean(data, channel), 0);
    const small = await makeProxy({ width: 60, height: 40, channels: 3, data: gradient(60, 40) }, 1024);
    expect([...small.data]).toEqual([...gradient(60, 40)]);
  });

  test('of 16 bits is the same picture with 8, and transparency shows grey', async () => {
    const deep = new Uint16Array(4 * 4 * 4).map((_, i) => (i % 4 === 3 ? 0 : 65535));
    const clear = await makeProxy({ width: 4, height: 4, channels: 4, data: deep }, 1024);
    expect([...clear.data.subarray(0, 3)].every((value) => Math.abs(value - 128) <= 1)).toBe(true);
    const opaque = new Uint16Array(4 * 4 * 3).fill(200 * 257);
    const proxy = await makeProxy({ width: 4, height: 4, channels: 3, data: opaque }, 1024);
    expect(proxy.data[0]).toBe(200);
  });
});

describe('what cannot be read is refused with a reason', () => {
  test('no such file', async () => {
    expect(await failure(at('absent.jpg'))).toMatchObject({ code: 'PHOTO_NOT_FOUND' });
  });

  test('a folder', async () => {
    mkdirSync(at('photos'));
    const error = await failure(at('photos'));
    expect(error.code).toBe('PHOTO_NOT_A_FILE');
    expect(error.hint).toContain('*.jpg');
  });

  test('an empty file, and text with the name of a photo', async () => {
    writeFileSync(at('empty.jpg'), '');
    writeFileSync(at('text.jpg'), 'I am no picture.\n');
    expect((await failure(at('empty.jpg'))).message).toContain('0 bytes');
    expect(await failure(at('text.jpg'))).toMatchObject({ code: 'PHOTO_NOT_AN_IMAGE' });
  });

  test('a picture in another format, a camera raw file without pixels, 32-bit values', async () => {
    writeFileSync(at('a.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    writeFileSync(at('a.NEF'), 'II*\0');
    await sharp(new Float32Array(300).fill(0.5), { raw: { width: 10, height: 10, channels: 3 } })
      .toColourspace('scrgb')
      .tiff({ compression: 'lzw' })
      .toFile(at('float.tif'));
    expect(await failure(at('a.svg'))).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(await failure(at('a.NEF'))).toMatchObject({ code: 'PHOTO_DAMAGED' });
    expect(await failure(at('float.tif'))).toMatchObject({ code: 'PHOTO_FORMAT' });
  });

  test.each(['jpeg', 'png', 'tiff', 'webp'] as const)('a %s that was cut short', async (format) => {
    const whole = await image(gradient(300, 200), 300, 200).toFormat(format).toBuffer();
    writeFileSync(at(`cut.${format}`), whole.subarray(0, Math.floor(whole.length * 0.6)));
    expect((await failure(at(`cut.${format}`))).code).toBe('PHOTO_DAMAGED');
  });

  test('more pixels than fit into memory, found in the header alone', async () => {
    writeFileSync(at('huge.png'), pngClaiming(20000, 6001));
    writeFileSync(at('long.png'), pngClaiming(30001, 2));
    const before = process.memoryUsage().rss;
    const error = await failure(at('huge.png'));
    expect(error).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
    expect(error.message).toContain('20000 x 6001');
    expect(await failure(at('long.png'))).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  test('a cancelled reading', async () => {
    await expect(readPhoto(at('small.png'), AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORT_ERR' });
  });
});
