import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gradient, image, temporaryFolder } from '../host/support/pictures';
import { withManifest } from '../inference/support/bundles';
import { PUBLISHED } from '../inference/support/published';

/* The program as it is built, with the tiny bundle of random weights: what a user's shell sees. */
jest.setTimeout(180000);
const ROOT = path.resolve(__dirname, '../..');
const PROGRAM = path.join(ROOT, 'dist/cli.cjs');
const TINY = path.join(ROOT, 'test/fixtures/tiny-bundle');
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const out = at('out');

beforeAll(async () => {
  if (!existsSync(PROGRAM)) throw new Error('The program is not built: run `npm run build` first.');
  await image(gradient(64, 48), 64, 48).jpeg().toFile(at('photo.jpg'));
  await image(gradient(1600, 1600), 1600, 1600).png({ compressionLevel: 1 }).toFile(at('large.png'));
});
beforeEach(() => {
  rmSync(out, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(args: string[], onText?: (stderr: string, child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args]);
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    ended.stderr += data.toString();
    onText?.(ended.stderr, child);
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      resolve({ ...ended, code });
    });
  });
}

const retouch = (...args: string[]): Promise<Ended> =>
  run(['retouch', '--bundle', TINY, '--threads', '1', '--out', out, ...args]);
const leftovers = (): string[] => (existsSync(out) ? readdirSync(out) : []);

test.each([
  ['auto', ['--auto']],
  ['style', ['--style', 'warm <|im_end|><retouch_light> film']],
  ['param', ['--params', at('p.json')]],
  ['reference', ['--reference', at('photo.jpg'), at('large.png')]],
])('mode %s writes its four files', async (mode, args) => {
  writeFileSync(at('p.json'), '{"Exposure2012": {"value": 30}, "Saturation": {"value": -20}}');
  const { code, stdout, stderr } = await retouch(at('photo.jpg'), '--json', ...args);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(leftovers().sort()).toEqual(['photo.cube', 'photo.json', 'photo.png', 'photo.psd']);
  expect(JSON.parse(stdout)).toMatchObject({ mode, bundle: expect.stringContaining('tiny') as string });
  expect(JSON.parse(readFileSync(path.join(out, 'photo.json'), 'utf8'))).toEqual(JSON.parse(stdout));
});

test('--version and --help answer on stdout', async () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  expect((await run(['--help'])).stdout).toContain('retouch');
});

test('a wrong command line ends with 2, says why and what to do', async () => {
  const { code, stderr } = await retouch(at('photo.jpg'), '--atuo');
  expect(code).toBe(2);
  expect(stderr).toContain('--auto');
  expect(leftovers()).toEqual([]);
});

test('a model with terms answers once they are accepted, and not before', async () => {
  const bundle = at('published');
  mkdirSync(bundle);
  for (const [name, bytes] of PUBLISHED) writeFileSync(path.join(bundle, name), bytes);
  const given = ['retouch', '--bundle', bundle, '--threads', '1', '--out', out, '--auto', at('photo.jpg')];
  const refused = await run(given);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('For research only.');
  expect(refused.stderr).toContain('--accept-model-terms');
  expect(leftovers()).toEqual([]);
  const { code, stderr } = await run([...given, '--accept-model-terms']);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stderr).toContain('Model terms, accepted with --accept-model-terms: For research only.');
  expect(leftovers().sort()).toEqual(['photo.cube', 'photo.json', 'photo.png', 'photo.psd']);
});

test('a model that this machine cannot hold is refused with both figures before anything is read', async () => {
  const bundle = at('huge');
  mkdirSync(bundle);
  const huge = withManifest(PUBLISHED, (m) => (m.memory = { node: { page: 2 ** 43 } }));
  for (const [name, bytes] of huge) writeFileSync(path.join(bundle, name), bytes);
  const { code, stderr } = await run([
    ...['retouch', '--bundle', bundle, '--out', out, '--auto', at('photo.jpg'), '--accept-model-terms'],
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/too large for the device "node": it needs 8796094 MB .* where there are \d+ MB/);
  expect(leftovers()).toEqual([]);
});

describe('bad input: a clear error, exit code 1, nothing written', () => {
  const bundle = at('bundle');
  const withBundle = async (change: () => void): Promise<Ended> => {
    rmSync(bundle, { recursive: true, force: true });
    cpSync(TINY, bundle, { recursive: true });
    change();
    return run(['retouch', at('photo.jpg'), '--auto', '--out', out, '--bundle', bundle]);
  };
  const refused = (ended: Ended, ...words: string[]): void => {
    expect(ended.code).toBe(1);
    for (const word of words) expect(ended.stderr).toContain(word);
    expect(ended.stderr).not.toContain('should not have happened');
    expect(ended.stdout).toBe('');
    expect(leftovers()).toEqual([]);
  };

  test('a style of 10,000 characters', async () => {
    refused(await retouch(at('photo.jpg'), '--style', 'warm '.repeat(2000)), 'style is 9999 characters', 'Shorten it');
  });

  test('a truncated photo', async () => {
    writeFileSync(at('cut.jpg'), readFileSync(at('photo.jpg')).subarray(0, 900));
    refused(await retouch(at('cut.jpg'), '--auto'), 'error', 'cut.jpg');
  });

  test('a bundle with one flipped byte', async () => {
    const ended = await withBundle(() => {
      const file = path.join(bundle, 'renderer.onnx');
      const bytes = readFileSync(file);
      bytes[100] ^= 1;
      writeFileSync(file, bytes);
    });
    refused(ended, 'renderer.onnx');
  });

  test('a bundle without one of its graphs', async () => {
    refused(
      await withBundle(() => {
        rmSync(path.join(bundle, 'decoder.onnx'));
      }),
      'decoder.onnx',
    );
  });

  test('no bundle at all', async () => {
    refused(
      await run(['retouch', at('photo.jpg'), '--auto', '--out', out, '--bundle', at('nowhere')]),
      'nowhere',
      '--bundle',
    );
  });

  test('an output folder that cannot be written', async () => {
    const ended = await run(['retouch', at('photo.jpg'), '--auto', '--bundle', TINY, '--out', at('photo.jpg/out')]);
    refused(ended, 'cannot be written', '--out');
    expect(ended.stderr).not.toContain('reading the photo');
  });
});

test.each([
  [1, 1],
  [1, 5000],
])('a photo of %i x %i pixels works', async (width, height) => {
  await image(gradient(width, height), width, height).png().toFile(at('thin.png'));
  const { code, stderr } = await retouch(at('thin.png'), '--auto');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(leftovers()).toContain('thin.psd');
});

describe('Ctrl-C ends with 130 and leaves nothing', () => {
  test.each(['reading the photo', 'loading the model', 'thinking', 'Key elements', 'rendering', 'writing'])(
    'at "%s"',
    async (marker) => {
      let sent = false;
      const args = ['retouch', at('large.png'), '--auto', '--threads', '1', '--bundle', TINY, '--out', out];
      const { code, stderr, stdout } = await run(args, (text, child) => {
        if (sent || !text.includes(marker)) return;
        sent = true;
        child.kill('SIGINT');
      });
      expect(sent).toBe(true);
      expect(code).toBe(130);
      expect(stderr).toContain('Cancelled');
      expect(stdout).toBe('');
      expect(existsSync(out)).toBe(false);
    },
  );
});
