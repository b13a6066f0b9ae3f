import { readdir } from 'node:fs/promises';
import path from 'node:path';

export const EXTENSIONS = ['psd', 'png', 'cube', 'json'] as const;

/**
 * Chooses the names of results in one folder: the photo's own name, or with -2, -3, ... behind it where a file of that
 * name is there already (an input photo, an earlier result that a person has worked on) or was given out before.
 * Letter case is ignored, as some file systems do.
 */
export class NameChooser {
  private readonly taken: Set<string>;

  /** `reserved`: file names that are never given out, in lower case. */
  constructor(
    private readonly folder: string,
    reserved: readonly string[] = [],
  ) {
    this.taken = new Set(reserved);
  }

  async choose(name: string): Promise<string> {
    for (const file of await readdir(this.folder)) this.taken.add(file.toLowerCase());
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? name : `${name}-${number}`;
      const files = EXTENSIONS.map((extension) => `${candidate}.${extension}`.toLowerCase());
      if (files.some((file) => this.taken.has(file))) continue;
      for (const file of files) this.taken.add(file);
      return candidate;
    }
  }
}

/** The name of a photo without folder and extension. */
export function photoName(file: string): string {
  return path.parse(file).name;
}
