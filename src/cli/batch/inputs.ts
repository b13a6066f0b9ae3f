import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../../host/errors';
import { endingOf, PHOTO_ENDINGS } from '../../host/files/endings';
import { rawsBesidePictures } from '../../host/files/formats/rawPairs';
import { JOURNAL } from './journal';
import { readRecord } from './leftovers';
import { carriesProvenance } from './ours';
import { isOwnReport } from './ownReport';
import { isOwnSheet } from './sheet';

/** "photo 2" before "photo 10". */
const byName = new Intl.Collator('en', { numeric: true });

/** What became of every entry of a folder: the sum of all figures is the number of its entries. */
export interface FolderCount {
  readonly folder: string;
  /** Read as photos. */
  readonly photos: number;
  /** Results and other files of this program. */
  readonly ours: number;
  /** Raw files with the camera's own picture beside them, which is the one that is read: a pair is one photo. */
  readonly paired: number;
  /** Pictures that are not read, by their ending (lower case, without the dot). */
  readonly unsupported: Readonly<Record<string, number>>;
  /** Files that are no pictures. */
  readonly notPhotos: number;
  /** Names that begin with a dot. */
  readonly hidden: number;
  /** Folders in it, which are not opened. */
  readonly folders: number;
}

export interface Inputs {
  /** Paths as they are given, or below a folder that is given; each once, in the order of the command line. */
  readonly photos: readonly string[];
  readonly folders: readonly FolderCount[];
}

const EXPORT = 'export them as TIFF or JPEG first';
/** Endings of pictures that no photo is read from, and what to do. */
const ELSE: ReadonlyMap<string, string> = new Map([
  ...'jxl jp2 j2k jpx jpf exr hdr dds tga pcx ppm pgm pbm qoi xcf kra svg ico wdp jxr afphoto'
    .split(' ')
    .map((ending): [string, string] => [ending, EXPORT]),
  ...['pdf', 'eps', 'ai'].map((ending): [string, string] => [ending, 'save a flattened copy as TIFF or PSD']),
]);

/** Is any of the paths a folder? Then the job is a batch. */
export async function namesFolder(paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map(isFolder))).includes(true);
}

/**
 * The photos that paths stand for: files as they are, folders by the photos directly in them, in natural order. What a
 * folder holds is told by the names of its files; results of this program are none of its photos, whichever run made
 * them: they say so in their XMP, or the record beside them does.
 * Throws HostError PHOTO_UNREADABLE for a folder that cannot be listed.
 */
export async function findPhotos(paths: readonly string[]): Promise<Inputs> {
  const photos = new Set<string>();
  const folders: FolderCount[] = [];
  for (const given of paths) {
    if (!(await isFolder(given))) {
      photos.add(given);
      continue;
    }
    const { found, ...count } = await takeFolder(given);
    for (const name of found) photos.add(path.join(given, name));
    folders.push({ folder: given, photos: found.length, ...count });
  }
  return { photos: [...photos], folders };
}

type Count = Omit<FolderCount, 'folder' | 'photos'>;

async function takeFolder(folder: string): Promise<Count & { found: string[] }> {
  const found: string[] = [];
  const unsupported: Record<string, number> = {};
  const count = { ours: 0, paired: 0, notPhotos: 0, hidden: 0, folders: 0 };
  const entries = await list(folder);
  const names = new Set(entries.map(({ name }) => name));
  const paired = new Set(rawsBesidePictures([...names]));
  for (const entry of entries) {
    const taken = await kindOf(folder, entry, names);
    const kind = taken === 'photo' && paired.has(entry.name) ? 'paired' : taken;
    if (kind === 'photo') found.push(entry.name);
    else if (kind === 'unsupported') {
      const ending = endingOf(entry.name);
      unsupported[ending] = (unsupported[ending] ?? 0) + 1;
    } else count[kind]++;
  }
  return { found: found.sort((a, b) => byName.compare(a, b)), unsupported, ...count };
}

type Kind = 'photo' | 'unsupported' | keyof Omit<Count, 'unsupported'>;

async function kindOf(folder: string, entry: Dirent, names: ReadonlySet<string>): Promise<Kind> {
  const { name } = entry;
  const file = path.join(folder, name);
  if (entry.isDirectory()) {
    if (name.startsWith('.')) return 'hidden';
    return (await isOwnSheet(file)) ? 'ours' : 'folders';
  }
  if (/^\.veraretouch[.-]/.test(name)) return 'ours';
  if (name.startsWith('.')) return 'hidden';
  if (entry.isSymbolicLink() && (await isFolder(file))) return 'folders';
  const ending = endingOf(name);
  if (name === JOURNAL || (await isOwnFile(file, ending, names))) return 'ours';
  if (PHOTO_ENDINGS.has(ending)) return 'photo';
  return ELSE.has(ending) ? 'unsupported' : 'notPhotos';
}

/** Only files of the kinds that this program writes are looked into, and only as far as they can say that they are ours. */
async function isOwnFile(file: string, ending: string, names: ReadonlySet<string>): Promise<boolean> {
  if (ending === 'html') return isOwnReport(file);
  if (!['psd', 'png', 'cube', 'json'].includes(ending)) return false;
  if (ending === 'json' && (await isOwnReport(file))) return true;
  if (ending !== 'json' && (await carriesProvenance(file))) return true;
  const record = `${file.slice(0, -ending.length)}json`;
  if (!names.has(path.basename(record))) return false;
  const said = await readRecord(record);
  return said !== 'none' && said !== 'foreign';
}

/** One short line with the sum, then one for each kind that a person may miss. */
export function countLines(count: FolderCount): string[] {
  const { folder, photos, ours, paired, unsupported, notPhotos, hidden, folders } = count;
  const passed = Object.entries(unsupported).sort(([a], [b]) => byName.compare(a, b));
  const not = passed.reduce((sum, [, number]) => sum + number, 0);
  const all = photos + ours + paired + not + notPhotos + hidden + folders;
  const parts = [
    many(photos, 'photo'),
    ...(ours > 0 ? [`${ours} of VeraRetouch itself`] : []),
    ...(paired > 0 ? [`${paired} raw beside the camera's JPEG`] : []),
    ...(not > 0 ? [`${not} not supported`] : []),
    ...(notPhotos > 0 ? [`${notPhotos} not ${notPhotos === 1 ? 'a photo' : 'photos'}`] : []),
    ...(hidden > 0 ? [`${hidden} hidden`] : []),
    ...(folders > 0 ? [many(folders, 'folder')] : []),
  ];
  const advice = new Map<string, string[]>();
  for (const [ending, number] of passed) {
    const what = ELSE.get(ending) ?? EXPORT;
    advice.set(what, [...(advice.get(what) ?? []), `${number} .${ending}`]);
  }
  return [
    `${folder}: ${many(all, 'entry', 'entries')}: ${parts.join(', ')}.`,
    ...[...advice].map(([what, kinds]) => `Not supported: ${kinds.join(', ')}. To retouch them, ${what}.`),
    ...(paired > 0
      ? [
          'A raw file and the JPEG beside it are one photo; the JPEG was taken. Name the raw file to retouch it instead.',
        ]
      : []),
    ...(folders > 0 ? [`Not opened: ${many(folders, 'folder')}. Name one to retouch what is in it.`] : []),
    ...(photos === 0 ? [`There is no photo in ${folder}.`] : []),
  ];
}

function many(number: number, one: string, several = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`;
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function list(folder: string): Promise<Dirent[]> {
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
