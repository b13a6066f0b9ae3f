import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { FilesHost } from '../../src/host/files/filesHost';
import { gradient, image, temporaryFolder, warmLut } from './support/pictures';

/*
 * The layered file as others see it: psd-tools opens it, LittleCMS applies its DeviceLink profile. Python is the one
 * that `npm run setup` prepares; without it this test fails rather than passing unseen.
 */
const ROOT = path.resolve(__dirname, '../..');
const folder = temporaryFolder();

function python(): string {
  const named = process.env['VERARETOUCH_PYTHON'];
  const own = ['bin/python', 'Scripts/python.exe'].map((file) => path.join(ROOT, '.venv', file)).find(existsSync);
  const found = named ?? own;
  if (found === undefined) throw new Error('No Python: run `npm run setup`, or set VERARETOUCH_PYTHON.');
  return found;
}

async function reportOn(name: string, channels: 3 | 4): Promise<Record<string, unknown>> {
  const [width, height] = [90, 70];
  const photo = path.join(folder, `${name}.png`);
  await image(gradient(width, height, channels), width, height, channels)
    .png()
    .toFile(photo);
  const out = path.join(folder, 'out');
  mkdirSync(out, { recursive: true });
  const document = await new FilesHost(out).open(photo);
  const { results } = await document.applyRetouch({
    lut: warmLut(33),
    story: ['Plan, light: brighter.'],
    provenance: {},
    record: () => ({}),
  });
  const files = ['psd', 'png', 'cube'].map((extension) => results.find((file) => file.endsWith(extension))!);
  const run = spawnSync(python(), [path.join(ROOT, 'test/oracle/check_psd.py'), photo, ...files], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

test.each([
  ['opaque', 3, 'Background'],
  ['transparent', 4, 'Original'],
] as const)(
  'an independent reader sees the %s photo as it is meant',
  async (name, channels, bottom) => {
    const report = await reportOn(name, channels);
    expect(report['size']).toEqual([90, 70]);
    // psd-tools lists a group before what it holds.
    expect(report['layers']).toEqual([
      ['pixel', bottom, true],
      ['group', 'VeraRetouch', true],
      ['colorlookup', 'Color Lookup', true],
      ['pixel', 'Retouched pixels', false],
    ]);
    expect(report['merged']).toBeLessThanOrEqual(1);
    expect(report['hidden']).toBeLessThanOrEqual(1);
    expect(report['bottom']).toBeLessThanOrEqual(1);
    expect(report['profile']).toBe(true);
    expect(report['cube']).toBe(true);
    // Six decimals in one file, 16 bits in the other: both far below a level.
    expect(report['link']).toBeLessThan(0.02);
  },
  300000,
);
