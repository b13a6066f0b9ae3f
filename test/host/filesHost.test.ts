import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { initializeCanvas, readPsd, type Psd } from 'ag-psd';
import sharp from 'sharp';
import { formatCube } from '../../src/color/cube-write';
import { FileSet, prepareFolder, removeIfEmpty } from '../../src/host/files/fileSet';
import { FilesHost } from '../../src/host/files/filesHost';
import { type Retouch } from '../../src/host/host';
import { gradient, gradient16, image, temporaryFolder, warmLut } from './support/pictures';

jest.setTimeout(120000);
const folder = temporaryFolder();
const lut = warmLut();
const STORY = ['Key elements: a meadow & a <dandelion>.', 'Plan, light: brighter.'];
const retouch: Retouch = { lut, story: STORY, provenance: { mode: 'auto' }, record: (times) => ({ times }) };

initializeCanvas(
  () => {
    throw new Error('No canvas is needed: pixels are read as data.');
  },
  (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as never,
);

let count = 0;
function newFolder(): string {
  const out = path.join(folder, `out${++count}`);
  mkdirSync(out);
  return out;
}

async function save(file: string): Promise<string> {
  const out = newFolder();
  const document = await new FilesHost(out).open(file);
  await document.applyRetouch(retouch);
  return out;
}

function psdIn(out: string, name: string): Psd {
  return readPsd(readFileSync(path.join(out, name)), { useImageData: true, skipThumbnail: true });
}

/** Of an ag-psd picture (RGBA) the channels wanted. */
function channelsOf(picture: Psd['imageData'], channels: 3 | 4): number[] {
  return [...picture!.data].filter((_, i) => channels === 4 || i % 4 !== 3);
}

describe('an opaque 8-bit photo', () => {
  const data = gradient(97, 61);
  let out: string;
  beforeAll(async () => {
    const file = path.join(folder, 'meadow.v2.png');
    await image(data, 97, 61).withMetadata({ density: 300 }).png().toFile(file);
    out = await save(file);
  });

  test('gives exactly four files named after it', () => {
    expect(readdirSync(out).sort()).toEqual(['meadow.v2.cube', 'meadow.v2.json', 'meadow.v2.png', 'meadow.v2.psd']);
  });

  test('the PNG is the LUT applied, tagged as sRGB', async () => {
    const png = path.join(out, 'meadow.v2.png');
    const stored = await sharp(png, { ignoreIcc: true }).raw().toBuffer();
    expect([...stored]).toEqual([...lut.apply(data.slice(), 3)]);
    const { icc, depth, channels } = await sharp(png).metadata();
    expect([depth, channels]).toEqual(['uchar', 3]);
    expect(icc?.subarray(36, 40).toString()).toBe('acsp');
  });

  test('the PSD has original, lookup and hidden pixels, and shows the retouched photo', () => {
    const psd = psdIn(out, 'meadow.v2.psd');
    expect([psd.width, psd.height]).toEqual([97, 61]);
    const [background, group] = psd.children!;
    expect(psd.children).toHaveLength(2);
    expect(background.name).toBe('Background');
    expect(channelsOf(background.imageData, 3)).toEqual([...data]);
    expect(group.name).toBe('VeraRetouch');
    const [lookup, pixels] = group.children!;
    expect(group.children).toHaveLength(2);
    expect(lookup.hidden).toBe(false);
    expect(pixels.hidden).toBe(true);
    const retouched = [...lut.apply(data.slice(), 3)];
    expect(channelsOf(pixels.imageData, 3)).toEqual(retouched);
    expect(channelsOf(psd.imageData, 3)).toEqual(retouched);
    expect(psd.imageResources?.resolutionInfo?.horizontalResolution).toBe(300);
  });

  test('the lookup layer holds the .cube file, which holds the LUT and names its colour space', () => {
    const cube = readFileSync(path.join(out, 'meadow.v2.cube'), 'latin1');
    expect(cube).toMatch(/^TITLE "VeraRetouch meadow\.v2 \(sRGB\)"\n/);
    const numbers = (text: string): string => text.slice(text.indexOf('LUT_3D_SIZE'));
    expect(numbers(cube)).toBe(numbers(formatCube(lut)));
    const adjustment = psdIn(out, 'meadow.v2.psd').children![1].children![0].adjustment!;
    expect(adjustment).toMatchObject({ type: 'color lookup', lutFormat: 'cube', lookupType: '3dlut' });
    const { lut3DFileData, profile } = adjustment as { lut3DFileData: Uint8Array; profile: Uint8Array };
    expect(Buffer.from(lut3DFileData).toString('latin1')).toBe(cube);
    expect(Buffer.from(profile.subarray(12, 24)).toString()).toBe('linkRGB RGB ');
  });

  test('the reasoning is inside the PSD, as well-formed XMP', () => {
    const xmp = psdIn(out, 'meadow.v2.psd').imageResources?.xmpMetadata ?? '';
    expect(xmp).toContain('a meadow &amp; a &lt;dandelion&gt;.');
    expect(xmp).toContain('{&quot;mode&quot;:&quot;auto&quot;}');
  });

  test('the record has the times of rendering and writing', () => {
    const { times } = JSON.parse(readFileSync(path.join(out, 'meadow.v2.json'), 'utf8')) as {
      times: Record<string, number>;
    };
    expect(times.render).toBeGreaterThan(0);
    expect(times.write).toBeGreaterThan(0);
  });
});

test('transparency is kept in PNG and PSD, and the photo is then a layer, not a background', async () => {
  const data = gradient(40, 30, 4);
  const file = path.join(folder, 'cut-out.png');
  await image(data, 40, 30, 4).png().toFile(file);
  const out = await save(file);
  const expected = [...lut.apply(data.slice(), 4)];
  const png = await sharp(path.join(out, 'cut-out.png'), { ignoreIcc: true }).raw().toBuffer();
  expect([...png]).toEqual(expected);
  const psd = psdIn(out, 'cut-out.psd');
  expect(psd.children![0].name).toBe('Original');
  expect(channelsOf(psd.children![0].imageData, 4)).toEqual([...data]);
  expect(channelsOf(psd.children![1].children![1].imageData, 4)).toEqual(expected);
});

test('16 bits stay 16 in the PNG and are 8 in the PSD, which the notes say', async () => {
  const data = gradient16(33, 21);
  const file = path.join(folder, 'deep.png');
  await image(data, 33, 21).png().toFile(file);
  const out = newFolder();
  const document = await new FilesHost(out).open(file);
  expect(document.bitDepth).toBe(16);
  expect(document.notes.join()).toContain('16 bits');
  await document.applyRetouch(retouch);
  const expected = lut.apply(data.slice(), 3);
  const stored = await sharp(path.join(out, 'deep.png'), { ignoreIcc: true })
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer();
  expect([...new Uint16Array(stored.buffer, stored.byteOffset, expected.length)]).toEqual([...expected]);
  const shown = channelsOf(psdIn(out, 'deep.psd').imageData, 3);
  expect(shown).toEqual([...expected].map((value) => Math.round(value / 257)));
});

describe('nothing is overwritten', () => {
  test('an input photo in the output folder, earlier results and names that differ in case get new names', async () => {
    const out = newFolder();
    const file = path.join(out, 'same.png');
    await image(gradient(8, 8), 8, 8).png().toFile(file);
    const before = readFileSync(file);
    writeFileSync(path.join(out, 'SAME-2.PSD'), 'work of hours');
    const host = new FilesHost(out);
    const first = await (await host.open(file)).applyRetouch(retouch);
    expect(first.results[0]).toBe(path.join(out, 'same-3.psd'));
    const again = await (await host.open(file)).applyRetouch(retouch);
    expect(again.results[0]).toBe(path.join(out, 'same-4.psd'));
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readFileSync(path.join(out, 'SAME-2.PSD'), 'utf8')).toBe('work of hours');
  });

  test('a file that appears in the meantime stays, and none of the set is kept', async () => {
    const out = newFolder();
    const files = new FileSet(out);
    await files.stage('a.psd', [Buffer.from('a')]);
    await files.stage('a.png', [Buffer.from('b')]);
    writeFileSync(path.join(out, 'a.png'), 'mine');
    await expect(files.commit()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    await files.discard();
    expect(readdirSync(out)).toEqual(['a.png']);
    expect(readFileSync(path.join(out, 'a.png'), 'utf8')).toBe('mine');
  });
});

describe('files appear whole or not at all', () => {
  test('a source that fails half-way leaves nothing', async () => {
    const out = newFolder();
    const files = new FileSet(out);
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('disk on fire');
    };
    const other = files.stage('a.cube', [Buffer.alloc(1000)]);
    await expect(files.stage('a.png', broken())).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
    await other;
    await files.discard();
    expect(readdirSync(out)).toEqual([]);
  });

  test.each(['render', 'write'] as const)('cancelling at stage "%s" leaves nothing', async (stage) => {
    const out = newFolder();
    const file = path.join(folder, 'large.png');
    await image(gradient(1500, 1500), 1500, 1500).png({ compressionLevel: 1 }).toFile(file);
    const controller = new AbortController();
    const document = await new FilesHost(out).open(file);
    const work = document.applyRetouch(retouch, {
      signal: controller.signal,
      onStage: (now) => {
        if (now === stage)
          setTimeout(() => {
            controller.abort();
          }, 5);
      },
    });
    await expect(work).rejects.toMatchObject({ code: 'ABORT_ERR' });
    expect(readdirSync(out)).toEqual([]);
  });

  test('a document takes one retouch', async () => {
    const file = path.join(folder, 'once.png');
    await image(gradient(8, 8), 8, 8).png().toFile(file);
    const document = await new FilesHost(newFolder()).open(file);
    await document.applyRetouch(retouch);
    await expect(document.applyRetouch(retouch)).rejects.toMatchObject({ code: 'PHOTO_ALREADY_USED' });
  });
});

describe('the output folder', () => {
  test('is made, proved writable, and removed again if it stays empty', async () => {
    const deep = path.join(folder, 'new', 'deeper');
    const made = await prepareFolder(deep);
    expect(readdirSync(deep)).toEqual([]);
    await removeIfEmpty(deep, made);
    expect(readdirSync(folder)).not.toContain('new');
  });

  test('that cannot be one is refused', async () => {
    writeFileSync(path.join(folder, 'a-file'), '');
    await expect(prepareFolder(path.join(folder, 'a-file', 'out'))).rejects.toMatchObject({ code: 'OUTPUT_FOLDER' });
  });
});
