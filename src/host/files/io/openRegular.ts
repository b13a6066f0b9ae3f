import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { throwIfCancelled } from '../../cancel';

/** Bytes read between two looks at the signal. */
const CHUNK = 8 * 1024 * 1024;

/** Opening a pipe without this waits for whoever writes into it, and no signal ends that. Windows has neither. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0);

/** What was to be read is a folder, a pipe, a device or a socket. Nothing was read of it. */
export class NotRegularFileError extends Error {
  readonly code = 'NOT_A_FILE';

  constructor(what: string) {
    super(`it is ${what}, not a regular file`);
  }
}

/** The file has more bytes than such a file ever has. Nothing was read of it. */
export class FileTooLongError extends Error {
  readonly code = 'FILE_TOO_LONG';

  constructor(
    readonly size: number,
    readonly most: number,
  ) {
    super(`it has ${size} bytes; the limit is ${most}`);
  }
}

export interface ReadLimits {
  /** Bytes that such a file has at most. */
  readonly most: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a file for reading and makes sure, on the opened handle, that it is a regular one of at most `most` bytes. Never
 * waits for the other end of a pipe. Throws NotRegularFileError, FileTooLongError, HostCancelledError, and what the
 * system says (`ENOENT`, `EACCES`); callers make their own errors of these.
 */
export async function openRegular(
  file: string,
  { most, signal }: ReadLimits,
): Promise<{ handle: FileHandle; size: number }> {
  throwIfCancelled(signal);
  const handle = await open(file, READ_WITHOUT_WAITING).catch((cause: unknown) => {
    // What a socket or a device without a driver answers to being opened.
    if ((cause as NodeJS.ErrnoException).code === 'ENXIO') throw new NotRegularFileError('a socket or a device');
    throw cause;
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) {
      throw new NotRegularFileError(
        info.isDirectory() ? 'a folder' : info.isFIFO() ? 'a pipe' : info.isSocket() ? 'a socket' : 'a device',
      );
    }
    if (info.size > most) throw new FileTooLongError(info.size, most);
    return { handle, size: info.size };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/**
 * The whole of a regular file, as long as it was when it was opened: what is written behind its end meanwhile is not
 * followed. Throws as `openRegular`, and an Error where the file has become shorter.
 */
export async function readRegular(file: string, limits: ReadLimits): Promise<Uint8Array> {
  const { handle, size } = await openRegular(file, limits);
  try {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      throwIfCancelled(limits.signal);
      const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK, size - at), at);
      if (bytesRead === 0) throw new Error('it became shorter while it was read');
      at += bytesRead;
    }
    throwIfCancelled(limits.signal);
    return bytes;
  } finally {
    await handle.close();
  }
}
