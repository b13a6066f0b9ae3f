import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gradient, image, temporaryFolder } from '../host/support/pictures';
import { type Ended, PROGRAM, ROOT, runProgram, type RunOptions, TINY } from './support/program';

/* Faults found in November 2026 (A.2 to A.10, B.3, B.4, B.7, B.11), tried on the program as a user's shell runs it. */
jest.setTimeout(240000);
const root = temporaryFolder();
let picture: Buffer;
let count = 0;

beforeAll(async () => {
  if (!existsSync(PROGRAM)) throw new Error('The program is not built: run `npm run build` first.');
  picture = await image(gradient(16, 12), 16, 12).png().toBuffer();
});

/** A folder with photos of these names, and a folder for results that is not there yet. */
function place(...names: string[]): { photos: string; out: string } {
  const at = path.join(root, String(++count));
  const photos = path.join(at, 'photos');
  mkdirSync(photos, { recursive: true });
  for (const name of names) writeFileSync(path.join(photos, name), picture);
  return { photos, out: path.join(at, 'out') };
}

const retouch = (photos: string, out: string, args: string[] = [], options?: RunOptions): Promise<Ended> =>
  runProgram(['retouch', photos, '--auto', '--bundle', TINY, '--threads', '2', '--out', out, ...args], options);
const journalOf = (out: string): string => path.join(out, 'veraretouch-batch.jsonl');
interface Line {
  job: string;
  kind: string;
  photo: string;
  [more: string]: unknown;
}
const linesOf = (out: string): Line[] =>
  readFileSync(journalOf(out), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const psds = (out: string): string[] =>
  readdirSync(out)
    .filter((name) => name.endsWith('.psd'))
    .sort();
const whole = ({ code, stderr }: Ended): void => {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
};
const clear = ({ stderr, signal }: Ended): void => {
  expect(signal).toBeNull();
  expect(stderr).not.toMatch(/should not have happened|^ +at /m);
};
function pipe(file: string): string {
  execFileSync('mkfifo', [file]);
  return file;
}

test('A.2: a name in the journal that leads elsewhere removes nothing', async () => {
  const { photos, out } = place('a.png');
  whole(await retouch(photos, out));
  const victim = path.join(out, '..', 'victim');
  mkdirSync(victim);
  for (const file of ['work.psd', 'work.png']) writeFileSync(path.join(victim, file), 'mine');
  const { job } = linesOf(out)[0];
  const second = path.join(photos, 'b.png');
  writeFileSync(second, picture);
  const { size, mtimeMs } = statSync(second);
  for (const name of ['..', '', `${victim}/work`, '../victim/work']) {
    const state = { photo: second, size, modified: Math.round(mtimeMs) };
    appendFileSync(journalOf(out), `${JSON.stringify({ job, kind: 'begin', ...state, name, id: 'x', at: 0 })}\n`);
  }
  whole(await retouch(photos, out));
  expect(readdirSync(victim).sort()).toEqual(['work.png', 'work.psd']);
  expect(psds(out)).toEqual(['a.psd', 'b.psd']);
});

test("A.3: a resumed batch does not take another batch's result as its own", async () => {
  const { photos, out } = place('a.png');
  const mine = ['--strength', 'light=0.5'];
  whole(await retouch(photos, out, mine));
  // As if it had died between the beginning and the first file.
  const begin = linesOf(out).filter(({ kind }) => kind === 'begin');
  for (const file of ['a.psd', 'a.png', 'a.cube', 'a.json']) rmSync(path.join(out, file));
  writeFileSync(journalOf(out), begin.map((line) => `${JSON.stringify(line)}\n`).join(''));
  whole(await retouch(photos, out));
  const resumed = await retouch(photos, out, mine);
  whole(resumed);
  expect(resumed.stderr).toContain('0 of them done before');
  expect(psds(out)).toEqual(['a-2.psd', 'a.psd']);
  expect(readFileSync(path.join(out, 'a.png')).includes('&quot;light&quot;:0.5')).toBe(true);
  expect(readFileSync(path.join(out, 'a-2.png')).includes('&quot;light&quot;:0.5')).toBe(false);
});

test('A.4: photos with names of 244 to 255 bytes are done, like all others', async () => {
  const long = [`${'照'.repeat(80)}.png`, `${'x'.repeat(251)}.png`, `${'x'.repeat(250)}y.png`, 'short.png'];
  const { photos, out } = place(...long);
  const ended = await retouch(photos, out);
  whole(ended);
  const names = psds(out);
  expect(names).toHaveLength(4);
  expect(names).toContain('short.psd');
  expect(Math.max(...names.map((name) => Buffer.byteLength(name)))).toBeLessThanOrEqual(244);
  expect(names.filter((name) => name.includes('\ufffd'))).toEqual([]);
  expect(readdirSync(path.join(out, 'contact-sheet')).filter((name) => name.endsWith('.jpg'))).toHaveLength(8);
  expect((await retouch(photos, out)).stderr).toContain('4 of them done before');
});

test("A.5: the user's own index.html, report.json and contact-sheet stay, and it is said", async () => {
  const { photos, out } = place('report.png', 'index.png');
  mkdirSync(path.join(out, 'contact-sheet'), { recursive: true });
  const own = ['index.html', 'report.json', 'contact-sheet/index-before.jpg'].map((name) => path.join(out, name));
  for (const file of own) writeFileSync(file, 'mine');
  const first = await retouch(photos, out);
  whole(first);
  for (const file of own) expect(readFileSync(file, 'utf8')).toBe('mine');
  expect(first.stderr).toMatch(
    /report\.json is not this batch's and was left as it is; this batch's is report-3\.json/,
  );
  expect(first.stderr).toMatch(/index\.html is not this batch's .* is index-2\.html/);
  expect(psds(out)).toEqual(['index.psd', 'report-2.psd']);
  const page = readFileSync(path.join(out, 'index-2.html'), 'utf8');
  expect(page).toContain('contact-sheet-2/index-before.jpg');
  const listed = readdirSync(out).sort();
  whole(await retouch(photos, out));
  expect(readdirSync(out).sort()).toEqual(listed);
  // Another job's report is none of this job's either.
  whole(await retouch(photos, out, ['--strength', 'light=0.5']));
  expect(JSON.parse(readFileSync(path.join(out, 'report-3.json'), 'utf8'))).toMatchObject({ strength: {} });
});

test('A.6, B.7: a failure that may have passed is tried again, one of the photo itself is not', async () => {
  const { photos, out } = place('a.png', 'b.png', 'c.png', 'd.png');
  whole(await retouch(photos, out));
  const { job } = linesOf(out)[0];
  const codes = { a: 'PHOTO_UNREADABLE', b: 'OUTPUT_EXISTS', c: 'PHOTO_DAMAGED', d: 'PHOTO_DAMAGED' };
  const lines = Object.entries(codes).map(([name, code]) => {
    const photo = path.join(photos, `${name}.png`);
    const { size, mtimeMs } = statSync(photo);
    const message = name === 'd' ? 'd.png is damaged: out of memory' : 'no';
    return { job, kind: 'failed', photo, size, modified: Math.round(mtimeMs), failure: { code, message } };
  });
  rmSync(out, { recursive: true });
  mkdirSync(out);
  writeFileSync(journalOf(out), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { code, stderr } = await retouch(photos, out);
  expect(code).toBe(1);
  expect(stderr).toContain('1 of them done before, 3 to do');
  expect(psds(out)).toEqual(['a.psd', 'b.psd', 'd.psd']);
});

test('A.7: pipes and devices are refused wherever a file is read, without waiting', async () => {
  const { photos, out } = place('a.png');
  const photo = path.join(photos, 'a.png');
  const options = { within: 30_000 };
  const params = (file: string): Promise<Ended> =>
    runProgram(['retouch', photo, '--params', file, '--bundle', TINY, '--out', out], options);
  for (const [file, what] of [
    [pipe(path.join(root, 'params.fifo')), 'a pipe'],
    ['/dev/zero', 'a device'],
    [photos, 'a folder'],
  ]) {
    const ended = await params(file);
    clear(ended);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`it is ${what}`) as string });
  }
  for (const name of ['SHA256SUMS', 'renderer.onnx']) {
    const bundle = path.join(root, `bundle-${name}`);
    cpSync(TINY, bundle, { recursive: true });
    rmSync(path.join(bundle, name));
    pipe(path.join(bundle, name));
    const ended = await runProgram(['retouch', photo, '--auto', '--bundle', bundle, '--out', out], options);
    clear(ended);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('it is a pipe') as string });
  }
  mkdirSync(out);
  pipe(journalOf(out));
  const ended = await retouch(photos, out, [], options);
  clear(ended);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('it is a pipe') as string });
  pipe(path.join(photos, 'pipe.png'));
  const alone = await retouch(path.join(photos, 'pipe.png'), out, [], options);
  clear(alone);
  expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining('not an ordinary file') as string });
});

test('A.9: damaged lines and records cost no more than themselves', async () => {
  const { photos, out } = place('a.png', 'b.png', 'c.png');
  whole(await retouch(photos, out));
  const lines = linesOf(out);
  const lastOf = (name: string): Line => lines.find(({ photo, kind }) => photo.endsWith(name) && kind === 'done')!;
  const begunB = lines.find(({ photo, kind }) => photo.endsWith('b.png') && kind === 'begin')!;
  const odd = [
    ...[{ record: null }, { name: 7 }, { photo: null }, { size: 'x' }].map((what) => ({ ...lastOf('a.png'), ...what })),
    ...[{ latents: [1, 'x'] }, { latents: [1], reasoning: {} }].map((what) => ({
      ...{ ...lastOf('a.png'), kind: 'seen' },
      ...what,
    })),
    ...[{ failure: null }, { failure: { code: 1 } }].map((what) => ({ ...lastOf('a.png'), kind: 'failed', ...what })),
  ];
  const sound = [lastOf('c.png'), begunB];
  writeFileSync(
    journalOf(out),
    `null\n\u0000\u0001\n${[...odd, ...sound].map((line) => JSON.stringify(line)).join('\n')}\n{"kind":`,
  );
  writeFileSync(path.join(out, 'b.json'), '{"record of":');
  const ended = await retouch(photos, out);
  whole(ended);
  expect(ended.stderr).toContain('1 of them done before, 2 to do');
  expect(psds(out)).toEqual(['a-2.psd', 'a.psd', 'b-2.psd', 'b.psd', 'c.psd']);
  expect(readFileSync(path.join(out, 'b.json'), 'utf8')).toBe('{"record of":');
  expect((await retouch(photos, out)).stderr).toContain('3 of them done before');
});

describe('A.10: the real error is the one shown', () => {
  test('stdout on a full disk, or with nobody to read it: a sentence and exit code 1', async () => {
    const { photos, out } = place('a.png', 'b.png');
    const full = await retouch(photos, out, [], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
    clear(full);
    expect(full).toMatchObject({ code: 1, stderr: expect.stringMatching(/stdout: .*(no space|ENOSPC)/i) as string });
    const gone = await retouch(path.join(photos, 'a.png'), out, [], { onStart: (child) => child.stdout?.destroy() });
    clear(gone);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('its reader has gone') as string });
    const help = await runProgram(['retouch', '--help'], { onStart: (child) => child.stdout?.destroy() });
    expect(help).toMatchObject({ code: 0, stderr: '' });
  });

  test('a folder of results that is gone in the middle: an error of our own', async () => {
    const { photos, out } = place('a.png', 'b.png', 'c.png', 'd.png', 'e.png');
    const ended = await retouch(photos, out, ['--threads', '1'], {
      onStart: (child) => {
        child.stderr?.on('data', (data: Buffer) => {
          if (data.toString().includes('[1/5]')) rmSync(out, { recursive: true, force: true });
        });
      },
    });
    clear(ended);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/error .*(cannot be|could not be)/);
  });
});

test('B.4, B.11: a folder accounts for every file, and its own results are none of its photos', async () => {
  const { photos } = place('a.png', 'b.jfif', 'c.jpe', 'd.mpo', '.hidden.png', 'x.jxl', 'y.jxl', 'z.pdf', 'notes.txt');
  mkdirSync(path.join(photos, 'deeper'));
  const args = ['retouch', '.', '--auto', '--bundle', TINY, '--threads', '2', '--out', '.'];
  whole(await runProgram(args, { cwd: photos }));
  expect(psds(photos)).toEqual(['a-2.psd', 'b.psd', 'c.psd', 'd.psd']);
  // Without its record, and with a record beside what has lost its XMP.
  rmSync(path.join(photos, 'b.json'));
  copyFileSync(path.join(photos, 'a.png'), path.join(photos, 'c.png'));
  const again = await runProgram([...args, '--strength', 'light=0.5'], { cwd: photos });
  whole(again);
  const report = JSON.parse(readFileSync(path.join(photos, 'report-2.json'), 'utf8')) as Record<string, unknown>;
  expect(report['counts']).toMatchObject({ photos: 4 });
  // 15 results, journal, report, page, contact sheet, and the claim of the run itself.
  const [folder] = report['folders'] as { ours: number; unsupported: Record<string, number> }[];
  expect(folder).toMatchObject({ folder: '.', photos: 4, ours: 20, notPhotos: 1, hidden: 1, folders: 1 });
  expect(folder.unsupported['jxl']).toBe(2);
  expect(again.stderr).toMatch(
    /4 photos, 20 of VeraRetouch itself, 3 not supported, 1 not a photo, 1 hidden, 1 folder\./,
  );
  expect(again.stderr).toMatch(/Not supported: .*2 \.jxl/);
  expect(again.stderr).not.toContain('contact-sheet');
});

/* Few photos and rounds here; the same program takes --photos 200 --rounds 10. */
test.each([
  ['A.8: two runs at once in one folder, ten times', ['two-runs', '--photos', '3', '--rounds', '10'], 'turnedAway'],
  ['killed at any moment and resumed: every photo once', ['kills', '--photos', '12', '--rounds', '2'], 'killed'],
])('%s', (_name, args, happened) => {
  const script = path.join(ROOT, 'test/cli/support/batchTrials.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...args, '--program', PROGRAM], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const found = JSON.parse(stdout) as Record<string, number>;
  expect(found).toMatchObject({ wrong: 0 });
  expect(found[happened]).toBeGreaterThan(0);
});

test('A.5: a journal that is a link leads to no file of anybody else', async () => {
  const { photos, out } = place('a.png');
  mkdirSync(out, { recursive: true });
  const theirs = path.join(path.dirname(out), 'theirs.txt');
  writeFileSync(theirs, 'mine\n');
  symlinkSync(theirs, path.join(out, 'veraretouch-batch.jsonl'));
  const ended = await retouch(photos, out);
  clear(ended);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('journal');
  expect(readFileSync(theirs, 'utf8')).toBe('mine\n');
});

test('A.7: a folder that the system makes for nobody is refused, and nothing hangs', async () => {
  if (process.platform !== 'linux') return;
  const { photos } = place('a.png');
  const ended = await retouch(photos, '/proc/veraretouch/out');
  clear(ended);
  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('/proc/veraretouch/out') as string });
});
