import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../errors';
import { quoted, reason } from './photoErrors';

export const EXTENSIONS = ['psd', 'png', 'cube', 'json'] as const;

/**
 * Bytes of a result's name without its extension. File systems take 255 for a whole name; the longest that is put
 * behind this one is "-before.jpg" of the contact sheet, and a number gets its place inside.
 */
export const MAX_NAME_BYTES = 240;

/**
 * Whether a name that was read from a file stands for a file directly in a folder: not empty, no separator of any
 * system, no NUL, no drive letter, neither "." nor "..". Nothing else may be joined to a path.
 */
export function isPlainName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name !== '.' && name !== '..' && !/[/\\\0]|^[A-Za-z]:/.test(name);
}

/**
 * Chooses the names of results in one folder: the photo's own name, or with -2, -3, ... behind it where a file of that
 * name is there already (an input photo, an earlier result that a person has worked on) or was given out before.
 * Letter case is ignored, as some file systems do. Names that are too long are cut.
 */
export class NameChooser {
  private readonly taken: Set<string>;

  /**
   * `reserved`: file names that are never given out. `held`: names of results that were given out earlier, whether or
   * not their files are there.
   */
  constructor(
    private readonly folder: string,
    reserved: Iterable<string> = [],
    private readonly held: { has(name: string): boolean } = new Set<string>(),
  ) {
    this.taken = new Set([...reserved].map(folded));
  }

  /**
   * `own`: held names that this very photo had before, which it may have again where no file bears them.
   * Throws HostError OUTPUT_FOLDER when the folder cannot be listed.
   */
  async choose(name: string, own: ReadonlySet<string> = new Set()): Promise<string> {
    const present = new Set((await list(this.folder)).map(folded));
    for (let number = 1; ; number++) {
      const candidate = fitting(plain(name), number === 1 ? '' : `-${number}`);
      const files = filesOf(candidate).map(folded);
      if (files.some((file) => present.has(file) || this.taken.has(file))) continue;
      if (this.held.has(folded(candidate)) && !own.has(candidate)) continue;
      for (const file of files) this.taken.add(file);
      return candidate;
    }
  }
}

/** The four files of a result. */
export function filesOf(name: string): string[] {
  return EXTENSIONS.map((extension) => `${name}.${extension}`);
}

/** A name as two file systems would find it the same: without letter case, composed. */
export function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The name of a photo without folder and extension. */
export function photoName(file: string): string {
  return path.parse(file).name;
}

/** What one system allows in a name means a folder or a drive on another. */
function plain(name: string): string {
  const safe = name.replace(/[/\\\0]/g, '_').replace(/^([A-Za-z]):/, '$1_');
  return isPlainName(safe) ? safe : '_';
}

/** Cut between two characters as people see them, so that the end still fits. */
function fitting(name: string, end: string): string {
  const most = MAX_NAME_BYTES - Buffer.byteLength(end);
  if (Buffer.byteLength(name) <= most) return `${name}${end}`;
  let kept = '';
  let bytes = 0;
  for (const { segment } of new Intl.Segmenter('en').segment(name)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > most) break;
    kept += segment;
  }
  // A single "character" of combining marks may be longer than any name.
  return `${kept.trimEnd() || '_'}${end}`;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new HostError(
      'OUTPUT_FOLDER',
      `The folder ${quoted(folder)} cannot be listed any more: ${reason(cause)}. What was finished stays in it.`,
      'Check that it is still there and that you may read it, and run the same command again.',
      cause,
    );
  }
}
