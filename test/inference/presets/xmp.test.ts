import { PARAMETER_NAMES } from '../../../src/inference/params';
import { parsePreset } from '../../../src/inference/presets';
import { alternative, bytesOf, parse, sequence, xmp } from './support';

describe('settings', () => {
  test('as attributes, in the order of the parameters', () => {
    const preset = parse(xmp({ Saturation: '-10', Contrast2012: '+25', HueAdjustmentRed: '0', Exposure2012: '-0.55' }));
    expect(preset.sliders).toEqual({ Exposure2012: -11, Contrast2012: 25, Saturation: -10, HueAdjustmentRed: 0 });
    expect(Object.keys(preset.sliders)).toEqual(['Exposure2012', 'Contrast2012', 'Saturation', 'HueAdjustmentRed']);
    expect(preset.unsupported).toEqual([]);
    expect(preset.notes).toEqual([]);
  });

  test('as elements, also beside attributes and in several descriptions', () => {
    const preset = parse(
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/">
        <rdf:Description rdf:about="" crs:Vibrance="+7"><crs:Shadows2012> +40 </crs:Shadows2012></rdf:Description>
        <rdf:Description rdf:about=""><crs:Whites2012>-5</crs:Whites2012><crs:Tint/></rdf:Description>
      </rdf:RDF>`,
    );
    expect(preset.sliders).toEqual({ Shadows2012: 40, Whites2012: -5, Vibrance: 7 });
  });

  test('all 38, as the parameters that the model takes', () => {
    const attributes = Object.fromEntries(PARAMETER_NAMES.map((name, i) => [name, String(i - 19)]));
    const { sliders, parameters } = parse(xmp({ ...attributes, Exposure2012: '+1.25' }));
    expect(Object.keys(sliders)).toEqual(PARAMETER_NAMES);
    expect(parameters.active).toEqual([true, true, true]);
    expect(parameters.values[0]).toBe(0.25);
    expect(parameters.values[1]).toBe(Math.fround(-0.18));
    expect(parameters.values[37]).toBe(Math.fround(0.18));
  });

  test('whatever the prefix is called, and only of this namespace', () => {
    const preset = parse(
      `<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:crs="http://example.org/">
        <r:Description xmlns:c="http://ns.adobe.com/camera-raw-settings/1.0/" c:Vibrance="3" crs:Vibrance="9" Vibrance="8">
          <Contrast2012 xmlns="http://ns.adobe.com/camera-raw-settings/1.0/">4</Contrast2012>
          <crs:Saturation>5</crs:Saturation>
        </r:Description>
      </r:RDF>`,
    );
    expect(preset.sliders).toEqual({ Contrast2012: 4, Vibrance: 3 });
  });

  test('those inside a look or a mask stay there', () => {
    const look = `<crs:Look><rdf:Description crs:Name="Dusk" crs:Amount="0.8"><crs:Parameters>
      <rdf:Description crs:Contrast2012="+90" crs:Saturation="-50"/></crs:Parameters></rdf:Description></crs:Look>
      <crs:MaskGroupBasedCorrections><rdf:Seq><rdf:li rdf:parseType="Resource"><crs:Vibrance>80</crs:Vibrance></rdf:li></rdf:Seq></crs:MaskGroupBasedCorrections>`;
    expect(parse(xmp({ Contrast2012: '+10' }, look)).sliders).toEqual({ Contrast2012: 10 });
  });

  test('written twice: the element counts, and a note tells when they differ', () => {
    const same = parse(xmp({ Vibrance: '5' }, '<crs:Vibrance>5</crs:Vibrance>'));
    expect([same.sliders, same.notes]).toEqual([{ Vibrance: 5 }, []]);
    const other = parse(xmp({ Vibrance: '5' }, '<crs:Vibrance>6</crs:Vibrance>'));
    expect(other.sliders).toEqual({ Vibrance: 6 });
    expect(other.notes).toEqual([expect.stringContaining('Vibrance is written twice')]);
    const name = parse(xmp({ Name: 'a', Vibrance: '5' }, alternative('Name', 'b')));
    expect([name.name, name.notes]).toEqual(['b', []]);
  });
});

describe('names', () => {
  test('name and group, with entities and the alternative for everyone', () => {
    const names = `<crs:Name><rdf:Alt><rdf:li xml:lang="de-DE">Abend</rdf:li><rdf:li xml:lang="x-default">Dusk &amp; &#x201C;Dawn&#8221;
        </rdf:li></rdf:Alt></crs:Name>${alternative('Group', 'Evening &lt;light&gt;')}`;
    const preset = parse(xmp({ Vibrance: '1' }, names), 'folder/other.xmp');
    expect(preset.name).toBe('Dusk & \u201cDawn\u201d');
    expect(preset.group).toBe('Evening <light>');
  });

  test('a name as attribute', () => {
    expect(parse(xmp({ Name: 'Plain' })).name).toBe('Plain');
  });

  test('none in the file: that of the file, else a plain one; no group', () => {
    const unnamed = xmp({ Vibrance: '1' }, '<crs:Name><rdf:Alt><rdf:li xml:lang="x-default"/></rdf:Alt></crs:Name>');
    expect(parse(unnamed, 'C:\\Presets\\Old film v1.2.xmp').name).toBe('Old film v1.2');
    expect(parse(unnamed, '.xmp').name).toBe('.xmp');
    expect(parse(unnamed).name).toBe('Preset');
    expect(parse(unnamed)).not.toHaveProperty('group');
  });

  test('on one line, of sensible length, never half a character', () => {
    expect(parse(xmp({ Name: 'two\n\t lines' })).name).toBe('two lines');
    const long = parse(xmp({ Name: `${'x'.repeat(199)}\u{1F305}\u{1F305}` })).name;
    expect(long).toBe('x'.repeat(199));
  });
});

describe('numbers', () => {
  test.each([
    ['Exposure2012', '+7.50', 100, 'Exposure2012 is 7.5 in the file, beyond its range; it was set to 5.'],
    ['Exposure2012', '-5.01', -100, 'set to -5.'],
    ['Contrast2012', '150', 100, 'Contrast2012 is 150 in the file'],
    ['HueAdjustmentBlue', '-1e3', -100, 'HueAdjustmentBlue is -1000 in the file'],
    ['IncrementalTint', '+101', 100, 'IncrementalTint is 101 in the file'],
  ])('%s %s is set to the end of its range, and a note says so', (name, value, slider, note) => {
    const preset = parse(xmp({ [name]: value }));
    expect(preset.sliders).toEqual({ [name]: slider });
    expect(preset.notes).toEqual([expect.stringContaining(note)]);
  });

  test.each([
    ['+0.55', 11],
    ['0.1', 2],
    ['.07', 1.4],
    ['-0.00', 0],
    ['5', 100],
    ['1.234567', 24.69134],
  ])('%s stops are %f on the slider', (stops, slider) => {
    expect(parse(xmp({ Exposure2012: stops })).sliders['Exposure2012']).toBe(slider);
  });
});

describe('white balance', () => {
  // 1e6 / 5500 - 1e6 / kelvin, of which 75 are the whole slider; 150 of tint are the whole slider.
  test.each([
    ['5500', 0],
    ['6500', ((1e6 / 5500 - 1e6 / 6500) / 75) * 100],
    ['4900', ((1e6 / 5500 - 1e6 / 4900) / 75) * 100],
    ['+400', ((1e6 / 5500 - 1e6 / 5900) / 75) * 100],
    ['-300', ((1e6 / 5500 - 1e6 / 5200) / 75) * 100],
    ['2850', -100],
    ['50000', 100],
    ['-5000', -100],
  ])('%s K becomes a difference to daylight', (kelvin, slider) => {
    const preset = parse(xmp({ WhiteBalance: 'Custom', Temperature: kelvin }));
    expect(preset.sliders['IncrementalTemperature']).toBeCloseTo(slider, 10);
    expect(preset.notes[0]).toContain('IncrementalTemperature');
    expect(preset.unsupported).toEqual([]);
  });

  test('tint', () => {
    const preset = parse(xmp({ Tint: '+15' }));
    expect(preset.sliders).toEqual({ IncrementalTint: 10 });
    expect(preset.notes).toEqual(['The tint of +15 was turned into IncrementalTint +10.']);
  });

  test('a difference in the file is used as it is', () => {
    const preset = parse(xmp({ Temperature: '3200', Tint: '9', IncrementalTemperature: '+12', IncrementalTint: '-3' }));
    expect(preset.sliders).toEqual({ IncrementalTemperature: 12, IncrementalTint: -3 });
    expect(preset.notes).toHaveLength(2);
  });
});

describe('the file', () => {
  const text = xmp({ Vibrance: '9' }, alternative('Name', 'Käse'));

  test('with byte order mark, as UTF-16, with packet and declaration around it', () => {
    const utf16 = (littleEndian: boolean) => {
      const view = new DataView(new ArrayBuffer(text.length * 2 + 2));
      view.setUint16(0, 0xfeff, littleEndian);
      for (let i = 0; i < text.length; i++) view.setUint16(i * 2 + 2, text.charCodeAt(i), littleEndian);
      return new Uint8Array(view.buffer);
    };
    const packet = `<?xml version='1.0' encoding="latin-1"?>\r\n<!-- - > -- <a> --><?xpacket begin="\ufeff" id="W5M0"?>\n${text}   \n\n<?xpacket end="w"?>\n`;
    for (const file of [bytesOf(`\ufeff${text}`), bytesOf(packet), utf16(true), utf16(false)]) {
      expect(parsePreset(file)).toEqual(parsePreset(bytesOf(text)));
    }
    expect(parsePreset(utf16(true)).name).toBe('Käse');
  });

  test('the name of the file does not decide', () => {
    expect(parse(text, 'x.lrtemplate').sliders).toEqual({ Vibrance: 9 });
  });

  test('a preset that moves no slider says so', () => {
    const preset = parse(xmp({ GrainAmount: '20', Vibrance: '0' }, sequence('ToneCurvePV2012', ['0, 0', '255, 255'])));
    expect(preset.notes).toEqual([expect.stringContaining('changes nothing here')]);
    expect(preset.parameters.active).toEqual([false, false, false]);
  });
});
