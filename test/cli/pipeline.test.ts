import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type BatchReport } from '../../src/cli/batch/report';
import { sheetFolder } from '../../src/cli/batch/sheet';
import { type Terminal } from '../../src/cli/console';
import { type Engine } from '../../src/cli/engine';
import { PhotoError } from '../../src/cli/errors';
import { type RetouchJob } from '../../src/cli/options';
import { type OpenRequest, PhotoHandler } from '../../src/cli/pipeline/photoHandler';
import { runJob } from '../../src/cli/pipeline/runJob';
import { gradient, gradient16, image, temporaryFolder } from '../host/support/pictures';
import { type Call, fakeEngine, fakeModel } from './support/fakeEngine';

/* One pipeline: a photo, a list and a folder differ in what they remember and how much is told, in nothing else. */
jest.setTimeout(60000);
const root = temporaryFolder();
let count = 0;

async function photos(number: number): Promise<{ folder: string; files: string[]; out: string }> {
  const folder = path.join(root, `photos${++count}`);
  mkdirSync(folder);
  const files = Array.from({ length: number }, (_, i) => path.join(folder, `${i + 1}.png`));
  for (const file of files) await image(gradient(12, 9), 12, 9).png().toFile(file);
  return { folder, files, out: path.join(root, `out${count}`) };
}

interface Ran {
  readonly code: number | undefined;
  readonly thrown: unknown;
  readonly err: string;
  readonly calls: readonly Call[];
}

async function run(
  given: string[],
  out: string,
  changes: Partial<RetouchJob> = {},
  { engine, worker = () => new PhotoHandler() }: { engine?: Partial<Engine>; worker?: () => PhotoHandler } = {},
): Promise<Ran> {
  const calls: Call[] = [];
  let err = '';
  const terminal: Terminal = {
    stdout: { isTTY: false, write: () => undefined },
    stderr: { isTTY: false, write: (text) => (err += text) },
    env: {},
  };
  const job: RetouchJob = {
    ...{ photos: given, task: { kind: 'auto' }, strength: {}, out, bundle: undefined, threads: 2, json: false },
    ...changes,
  };
  const model = fakeModel(() => Promise.resolve({ ...fakeEngine(calls), ...engine }));
  const outcome = await runJob(job, model, terminal, new AbortController().signal, worker).then(
    (code) => ({ code, thrown: undefined }),
    (thrown: unknown) => ({ code: undefined, thrown }),
  );
  return { ...outcome, err, calls };
}

const reportOf = (out: string): BatchReport =>
  JSON.parse(readFileSync(path.join(out, 'report.json'), 'utf8')) as BatchReport;
const recordOf = (out: string, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(out, `${name}.json`), 'utf8')) as Record<string, unknown>;

describe('--params is the same whichever way photos are given', () => {
  const file = path.join(root, 'p.json');
  writeFileSync(file, '{"Exposure2012": {"value": 20}}');
  const task = { kind: 'param', file } as const;
  /** Bakes, which the stand-in counts as calls of "auto". */
  const bakes = (calls: readonly Call[]): number => calls.filter(({ mode }) => mode === 'auto').length;

  test('a single photo is shown to the model, named itself or in its folder', async () => {
    const { folder, files, out } = await photos(1);
    for (const given of [files, [folder]]) {
      const { code, calls } = await run(given, path.join(out, String(given === files)), { task });
      expect(code).toBe(0);
      expect(calls[0]).toMatchObject({ mode: 'param', photo: { width: 12, height: 9 } });
    }
  });

  test('several photos have one answer that speaks of none of them, and one LUT', async () => {
    const { folder, files, out } = await photos(3);
    for (const given of [files, [folder]]) {
      const { code, calls } = await run(given, path.join(out, String(given === files)), { task });
      expect(code).toBe(0);
      expect(calls.filter(({ mode }) => mode === 'param')).toHaveLength(1);
      expect(calls[0].photo).toBeUndefined();
      expect(bakes(calls)).toBe(1);
    }
  });
});

test('what the reader says of a photo is in its record, alone, in a batch and in the report', async () => {
  const folder = path.join(root, 'deep');
  mkdirSync(folder);
  await image(gradient16(12, 9), 12, 9).png().toFile(path.join(folder, 'deep.png'));
  const notes = [expect.stringContaining('16 bits') as string];
  const [alone, batch] = [path.join(root, 'deep-alone'), path.join(root, 'deep-batch')];
  await run([path.join(folder, 'deep.png')], alone);
  expect(recordOf(alone, 'deep')).toMatchObject({ notes });
  await run([folder], batch);
  expect(recordOf(batch, 'deep')).toMatchObject({ notes });
  expect(reportOf(batch).photos[0].record).toMatchObject({ notes });
  expect(recordOf(batch, 'deep')['job']).toMatch(new RegExp(`^${reportOf(batch).job}-[0-9a-f]{8}$`));
});

test('A.4, A.6: a photo that fails for lack of memory stops no other, and is done by the next run', async () => {
  const { folder, out } = await photos(3);
  class Tight extends PhotoHandler {
    override open(request: OpenRequest, signal: AbortSignal) {
      if (!request.file.endsWith('2.png')) return super.open(request, signal);
      return Promise.reject(new PhotoError('PHOTO_MEMORY', 'too little memory', 'Close something.', undefined));
    }
  }
  const first = await run([folder], out, {}, { worker: () => new Tight() });
  expect(first.code).toBe(1);
  expect(reportOf(out).counts).toEqual({ photos: 3, done: 2, failed: 1, open: 0 });
  const second = await run([folder], out);
  expect(second.code).toBe(0);
  expect(reportOf(out).counts).toEqual({ photos: 3, done: 3, failed: 0, open: 0 });
});

test('A.10: what stopped the batch is thrown, not that its report could not be written', async () => {
  const { folder, out } = await photos(2);
  const broken = new Error('the model broke');
  const auto = (): Promise<never> => {
    rmSync(out, { recursive: true, force: true });
    return Promise.reject(broken);
  };
  const { thrown, err } = await run([folder], out, {}, { engine: { auto } });
  expect(thrown).toBe(broken);
  expect(err).toContain('The report could not be written either.');
});

test('A.5: a folder called contact-sheet that is not ours is left alone', async () => {
  const { folder, out } = await photos(1);
  mkdirSync(path.join(out, 'contact-sheet'), { recursive: true });
  await run([folder], out);
  expect(readdirSync(path.join(out, 'contact-sheet'))).toEqual([]);
  expect(readdirSync(path.join(out, 'contact-sheet-2')).sort()).toEqual([
    '.veraretouch',
    '1-after.jpg',
    '1-before.jpg',
  ]);
});

test('a contact sheet takes the thousandth name if it must, and is done without beyond', async () => {
  const { out } = await photos(0);
  const taken = (number: number): void => {
    mkdirSync(path.join(out, number === 1 ? 'contact-sheet' : `contact-sheet-${number}`), { recursive: true });
  };
  for (let number = 1; number < 1000; number++) taken(number);
  expect(await sheetFolder(out)).toBe('contact-sheet-1000');
  rmSync(path.join(out, 'contact-sheet-1000'), { recursive: true });
  taken(1000);
  expect(await sheetFolder(out)).toBeUndefined();
});
