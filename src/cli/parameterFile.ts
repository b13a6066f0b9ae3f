import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { MAX_PRESET_FILE_BYTES, type Parameters, readPresetBytes } from '../inference';
import { ParameterFileError } from './errors';

export interface ParameterFile {
  readonly parameters: Parameters;
  /** What a person should know of how the file was read, one sentence each: what a preset asks for and is not done. */
  readonly notes: readonly string[];
}

/**
 * Reads the 38 parameters from a JSON file, or from a preset of Lightroom or Camera Raw: .xmp, .lrtemplate, or the
 * XMP inside a DNG, JPEG or TIFF. The bytes decide which. Throws ParameterFileError, or InputError and PresetError for what
 * the file says.
 */
export async function readParameterFile(file: string): Promise<ParameterFile> {
  const bytes = await readBytes(file);
  const { format, name, parameters, unsupported, notes } = readPresetBytes(bytes, path.basename(file));
  if (format === 'json') return { parameters, notes };
  const left = unsupported.map(({ setting, value, what }) => `Not part of the retouch: ${what} (${setting} ${value}).`);
  return { parameters, notes: [`Preset ${JSON.stringify(name)}.`, ...notes, ...left] };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const info = await stat(file);
    if (info.size > MAX_PRESET_FILE_BYTES) {
      throw new ParameterFileError(
        `The parameter file ${JSON.stringify(file)} has ${info.size} bytes; no such file is that long. Nothing was retouched.`,
        'Check that it is the right file.',
      );
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof ParameterFileError) throw cause;
    throw new ParameterFileError(
      `The parameter file ${JSON.stringify(file)} cannot be read: ${(cause as Error).message}. Nothing was retouched.`,
      'Check the path given with --params.',
      cause,
    );
  }
}
