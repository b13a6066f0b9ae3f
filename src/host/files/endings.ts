/** Endings of camera raw files. Many are TIFF containers: without a look at the name their small preview would be read. */
export const RAW_ENDINGS: ReadonlySet<string> = new Set(
  '3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f'.split(' '),
);

/** Endings of files that are read as photos, without the dot, in lower case: what a folder is searched for. */
export const PHOTO_ENDINGS: ReadonlySet<string> = new Set([
  ...['jpg', 'jpeg', 'jpe', 'jfif', 'jif', 'pjpeg', 'mpo', 'jps'],
  ...['png', 'apng', 'tif', 'tiff', 'webp', 'avif', 'heic', 'heif', 'hif', 'psd', 'psb', 'bmp', 'dib', 'gif'],
  ...RAW_ENDINGS,
]);

/** The ending of a path or name, without the dot, in lower case; empty where it has none. */
export function endingOf(file: string): string {
  return /\.([^./\\]+)$/.exec(file)?.[1].toLowerCase() ?? '';
}
