import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { readRegular } from '../../host/files/io/openRegular';
import { filesOf } from '../../host/files/names';
import { isRecord, type RetouchRecord } from '../record';
import { type Begun, jsonOf } from './entries';
import { carriesProvenance } from './ours';
import { isRunning } from './processes';
import { isOwnSheet } from './sheet';

/** Temporary files of this program, see FileSet: `.veraretouch.PID-RANDOM.tmp`, earlier `.NAME.EXT.PID-RANDOM.tmp`. */
const TEMPORARY = /^\..+\.(\d+)-[0-9a-f]{8}\.tmp$/;
/** A record has some 4 kB. */
const MOST_RECORD = 1 << 20;

/** Removes temporary files of processes that are no more, also in contact sheets. A killed process cannot do that. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const { name, dead } of await temporaries(folder)) {
    if (dead) await rm(path.join(folder, name), { force: true }).catch(() => undefined);
  }
  const sheets = await readdir(folder).catch(() => []);
  for (const name of sheets.filter((entry) => entry.startsWith('contact-sheet'))) {
    const sheet = path.join(folder, name);
    if (!(await isOwnSheet(sheet))) continue;
    for (const { name: file, dead } of await temporaries(sheet)) {
      if (dead) await rm(path.join(sheet, file), { force: true }).catch(() => undefined);
    }
  }
}

async function temporaries(folder: string): Promise<{ name: string; dead: boolean }[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const pid = Number(TEMPORARY.exec(name)?.[1] ?? Number.NaN);
    return pid > 0 ? [{ name, dead: pid !== process.pid && !isRunning(pid) }] : [];
  });
}

/**
 * A photo that was begun and not reported: its record where all files have their names (the record gets its own last),
 * else undefined, and what did get its name before the process died is removed. Nothing is taken or removed that does
 * not say that it is ours: the record by its id, a file without a record by being the same one as a temporary file of
 * a dead process, or, on file systems without links, by being younger than the beginning and carrying our provenance.
 */
export async function settleBegun(folder: string, { name, id, at }: Begun): Promise<RetouchRecord | undefined> {
  const [psd, png, cube, json] = filesOf(name).map((file) => path.join(folder, file));
  const found = await readRecord(json);
  if (found !== 'none') return found !== 'foreign' && found.job === id ? found : undefined;
  const dead = (await temporaries(folder)).filter((temporary) => temporary.dead);
  const marks = new Set<string>();
  for (const temporary of dead) {
    const mark = identity(await lstat(path.join(folder, temporary.name)).catch(() => undefined));
    if (mark !== undefined) marks.add(mark);
  }
  for (const file of [psd, png, cube]) {
    const written = await lstat(file).catch(() => undefined);
    if (!written?.isFile()) continue;
    const linked = marks.has(identity(written) ?? '');
    // Times of files are whole seconds on some file systems.
    const young = written.mtimeMs >= at - 1000;
    if (linked || (young && (await carriesProvenance(file)))) await rm(file, { force: true }).catch(() => undefined);
  }
  return undefined;
}

/** What NAME.json says; `foreign` where it is no record of this program, `none` where there is no such file. */
export async function readRecord(file: string): Promise<RetouchRecord | 'foreign' | 'none'> {
  try {
    const value = jsonOf(new TextDecoder().decode(await readRegular(file, { most: MOST_RECORD })));
    return isRecord(value) ? value : 'foreign';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'foreign';
  }
}

function identity(info: { dev: number; ino: number; isFile(): boolean } | undefined): string | undefined {
  return info?.isFile() && info.ino > 0 ? `${info.dev}:${info.ino}` : undefined;
}
