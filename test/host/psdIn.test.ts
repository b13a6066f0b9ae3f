import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { initializeCanvas, readPsd } from 'ag-psd';
import sharp from 'sharp';
import { Lut3D, PROPHOTO_RGB, writeMatrixProfile } from '../../src/color';
import { FilesHost } from '../../src/host/files/filesHost';
import { readPhoto } from '../../src/host/files/photo';
import { ask } from './support/oracle';
import { gradient, gradient16, image, temporaryFolder, warmLut } from './support/pictures';
import { refusal } from './support/refusal';

/* PSD files as photos. Most are written by psd-tools, some by the product itself. */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 37;
const HEIGHT = 23;

interface Recipe {
  readonly mode?: string;
  readonly depth?: 8 | 16 | 32;
  readonly compression?: 'raw' | 'rle' | 'zip' | 'zip_with_prediction';
  readonly channels?: number;
  readonly resources?: Readonly<Record<number, Uint8Array>>;
  readonly transparency?: boolean;
}

let count = 0;

/** Planes of these samples, big-endian, written into a PSD by psd-tools. */
function made(data: Uint8Array | Uint16Array, recipe: Recipe = {}): string {
  const name = at(`made-${++count}`);
  const { mode = 'RGB', compression = 'rle', transparency = false } = recipe;
  const channels = recipe.channels ?? data.length / (WIDTH * HEIGHT);
  const depth = recipe.depth ?? data.BYTES_PER_ELEMENT * 8;
  const step = data.BYTES_PER_ELEMENT;
  const planes = Buffer.alloc(data.byteLength);
  data.forEach((value, i) => {
    const to = ((i % channels) * (data.length / channels) + Math.floor(i / channels)) * step;
    planes.writeUIntBE(value, to, step);
  });
  writeFileSync(`${name}.raw`, planes);
  const resources: Record<string, string> = {};
  for (const [id, bytes] of Object.entries(recipe.resources ?? {})) {
    writeFileSync(`${name}.${id}`, bytes);
    resources[id] = `${name}.${id}`;
  }
  const all = {
    mode,
    width: WIDTH,
    height: HEIGHT,
    depth,
    compression,
    samples: `${name}.raw`,
    resources,
    transparency,
  };
  writeFileSync(`${name}.json`, JSON.stringify(all));
  ask('make_psd.py', `${name}.psd`, `${name}.json`);
  return `${name}.psd`;
}

describe('the composite', () => {
  test.each(['raw', 'rle', 'zip', 'zip_with_prediction'] as const)(
    'stored as %s is read, 8 and 16 bits',
    async (compression) => {
      for (const data of [gradient(WIDTH, HEIGHT), gradient16(WIDTH, HEIGHT)]) {
        const { pixels, notes } = await readPhoto(made(data, { compression }));
        expect(pixels).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
        expect(pixels.data.constructor).toBe(data.constructor);
        expect([...pixels.data]).toEqual([...data]);
        expect(notes).toEqual(["The PSD's composite picture was read; its layers are not in the results."]);
      }
    },
  );

  test.each([8, 16])(
    'of %i bits keeps its transparency, and its colours lose the white they were blended with',
    async (bits) => {
      const data = bits === 16 ? gradient16(WIDTH, HEIGHT, 4) : gradient(WIDTH, HEIGHT, 4);
      const top = bits === 16 ? 65535 : 255;
      const stored = data.map((value, i) => {
        const alpha = data[i - (i % 4) + 3] / top;
        return i % 4 === 3 ? value : Math.round(value * alpha + top * (1 - alpha));
      });
      const { pixels } = await readPhoto(made(stored, { transparency: true }));
      expect(pixels.channels).toBe(4);
      pixels.data.forEach((value, i) => {
        const alpha = data[i - (i % 4) + 3];
        if (i % 4 === 3) expect(value).toBe(alpha);
        // Rounding of what is stored, made larger by what brings the colour back.
        else if (alpha > 0) expect(Math.abs(value - data[i])).toBeLessThanOrEqual(0.5 * (top / alpha) + 0.5);
      });
    },
  );

  test('has a saved selection left out, which is said', async () => {
    const identifiers = Uint8Array.of(0, 0, 0, 7);
    const data = gradient(WIDTH, HEIGHT, 4);
    const { pixels, notes } = await readPhoto(made(data, { resources: { 1053: identifiers } }));
    expect([...pixels.data]).toEqual([...data].filter((_, i) => i % 4 !== 3));
    expect(notes.join()).toContain('1 more channels');
  });

  test('keeps the colour space, the resolution and the bits of its document', async () => {
    const icc = writeMatrixProfile(PROPHOTO_RGB, { description: 'ProPhoto RGB' });
    const resolution = Buffer.alloc(16);
    resolution.writeUInt32BE(240 * 65536, 0);
    resolution.writeUInt16BE(1, 4);
    const data = gradient16(WIDTH, HEIGHT);
    const file = made(data, { resources: { 1039: icc, 1005: resolution } });
    const document = await new FilesHost(folder).open(file);
    expect(document.notes.join()).toContain('ProPhoto RGB; so are the results');
    const lut = Lut3D.identity(33);
    const { results } = await document.applyRetouch({ lut, story: [], provenance: {}, record: () => ({}) });
    const png = results.find((name) => name.endsWith('.png'))!;
    const header = await sharp(png).metadata();
    expect(Math.round(header.density!)).toBe(240);
    expect(Buffer.compare(header.icc!, Buffer.from(icc))).toBe(0);
    const raw = await sharp(png, { ignoreIcc: true }).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
    expect([...new Uint16Array(new Uint8Array(raw).buffer)]).toEqual([...data]);
  });

  test.each([3, 4] as const)(
    'of a result of ours is the retouched picture (%i channels); the file stays as it is',
    async (channels) => {
      const data = gradient(WIDTH, HEIGHT, channels);
      await image(data, WIDTH, HEIGHT, channels)
        .png()
        .toFile(at(`first${channels}.png`));
      const retouch = { lut: warmLut(), story: ['Brighter.'], provenance: {}, record: () => ({}) };
      const { results } = await (await new FilesHost(folder).open(at(`first${channels}.png`))).applyRetouch(retouch);
      const psd = results.find((name) => name.endsWith('.psd'))!;
      const before = readFileSync(psd);
      const document = await new FilesHost(folder).open(psd);
      expect(document.hasAlpha).toBe(channels === 4);
      const proxy = await document.readProxy(1024);
      const again = await document.applyRetouch({ ...retouch, lut: Lut3D.identity(2) });
      expect(readFileSync(psd).equals(before)).toBe(true);
      expect(again.results).not.toContain(psd);
      if (channels === 4) return;
      expect([...proxy.data]).toEqual([...warmLut().apply(data.slice(), 3)]);
      initializeCanvas(
        () => {
          throw new Error('No canvas is needed: pixels are read as data.');
        },
        (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as never,
      );
      const second = readPsd(readFileSync(again.results[0]), { useImageData: true });
      expect([...second.imageData!.data].filter((_, i) => i % 4 !== 3)).toEqual([...proxy.data]);
    },
  );
});

test.each(['L', 'CMYK'] as const)('mode %s of another writer is read', async (mode) => {
  const channels = mode === 'L' ? 1 : 4;
  // Light of full strength in every channel: no ink.
  const { pixels } = await readPhoto(made(new Uint8Array(WIDTH * HEIGHT * channels).fill(255), { mode, channels }));
  expect(pixels).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
  expect(Math.min(...pixels.data)).toBeGreaterThanOrEqual(250);
});

describe('what cannot be read is refused with a way out', () => {
  test.each([
    [24, 0, 'Bitmap'],
    [24, 7, 'Multichannel'],
    [24, 9, 'Lab'],
    [22, 32, '32 bits'],
  ])('a header with %i: %i', async (where, value, words) => {
    const bytes = readFileSync(made(gradient(WIDTH, HEIGHT)));
    bytes.writeUInt16BE(value, where);
    writeFileSync(at('header.psd'), bytes);
    const error = await refusal(at('header.psd'));
    expect(error).toMatchObject({ code: 'PHOTO_FORMAT' });
    expect(error.message).toContain(words);
    expect(error.hint).toContain('Image > Mode');
  });

  test('one without a composite', async () => {
    const version = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const error = await refusal(made(gradient(WIDTH, HEIGHT), { resources: { 1057: version } }));
    expect(error.message).toContain('without a composite');
    expect(error.hint).toContain('Compatibility');
    version[4] = 1;
    await readPhoto(made(gradient(WIDTH, HEIGHT), { resources: { 1057: version } }));
  });

  test('too many pixels, before memory is used for them', async () => {
    const bytes = readFileSync(made(gradient(WIDTH, HEIGHT)));
    bytes.writeUInt32BE(20000, 14);
    bytes.writeUInt32BE(20000, 18);
    writeFileSync(at('huge.psd'), bytes);
    const before = process.memoryUsage().rss;
    expect(await refusal(at('huge.psd'))).toMatchObject({ code: 'PHOTO_TOO_LARGE' });
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });

  test.each(['raw', 'rle', 'zip', 'zip_with_prediction'] as const)(
    'one that was cut short (%s)',
    async (compression) => {
      const data = gradient(WIDTH, HEIGHT);
      const bytes = readFileSync(made(data, { compression }));
      // Without its last hundredth a file either lacks pixels, or only what a compressed stream has behind them.
      writeFileSync(at('tail.psd'), bytes.subarray(0, Math.floor(bytes.length * 0.99)));
      const tail = await readPhoto(at('tail.psd')).catch(() => undefined);
      if (tail) expect([...tail.pixels.data]).toEqual([...data]);
      else expect((await refusal(at('tail.psd'))).code).toBe('PHOTO_DAMAGED');
      for (const share of [0.01, 0.2, 0.6, 0.9]) {
        writeFileSync(at('cut.psd'), bytes.subarray(0, Math.max(5, Math.floor(bytes.length * share))));
        expect((await refusal(at('cut.psd'))).code).toBe('PHOTO_DAMAGED');
      }
    },
  );
});
