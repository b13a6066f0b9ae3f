import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { type Reasoning } from '../../inference';
import { HostCancelledError, HostError } from '../../host/errors';
import { openRegular } from '../../host/files/io/openRegular';
import { folded } from '../../host/files/names';
import { reason } from '../../host/files/photoErrors';
import { type RetouchRecord } from '../record';
import { type Begun, type Entry, type Failure, type Finished, isLasting, parseEntry } from './entries';
import { type PhotoState, type Seen } from './entries';

/** A link is not followed: what it leads to is somebody else's. Windows has no such flag. */
const APPEND =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  ((constants as { O_NOFOLLOW?: number }).O_NOFOLLOW ?? 0);

/** The batch's memory, beside its results. One JSON object per line, only ever appended to. */
export const JOURNAL = 'veraretouch-batch.jsonl';
/** A journal of 100,000 photos has some 400 MB. */
const MOST_BYTES = 2 ** 31;
/** No line of ours is longer; what is between two line ends further apart was written by nobody. */
const MOST_LINE = 8 * 1024 * 1024;

/** A short name for everything that decides what becomes of a photo. */
export function jobKey(settings: unknown): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);
}

/**
 * What was done before and what is done now. Every line is on the disk before the step after it is taken, so whenever
 * the process ends, each photo is either finished, or known to have been begun under which name, or untouched.
 */
export class Journal {
  private readonly finished = new Map<string, Finished>();
  private readonly begun = new Map<string, Begun>();
  private readonly seen = new Map<string, Seen>();
  /** Names by photo that this batch has given out. */
  private readonly own = new Map<string, Set<string>>();
  /** Names that batches in this folder have given out, with all their settings; `folded`. */
  private readonly given = new Set<string>();
  private writing: Promise<void> = Promise.resolve();
  private handle: FileHandle | undefined;
  /** Did the process end in the middle of the last line? It must not swallow the next one. */
  private torn = false;

  private constructor(
    private readonly file: string,
    private readonly job: string,
  ) {}

  /**
   * Reads the journal in `folder`; the file is made with the first entry. Lines that are no entries are passed over.
   * Throws HostError OUTPUT_FOLDER when it cannot be read, as the methods that add entries do when it cannot be written.
   */
  static async open(folder: string, job: string, signal?: AbortSignal): Promise<Journal> {
    const file = path.join(folder, JOURNAL);
    const journal = new Journal(file, job);
    try {
      journal.torn = await readLines(file, signal, (line) => {
        journal.take(parseEntry(line));
      });
    } catch (cause) {
      if (cause instanceof HostCancelledError) throw cause;
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(file, cause);
    }
    return journal;
  }

  /** Was this name (`folded`) given out by a batch in this folder, whatever has become of its files? */
  has(name: string): boolean {
    return this.given.has(name);
  }

  /** Names that this batch has given to this photo, finished or not. */
  namesOf({ photo }: PhotoState): ReadonlySet<string> {
    return this.own.get(photo) ?? new Set();
  }

  /**
   * How a photo ended in an earlier run with these settings; undefined when it has not, or is another file now, or
   * failed in a way that may have passed.
   */
  finishedBefore(state: PhotoState): Finished | undefined {
    const end = same(this.finished.get(state.photo), state);
    return end?.kind === 'failed' && !isLasting(end.failure) ? undefined : end;
  }

  /** The name under which a photo was begun and not finished. */
  begunBefore(state: PhotoState): Begun | undefined {
    return same(this.begun.get(state.photo), state);
  }

  /** What the model said of a photo, for batches that look at all photos first. */
  seenBefore(state: PhotoState): Seen | undefined {
    return same(this.seen.get(state.photo), state);
  }

  async begin(state: PhotoState, name: string, id: string): Promise<void> {
    await this.append({ job: this.job, kind: 'begin', ...state, name, id, at: Date.now() });
  }

  async done(state: PhotoState, name: string, record: RetouchRecord): Promise<Finished> {
    const entry = { job: this.job, kind: 'done', ...state, name, record } as const;
    await this.append(entry);
    return entry;
  }

  async failed(state: PhotoState, failure: Failure): Promise<Finished> {
    const entry = { job: this.job, kind: 'failed', ...state, failure } as const;
    await this.append(entry);
    return entry;
  }

  async saw(state: PhotoState, latents: Float32Array, reasoning: Reasoning): Promise<void> {
    await this.append({ job: this.job, kind: 'seen', ...state, latents: [...latents], reasoning });
  }

  async close(): Promise<void> {
    await this.writing.catch(() => undefined);
    // A handle of a disk that is gone cannot be closed in order; there is nothing left to lose.
    await this.handle?.close().catch(() => undefined);
  }

  private async append(entry: Entry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    const write = async (): Promise<void> => {
      try {
        this.handle ??= await open(this.file, APPEND);
        await this.handle.appendFile(this.torn ? `\n${line}` : line);
        this.torn = false;
        await this.handle.datasync();
      } catch (cause) {
        // Part of the line may be there, on a disk that is full.
        this.torn = true;
        throw unusable(this.file, cause);
      }
    };
    // One after another, whoever asks: a line is never torn by another one.
    this.writing = this.writing.then(write, write);
    await this.writing;
    this.take(parseEntry(line));
  }

  private take(entry: Entry | undefined): void {
    if (!entry) return;
    if ('name' in entry) this.given.add(folded(entry.name));
    if (entry.job !== this.job) return;
    if ('name' in entry) this.own.set(entry.photo, new Set([...(this.own.get(entry.photo) ?? []), entry.name]));
    if (entry.kind === 'begin') this.begun.set(entry.photo, entry);
    else if (entry.kind === 'seen') this.seen.set(entry.photo, entry);
    else {
      this.finished.set(entry.photo, entry);
      this.begun.delete(entry.photo);
    }
  }
}

/** Calls `take` with each line, in pieces that fit into memory. Returns whether the last line has no end. */
async function readLines(
  file: string,
  signal: AbortSignal | undefined,
  take: (line: string) => void,
): Promise<boolean> {
  const { handle, size } = await openRegular(file, { most: MOST_BYTES, signal });
  try {
    const piece = Buffer.alloc(1 << 20);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size;) {
      if (signal?.aborted) throw new HostCancelledError();
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
      let text = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
        take(text.toString('utf8', 0, end));
        text = text.subarray(end + 1);
      }
      // An endless line is kept as its first byte only, so that its end is still found and known to be torn.
      rest = text.length > MOST_LINE ? text.subarray(0, 1) : text;
    }
    return rest.length > 0;
  } finally {
    await handle.close();
  }
}

function unusable(file: string, cause: unknown): HostError {
  return new HostError(
    'OUTPUT_FOLDER',
    `The batch's journal ${JSON.stringify(file)} cannot be used: ${reason(cause)}. Photos that are not in it were not retouched.`,
    'Choose another folder with --out, or change its permissions.',
    cause,
  );
}

function same<T extends PhotoState>(entry: T | undefined, { size, modified }: PhotoState): T | undefined {
  return entry?.size === size && entry.modified === modified ? entry : undefined;
}
