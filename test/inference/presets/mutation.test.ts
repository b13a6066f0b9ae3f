import { PARAMETER_NAMES } from '../../../src/inference/params';
import { formatPresetXmp, parsePreset, PresetError } from '../../../src/inference/presets';
import { alternative, bytesOf, lrtemplate, seeded, sequence, xmp } from './support';

const XMP_FILES = [
  formatPresetXmp(
    { Exposure2012: 11, Saturation: -20, ParametricDarks: 4, IncrementalTint: 3 },
    { name: 'A & B', group: 'ü' },
  ),
  xmp(
    { Exposure2012: '-0.55', Temperature: '6500', GrainAmount: '20', WhiteBalance: 'Custom' },
    `${alternative('Name', '&#x41;<![CDATA[ <b> ]]>')}<!-- c -->${sequence('ToneCurvePV2012', ['0, 20', '255, 235'])}
    <crs:Look><rdf:Description crs:Name="Dusk" crs:Amount="0.8"><crs:Parameters><rdf:Description crs:Vibrance="+9"/></crs:Parameters></rdf:Description></crs:Look>`,
  ),
];
const LUA_FILES = [
  lrtemplate('Exposure2012 = 0.35, ToneCurvePV2012 = { 0, 20, 255, 235 }, Vibrance = 14, AutoTone = false,'),
  `--[[ c ]] s = { title = [==[ x ]==], ["type"] = 'Develop', -- d
    value = { settings = { Temperature = 4900; ["Tint"] = -5, Dehaze = 0x10, A = "\\195\\169\\n", M = { { B = nil, 1.5e1 } } } } }`,
];
/** What parsers trip over, and what the other file of the pair holds, is spliced in. */
const PIECES = ['<', '>', '"', "'", '&', '&amp;', '&#', ';', '</', '/>', '<!--', '<![CDATA[', ']]>', '<?', '<!DOCTYPE', 'xmlns:', '{', '}', '[[', ']]', '[=[', '--', '\\', '\n', '\0', 'NaN', '1e999', 'nil', ' = ', ',']; // prettier-ignore

function mutated(file: Uint8Array, other: Uint8Array, below: (limit: number) => number): Uint8Array {
  let bytes = [...file];
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const length = 1 + below(below(4) === 0 ? 200 : 4);
    switch (below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << below(8);
        break;
      case 1:
        bytes.splice(at, length);
        break;
      case 2:
        bytes.splice(at, 0, ...Array.from({ length }, () => (below(4) === 0 ? below(256) : 32 + below(95))));
        break;
      case 3:
        bytes.splice(at, below(length), ...bytesOf(PIECES[below(PIECES.length)]));
        break;
      case 4: {
        const from = below(other.length);
        bytes.splice(at, below(length), ...other.subarray(from, from + length * 4));
        break;
      }
      default:
        bytes = below(8) === 0 ? bytes.slice(0, at) : [...bytes, ...bytes.slice(at, at + length)];
    }
  }
  return Uint8Array.from(bytes);
}

test.each([
  ['.xmp', XMP_FILES, 0x5eed],
  ['.lrtemplate', LUA_FILES, 0xcafe],
])(
  '2,000 damaged %s files either give sliders in range or a PresetError',
  (_, texts, seed) => {
    const below = seeded(seed);
    const files = texts.map(bytesOf);
    let read = 0;
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const bytes = mutated(files[i % 2], files[(i + 1) % 2], below);
      try {
        const { name, sliders, parameters, unsupported } = parsePreset(bytes);
        read++;
        expect(name).not.toBe('');
        for (const [parameter, value] of Object.entries(sliders)) {
          expect(PARAMETER_NAMES).toContain(parameter);
          expect(Math.abs(value)).toBeLessThanOrEqual(100);
        }
        expect(parameters.values.every((value) => Math.abs(value) <= 1)).toBe(true);
        for (const { value } of unsupported) expect(value.length).toBeLessThanOrEqual(80);
      } catch (error) {
        if (!(error instanceof PresetError)) throw new Error(`Input ${i} ended otherwise`, { cause: error });
        refused++;
      }
    }
    // Both ways must have been taken, or the mutation tests nothing.
    expect(read).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  },
  60_000,
);
