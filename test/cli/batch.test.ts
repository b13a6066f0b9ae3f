import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { findPhotos } from '../../src/cli/batch/inputs';
import { JOURNAL } from '../../src/cli/batch/journal';
import { type BatchReport, contactSheet } from '../../src/cli/batch/report';
import { type Terminal } from '../../src/cli/console';
import { type Engine } from '../../src/cli/engine';
import { type RetouchJob } from '../../src/cli/options';
import { PhotoHandler } from '../../src/cli/pipeline/photoHandler';
import { duration, Progress } from '../../src/cli/pipeline/progress';
import { runJob } from '../../src/cli/pipeline/runJob';
import { gradient, image, temporaryFolder } from '../host/support/pictures';
import { type Call, fakeEngine, fakeModel } from './support/fakeEngine';

jest.setTimeout(120000);
const root = temporaryFolder();
let count = 0;

/** A folder with `good` photos and `bad` files that are none. */
async function folderOf(good: number, bad = 0): Promise<string> {
  const folder = path.join(root, `photos${++count}`);
  mkdirSync(folder);
  const picture = await image(gradient(16, 12), 16, 12).png().toBuffer();
  for (let i = 1; i <= good; i++) writeFileSync(path.join(folder, `photo ${i}.png`), picture);
  for (let i = 1; i <= bad; i++) writeFileSync(path.join(folder, `bad ${i}.jpg`), 'no picture');
  return folder;
}

interface Ran {
  readonly code: number | undefined;
  readonly thrown: unknown;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly Call[];
  readonly report: BatchReport;
}

async function run(
  photos: string[],
  out: string,
  changes: Partial<RetouchJob> = {},
  { engine, stopAfter = Infinity }: { engine?: Partial<Engine>; stopAfter?: number } = {},
): Promise<Ran> {
  const calls: Call[] = [];
  const streams = { out: '', err: '' };
  const cancel = new AbortController();
  const terminal: Terminal = {
    stdout: { isTTY: false, write: (text) => (streams.out += text) },
    stderr: { isTTY: false, write: (text) => (streams.err += text) },
    env: {},
  };
  const job: RetouchJob = {
    photos,
    task: { kind: 'auto' },
    strength: {},
    out,
    bundle: undefined,
    threads: 2,
    json: false,
    ...changes,
  };
  let asked = 0;
  const fake = fakeEngine(calls, ({ argument }) => {
    if (argument && ++asked > stopAfter) cancel.abort();
  });
  const load = () => Promise.resolve({ ...fake, ...engine });
  const outcome = await runJob(job, fakeModel(load), terminal, cancel.signal, () => new PhotoHandler()).then(
    (code) => ({ code, thrown: undefined }),
    (thrown: unknown) => ({ code: undefined, thrown }),
  );
  const report = path.join(out, 'report.json');
  return {
    ...outcome,
    ...streams,
    calls: calls.filter(({ argument }) => argument && typeof argument === 'object' && 'data' in argument),
    report: existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as BatchReport) : ({} as BatchReport),
  };
}

const results = (out: string, extension: string): string[] =>
  readdirSync(out).filter((file) => file.endsWith(`.${extension}`) && file !== 'report.json');

test('a folder: every photo four files, a bad one a reason, a report and a contact sheet', async () => {
  const folder = await folderOf(11, 2);
  const out = path.join(root, 'whole');
  const { code, report, err, calls } = await run([folder], out, { json: true });
  expect(code).toBe(1);
  expect(report.counts).toEqual({ photos: 13, done: 11, failed: 2, open: 0 });
  expect(calls).toHaveLength(11);
  for (const extension of ['psd', 'png', 'cube', 'json']) expect(results(out, extension)).toHaveLength(11);
  const failed = report.photos.filter(({ status }) => status === 'failed');
  expect(failed.map(({ failure }) => failure?.code)).toEqual(['PHOTO_NOT_AN_IMAGE', 'PHOTO_NOT_AN_IMAGE']);
  const page = readFileSync(path.join(out, 'index.html'), 'utf8');
  expect(page.match(/<article>/g)).toHaveLength(11);
  expect(page).toContain('Plan, light: Brighter.');
  expect(page).toContain('bad 2.jpg');
  for (const [, file] of page.matchAll(/src="([^"]+)"/g)) {
    expect(existsSync(path.join(out, decodeURIComponent(file)))).toBe(true);
  }
  expect(err).toMatch(/\[13\/13\] /);
  expect(err).toContain('left');
});

test('stdout follows the order of the photos, whichever ends first', async () => {
  const folder = await folderOf(4, 1);
  const out = path.join(root, 'order');
  const ran = await run([folder], out, { json: true });
  const lines = ran.out.trim().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toBe('null');
  expect(lines.slice(1).map((line) => (JSON.parse(line) as { mode: string }).mode)).toEqual(Array(4).fill('auto'));
  const again = await run([folder], out, { json: true });
  expect(again.out).toBe(ran.out);
});

test('stopped in the middle and started again: all are done, none twice, nothing half', async () => {
  const folder = await folderOf(12, 1);
  const out = path.join(root, 'stopped');
  const first = await run([folder], out, {}, { stopAfter: 5 });
  expect(first.thrown).toMatchObject({ code: 'ABORT_ERR' });
  expect(first.report.counts.open).toBeGreaterThan(0);
  const done = first.report.counts.done;
  for (const extension of ['psd', 'png', 'cube', 'json']) expect(results(out, extension)).toHaveLength(done);
  const second = await run([folder], out);
  expect(second.code).toBe(1);
  expect(second.report.counts).toEqual({ photos: 13, done: 12, failed: 1, open: 0 });
  expect(second.calls).toHaveLength(12 - done);
  const { open } = first.report.counts;
  expect(second.err).toContain(`13 photos, ${13 - open} of them done before, ${open} to do.`);
  expect(results(out, 'psd')).toHaveLength(12);
  const third = await run([folder], out);
  expect(third.calls).toEqual([]);
  expect(third.report).toEqual(second.report);
  expect(readdirSync(out).filter((file) => file.includes('-2') || file.endsWith('.tmp'))).toEqual([]);
});

describe('after a kill', () => {
  /** A finished batch whose journal lacks the last photo's end, as if the process had died before writing it. */
  async function killed(name: string) {
    const folder = await folderOf(3);
    const out = path.join(root, name);
    await run([folder], out);
    const journal = path.join(out, JOURNAL);
    const lines = readFileSync(journal, 'utf8').split('\n');
    const last = lines.findLastIndex((line) => line.includes('"kind":"done"') && line.includes('photo 3.png'));
    const cut = lines.splice(last, 1)[0];
    writeFileSync(journal, lines.join('\n') + cut.slice(0, 40));
    return { folder, out };
  }

  test('between the last file and the journal: the photo counts as done', async () => {
    const { folder, out } = await killed('kill1');
    const { calls, report } = await run([folder], out);
    expect(calls).toEqual([]);
    expect(report.counts.done).toBe(3);
    expect(results(out, 'psd')).toHaveLength(3);
  });

  test('between two files: what is there is removed, and the photo done anew under its name', async () => {
    const { folder, out } = await killed('kill2');
    rmSync(path.join(out, 'photo 3.json'));
    rmSync(path.join(out, 'photo 3.cube'));
    const { calls } = await run([folder], out);
    expect(calls).toHaveLength(1);
    expect(results(out, 'json').sort()).toEqual(['photo 1.json', 'photo 2.json', 'photo 3.json']);
    expect(results(out, 'psd')).toHaveLength(3);
  });

  test('temporary files of the dead process are removed, those of a living one are not', async () => {
    const { folder, out } = await killed('kill3');
    writeFileSync(path.join(out, '.photo 3.psd.999999999-0a0b0c0d.tmp'), 'half');
    writeFileSync(path.join(out, `.photo 9.psd.${process.ppid}-0a0b0c0d.tmp`), 'at work');
    await run([folder], out);
    expect(readdirSync(out).filter((file) => file.endsWith('.tmp'))).toEqual([
      `.photo 9.psd.${process.ppid}-0a0b0c0d.tmp`,
    ]);
  });
});

test('a photo that changed, a result that was removed, other settings: done again, under a free name', async () => {
  const folder = await folderOf(2);
  const out = path.join(root, 'again');
  await run([folder], out);
  utimesSync(path.join(folder, 'photo 1.png'), 1e9, 1e9);
  expect((await run([folder], out)).calls).toHaveLength(1);
  expect(existsSync(path.join(out, 'photo 1-2.psd'))).toBe(true);
  rmSync(path.join(out, 'photo 2.png'));
  expect((await run([folder], out)).calls).toHaveLength(1);
  expect((await run([folder], out, { strength: { light: 0.5 } })).calls).toHaveLength(2);
  expect((await run([folder], out, { strength: { light: 0.5 } })).calls).toHaveLength(0);
});

test('results in the folder of the photos are no photos', async () => {
  const folder = await folderOf(2);
  expect((await run([folder], folder)).report.counts.done).toBe(2);
  const again = await run([folder], folder);
  expect(again.report.counts).toEqual({ photos: 2, done: 2, failed: 0, open: 0 });
});

test('a photo called report does not take the place of the report', async () => {
  const folder = await folderOf(1);
  const out = path.join(root, 'reserved');
  writeFileSync(path.join(folder, 'report.png'), readFileSync(path.join(folder, 'photo 1.png')));
  const { report } = await run([folder], out);
  expect(report.counts.done).toBe(2);
  expect(existsSync(path.join(out, 'report-2.json'))).toBe(true);
});

test('what concerns the whole job stops it', async () => {
  const folder = await folderOf(5);
  const out = path.join(root, 'fatal');
  const broken = new Error('out of memory');
  const { thrown, report } = await run([folder], out, {}, { engine: { auto: () => Promise.reject(broken) } });
  expect(thrown).toBe(broken);
  expect(report.counts).toEqual({ photos: 5, done: 0, failed: 0, open: 5 });
});

test('an empty folder says so and leaves nothing', async () => {
  const folder = await folderOf(0);
  const out = path.join(root, 'none');
  const { code, err } = await run([folder], out);
  expect(code).toBe(1);
  expect(err).toContain('There is no photo in');
  expect(existsSync(out)).toBe(false);
});

describe('one look over a series', () => {
  /** Each photo, whichever comes when, has latents of its own number. */
  const numbered = (seen: number[]): Partial<Engine> => {
    const fake = fakeEngine([]);
    let next = 0;
    return {
      auto: async (photo, options) => {
        const answer = await fake.auto(photo, options);
        return { ...answer, latents: Float32Array.of(++next, 10 * next, 0) };
      },
      bakeMeasuredLut: (latents, options) => {
        seen.push(latents[0], latents[1]);
        return fake.bakeMeasuredLut(latents, options);
      },
    };
  };

  test('of the first photo that can be read', async () => {
    const folder = await folderOf(4, 1);
    const seen: number[] = [];
    const { report } = await run([folder], path.join(root, 'first'), { match: 'first' }, { engine: numbered(seen) });
    expect(report.counts).toEqual({ photos: 5, done: 4, failed: 1, open: 0 });
    expect(seen).toEqual([1, 10, 1, 10, 1, 10, 1, 10]);
  });

  test('of all, in the mean; a later run keeps it and asks nobody', async () => {
    const folder = await folderOf(3);
    const out = path.join(root, 'mean');
    const seen: number[] = [];
    await run([folder], out, { match: 'mean' }, { engine: numbered(seen) });
    expect(seen).toEqual([2, 20, 2, 20, 2, 20]);
    rmSync(path.join(out, 'photo 2.png'));
    const later: number[] = [];
    const asked = numbered(later);
    await run(
      [folder],
      out,
      { match: 'mean' },
      { engine: { ...asked, auto: () => Promise.reject(new Error('asked')) } },
    );
    expect(later).toEqual([2, 20]);
  });
});

test('photos of a folder come in natural order; a raw beside its JPEG and folders are passed over and counted', async () => {
  const folder = path.join(root, 'listing');
  mkdirSync(path.join(folder, 'deeper'), { recursive: true });
  for (const name of ['b10.jpg', 'b9.JPG', 'a.tif', 'x.NEF', 'B9.nef', 'old.jxl', '.hidden.jpg', 'notes.txt'])
    writeFileSync(path.join(folder, name), '');
  const { photos, folders } = await findPhotos([path.join(folder, 'b10.jpg'), folder]);
  expect(photos.map((file) => path.basename(file))).toEqual(['b10.jpg', 'a.tif', 'b9.JPG', 'x.NEF']);
  expect(folders).toEqual([
    { folder, photos: 4, ours: 0, paired: 1, unsupported: { jxl: 1 }, notPhotos: 1, hidden: 1, folders: 1 },
  ]);
});

test('a journal that is no text of ours is passed over line by line', async () => {
  const folder = await folderOf(1);
  const out = path.join(root, 'odd');
  await run([folder], out);
  appendFileSync(path.join(out, JOURNAL), 'null\n{"kind":\n[]\n"x"\n12\n{"kind":"done"}\n');
  const { code, calls, report } = await run([folder], out);
  expect({ code, calls, done: report.counts.done }).toEqual({ code: 0, calls: [], done: 1 });
});

test('text of files and model is text in the page', () => {
  const texts = { light: '<b>&"', globalColor: '', specificColor: '' };
  const record = { reasoning: { elements: '', problems: texts, plan: texts } } as never;
  const end = { kind: 'done', job: '', photo: '', size: 1, modified: 1, name: 'a"b', record } as const;
  const counts = { photos: 1, done: 1, failed: 0, open: 0 };
  const report = { generator: '', job: '', mode: 'auto', bundle: '<x>', strength: {}, counts, folders: [], photos: [] };
  const page = contactSheet(report, [{ photo: '<i>.png', end }], 'contact-sheet');
  expect(page).toContain('&lt;b&gt;&amp;&quot;');
  expect(page).toContain('&lt;i&gt;.png');
  expect(page).not.toMatch(/<b>&"|<x>|<i>/);
});

test('the time left follows the pace of the last photos', () => {
  let now = 0;
  const progress = new Progress(4, () => now);
  now = 1000;
  expect(progress.line('a', 900)).toBe('[1/4] a: 0.9 s, about 3 s left');
  now = 201000;
  expect(progress.line('b', 200000)).toContain('about 3 min left');
  expect([duration(59400), duration(90000), duration(3.9e6)]).toEqual(['59 s', '2 min', '1 h 5 min']);
});
