import fc from 'fast-check';
import { VeraRetouchError } from '../../src/color';
import { exifOfTiff, uprightExif } from '../../src/host/files/exif';
import { imageResources, wholeIptc } from '../../src/host/files/imageResources';
import { soundMetadata } from '../../src/host/files/metadata';
import { codedColours, kindOf } from '../../src/host/files/photoKind';
import { unpackRow } from '../../src/host/files/psdComposite';
import { readPsdPhoto } from '../../src/host/files/psdPhoto';
import { TiffTree, inMemory } from '../../src/host/files/tiffTree';
import { xmpPacket } from '../../src/host/files/xmp';
import { scanXmp } from '../../src/host/files/xmpScan';
import { changed } from '../support/changed';
import { IPTC, cameraExif, photoshopResource, xmpOf } from './support/metadata';

/* Files that anybody may have made: 2,000 changed ones for each reader. None may crash it or keep it busy. */
jest.setTimeout(300000);
const RUNS = { numRuns: 2000, seed: 5 };

/** The text with some of its letters changed to others: most of it stays well-formed, so that it is read to its end. */
function respelt(text: string): fc.Arbitrary<Uint8Array> {
  const letters = Array.from(text).flatMap((char, i) => (/[a-z]/i.test(char) ? [i] : []));
  const edits = fc.array(fc.tuple(fc.constantFrom(...letters), fc.constantFrom('a', 'e', 'i', 'o', 'X', 'Y', 'Z')), {
    minLength: 1,
    maxLength: 2,
  });
  return edits.map((places) => {
    const out = Array.from(text);
    for (const [place, char] of places) out[place] = char;
    return Buffer.from(out.join(''));
  });
}

test.each([false, true])('EXIF, little endian: %s', (littleEndian) => {
  const facts = { width: 32, height: 48, colors: 'srgb' as const };
  const check = (bytes: Uint8Array): void => {
    const before = Uint8Array.from(bytes);
    const upright = uprightExif(bytes, facts);
    expect(bytes).toEqual(before);
    if (!upright) return;
    expect(upright).toHaveLength(bytes.length);
    const tree = TiffTree.open(inMemory(upright))!;
    expect(tree.directory(tree.first)!.next).toBe(0);
  };
  fc.assert(fc.property(changed(cameraExif(littleEndian)), check), RUNS);
});

test('EXIF whose directories refer to each other in a circle, and one of 65535 entries', () => {
  const circle = cameraExif();
  const tree = TiffTree.open(inMemory(circle))!;
  const main = tree.directory(tree.first)!;
  circle.writeUInt32BE(main.at, main.at + main.length - 4);
  expect(uprightExif(circle, { width: 1, height: 1, colors: 'srgb' })).toBeDefined();
  const many = Buffer.alloc(8 + 2 + 65535 * 12 + 4, 0xff);
  many.write('MM\0*\0\0\0\x08\xff\xff', 0, 'latin1');
  const started = performance.now();
  uprightExif(many, { width: 1, height: 1, colors: 'srgb' });
  expect(exifOfTiff(TiffTree.open(inMemory(many))!)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(5000);
});

test('a TIFF as photo: kind, colours by number, EXIF', () => {
  const check = (bytes: Uint8Array): void => {
    const source = inMemory(bytes);
    kindOf(source);
    codedColours(source);
    const tree = TiffTree.open(source);
    const exif = tree && exifOfTiff(tree);
    // What is brought together is sound, whatever it came from.
    if (exif) expect(uprightExif(exif, { width: 1, height: 1, colors: 'other' })).toBeDefined();
  };
  fc.assert(fc.property(changed(cameraExif(true)), check), RUNS);
});

test('image resources and IPTC records', () => {
  const both = Buffer.concat([photoshopResource(1028, IPTC), photoshopResource(1058, cameraExif())]);
  const check = (bytes: Uint8Array): void => {
    for (const data of imageResources(bytes).values()) soundMetadata({ iptc: data, exif: data });
    const whole = wholeIptc(bytes);
    if (whole) expect(wholeIptc(whole)).toEqual(whole);
  };
  fc.assert(fc.property(changed(both), check), RUNS);
  fc.assert(fc.property(changed(IPTC), check), RUNS);
});

describe('XMP', () => {
  const content = { title: 'A', story: ['B & C'], provenance: { d: '<' } };
  const facts = { width: 3, height: 2, profileName: 'sRGB', format: 'image/png' };
  const packet = xmpOf(
    'xmp:Rating="3" tiff:Orientation="6" dc:format="image/jpeg"',
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">May</rdf:li></rdf:Alt></dc:description><tiff:ImageWidth>3</tiff:ImageWidth>',
  );

  test('what is taken over gives a packet that is sound and says nothing twice', () => {
    let taken = 0;
    const check = (bytes: Uint8Array): void => {
      let xmp;
      try {
        xmp = scanXmp(bytes);
      } catch {
        return;
      }
      taken++;
      const ours = scanXmp(Buffer.from(xmpPacket(content, { xmp, facts })));
      const names = ours.elements.map(({ uri, local }) => uri + local).filter((name) => name.includes('veraretouch'));
      expect(names.sort()).toEqual(['urn:veraretouch:xmp:1/provenance', 'urn:veraretouch:xmp:1/story']);
    };
    fc.assert(fc.property(changed(Buffer.from(packet)), check), RUNS);
    fc.assert(fc.property(respelt(packet), check), RUNS);
    expect(taken).toBeGreaterThan(100);
  });

  const sound = (text: string): string | undefined => {
    try {
      scanXmp(Buffer.from(text));
      return undefined;
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };

  test.each([
    ['entities', packet.replace('<x:xmpmeta', '<!DOCTYPE a [<!ENTITY b "c">]><x:xmpmeta'), 'document type'],
    ['100 MB', packet + ' '.repeat(100e6), 'too long'],
    ['depth', packet.replace('</rdf:RDF>', `${'<a>'.repeat(1e5)}${'</a>'.repeat(1e5)}</rdf:RDF>`), 'too deep'],
    ['an end that is missing', packet.slice(0, packet.indexOf('</rdf:RDF>')), 'unclosed'],
    ['a property twice in one tag', packet.replace('xmp:Rating="3"', 'xmp:Rating="3" xmp:Rating="4"'), 'duplicate'],
    ['an unknown entity', packet.replace('May', '&nbsp;'), 'entity'],
    ['an unknown prefix', packet.replace('xmp:Rating', 'nobody:Rating'), 'prefix'],
    ['control characters', packet.replace('May', '\u0001'), 'disallowed'],
    ['no rdf:RDF', '<a/>', 'no rdf:RDF'],
    ['nothing', '', 'root'],
  ])('with %s is not taken over', (_, text, words) => {
    expect(sound(text)).toContain(words);
  });

  test('in other encodings than UTF-8 is not taken over', () => {
    expect(soundMetadata({ xmp: Buffer.from(packet, 'utf16le') }).notes).toEqual([
      "The photo's XMP was left out: it is not well-formed.",
    ]);
  });

  test('with other prefixes, an empty rdf:RDF, and rdf:RDF at the top is merged', () => {
    const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
    for (const text of [
      `<r:RDF xmlns:r="${rdf}"/>`,
      `<RDF xmlns="${rdf}" ></RDF>`,
      `<r:RDF xmlns:r="${rdf}" xmlns:rdf="urn:other"><r:Description r:about="uuid:1" xmlns:t="http://ns.adobe.com/tiff/1.0/" t:Orientation="8"/></r:RDF>`,
    ]) {
      const merged = xmpPacket(content, { xmp: scanXmp(Buffer.from(text)), facts });
      const again = scanXmp(Buffer.from(merged));
      const said = again.elements.map(({ local }) => local);
      expect(said).toEqual(expect.arrayContaining(['title', 'description', 'provenance', 'story']));
      if (!text.includes('Orientation')) continue;
      expect(again.about).toBe('uuid:1');
      expect(again.elements.find(({ local }) => local === 'Orientation')!.text).toBe('1');
      expect(merged).not.toContain('Orientation="8"');
    }
  });
});

describe('PSD', () => {
  /** One of 5 x 3 pixels by hand: header, a resource, no layers, and the rows as they are or packed. */
  function psd(packed: boolean): Buffer {
    const header = Buffer.from('8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x03\0\0\0\x05\0\x08\0\x03', 'latin1');
    const resources = photoshopResource(1058, cameraExif());
    const length = Buffer.alloc(4);
    length.writeUInt32BE(resources.length);
    const row = packed ? [4, 1, 2, 3, 4, 5] : [1, 2, 3, 4, 5];
    const rows = Buffer.from(Array.from({ length: 9 }, () => row).flat());
    const lengths = packed ? Buffer.from(Array.from({ length: 9 }, () => [0, 6]).flat()) : Buffer.alloc(0);
    const compression = Buffer.of(0, packed ? 1 : 0);
    return Buffer.concat([header, Buffer.alloc(4), length, resources, Buffer.alloc(4), compression, lengths, rows]);
  }

  test.each([false, true])('packed: %s', async (packed) => {
    const { pixels } = await readPsdPhoto('a.psd', inMemory(psd(packed)));
    expect([...pixels.data.subarray(0, 6)]).toEqual([1, 1, 1, 2, 2, 2]);
    const check = async (bytes: Uint8Array): Promise<void> => {
      try {
        const photo = await readPsdPhoto('a.psd', inMemory(bytes));
        expect(photo.pixels.data).toHaveLength(photo.pixels.width * photo.pixels.height * photo.pixels.channels);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(VeraRetouchError);
      }
    };
    await fc.assert(fc.asyncProperty(changed(psd(packed)), check), RUNS);
  });

  test('rows of PackBits never write outside', () => {
    const check = (packed: Uint8Array, length: number): void => {
      const room = new Uint8Array(length + 2).fill(7);
      unpackRow(packed, room.subarray(1, length + 1));
      expect([room[0], room[length + 1]]).toEqual([7, 7]);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(60), check), RUNS);
  });
});
