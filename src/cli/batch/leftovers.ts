import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { EXTENSIONS } from '../../host/files/names';
import { type RetouchRecord } from '../record';
import { type Begun } from './journal';

/** Temporary files of this program: .NAME.EXT.PID-RANDOM.tmp, see FileSet. */
const TEMPORARY = /^\..+\.(\d+)-[0-9a-f]{8}\.tmp$/;

/** Removes temporary files of processes that are no more. A killed process cannot do that itself. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(TEMPORARY.exec(name)?.[1] ?? Number.NaN);
    if (pid > 0 && pid !== process.pid && !isRunning(pid)) await rm(path.join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: somebody else's process has this number now or still; its files are left alone.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * A photo that was begun and not reported: its record where all files have their names (the record gets its own last),
 * else undefined, and what did get its name between two renames is removed.
 */
export async function settleBegun(folder: string, { name, at }: Begun): Promise<RetouchRecord | undefined> {
  const of = (extension: string): string => path.join(folder, `${name}.${extension}`);
  const record = await readFile(of('json'), 'utf8').catch(() => undefined);
  if (record !== undefined) return JSON.parse(record) as RetouchRecord;
  for (const extension of EXTENSIONS) {
    const written = await stat(of(extension)).catch(() => undefined);
    // Only what is younger than the beginning can be ours.
    if (written && written.mtimeMs >= at - 1000) await rm(of(extension), { force: true });
  }
  return undefined;
}
