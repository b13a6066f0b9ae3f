import path from 'node:path';
import { HostCancelledError } from '../host/errors';
import { FileTooLongError, readRegular } from '../host/files/io/openRegular';
import { MAX_PRESET_FILE_BYTES, type Parameters, readPresetBytes } from '../inference';
import { ParameterFileError } from './errors';

export interface ParameterFile {
  readonly parameters: Parameters;
  /** What a person should know of how the file was read, one sentence each: what a preset asks for and is not done. */
  readonly notes: readonly string[];
}

/**
 * Reads the 38 parameters from a JSON file, or from a preset of Lightroom or Camera Raw: .xmp, .lrtemplate, or the
 * XMP inside a DNG, JPEG or TIFF. The bytes decide which. Throws ParameterFileError, HostCancelledError, or InputError and
 * PresetError for what the file says.
 */
export async function readParameterFile(file: string, signal?: AbortSignal): Promise<ParameterFile> {
  const bytes = await readBytes(file, signal);
  const { format, name, parameters, unsupported, notes } = readPresetBytes(bytes, path.basename(file));
  if (format === 'json') return { parameters, notes };
  const left = unsupported.map(({ setting, value, what }) => `Not part of the retouch: ${what} (${setting} ${value}).`);
  return { parameters, notes: [`Preset ${JSON.stringify(name)}.`, ...notes, ...left] };
}

async function readBytes(file: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readRegular(file, { most: MAX_PRESET_FILE_BYTES, signal });
  } catch (cause) {
    if (cause instanceof HostCancelledError) throw cause;
    const name = JSON.stringify(file);
    if (cause instanceof FileTooLongError) {
      throw new ParameterFileError(
        `The parameter file ${name} has ${cause.size} bytes; no such file is that long. Nothing was retouched.`,
        'Check that it is the right file.',
        cause,
      );
    }
    throw new ParameterFileError(
      `The parameter file ${name} cannot be read: ${(cause as Error).message}. Nothing was retouched.`,
      'Give a file that you may read with --params; pipes and devices are not read.',
      cause,
    );
  }
}
