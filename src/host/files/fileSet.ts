import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { VeraRetouchError } from '../../color/errors';
import { throwIfCancelled } from '../cancel';
import { HostError } from '../errors';
import { quoted, reason } from './photoErrors';

/** Bytes written between two looks at the signal. */
const CHUNK = 8 * 1024 * 1024;

/** Contents of one file, piece by piece. */
export type Parts = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Temporary files that exist now, for the last resort when the process ends in the middle. */
const temporary = new Set<string>();
let watching = false;

/** A name for a file that is being written: short whatever the file will be called, and it tells whose it is. */
export function temporaryName(): string {
  return `.veraretouch.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/**
 * Files that appear in one folder together, each whole, or not at all. Every file is first written under a temporary
 * name in that folder; `commit` then gives all of them their names, never over a file that is already there. The
 * temporary names go last: a process that dies in the middle leaves behind which files were its own.
 */
export class FileSet {
  private readonly staged: { temp: string; file: string }[] = [];
  private readonly underWay: Promise<void>[] = [];

  constructor(private readonly folder: string) {
    watch();
  }

  /** Writes one file under a temporary name. Throws HostError OUTPUT_WRITE, HostCancelledError. */
  async stage(name: string, parts: Parts, signal?: AbortSignal): Promise<void> {
    const work = this.write(name, parts, signal);
    this.underWay.push(work);
    return work;
  }

  private async write(name: string, parts: Parts, signal?: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    const file = path.join(this.folder, name);
    const temp = path.join(this.folder, temporaryName());
    temporary.add(temp);
    this.staged.push({ temp, file });
    try {
      const handle = await open(temp, 'wx');
      try {
        await writeParts(handle, parts, signal);
        // On the disk before it gets its name: a power cut leaves the old state or the new one.
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throwIfCancelled(signal);
      throw cause instanceof VeraRetouchError ? cause : writeError(file, cause);
    }
  }

  /** Gives all staged files their names, in the order of staging. On failure none of them remains. */
  async commit(signal?: AbortSignal): Promise<string[]> {
    const done: string[] = [];
    try {
      for (const { temp, file } of this.staged) {
        throwIfCancelled(signal);
        await moveWithoutOverwriting(temp, file);
        done.push(file);
      }
    } catch (thrown) {
      await Promise.all(done.map((file) => rm(file, { force: true }).catch(() => undefined)));
      throw thrown;
    }
    // Should this fail, `discard` tries again.
    for (const { temp } of this.staged) await rm(temp, { force: true }).catch(() => undefined);
    return done;
  }

  /** Removes every temporary file of this set. To be called in any case; does nothing after a commit. */
  async discard(): Promise<void> {
    // A file that is still being opened would otherwise appear after its removal.
    await Promise.allSettled(this.underWay);
    for (const { temp } of this.staged) {
      // In a folder that has become read-only they stay, and are removed by the next run that may.
      await rm(temp, { force: true }).catch(() => undefined);
      temporary.delete(temp);
    }
  }
}

async function writeParts(handle: FileHandle, parts: Parts, signal?: AbortSignal): Promise<void> {
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      throwIfCancelled(signal);
      const { bytesWritten } = await handle.write(part, at, Math.min(CHUNK, part.length - at));
      at += bytesWritten;
    }
  }
}

/**
 * A hard link fails when the name is taken, which a rename does not; file systems without links get a check first.
 * The temporary name may be left. Throws HostError OUTPUT_EXISTS, OUTPUT_WRITE.
 */
export async function moveWithoutOverwriting(temp: string, file: string): Promise<void> {
  try {
    await link(temp, file);
    return;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') throw existsError(file);
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV', 'EINVAL'].includes(code)) {
      throw writeError(file, cause);
    }
  }
  if (await exists(file)) throw existsError(file);
  try {
    await rename(temp, file);
  } catch (cause) {
    throw writeError(file, cause);
  }
}

function existsError(file: string): HostError {
  return new HostError(
    'OUTPUT_EXISTS',
    `${quoted(file)} appeared while the photo was being retouched. It was left as it is and nothing was written.`,
    'Run the command again; a free name will be chosen.',
  );
}

export function writeError(file: string, cause: unknown, kept = 'No file of this photo was kept.'): HostError {
  const full = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  return new HostError(
    'OUTPUT_WRITE',
    `${quoted(file)} could not be written: ${reason(cause)}. ${kept}`,
    full ? 'Make room on the disk and try again.' : 'Choose another folder with --out.',
    cause,
  );
}

export async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the folder if need be and proves that files can be written into it. Returns the outermost folder that was made,
 * to be handed to `removeIfEmpty` if nothing comes of it. Throws HostError OUTPUT_FOLDER.
 */
export async function prepareFolder(folder: string): Promise<string | undefined> {
  try {
    const made = await makeFolders(path.resolve(folder));
    const probe = path.join(folder, temporaryName());
    temporary.add(probe);
    await (await open(probe, 'wx')).close();
    await unlink(probe);
    temporary.delete(probe);
    return made;
  } catch (cause) {
    throw new HostError(
      'OUTPUT_FOLDER',
      `The folder ${quoted(folder)} cannot be written: ${reason(cause)}. No photo was read.`,
      'Choose another folder with --out, or change its permissions.',
      cause,
    );
  }
}

/**
 * Level by level: `mkdir` with `recursive` never ends in Node 20 where the system says that there is no such folder even
 * of one whose parent is there, as in /proc. Returns the outermost folder that was made.
 */
async function makeFolders(folder: string): Promise<string | undefined> {
  const codeOf = (cause: unknown): string | undefined => (cause as NodeJS.ErrnoException).code;
  const there = async (cause: unknown): Promise<undefined> => {
    if (codeOf(cause) === 'EEXIST' && (await stat(folder)).isDirectory()) return undefined;
    throw cause;
  };
  try {
    await mkdir(folder);
    return folder;
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT' || path.dirname(folder) === folder) return there(cause);
  }
  const made = await makeFolders(path.dirname(folder));
  return mkdir(folder).then(() => made ?? folder, there);
}

/** Removes `folder` and its parents up to `made`, as far as they are empty. */
export async function removeIfEmpty(folder: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  try {
    for (let current = path.resolve(folder); ; current = path.dirname(current)) {
      await rmdir(current);
      if (current === path.resolve(made)) return;
    }
  } catch {
    // Something is in it: then it stays.
  }
}

/** Removes all temporary files of this process at once, without waiting for anything. */
export function removeTemporaryFiles(): void {
  for (const file of temporary) {
    try {
      rmSync(file, { force: true });
    } catch {
      // The folder cannot be written any more; the next run that may removes it.
    }
  }
  temporary.clear();
}

/** Has `removeTemporaryFiles` remove this file too, until the returned function is called. */
export function isTemporary(file: string): () => void {
  watch();
  temporary.add(file);
  return () => temporary.delete(file);
}

function watch(): void {
  if (!watching) process.on('exit', removeTemporaryFiles);
  watching = true;
}
