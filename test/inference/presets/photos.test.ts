import { parsePreset, PresetError, readPresetBytes } from '../../../src/inference/presets';
import { bytesOf, refusal, seeded, xmp } from './support';
import { extensionOf, jpegWith, tiffWith } from './photoFiles';

const text = xmp({ Exposure2012: '+0.50', Vibrance: '12' }, '<crs:Name>Dawn</crs:Name>');
const packet = bytesOf(`<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n${text}   \n<?xpacket end="w"?>`);
const GUID = '0123456789ABCDEF0123456789ABCDEF';

describe('settings inside a photo', () => {
  test.each([
    ['a DNG, as phones share presets', tiffWith(packet)],
    ['a TIFF of the other order', tiffWith(packet, { little: false })],
    ['a BigTIFF', tiffWith(packet, { big: true })],
    ['a packet with zeros behind it', tiffWith(Uint8Array.from([...packet, 0, 0, 0]))],
    ['a JPEG', jpegWith(packet)],
  ])('%s', (_, bytes) => {
    const { format, name, sliders } = parsePreset(bytes, 'any.json');
    expect([format, name, sliders]).toEqual(['photo', 'Dawn', { Exposure2012: 10, Vibrance: 12 }]);
    expect(readPresetBytes(bytes).sliders).toEqual(sliders);
    // Also where the bytes are part of a larger buffer, as Node's are.
    const shifted = new Uint8Array(bytes.length + 5);
    shifted.set(bytes, 5);
    expect(parsePreset(shifted.subarray(5)).sliders).toEqual(sliders);
  });

  test('what did not fit into the first packet of a JPEG', () => {
    const main = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="${GUID}"/></rdf:RDF></x:xmpmeta>`;
    const whole = jpegWith(bytesOf(main), extensionOf(bytesOf(text), GUID, 300));
    expect(parsePreset(whole).sliders).toEqual({ Exposure2012: 10, Vibrance: 12 });
    const torn = jpegWith(bytesOf(main), extensionOf(bytesOf(text), GUID, 300).slice(200));
    expect(refusal(torn)).toMatch(/^PRESET_(EMPTY|DAMAGED) /);
    const split = main.replace(
      '<rdf:Description',
      '<rdf:Description xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Contrast2012="7"',
    );
    const both = jpegWith(bytesOf(split), extensionOf(bytesOf(text), GUID, 300));
    expect(parsePreset(both).sliders).toEqual({ Exposure2012: 10, Contrast2012: 7, Vibrance: 12 });
  });

  test.each([
    ['a DNG', tiffWith(undefined)],
    ['a JPEG', jpegWith(undefined)],
    ['a JPEG with other metadata', jpegWith(bytesOf(text.replaceAll('camera-raw-settings', 'other')))],
  ])('%s without any is named, with what to do', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^PRESET_EMPTY .*(DNG|JPEG) photo without settings.*save its settings as a preset/);
    expect(() => readPresetBytes(bytes)).toThrow(/without settings/);
  });

  test('another binary file is told what can be given', () => {
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0]);
    expect(() => readPresetBytes(png)).toThrow(PresetError);
    expect(refusal(png)).toMatch(/^PRESET_ENCODING .*DNG, JPEG or TIFF/);
  });

  test('a packet of more than 4 MB is refused', () => {
    const large = new Uint8Array(4 * 1024 * 1024 + 1).fill(32);
    expect(refusal(tiffWith(large))).toMatch(/^PRESET_TOO_LARGE /);
  });

  test('2,000 damaged photos give sliders in range or a PresetError', () => {
    const below = seeded(77);
    const wholes = [tiffWith(packet), tiffWith(packet, { big: true, little: false }), jpegWith(packet)];
    let read = 0;
    for (let i = 0; i < 2000; i++) {
      const bytes = wholes[i % 3].slice(0, below(4) === 0 ? below(wholes[i % 3].length) : undefined);
      for (let k = below(4); k >= 0; k--) bytes[below(below(2) === 0 ? 80 : bytes.length)] = below(256);
      try {
        const { sliders } = parsePreset(bytes);
        expect(Object.values(sliders).every((value) => Math.abs(value) <= 100)).toBe(true);
        read++;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PresetError);
      }
    }
    expect(read).toBeGreaterThan(100);
  });
});

describe('settings that are in the pixels already', () => {
  const record = xmp({ Exposure2012: '+1.5', AlreadyApplied: 'True', RawFileName: '_DSC1.NEF' });

  test.each([
    ['a sidecar', bytesOf(record)],
    ['an exported JPEG', jpegWith(bytesOf(record))],
    ['an exported TIFF', tiffWith(bytesOf(record))],
  ])('%s is refused, with the way round it', (_, bytes) => {
    expect(refusal(bytes)).toMatch(
      /^PRESET_APPLIED .*_DSC1\.NEF.*a second time\. Nothing was imported\. .*as a preset/,
    );
    expect(() => readPresetBytes(bytes)).toThrow(/a second time/);
  });

  test('a photo whose settings were saved, not applied, is read', () => {
    const saved = record.replace('AlreadyApplied="True"', 'AlreadyApplied="False"');
    expect(parsePreset(jpegWith(bytesOf(saved))).sliders).toEqual({ Exposure2012: 30 });
  });
});
