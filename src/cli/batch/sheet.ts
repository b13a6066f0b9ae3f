import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { type Lut3D } from '../../color';
import { isTemporary, temporaryName } from '../../host/files/fileSet';
import { reason } from '../../host/files/photoErrors';
import { type Proxy } from '../../host/host';

/** Folder, in the folder of the results, of the small pictures of the contact sheet; numbered where it is taken. */
const SHEET_FOLDER = 'contact-sheet';
/** A file in it by which the folder says that it is ours. */
export const SHEET_MARK = '.veraretouch';
/** Long edge of a small picture: two beside each other on a page, sharp on dense screens. */
const SMALL = 640;
/** So many folders of that name are looked at. */
const MOST_FOLDERS = 1000;

/**
 * The name of the folder for the small pictures in `out`, made if need be: one that says it is ours, else a free one.
 * Undefined where none can be made: the contact sheet is decoration, and a batch goes on without.
 */
export async function sheetFolder(out: string): Promise<string | undefined> {
  for (let number = 1; number <= MOST_FOLDERS; number++) {
    const name = number === 1 ? SHEET_FOLDER : `${SHEET_FOLDER}-${number}`;
    const folder = path.join(out, name);
    if (await isOwnSheet(folder)) return name;
    const made = await mkdir(folder).then(
      () => true,
      (cause: unknown) => ((cause as NodeJS.ErrnoException).code === 'EEXIST' ? false : undefined),
    );
    if (made === undefined) return undefined;
    if (made) {
      const mark = writeFile(path.join(folder, SHEET_MARK), 'Small pictures of a VeraRetouch contact sheet.\n');
      return mark.then(
        () => name,
        () => undefined,
      );
    }
  }
  return undefined;
}

/** Is this a folder, not a link to one, that says it holds the pictures of a contact sheet of ours? */
export async function isOwnSheet(folder: string): Promise<boolean> {
  const [place, mark] = await Promise.all(
    [folder, path.join(folder, SHEET_MARK)].map((file) => lstat(file).catch(() => undefined)),
  );
  return (place?.isDirectory() && mark?.isFile()) ?? false;
}

/** Writes a photo before and after. Never throws: says why there is none of it. */
export async function writeSmallPictures(
  folder: string,
  name: string,
  { data, width, height }: Proxy,
  lut: Lut3D,
): Promise<string | undefined> {
  const write = async (pixels: Uint8Array, which: string): Promise<void> => {
    const temp = path.join(folder, temporaryName());
    const gone = isTemporary(temp);
    try {
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .resize(SMALL, SMALL, { fit: 'inside', withoutEnlargement: true })
        .jpeg({ quality: 82 })
        .toFile(temp);
      await rename(temp, path.join(folder, `${name}-${which}.jpg`));
    } finally {
      await rm(temp, { force: true }).catch(() => undefined);
      gone();
    }
  };
  try {
    await write(data, 'before');
    await write(lut.apply(Uint8Array.from(data), 3), 'after');
    return undefined;
  } catch (cause) {
    return `It is not on the contact sheet: ${reason(cause)}.`;
  }
}
