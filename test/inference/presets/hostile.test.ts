import { MAX_PRESET_BYTES, parsePreset, PresetError } from '../../../src/inference/presets';
import { VeraRetouchError } from '../../../src/color/errors';
import { bytesOf, lrtemplate, parse, refusal, xmp } from './support';

const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';
const CRS = 'xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"';
const inRdf = (inside: string) => `<rdf:RDF ${RDF} ${CRS}>${inside}</rdf:RDF>`;
const good = xmp({ Contrast2012: '+10', Vibrance: '3' });

test('errors are of this part, with a code, what was left untouched and what to do', () => {
  try {
    parse('<a>');
    throw new Error('was accepted');
  } catch (error) {
    expect(error).toBeInstanceOf(PresetError);
    expect(error).toBeInstanceOf(VeraRetouchError);
    const { name, code, message, hint } = error as PresetError;
    expect([name, code]).toEqual(['PresetError', 'PRESET_DAMAGED']);
    expect(message).toBe(
      'Cannot read this preset. Line 1: The file ends inside "a"; it seems to be cut off. Nothing was imported.',
    );
    expect(hint).toMatch(/Export the preset again/);
  }
});

describe('declarations', () => {
  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  test.each([
    ['an entity bomb', `<!DOCTYPE lolz [<!ENTITY l0 "lol">${laughs}]><a>&l9;</a>`],
    ['an external entity', `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`],
    ['an external subset', `<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>`],
    ['a parameter entity', `<!DOCTYPE a [<!ENTITY % x "y"> %x;]><a/>`],
    ['a declaration inside', `<a><!ENTITY x "y"></a>`],
    ['a web page', '<!doctype html><html><body>404</body></html>'],
  ])('%s', (_, text) => {
    expect(refusal(text)).toMatch(/^PRESET_FORBIDDEN .*DOCTYPE.*Nothing was imported/);
  });

  test('references to what is not declared', () => {
    expect(refusal('<a>&nbsp;</a>')).toMatch(/^PRESET_DAMAGED .*"&nbsp" stands for no character/);
  });
});

describe('size and depth', () => {
  test('over 4 MB nothing is looked at', () => {
    const large = new Uint8Array(MAX_PRESET_BYTES + 1).fill(32);
    large.set(bytesOf(good));
    expect(refusal(large)).toMatch(/^PRESET_TOO_LARGE .*4194305 bytes/);
    expect(parsePreset(large.subarray(0, MAX_PRESET_BYTES)).sliders).toEqual({ Contrast2012: 10, Vibrance: 3 });
  });

  test.each([
    ['elements', '<a>'.repeat(100_000)],
    ['elements that are closed', inRdf('<rdf:Description>'.repeat(65) + '</rdf:Description>'.repeat(65))],
    ['tables', `s = ${'{'.repeat(1_000_000)}`],
    ['tables that are closed', `s = ${'{'.repeat(65)}${'}'.repeat(65)}`],
  ])('too deep: %s', (_, text) => {
    expect(refusal(text)).toMatch(/^PRESET_TOO_COMPLEX .*64 deep/);
  });

  test.each([
    ['elements', `<a>${'<b/>'.repeat(900_000)}</a>`],
    ['attributes', `<a ${Array.from({ length: 300_000 }, (_, i) => `b${i}=""`).join(' ')}/>`],
    ['values', `s = {${'1,'.repeat(300_000)}}`],
    ['tables', `s = {${'{},'.repeat(300_000)}}`],
  ])('too many %s', (_, text) => {
    expect(refusal(text)).toMatch(/^PRESET_TOO_COMPLEX .*more than 200000/);
  });
});

/** Texts of nearly 4 MB at which a careless pattern takes hours or runs out of stack. Each ends one way or the other. */
describe('long texts', () => {
  const n = MAX_PRESET_BYTES - 1000;
  const attribute = (value: string) => inRdf(`<rdf:Description crs:Vibrance="1" crs:Future="${value}"/>`);
  const number = (value: string) => inRdf(`<rdf:Description crs:Vibrance="${value}"/>`);
  const scopes = `xmlns:a${'b'.repeat(5)}="c"`;
  test.each([
    ['spaces in a tag', `<a${' '.repeat(n)}`],
    ['spaces in a tag, then rubbish', `<a${' '.repeat(n)}=>`],
    ['a name', `<${'a'.repeat(n)}`],
    ['a name with points', `<${'a.'.repeat(n / 2)}:`],
    ['a name of an attribute', `<a ${'b'.repeat(n)}`],
    ['quotes', `<a b=${"'".repeat(n)}`],
    ['a value that is not closed', `<a b="${'c'.repeat(n)}`],
    ['opening brackets', '<'.repeat(n)],
    ['a comment that is not closed', `<!--${'-- >'.repeat(n / 4)}`],
    ['data that is not closed', `<a><![CDATA[${']] >'.repeat(n / 4)}`],
    ['ampersands', `<a>${'&'.repeat(n)}</a>`],
    ['references', `<a>${'&amp;'.repeat(n / 5)}</a>`],
    ['an endless reference', `<a>&#${'1'.repeat(n)};</a>`],
    ['text', `<a>${'x '.repeat(n / 2)}</a>`],
    ['text between', `<a>${'x<!---->'.repeat(n / 8)}</a>`],
    ['processing instructions', `<a>${'<??>'.repeat(n / 4)}</a>`],
    ['line ends', `${'\n'.repeat(n)}<`],
    ['declared prefixes', `<a>${`<b ${scopes}/>`.repeat(99_000)}</a>`],
    ['digits', number('1'.repeat(n))],
    ['digits, then rubbish', number(`${'1'.repeat(n)}x`)],
    ['an exponent', number(`1e${'1'.repeat(n)}`)],
    ['a space of a setting', attribute(`${' '.repeat(n - 1)}x`)],
    ['a setting of digits', attribute(`${'0'.repeat(n - 1)}x`)],
    ['a name of a preset', inRdf(`<rdf:Description crs:Name="${'x \n'.repeat(n / 3)}"/>`)],
    ['the name of a setting', inRdf(`<rdf:Description crs:${'SupportsDigest'.repeat(n / 14)}="1"/>`)],
    ['points of a curve', inRdf(`<rdf:Description crs:ToneCurvePV2012="${'0,'.repeat(n / 2)}"/>`)],
    [
      'point colours',
      inRdf(
        `<rdf:Description><crs:PointColors><rdf:Seq><rdf:li>${'-1, '.repeat(n / 4)}</rdf:li></rdf:Seq></crs:PointColors></rdf:Description>`,
      ),
    ],
    [
      'a false curve in four',
      inRdf(
        `<rdf:Description>${['', 'Red', 'Green', 'Blue'].map((c) => `<crs:ToneCurvePV2012${c}><rdf:Seq>${'<rdf:li>1</rdf:li>'.repeat(45_000)}</rdf:Seq></crs:ToneCurvePV2012${c}>`).join('')}</rdf:Description>`,
      ),
    ],
    ['settings', inRdf(`<rdf:Description ${Array.from({ length: 150_000 }, (_, i) => `crs:F${i}="1"`).join(' ')}/>`)],
    ['Lua: a word', 'a'.repeat(n)],
    ['Lua: a key', `s = {${'a'.repeat(n)}`],
    ['Lua: spaces', `s = {${' '.repeat(n)}`],
    ['Lua: digits', `s = {${'1'.repeat(n)}x}`],
    ['Lua: points', `s = {1${'.1'.repeat(n / 2)}}`],
    ['Lua: minus signs', `s = {${'-'.repeat(n)}`],
    ['Lua: comments', `s = {${'--\n'.repeat(n / 3)}}`],
    ['Lua: brackets', `s = {${'['.repeat(n)}`],
    ['Lua: levels', `s = {[${'='.repeat(n)}[`],
    ['Lua: closing brackets', `s = { [===[${']==]'.repeat(n / 4)}`],
    ['Lua: escapes', `s = { "${'\\065'.repeat(n / 4)}" }`],
    ['Lua: backslashes', `s = { "${'\\'.repeat(n)}`],
    ['Lua: a text', `s = { "${'x'.repeat(n)}" }`],
  ])('%s', (_, text) => {
    let outcome: unknown;
    try {
      outcome = parse(text).name.length <= 200;
    } catch (error) {
      outcome = error;
    }
    if (outcome !== true) {
      expect(outcome).toBeInstanceOf(PresetError);
      expect((outcome as PresetError).message.length).toBeLessThan(400);
    }
  });
});

describe('not text', () => {
  test.each([
    ['nothing', [], 'PRESET_FORMAT'],
    ['spaces', [32, 10, 9], 'PRESET_FORMAT'],
    ['a JPEG', [0xff, 0xd8, 0xff, 0xe0, 0, 16], 'PRESET_EMPTY'],
    ['a TIFF or DNG', [0x49, 0x49, 42, 0, 8, 0, 0, 0], 'PRESET_EMPTY'],
    ['a PNG', [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10], 'PRESET_ENCODING'],
    ['an archive', [0x50, 0x4b, 3, 4, 20], 'PRESET_ENCODING'],
    ['Latin-1', [...bytesOf('<a>'), 0xe4, ...bytesOf('</a>')], 'PRESET_ENCODING'],
    ['half a character at the end', [...bytesOf('<a/>'), 0xe2, 0x82], 'PRESET_ENCODING'],
    ['a surrogate in UTF-8', [60, 0xed, 0xa0, 0x80], 'PRESET_ENCODING'],
    ['UTF-16 of odd length', [0xff, 0xfe, 60, 0, 97], 'PRESET_ENCODING'],
    ['UTF-16 without mark, of odd length', [60, 0, 97, 0, 62], 'PRESET_ENCODING'],
    ['a zero inside', bytesOf(good.replace('+10', '+1\0')), 'PRESET_ENCODING'],
    ['a table of numbers', bytesOf('{"Exposure2012": {"value": 10}}'), 'PRESET_FORMAT'],
    ['a LUT', bytesOf('LUT_3D_SIZE 2\n0 0 0\n'), 'PRESET_FORMAT'],
  ])('%s', (_, bytes, code) => {
    expect(refusal(Uint8Array.from(bytes))).toMatch(new RegExp(`^${code} `));
  });
});

describe('XML that is not well formed', () => {
  test.each([
    ['no end', '<a><b></b>'],
    ['tags that do not match', '<a></b>'],
    ['a closing tag too many', '<a/></a>'],
    ['two roots', '<a/><b/>'],
    ['text after the root', '<a/>x'],
    ['data after the root', '<a/><![CDATA[x]]>'],
    ['text before the root', 'x = {} <a/>'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['an attribute without value', '<a b/>'],
    ['no space between', '<a b="1"c="2"/>'],
    ['a bracket in a value', '<a b="<"/>'],
    ['a prefix that is not declared', '<x:a/>'],
    ['a prefix of an attribute', '<a x:b="1"/>'],
    ['a prefix out of its scope', '<a><b xmlns:x="y"/><x:c/></a>'],
    ['a bare ampersand', '<a>R & B</a>'],
    ['a reference to no character', '<a b="&#0;"/>'],
    ['a reference beyond all characters', '<a b="&#x110000;"/>'],
    ['a reference to half a character', '<a b="&#xD800;"/>'],
    ['a name that begins with a digit', '<1/>'],
    ['only a comment', '<!-- x -->'],
  ])('%s', (_, text) => {
    expect(refusal(text)).toMatch(/^PRESET_DAMAGED .*Line 1/);
  });

  test('the line is told', () => {
    expect(refusal('<a>\n\n<b>\n</a>')).toContain('Line 4: The closing tag of "b" is missing.');
  });

  test.each([
    ['other XML', '<svg/>', 'PRESET_FORMAT'],
    ['XMP without settings', inRdf('<rdf:Description rdf:about="" xmlns:dc="x" dc:title="y"/>'), 'PRESET_EMPTY'],
    ['XMP without description', inRdf(''), 'PRESET_EMPTY'],
  ])('%s', (_, text, code) => {
    expect(refusal(text)).toMatch(new RegExp(`^${code} `));
  });
});

describe('values that are no numbers', () => {
  test.each([
    'NaN',
    'nan',
    'Infinity',
    '-inf',
    '1e999',
    '0x10',
    '1,5',
    '1.2.3',
    '--1',
    '+',
    '.',
    'ten',
    '\u0661',
    '1 2',
    '',
    '1_0', // prettier-ignore
  ])('"%s" is refused with the name of its setting', (value) => {
    for (const name of ['Exposure2012', 'SaturationAdjustmentAqua', 'Temperature', 'Tint']) {
      expect(refusal(xmp({ [name]: value }))).toMatch(new RegExp(`^PRESET_VALUE .*${name} is .*not a number`));
    }
  });

  test('a list is refused too', () => {
    const list = '<crs:Vibrance><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></crs:Vibrance>';
    expect(refusal(xmp({}, list))).toMatch(/^PRESET_VALUE .*Vibrance is a list/);
  });
});

test('cut off anywhere, a file is refused', () => {
  const end = good.trimEnd().length;
  for (let length = 0; length < end; length++) {
    expect(refusal(good.slice(0, length))).toMatch(/^PRESET_(FORMAT|DAMAGED) /);
  }
  const template = lrtemplate('Vibrance = 3,').trimEnd();
  for (let length = 0; length < template.length; length++) {
    expect(refusal(template.slice(0, length))).toMatch(/^PRESET_(FORMAT|DAMAGED) /);
  }
});

test('names that mean something to JavaScript mean nothing', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const preset = parse(xmp(Object.fromEntries(names.map((name) => [name, '5']))));
  expect(preset.unsupported.map(({ setting }) => setting)).toEqual(names);
  expect(preset.sliders).toEqual({});
  const lua = parse('s = { __proto__ = { value = 1 }, value = { settings = { ["__proto__"] = 5, constructor = 5 } } }');
  expect(lua.unsupported).toHaveLength(2);
});
