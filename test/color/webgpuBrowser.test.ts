import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Case } from '../browser/gpuPage';

/*
 * The program on a real implementation of WebGPU: Chromium's, on whatever adapter it has (software on a machine without
 * a graphics card). The processor's result is the measure; it is itself measured against OpenColorIO (lutGolden.test.ts).
 */

jest.setTimeout(300000);

function ask(name: string, ...given: unknown[]): Record<string, unknown> {
  const script = path.resolve(__dirname, '../browser/askGpu.mjs');
  const args = [script, name, ...given.map((argument) => JSON.stringify(argument))];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

const FORMATS = [
  { channels: 3, bits: 8 },
  { channels: 4, bits: 8 },
  { channels: 3, bits: 16 },
  { channels: 4, bits: 16 },
  { channels: 3, bits: 16, maximum: 32768 },
  { channels: 4, bits: 16, maximum: 32768 },
] as const;
const cases: Case[] = FORMATS.flatMap((format) =>
  [
    { look: 'identity', size: 2, count: 1000 },
    { look: 'curved', size: 33, count: 4099 },
    { look: 'steep', size: 65, count: 4099 },
    // Fewer pixels than a group of the program holds, and none left over.
    { look: 'steep', size: 17, count: 1 },
    { look: 'steep', size: 17, count: 8 },
  ].map((own) => ({ ...format, ...own })),
);
// More than one band of the device's memory.
cases.push({ look: 'curved', size: 33, channels: 3, bits: 8, count: 4200001 });

test('the device gives what the processor gives, within one level, and keeps alpha', () => {
  const { results } = ask('compare', cases) as {
    results: { largest: number; alphaKept: boolean; moved: boolean }[];
  };
  expect(results).toHaveLength(cases.length);
  for (const [i, { largest, alphaKept, moved }] of results.entries()) {
    const { look, channels, bits } = cases[i];
    // An identity is exact; 16 bits differ by the rounding of the device's 32-bit floats.
    const within = largest <= (look === 'identity' ? 0 : 1);
    const good = { look, channels, bits, within: true, alphaKept: true, moved: look !== 'identity' };
    expect({ look, channels, bits, within, alphaKept, moved }).toEqual(good);
  }
});

test('a device that is lost says so and leaves the pixels alone', () => {
  expect(ask('lose')).toMatchObject({
    code: 'GPU_FAILED',
    message: expect.stringContaining('could not apply the LUT') as string,
    untouched: true,
  });
});
