import { InputError } from '../../../src/inference';
import { parsePreset, PresetError, readPresetBytes } from '../../../src/inference/presets';
import { bytesOf, lrtemplate, parse, refusal, unsupportedOf, xmp } from './support';

/* What editors and other programs make of presets. Each is read, or refused with what is really wrong. */

function utf16(text: string, { mark = true, little = true } = {}): Uint8Array {
  const whole = mark ? `\ufeff${text}` : text;
  const view = new DataView(new ArrayBuffer(whole.length * 2));
  for (let i = 0; i < whole.length; i++) view.setUint16(i * 2, whole.charCodeAt(i), little);
  return new Uint8Array(view.buffer);
}

const good = xmp({ Vibrance: '9' });

test.each([
  ['UTF-16 without mark', utf16(good, { mark: false })],
  ['the same of the other order', utf16(good, { mark: false, little: false })],
  ['zeros behind the text', bytesOf(`${good}\0\0\0`)],
  ['zeros behind UTF-16', utf16(`${good}\0\0`)],
  ['a template that returns its table', bytesOf(lrtemplate('Vibrance = 9,').replace('s = {', 'return {'))],
])('%s is read', (_, bytes) => {
  expect(parsePreset(bytes).sliders).toEqual({ Vibrance: 9 });
});

test.each([
  ['UTF-8', bytesOf('{"Exposure2012": {"value": 20.5}}')],
  ['UTF-8 with mark', bytesOf('\ufeff{"Exposure2012": {"value": 20.5}}')],
  ['UTF-16', utf16('{"Exposure2012": {"value": 20.5}}')],
  ['UTF-16 without mark', utf16('{"Exposure2012": {"value": 20.5}}', { mark: false })],
])('JSON of parameters in %s', (_, bytes) => {
  expect(readPresetBytes(bytes, 'mine.json')).toMatchObject({
    format: 'json',
    name: 'mine',
    sliders: { Exposure2012: 20.5 },
    unsupported: [],
    notes: [],
  });
});

test('text that is neither a preset nor JSON is told both', () => {
  expect(() => readPresetBytes(bytesOf('exposure: 3'))).toThrow(/neither a preset nor a photo, and not JSON/);
  expect(() => readPresetBytes(bytesOf('{"Exposure2012": 0.5}'))).toThrow(InputError);
  expect(() => readPresetBytes(new Uint8Array())).toThrow(PresetError);
});

test.each([
  ['a comma', xmp({ Exposure2012: '+0,50' }), /^PRESET_VALUE .*"\+0,50".*with a point in place of the comma/],
  ['a typographic minus', xmp({ Exposure2012: '\u22120.50' }), /^PRESET_VALUE .*minus sign as a plain hyphen/],
  ['an empty value', xmp({ Exposure2012: '' }), /^PRESET_VALUE .*Exposure2012 is "".*Write a number there/],
  ['no number', xmp({ Exposure2012: 'NaN' }), /^PRESET_VALUE .*"NaN"/],
  [
    'an ampersand',
    xmp({ Vibrance: '1' }, '<crs:Name>Black & White</crs:Name>'),
    /^PRESET_DAMAGED Cannot .*Line \d+: "&"/,
  ],
  ['a colon for "="', lrtemplate('Vibrance : 9,'), /^PRESET_DAMAGED .*After "Vibrance" comes ":" where "=" belongs/],
])('%s is refused with what is wrong with it', (_, text, words) => {
  expect(refusal(text)).toMatch(words);
});

test('letters of another encoding are named so', () => {
  const latin1 = Uint8Array.from(bytesOf(xmp({ Name: 'K~se', Vibrance: '1' })), (byte) =>
    byte === 0x7e ? 0xe4 : byte,
  );
  expect(refusal(latin1)).toMatch(/^PRESET_ENCODING .*not written in UTF-8.*save it as UTF-8/);
});

describe('of process versions before 2012', () => {
  const raw = { Brightness: '+50', Contrast: '+25', Shadows: '5', ToneCurveName: 'Medium Contrast' };
  const curve = '<crs:ToneCurve><rdf:Seq>'.concat(
    ...['0, 0', '32, 22', '64, 56', '128, 128', '192, 196', '255, 255'].map((point) => `<rdf:li>${point}</rdf:li>`),
    '</rdf:Seq></crs:ToneCurve>',
  );

  test('their defaults are not lost, of raw photos and of others', () => {
    expect(unsupportedOf(xmp({ Vibrance: '1', ...raw }, curve))).toEqual({});
    expect(
      unsupportedOf(lrtemplate('Contrast = 25, ToneCurve = { 0, 0, 32, 22, 64, 56, 128, 128, 192, 196, 255, 255 },')),
    ).toEqual({});
    const zero = { Brightness: '0', Contrast: '0', Shadows: '0', ToneCurveName: 'Linear', FillLight: '0' };
    expect(unsupportedOf(xmp({ Vibrance: '1', ...zero }))).toEqual({});
  });

  test('what was moved is', () => {
    const moved = {
      Exposure: '+1.00',
      Brightness: '+60',
      Contrast: '+40',
      Shadows: '12',
      ToneCurveName: 'Strong Contrast',
    };
    expect(Object.keys(unsupportedOf(xmp(moved)))).toEqual(Object.keys(moved));
    expect(Object.keys(unsupportedOf(xmp({}, curve.replace('56', '60'))))).toEqual(['ToneCurve']);
  });

  test('a default that changed is one in a preset of that time only', () => {
    const detail = { Sharpness: '25', ColorNoiseReduction: '25' };
    const old = xmp(detail).replace('ProcessVersion="11.0"', 'ProcessVersion="5.7"');
    expect(unsupportedOf(old)).toEqual({});
    expect(Object.keys(unsupportedOf(xmp(detail)))).toEqual(['Sharpness', 'ColorNoiseReduction']);
  });
});

test('a note, not a refusal, where only numbers are missing', () => {
  const { sliders, unsupported } = parse(xmp({ WhiteBalance: 'Daylight' }));
  expect(sliders).toEqual({});
  expect(unsupported).toHaveLength(1);
});
