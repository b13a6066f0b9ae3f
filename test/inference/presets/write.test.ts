import * as fc from 'fast-check';
import { PARAMETER_NAMES } from '../../../src/inference/params';
import { formatPresetXmp, PresetError } from '../../../src/inference/presets';
import { parse } from './support';

test('the whole file', () => {
  const sliders = {
    Exposure2012: 11,
    Contrast2012: -8,
    Whites2012: 0,
    IncrementalTemperature: 12,
    HueAdjustmentRed: -100,
  };
  const text = formatPresetXmp(sliders, { name: 'Dusk & "Dawn"', group: 'A <b>' });
  expect(text.replace(/crs:UUID="[0-9A-F]{32}"/, 'crs:UUID="?"'))
    .toBe(`<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="VeraRetouch">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"
   crs:PresetType="Normal"
   crs:Cluster=""
   crs:UUID="?"
   crs:SupportsAmount2="True"
   crs:SupportsAmount="True"
   crs:SupportsColor="True"
   crs:SupportsMonochrome="True"
   crs:SupportsHighDynamicRange="True"
   crs:SupportsNormalDynamicRange="True"
   crs:SupportsSceneReferred="True"
   crs:SupportsOutputReferred="True"
   crs:CameraModelRestriction=""
   crs:Copyright=""
   crs:ContactInfo=""
   crs:Version="11.0"
   crs:ProcessVersion="11.0"
   crs:WhiteBalance="Custom"
   crs:Exposure2012="+0.55"
   crs:Contrast2012="-8"
   crs:Whites2012="0"
   crs:IncrementalTemperature="+12"
   crs:HueAdjustmentRed="-100"
   crs:HasSettings="True">
   <crs:Name>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">Dusk &amp; "Dawn"</rdf:li>
    </rdf:Alt>
   </crs:Name>
   <crs:ShortName>
    <rdf:Alt>
     <rdf:li xml:lang="x-default"/>
    </rdf:Alt>
   </crs:ShortName>
   <crs:SortName>
    <rdf:Alt>
     <rdf:li xml:lang="x-default"/>
    </rdf:Alt>
   </crs:SortName>
   <crs:Group>
    <rdf:Alt>
     <rdf:li xml:lang="x-default">A &lt;b&gt;</rdf:li>
    </rdf:Alt>
   </crs:Group>
   <crs:Description>
    <rdf:Alt>
     <rdf:li xml:lang="x-default"/>
    </rdf:Alt>
   </crs:Description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`);
});

test('what was written comes back, without notes and with nothing unsupported', () => {
  const slider = fc.integer({ min: -100, max: 100 });
  fc.assert(
    fc.property(
      fc
        .subarray([...PARAMETER_NAMES])
        .chain((names) =>
          fc.tuple(fc.constant(names), fc.array(slider, { minLength: names.length, maxLength: names.length })),
        ),
      fc.string({ unit: 'grapheme', maxLength: 60 }).filter((name) => /[\p{L}\p{N}]/u.test(name)),
      ([names, values], name) => {
        const sliders = Object.fromEntries(names.map((parameter, i) => [parameter, values[i]]));
        const preset = parse(formatPresetXmp(sliders, { name, group: `${name} group` }));
        expect(preset.sliders).toEqual(sliders);
        expect(preset.unsupported).toEqual([]);
        expect(preset.notes.filter((note) => !note.includes('changes nothing'))).toEqual([]);
        expect(parse(formatPresetXmp(preset.sliders, preset))).toEqual(preset);
      },
    ),
    { numRuns: 200 },
  );
});

test('fractions are rounded to what the format holds', () => {
  const text = formatPresetXmp(
    { Exposure2012: 12.53, Vibrance: 3.5, Saturation: -0.4, Shadows2012: -0 },
    { name: 'x' },
  );
  expect(parse(text).sliders).toEqual({ Exposure2012: 12.6, Vibrance: 4, Saturation: 0, Shadows2012: 0 });
  expect(text).toContain('crs:Exposure2012="+0.63"');
  expect(formatPresetXmp({ Exposure2012: 0.01 }, { name: 'x' })).toContain('crs:Exposure2012="0.00"');
});

test('the parametric curve comes with the borders of its regions', () => {
  const text = formatPresetXmp({ ParametricDarks: 0 }, { name: 'x' });
  expect(text).toContain(
    'crs:ParametricShadowSplit="25"\n   crs:ParametricMidtoneSplit="50"\n   crs:ParametricHighlightSplit="75"',
  );
});

test('the identifier follows from what is in the preset', () => {
  const idOf = (...preset: Parameters<typeof formatPresetXmp>) =>
    /UUID="([0-9A-F]{32})"/.exec(formatPresetXmp(...preset))![1];
  const id = idOf({ Vibrance: 3, Saturation: 4 }, { name: 'a', group: 'b' });
  expect(idOf({ Saturation: 4, Vibrance: 3 }, { name: ' a ', group: 'b' })).toBe(id);
  const others = [
    idOf({ Vibrance: 3, Saturation: 5 }, { name: 'a', group: 'b' }),
    idOf({ Vibrance: 3 }, { name: 'a', group: 'b' }),
    idOf({ Vibrance: 3, Saturation: 4 }, { name: 'ab' }),
    idOf({ Vibrance: 3, Saturation: 4 }, { name: 'a', group: 'c' }),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
});

test('names are made fit for one line of XML', () => {
  const preset = parse(
    formatPresetXmp({ Vibrance: 1 }, { name: ' a\0\u0007\n\tb\ud800 \uffff<!-- ]]> &amp; ', group: ' \n ' }),
  );
  expect(preset.name).toBe('a b <!-- ]]> &amp;');
  expect(preset).not.toHaveProperty('group');
});

test.each(['', ' \n', '\0', '\ud800'])('the name %j is refused', (name) => {
  const write = () => formatPresetXmp({ Vibrance: 1 }, { name });
  expect(write).toThrow(PresetError);
  expect(write).toThrow(expect.objectContaining({ code: 'PRESET_NAME', hint: expect.any(String) }));
});

test.each([
  [{ Vibrance: NaN }, 'Vibrance is NaN'],
  [{ Vibrance: 101 }, 'outside -100 to 100'],
  [{ Clarity2012: 1 }, 'no parameter named'],
])('the sliders %j are refused as everywhere', (sliders, message) => {
  expect(() => formatPresetXmp(sliders as unknown as Record<string, number>, { name: 'x' })).toThrow(
    expect.objectContaining({ code: 'INPUT_PARAMETERS', message: expect.stringContaining(message) }),
  );
});
