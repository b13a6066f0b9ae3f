import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../../host/errors';
import { endingOf, PHOTO_ENDINGS, RAW_ENDINGS } from '../../host/files/endings';

/** "photo 2" before "photo 10". */
const byName = new Intl.Collator('en', { numeric: true });

export interface Inputs {
  /** Paths as they are given, or below a folder that is given; each once, in the order of the command line. */
  readonly photos: readonly string[];
  /** What was passed over, one sentence each. */
  readonly notes: readonly string[];
}

/** Is any of the paths a folder? Then the job is a batch. */
export async function namesFolder(paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map(isFolder))).includes(true);
}

/**
 * The photos that paths stand for: files as they are, folders by the photos directly in them, in natural order.
 * `own` are results of this batch, which may lie in the same folder and are no photos of it.
 * Throws HostError PHOTO_UNREADABLE for a folder that cannot be listed.
 */
export async function findPhotos(paths: readonly string[], own: ReadonlySet<string> = new Set()): Promise<Inputs> {
  const photos = new Set<string>();
  const notes: string[] = [];
  for (const given of paths) {
    if (!(await isFolder(given))) {
      photos.add(given);
      continue;
    }
    const entries = await list(given);
    const files = entries
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name);
    const found = files
      .filter((name) => PHOTO_ENDINGS.has(endingOf(name)) && !own.has(path.resolve(given, name)))
      .sort((a, b) => byName.compare(a, b));
    for (const name of found) photos.add(path.join(given, name));
    const raws = files.filter((name) => RAW_ENDINGS.has(endingOf(name))).length;
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).length;
    if (raws > 0)
      notes.push(`${raws} camera raw files in ${given} were passed over: develop them to TIFF or JPEG first.`);
    if (folders > 0)
      notes.push(`${folders} folders in ${given} were passed over: name them to retouch what is in them.`);
    if (found.length === 0) notes.push(`There is no photo in ${given}.`);
  }
  return { photos: [...photos], notes };
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new HostError(
      'PHOTO_UNREADABLE',
      `The folder ${JSON.stringify(folder)} cannot be listed: ${(cause as Error).message}. Nothing was retouched.`,
      'Check that you may read it.',
      cause,
    );
  }
}
