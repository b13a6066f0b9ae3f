import { HostError } from '../errors';
import { type PickedFile } from '../panelHost';
import { reasonOf } from './modalGate';
import { type Storage } from './ports';

export type FileKind = 'photo' | 'preset' | 'bundle';

const TYPES: Readonly<Record<FileKind, readonly string[]>> = {
  photo: ['jpg', 'jpeg', 'png', 'webp', 'avif', 'tif', 'tiff'],
  preset: ['xmp', 'lrtemplate', 'json', 'dng', 'jpg', 'jpeg', 'tif', 'tiff'],
  bundle: ['zip'],
};
/** The bridge takes no more at once, and UXP reads files whole. */
export const MOST_BYTES = 256 * 1024 * 1024;
/** Where the page lies in the package. */
const PAGE_FOLDER = 'panel';
const SETTINGS = 'settings.json';

export async function pickFile({ localFileSystem, formats }: Storage, kind: FileKind): Promise<PickedFile | undefined> {
  const file = await localFileSystem.getFileForOpening({ types: TYPES[kind] });
  if (!file) return undefined;
  try {
    const { size } = await file.getMetadata();
    if (size > MOST_BYTES)
      throw new HostError(
        'FILE_TOO_LARGE',
        `"${file.name}" has ${Math.ceil(size / 1e6)} MB; at most ${MOST_BYTES / 1e6} MB are read. Nothing was read.`,
        'Choose a smaller file.',
      );
    const content = await file.read({ format: formats.binary });
    if (typeof content === 'string') throw new Error('it came as text');
    return { name: file.name, bytes: new Uint8Array(content) };
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(
      'FILE_UNREADABLE',
      `"${file.name}" cannot be read (${reasonOf(error)}). Nothing was changed.`,
      'Check that the file is still there and not locked, and choose it again.',
      error,
    );
  }
}

export async function saveFile(
  { localFileSystem, formats }: Storage,
  name: string,
  bytes: Uint8Array,
): Promise<boolean> {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1] ?? 'bin';
  const file = await localFileSystem.getFileForSaving(name, { types: [extension] });
  if (!file) return false;
  try {
    await file.write(bytes.slice().buffer, { format: formats.binary });
    return true;
  } catch (error) {
    throw new HostError(
      'OUTPUT_WRITE',
      `"${file.name}" cannot be written (${reasonOf(error)}). The document was left as it was.`,
      'Choose another place, or make room on that disk.',
      error,
    );
  }
}

/** A file of the page's own folder, for a web view that lets the page load none itself. */
export async function readAsset({ localFileSystem, formats }: Storage, name: string): Promise<Uint8Array> {
  try {
    if (!/^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/.test(name)) throw new Error('this is no name of a file beside the page');
    const folder = await localFileSystem.getPluginFolder();
    const file = await folder.getEntry(`${PAGE_FOLDER}/${name}`);
    const content = await file.read({ format: formats.binary });
    if (typeof content === 'string') throw new Error('it came as text');
    return new Uint8Array(content);
  } catch (error) {
    throw new HostError(
      'FILE_UNREADABLE',
      `The plugin's own file "${name}" cannot be read (${reasonOf(error)}). Nothing was changed.`,
      'Install the plugin again.',
      error,
    );
  }
}

/** Settings that are not there, or not readable any more, are none. */
export async function readSettings({ localFileSystem, formats }: Storage): Promise<unknown> {
  try {
    const folder = await localFileSystem.getDataFolder();
    const file = await folder.getEntry(SETTINGS);
    const text = await file.read({ format: formats.utf8 });
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return undefined;
  }
}

export async function writeSettings({ localFileSystem, formats }: Storage, settings: unknown): Promise<void> {
  try {
    const folder = await localFileSystem.getDataFolder();
    const file = await folder.createFile(SETTINGS, { overwrite: true });
    await file.write(JSON.stringify(settings ?? null), { format: formats.utf8 });
  } catch (error) {
    throw new HostError(
      'OUTPUT_WRITE',
      `The settings cannot be written (${reasonOf(error)}). Nothing else is affected.`,
      "Check that the disk of Photoshop's settings is not full.",
      error,
    );
  }
}
