import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { FilesHost } from '../../src/host/files/filesHost';
import { ask } from './support/oracle';
import { gradient, image, temporaryFolder, warmLut } from './support/pictures';

/* The layered file as others see it: psd-tools opens it, LittleCMS applies its DeviceLink profile. */
const folder = temporaryFolder();

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
  return ask('check_psd.py', photo, ...files);
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
