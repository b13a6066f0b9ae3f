import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { VeraRetouchError } from '../../src/color';
import { readParameterFile } from '../../src/cli/parameterFile';
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
