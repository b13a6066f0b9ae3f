import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { VeraRetouchError } from '../../src/color';
import { readParameterFile } from '../../src/cli/parameterFile';
import { parametersFromSliders } from '../../src/inference';
import { jpegWith, tiffWith } from '../inference/presets/photoFiles';
import { xmp } from '../inference/presets/support';
import { changed } from '../support/changed';

const folder = mkdtempSync(path.join(tmpdir(), 'veraretouch-test-'));
const file = path.join(folder, 'settings.json');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('4,000 damaged parameter files give values in range or an error of our own', async () => {
  const whole = Buffer.from(
    '{"Exposure2012": {"value": 20.5}, "Vibrance": {"value": -40}, "HueAdjustmentRed": {"value": 7}}',
  );
  let read = 0;
  const check = async (bytes: Uint8Array): Promise<void> => {
    writeFileSync(file, bytes);
    try {
      const { parameters } = await readParameterFile(file);
      expect(parameters.values).toHaveLength(38);
      expect(parameters.values.every((value) => Math.abs(value) <= 1)).toBe(true);
      read++;
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(VeraRetouchError);
    }
  };
  await check(whole);
  expect(read).toBe(1);
  for (const value of [undefined, fc.constantFrom(...Buffer.from('0123456789.-e {}":,'))]) {
    await fc.assert(fc.asyncProperty(changed(whole, value), check), { numRuns: 2000, seed: 5 });
  }
  expect(read).toBeGreaterThan(10);
});

describe('what a file is, its bytes say', () => {
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const preset = bytesOf(xmp({ Exposure2012: '+0.50', GrainAmount: '20' }));
  const json = '{"Exposure2012": {"value": 10}}';
  const utf16 = Buffer.from(`\ufeff${json}`, 'utf16le');
  const read = async (bytes: Uint8Array) => {
    writeFileSync(file, bytes);
    return readParameterFile(file);
  };

  test.each([
    ['a preset', preset],
    ['the DNG preset of a phone', tiffWith(preset)],
    ['a JPEG with settings', jpegWith(preset)],
  ])('%s', async (_, bytes) => {
    const { parameters, notes } = await read(bytes);
    expect(parameters).toEqual(parametersFromSliders({ Exposure2012: 10 }));
    expect(notes).toEqual(['Preset "settings".', 'Not part of the retouch: film grain (GrainAmount 20).']);
  });

  test.each([
    ['JSON', bytesOf(json)],
    ['JSON with a byte order mark', bytesOf(`\ufeff${json}`)],
    ['JSON in UTF-16', utf16],
  ])('%s, of which nothing has to be said', async (_, bytes) => {
    expect(await read(bytes)).toEqual({ parameters: parametersFromSliders({ Exposure2012: 10 }), notes: [] });
  });

  test('a black-and-white preset: Saturation -100, and what comes near only', async () => {
    const { parameters, notes } = await read(bytesOf(xmp({ ConvertToGrayscale: 'True', GrayMixerRed: '20' })));
    expect(parameters).toEqual(parametersFromSliders({ Saturation: -100, LuminanceAdjustmentRed: 40 }));
    expect(notes.join(' ')).toMatch(/Black and white.*comes near to the mix/);
  });

  test.each([
    ['a JPEG without settings', jpegWith(undefined), /JPEG photo without settings/],
    [
      'a record of settings in the pixels',
      bytesOf(xmp({ Contrast2012: '5', AlreadyApplied: 'True' })),
      /a second time/,
    ],
    ['another photo', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), /bytes that no text has|UTF-8/],
    ['words', bytesOf('exposure: 3'), /not JSON/],
  ])('%s is refused with what it is', async (_, bytes, words) => {
    await expect(read(bytes)).rejects.toThrow(words);
    await expect(read(bytes)).rejects.toBeInstanceOf(VeraRetouchError);
  });
});
