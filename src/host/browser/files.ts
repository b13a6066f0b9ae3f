import { type PickedFile } from '../panelHost';

export const ACCEPT = {
  photo: 'image/jpeg,image/png,image/webp,image/avif,.jpg,.jpeg,.png,.webp,.avif',
  preset: '.xmp,.lrtemplate,.json,.dng,.jpg,.jpeg,.tif,.tiff',
  bundle: '.json',
} as const;

/** Has the browser ask for one file; undefined when none was chosen. */
export async function pick(accept: string): Promise<PickedFile | undefined> {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = accept;
  const file = await new Promise<File | undefined>((resolve) => {
    input.addEventListener('change', () => {
      resolve(input.files?.[0]);
    });
    input.addEventListener('cancel', () => {
      resolve(undefined);
    });
    input.click();
  });
  return file && { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

/** Hands a file to the browser's downloads. */
export function download(name: string, parts: readonly Uint8Array[]): void {
  const url = URL.createObjectURL(new Blob(parts as Uint8Array<ArrayBuffer>[]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after the click has returned.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}

const KEY = 'veraretouch';

/* Pages opened from a file, private windows and web views may have no storage, and throw where it is only looked at. */

export function readStored(): unknown {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function writeStored(settings: unknown): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Settings are a convenience: without them the page starts as it did the first time.
  }
}
