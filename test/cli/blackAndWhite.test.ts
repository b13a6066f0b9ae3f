import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { gradient, image, temporaryFolder } from '../host/support/pictures';
import { BUNDLES } from '../inference/support/bundles';
import { xmp } from '../inference/presets/support';
import { tiffWith } from '../inference/presets/photoFiles';

/* The program as it is built: a black-and-white preset in, pictures without any color out. */
jest.setTimeout(180_000);
const PROGRAM = path.resolve(__dirname, '../../dist/cli.cjs');
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const preset = xmp({ ConvertToGrayscale: 'True', Contrast2012: '+20', GrayMixerRed: '+10' });

beforeAll(async () => {
  if (!existsSync(PROGRAM)) throw new Error('The program is not built: run `npm run build` first.');
  mkdirSync(at('photos'));
  await image(gradient(64, 48), 64, 48).jpeg({ quality: 95 }).toFile(at('photos/one.jpg'));
  await image(gradient(48, 64), 48, 64).png().withMetadata({ icc: 'p3' }).toFile(at('photos/two.png'));
  writeFileSync(at('bw.xmp'), preset);
  // The ending is as it may be; the bytes decide.
  writeFileSync(at('bw.dng'), tiffWith(new TextEncoder().encode(preset)));
});

function run(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, 'retouch', '--threads', '1', ...args]);
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ code, stderr });
    });
  });
}

/** The largest distance between two channels of a pixel, in steps of 8 bits. */
async function colorIn(file: string): Promise<number> {
  const { data } = await sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  let most = 0;
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = data.subarray(i, i + 3);
    most = Math.max(most, Math.max(r, g, b) - Math.min(r, g, b));
  }
  return most;
}

describe.each(BUNDLES)('with the bundle %s', (name, bundle) => {
  test.each([
    ['one photo and an .xmp', 'bw.xmp', ['photos/one.jpg'], ['one']],
    ['two photos and the DNG of a phone', 'bw.dng', ['photos/one.jpg', 'photos/two.png'], ['one', 'two']],
    ['a folder', 'bw.xmp', ['photos'], ['one', 'two']],
  ])('%s', async (what, params, photos, results) => {
    const out = at(`${name} ${what}`);
    const { code, stderr } = await run('--bundle', bundle, '--out', out, '--params', at(params), ...photos.map(at));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stderr).toContain('Black and white: Saturation was set to -100');
    for (const result of results) {
      expect(await colorIn(path.join(out, `${result}.png`))).toBe(0);
      const rows = readFileSync(path.join(out, `${result}.cube`), 'utf8').match(/^\d\S* \S+ \S+$/gm) ?? [];
      expect(rows.length).toBeGreaterThan(30_000);
      expect(rows.filter((row) => new Set(row.split(' ')).size > 1)).toEqual([]);
    }
  });
});

test('a record of settings that are in the pixels already retouches nothing', async () => {
  writeFileSync(at('export.xmp'), xmp({ Exposure2012: '+1', AlreadyApplied: 'True' }));
  const out = at('record');
  const { code, stderr } = await run(
    '--bundle',
    BUNDLES[0][1],
    '--out',
    out,
    '--params',
    at('export.xmp'),
    at('photos/one.jpg'),
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/AlreadyApplied[^]*a second time/);
  expect(existsSync(out)).toBe(false);
});
