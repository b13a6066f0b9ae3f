import { appendFileSync, linkSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Begun, parseEntry } from '../../src/cli/batch/entries';
import { Journal, JOURNAL } from '../../src/cli/batch/journal';
import { settleBegun } from '../../src/cli/batch/leftovers';
import { claimFolder } from '../../src/cli/batch/lock';
import { carriesProvenance } from '../../src/cli/batch/ours';
import { writeReport } from '../../src/cli/batch/report';
import { writeSmallPictures } from '../../src/cli/batch/sheet';
import { asOwnError, concernsOnePhoto, failureOf, RemoteError } from '../../src/cli/pipeline/ownErrors';
import { type RetouchRecord } from '../../src/cli/record';
import { Lut3D } from '../../src/color';
import { HostError } from '../../src/host/errors';
import { isPlainName, MAX_NAME_BYTES, NameChooser } from '../../src/host/files/names';
import { temporaryFolder } from '../host/support/pictures';

/* What a batch remembers, and what it takes for its own. */
const root = temporaryFolder();
let count = 0;
function folder(): string {
  const made = path.join(root, String(++count));
  mkdirSync(made);
  return made;
}

const texts = { light: '', globalColor: '', specificColor: '' };
const record: RetouchRecord = {
  ...{ mode: 'auto', tokens: 1, device: 'cpu', bundle: 'fake 1', notes: [], job: 'key-1' },
  reasoning: { elements: '', problems: texts, plan: texts },
  timingsMs: { load: 1, vision: 1, prefill: 1, decode: 1, render: 1, write: 1 },
};
const state = { photo: '/photos/a.png', size: 10, modified: 1000 };

describe('the journal', () => {
  test('a torn last line does not swallow the next one', async () => {
    const out = folder();
    writeFileSync(path.join(out, JOURNAL), '{"job":"key","kind":"do');
    const journal = await Journal.open(out, 'key');
    await journal.done(state, 'a', record);
    await journal.close();
    expect((await Journal.open(out, 'key')).finishedBefore(state)).toMatchObject({ kind: 'done', name: 'a' });
    expect(readFileSync(path.join(out, JOURNAL), 'utf8').split('\n')).toHaveLength(3);
  });

  test('a photo of another size, or of another time, is another photo', async () => {
    const journal = await Journal.open(folder(), 'key');
    await journal.begin(state, 'a', 'key-1');
    expect(journal.begunBefore({ ...state, size: 11 })).toBeUndefined();
    expect(journal.begunBefore(state)).toMatchObject({ name: 'a' });
    await journal.done(state, 'a', record);
    expect(journal.finishedBefore(state)).toBeDefined();
    expect(journal.finishedBefore({ ...state, size: 11 })).toBeUndefined();
    expect(journal.finishedBefore({ ...state, modified: 1001 })).toBeUndefined();
    await journal.close();
  });

  test('a line longer than any of ours is passed over, the next one is not', async () => {
    const out = folder();
    const file = path.join(out, JOURNAL);
    writeFileSync(file, 'x'.repeat(20 << 20));
    appendFileSync(file, `\n${JSON.stringify({ job: 'key', kind: 'done', ...state, name: 'a', record })}\n`);
    expect((await Journal.open(out, 'key')).finishedBefore(state)).toMatchObject({ name: 'a' });
  });

  test('a line is taken whole or not at all', () => {
    const line = { job: 'key', kind: 'done', ...state, name: 'a', record };
    expect(parseEntry(JSON.stringify(line))).toEqual(line);
    const odd: object[] = [{ name: '..' }, { name: 'a/b' }, { record: { ...record, notes: [1] } }, { kind: 'x' }];
    odd.push({ record: { ...record, timingsMs: {} } }, { record: { ...record, reasoning: { elements: 1 } } });
    for (const change of odd) expect(parseEntry(JSON.stringify({ ...line, ...change }))).toBeUndefined();
  });

  test('A.6: what may have passed is tried again', async () => {
    const journal = await Journal.open(folder(), 'key');
    const finished = async (code: string, message = ''): Promise<boolean> => {
      await journal.failed(state, { code, message });
      return journal.finishedBefore(state) !== undefined;
    };
    for (const code of ['PHOTO_NOT_AN_IMAGE', 'PHOTO_FORMAT', 'PHOTO_DAMAGED', 'PHOTO_TOO_LARGE']) {
      expect(await finished(code)).toBe(true);
    }
    const passing = ['PHOTO_UNREADABLE', 'PHOTO_NOT_FOUND', 'OUTPUT_EXISTS', 'OUTPUT_WRITE', 'PHOTO_MEMORY'];
    for (const code of [...passing, 'PHOTO_FAILED', 'INFERENCE']) expect(await finished(code)).toBe(false);
    expect(await finished('PHOTO_DAMAGED', 'cannot allocate memory')).toBe(false);
    await journal.close();
  });
});

describe('A.3: what is found on disk is ours only if it says so', () => {
  const at = Date.now() - 60_000;
  const begun: Begun = { job: 'key', kind: 'begin', ...state, name: 'a', id: 'key-1', at };
  const OURS = 'TITLE "VeraRetouch a (sRGB)"\n';

  test('the record is taken by its id', async () => {
    const out = folder();
    const file = path.join(out, 'a.json');
    writeFileSync(path.join(out, 'a.psd'), 'theirs');
    for (const [text, taken] of [
      [JSON.stringify(record), record],
      [JSON.stringify({ ...record, job: 'key-2' }), undefined],
      ['no JSON', undefined],
    ] as const) {
      writeFileSync(file, text);
      expect(await settleBegun(out, begun)).toEqual(taken);
      expect(readdirSync(out).sort()).toEqual(['a.json', 'a.psd']);
    }
  });

  test('without a record: younger than the beginning and with our mark is removed; either alone is not', async () => {
    for (const [text, age, left] of [
      [OURS, 0, []],
      [OURS, 120, ['a.cube']],
      ['LUT_3D_SIZE 2\n', 0, ['a.cube']],
    ] as const) {
      const out = folder();
      const file = path.join(out, 'a.cube');
      writeFileSync(file, text);
      const time = Date.now() / 1000 - age;
      utimesSync(file, time, time);
      expect(await settleBegun(out, begun)).toBeUndefined();
      expect(readdirSync(out)).toEqual(left);
    }
  });

  test('without a record: a file that is a dead process’s own is removed, whatever it holds', async () => {
    const out = folder();
    const file = path.join(out, 'a.psd');
    writeFileSync(file, 'half');
    linkSync(file, path.join(out, '.veraretouch.999999999-0a0b0c0d.tmp'));
    writeFileSync(path.join(out, 'a.png'), 'theirs');
    await settleBegun(out, begun);
    expect(readdirSync(out).sort()).toEqual(['.veraretouch.999999999-0a0b0c0d.tmp', 'a.png']);
  });

  test('other files carry no mark of ours', async () => {
    const out = folder();
    for (const name of ['a.psd', 'a.png', 'a.cube', 'a.jpg']) {
      writeFileSync(path.join(out, name), '8BPS urn:veraretouch:xmp:1/ :provenance');
      expect(await carriesProvenance(path.join(out, name))).toBe(false);
    }
  });
});

describe('A.8: a claim on a folder', () => {
  test('is for one run at a time, and free again when it is released', async () => {
    const out = folder();
    const claim = await claimFolder(out);
    await expect(claimFolder(out)).rejects.toMatchObject({
      code: 'OUTPUT_BUSY',
      message: expect.stringContaining(`process ${process.pid}`) as string,
    });
    await claim.release();
    await (await claimFolder(out)).release();
    expect(readdirSync(out)).toEqual([]);
  });

  test('of a dead process, or of one that had the same number, is none', async () => {
    const out = folder();
    const claim = await claimFolder(out);
    const [name] = readdirSync(out);
    await claim.release();
    const host = name.split('-').at(-2) ?? '';
    const dead = [`999999999-${'0'.repeat(8)}1-${host}`, `${process.pid}-${'0'.repeat(8)}1-${host}`];
    for (const owner of dead) writeFileSync(path.join(out, `.veraretouch-run.${owner}-00000000.lock`), '');
    const mine = await claimFolder(out);
    expect(readdirSync(out)).toHaveLength(1);
    await mine.release();
    // On another machine only the time of its last beat tells.
    const other = path.join(out, '.veraretouch-run.1-0-ffffffff-00000000.lock');
    writeFileSync(other, '');
    await expect(claimFolder(out)).rejects.toMatchObject({ code: 'OUTPUT_BUSY' });
    utimesSync(other, 1, 1);
    await (await claimFolder(out)).release();
  });
});

describe('names', () => {
  test('A.2: only plain names are joined to a path', () => {
    for (const name of ['a', 'a b.c', '照片', '...', 'a:b', ' ']) expect(isPlainName(name)).toBe(name !== 'a:b');
    for (const name of ['', '.', '..', '../a', 'a/b', 'a\\b', 'a\0b', 'C:', 'c:a', null, 7]) {
      expect(isPlainName(name)).toBe(false);
    }
  });

  test('A.4: long ones are cut between characters and stay apart', async () => {
    const names = new NameChooser(folder());
    const family = '👨‍👩‍👧‍👦';
    const long = family.repeat(20);
    const [first, second] = [await names.choose(long), await names.choose(long)];
    expect(first).toBe(family.repeat(9));
    expect(second).toBe(`${family.repeat(9)}-2`);
    expect(Buffer.byteLength(await names.choose('é'.repeat(200)))).toBe(MAX_NAME_BYTES);
    for (const odd of ['..', 'C:x', 'a\\b']) expect(isPlainName(await names.choose(odd))).toBe(true);
  });

  test('A.3: those of a journal are held, but for the photo that had them', async () => {
    const out = folder();
    const journal = await Journal.open(out, 'key');
    await journal.begin(state, 'Café', 'key-1');
    await journal.close();
    const names = new NameChooser(out, [], await Journal.open(out, 'other'));
    expect(await names.choose('CAFE\u0301')).toBe('CAFE\u0301-2');
    const resumed = await Journal.open(out, 'key');
    expect(await new NameChooser(out, [], resumed).choose('Café', resumed.namesOf(state))).toBe('Café');
  });
});

describe('failures', () => {
  test('A.4: a bare error is one photo’s, and one of our own', () => {
    const { signal } = new AbortController();
    const memory = asOwnError(new RangeError('Array buffer allocation failed'), 'a.png', signal);
    expect(memory).toMatchObject({ code: 'PHOTO_MEMORY' });
    const bare = asOwnError(new Error('VipsJpeg: odd\nmore'), 'a.png', signal);
    expect(bare).toMatchObject({ code: 'PHOTO_FAILED', message: expect.stringContaining('VipsJpeg: odd.') as string });
    for (const error of [memory, bare]) expect(concernsOnePhoto(error)).toBe(true);
    const own = new HostError('PHOTO_FORMAT', 'm', 'h');
    expect(asOwnError(own, 'a.png', signal)).toBe(own);
  });

  test('what concerns the folder or its disk ends the job, also from another thread', () => {
    const write = (code: string): HostError =>
      new HostError('OUTPUT_WRITE', 'm', 'h', Object.assign(new Error(), { code }));
    for (const [code, one] of [
      ['ENOSPC', false],
      ['EROFS', false],
      ['EACCES', false],
      ['ENAMETOOLONG', true],
      ['EIO', true],
    ] as const) {
      expect(concernsOnePhoto(write(code))).toBe(one);
      expect(concernsOnePhoto(new RemoteError(failureOf(write(code))))).toBe(one);
    }
  });

  test('A.4, B.3: the contact sheet never fails a photo', async () => {
    const proxy = { width: 2, height: 1, data: new Uint8Array(6) };
    const missing = path.join(root, 'missing');
    const note = await writeSmallPictures(missing, 'a', proxy, Lut3D.identity(2));
    expect(note).toContain('not on the contact sheet');
  });

  test('A.10: a report that cannot be written is an error of our own', async () => {
    const settings = { job: 'k', mode: 'auto', bundle: 'b', strength: {}, folders: [], sheet: undefined };
    await expect(writeReport(path.join(root, 'missing'), settings, [])).rejects.toMatchObject({ code: 'OUTPUT_WRITE' });
  });
});
