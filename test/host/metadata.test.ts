import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { FilesHost } from '../../src/host/files/filesHost';
import { type Retouch } from '../../src/host/host';
import { IPTC, THUMBNAIL, cameraExif, exifBlock, withBlocks, xmpOf } from './support/metadata';
import { ask } from './support/oracle';
import { gradient, image, temporaryFolder, warmLut } from './support/pictures';

/* What a photo's file says about it goes into the results; psd-tools, Pillow and Python's XML parser read it there. */
jest.setTimeout(120000);
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const WIDTH = 48;
const HEIGHT = 32;
const DC = 'http://purl.org/dc/elements/1.1/';
const TIFF = 'http://ns.adobe.com/tiff/1.0/';
const OURS = 'urn:veraretouch:xmp:1/';
const retouch: Retouch = {
  lut: warmLut(),
  story: ['Key elements: a meadow & a <dandelion>.', 'Plan, light: brighter.'],
  provenance: { mode: 'auto', note: '"ümläut" 🌼' },
  record: () => ({}),
};
const STORY = retouch.story.join('\n\n');

type Properties = [string, string, string][];
type Exif = Record<'main' | 'exif' | 'gps' | 'thumbnail', Record<string, string>> | null;
interface Report {
  readonly group: { name: string; copied: boolean; xmp: Properties };
  readonly psd: { exif: Exif; xmp: Properties; iptc: string | null };
  readonly png: { exif: Exif; xmp: Properties };
}

async function resultsOf(file: string) {
  const document = await new FilesHost(folder).open(file);
  const { results } = await document.applyRetouch(retouch);
  const of = (extension: string): string => results.find((name) => name.endsWith(extension))!;
  const report = ask('check_metadata.py', of('.psd'), of('.png')) as unknown as Report;
  return { document, report, psd: of('.psd'), png: of('.png') };
}

/** All values of a property: there must never be two. */
const valuesOf = (properties: Properties, uri: string, local: string): string[] =>
  properties.filter((property) => property[0] === uri && property[1] === local).map((property) => property[2]);

const jpeg = (): Promise<Buffer> => image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).jpeg({ quality: 95 }).toBuffer();

describe.each([false, true])('a photo of a camera (little endian: %s)', (littleEndian) => {
  let of: Awaited<ReturnType<typeof resultsOf>>;
  beforeAll(async () => {
    const file = at(`camera-${String(littleEndian)}.jpg`);
    const xmp = xmpOf(
      'xmp:Rating="4" tiff:Orientation="6" photoshop:City="Bern &amp; Thun" xmp:Label="a&#10;b"',
      `<dc:creator><rdf:Seq><rdf:li>Ansel</rdf:li></rdf:Seq></dc:creator><tiff:ImageWidth>${WIDTH}</tiff:ImageWidth>
       <xmp:Thumbnails><rdf:Alt><rdf:li>${THUMBNAIL.toString()}</rdf:li></rdf:Alt></xmp:Thumbnails>`,
    );
    writeFileSync(file, withBlocks(await jpeg(), { exif: cameraExif(littleEndian), iptc: IPTC, xmp }));
    of = await resultsOf(file);
  });

  test('keeps its EXIF, now upright, in PNG and PSD', () => {
    expect(of.document.notes).toEqual([]);
    expect([of.document.width, of.document.height]).toEqual([HEIGHT, WIDTH]);
    for (const { exif } of [of.report.psd, of.report.png]) {
      // 271 make, 272 model, 274 orientation, 33432 copyright; 36867 date, 40962 and 40963 size, 42036 lens.
      expect(exif!.main).toMatchObject({ 271: 'Acme', 272: 'Acme One', 274: '1', 33432: 'Ansel' });
      expect(exif!.exif).toMatchObject({ 36867: '2024:05:06 07:08:09', 40961: '1', 42036: 'Acme 50mm' });
      expect(exif!.exif).toMatchObject({ 40962: String(HEIGHT), 40963: String(WIDTH) });
      expect(exif!.exif['37500']).toContain('a note of the maker');
      expect(exif!.gps['1']).toBe('N');
    }
  });

  test('has no thumbnail of the unretouched photo anywhere', () => {
    expect(of.report.psd.exif!.thumbnail).toEqual({});
    expect(of.report.png.exif!.thumbnail).toEqual({});
    for (const file of [of.psd, of.png]) expect(readFileSync(file).includes(THUMBNAIL)).toBe(false);
  });

  test('keeps its IPTC records in the PSD', () => {
    expect(of.report.psd.iptc).toBe(IPTC.toString('hex'));
  });

  test('keeps the properties of its XMP, with what is not true any more put right', () => {
    for (const [xmp, format] of [
      [of.report.psd.xmp, 'psd'],
      [of.report.png.xmp, 'png'],
    ] as const) {
      expect(valuesOf(xmp, 'http://ns.adobe.com/xap/1.0/', 'Rating')).toEqual(['4']);
      expect(valuesOf(xmp, 'http://ns.adobe.com/xap/1.0/', 'Label')).toEqual(['a\nb']);
      expect(valuesOf(xmp, 'http://ns.adobe.com/photoshop/1.0/', 'City')).toEqual(['Bern & Thun']);
      expect(valuesOf(xmp, DC, 'creator')).toEqual(['Ansel']);
      expect(valuesOf(xmp, TIFF, 'Orientation')).toEqual(['1']);
      expect(valuesOf(xmp, TIFF, 'ImageWidth')).toEqual([String(HEIGHT)]);
      expect(valuesOf(xmp, 'http://ns.adobe.com/xap/1.0/', 'Thumbnails')).toEqual([]);
      expect(valuesOf(xmp, DC, 'description')).toEqual([STORY]);
      expect(valuesOf(xmp, OURS, 'provenance')).toEqual([JSON.stringify(retouch.provenance)]);
      // Not stated by the photo, so not stated now.
      expect(valuesOf(xmp, DC, 'format')).toEqual([]);
      expect(format).toBeDefined();
    }
  });

  test('has the reasoning in the metadata of the group, which go where the group goes', () => {
    const { name, copied, xmp } = of.report.group;
    expect([name, copied]).toEqual(['VeraRetouch', true]);
    expect(valuesOf(xmp, OURS, 'story')).toEqual([STORY]);
    expect(valuesOf(xmp, OURS, 'provenance')).toEqual([JSON.stringify(retouch.provenance)]);
    // The photographer's name belongs to the photo.
    expect(valuesOf(xmp, DC, 'creator')).toEqual([]);
  });
});

test('the title and the caption of the photographer stay; the story is beside them', async () => {
  const alternative = (text: string): string => `<rdf:Alt><rdf:li xml:lang="x-default">${text}</rdf:li></rdf:Alt>`;
  const xmp = xmpOf(
    'dc:format="image/jpeg"',
    `<dc:title>${alternative('May')}</dc:title><dc:description>${alternative('A meadow')}</dc:description>`,
  );
  writeFileSync(at('titled.jpg'), withBlocks(await jpeg(), { xmp }));
  const first = await resultsOf(at('titled.jpg'));
  // A result is a photo too: what was said of the first retouch gives way to the second.
  const second = await resultsOf(first.psd);
  for (const { report } of [first, second]) {
    for (const properties of [report.psd.xmp, report.png.xmp]) {
      expect(valuesOf(properties, DC, 'title')).toEqual(['May']);
      expect(valuesOf(properties, DC, 'description')).toEqual(['A meadow']);
      expect(valuesOf(properties, OURS, 'story')).toEqual([STORY]);
      expect(valuesOf(properties, OURS, 'provenance')).toHaveLength(1);
    }
    expect(valuesOf(report.png.xmp, DC, 'format')).toEqual(['image/png']);
    expect(valuesOf(report.psd.xmp, DC, 'format')).toEqual(['application/vnd.adobe.photoshop']);
  }
});

test('a story of an earlier retouch is not taken for a caption', async () => {
  await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).png().toFile(at('plain.png'));
  const { png } = await resultsOf(at('plain.png'));
  const document = await new FilesHost(folder).open(png);
  const { results } = await document.applyRetouch({ ...retouch, story: ['Another look.'] });
  const [psd, again] = [results[0], results[1]];
  const report = ask('check_metadata.py', psd, again) as unknown as Report;
  expect(valuesOf(report.psd.xmp, DC, 'description')).toEqual(['Another look.']);
  expect(valuesOf(report.psd.xmp, OURS, 'story')).toEqual(['Another look.']);
});

test('EXIF of a TIFF, which is spread over its directories, is brought together', async () => {
  const tiff = await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT).tiff({ compression: 'lzw' }).toBuffer();
  // The library writes no EXIF into TIFF: a new first directory is put behind, with the old one's entries and more.
  const main = tiff.readUInt32LE(4);
  const count = tiff.readUInt16LE(main);
  const donor = exifBlock(
    [
      [
        0x8769,
        4,
        {
          below: [
            [0x9003, 2, '2024:05:06 07:08:09'],
            [0xa434, 2, 'Acme 50mm'],
          ],
        },
      ],
    ],
    undefined,
    true,
  );
  const moved = Buffer.concat([tiff, Buffer.alloc(tiff.length % 2), donor]);
  const base = moved.length - donor.length;
  // The entry stands at 10; its directory's two texts are longer than four bytes, so they are referred to.
  const below = base + donor.readUInt32LE(18);
  for (const entry of [below + 2, below + 14]) moved.writeUInt32LE(moved.readUInt32LE(entry + 8) + base, entry + 8);
  const make = Buffer.from('Acme\0\0');
  const makeAt = moved.length;
  const extra = Buffer.alloc(24);
  [0x010f, 2, 0x8769, 4].forEach((value, i) => extra.writeUInt16LE(value, Math.floor(i / 2) * 12 + (i % 2) * 2));
  extra.writeUInt32LE(5, 4);
  extra.writeUInt32LE(makeAt, 8);
  extra.writeUInt32LE(1, 16);
  extra.writeUInt32LE(below, 20);
  const old = [...Array(count).keys()].map((i) => tiff.subarray(main + 2 + i * 12, main + 14 + i * 12));
  const entries = [...old, extra.subarray(0, 12), extra.subarray(12)].sort(
    (a, b) => a.readUInt16LE(0) - b.readUInt16LE(0),
  );
  const head = Buffer.alloc(2);
  head.writeUInt16LE(entries.length);
  const whole = Buffer.concat([moved, make, head, ...entries, Buffer.alloc(4)]);
  whole.writeUInt32LE(makeAt + make.length, 4);
  writeFileSync(at('spread.tif'), whole);
  const { report } = await resultsOf(at('spread.tif'));
  for (const { exif } of [report.psd, report.png]) {
    expect(exif!.main).toMatchObject({ 271: 'Acme' });
    expect(exif!.exif).toEqual({ 36867: '2024:05:06 07:08:09', 42036: 'Acme 50mm' });
    // How the pixels of the TIFF were stored is nobody's business any more.
    expect(exif!.main['273']).toBeUndefined();
  }
});

test.each(['webp', 'avif', 'png'] as const)('EXIF and XMP of a %s come through', async (format) => {
  const xmp = xmpOf('xmp:Rating="3"', '');
  await image(gradient(WIDTH, HEIGHT), WIDTH, HEIGHT)
    .withExif({ IFD0: { Make: 'Acme' } })
    .withXmp(xmp)
    .toFormat(format)
    .toFile(at(`meta.${format}`));
  const { report } = await resultsOf(at(`meta.${format}`));
  for (const { exif, xmp: properties } of [report.psd, report.png]) {
    expect(exif!.main).toMatchObject({ 271: 'Acme' });
    expect(valuesOf(properties, 'http://ns.adobe.com/xap/1.0/', 'Rating')).toEqual(['3']);
  }
});

test('a photo without metadata gets the story alone', async () => {
  await sharp(gradient(WIDTH, HEIGHT), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toFile(at('bare.png'));
  const { report } = await resultsOf(at('bare.png'));
  expect(report.psd.exif).toBeNull();
  expect(report.png.exif).toBeNull();
  expect(report.psd.iptc).toBeNull();
  expect(valuesOf(report.png.xmp, DC, 'title')).toEqual(['bare']);
  expect(valuesOf(report.png.xmp, DC, 'description')).toEqual([STORY]);
});

test('damaged and hostile metadata are left out, which is said, and the photo is retouched', async () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${xmpOf('', '<dc:title>&b;</dc:title>')}`;
  const blocks = {
    exif: Buffer.from('MM\0*\xff\xff\xff\xff nothing', 'latin1'),
    iptc: Buffer.from('no records'),
    xmp: bomb,
  };
  writeFileSync(at('hostile.jpg'), withBlocks(await jpeg(), blocks));
  const { document, report, psd, png } = await resultsOf(at('hostile.jpg'));
  expect(document.notes).toEqual([
    "The photo's EXIF data was left out: it is damaged or too long.",
    "The photo's IPTC data was left out: it is damaged or too long.",
    "The photo's XMP was left out: it has a document type.",
  ]);
  expect(report.psd.exif).toBeNull();
  expect(report.psd.iptc).toBeNull();
  for (const file of [psd, png]) expect(readFileSync(file).includes('ENTITY')).toBe(false);
});
