import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { MAX_PRESET_BYTES, type Parameters, parseParameters, parsePreset } from '../inference';
import { ParameterFileError } from './errors';

export interface ParameterFile {
  readonly parameters: Parameters;
  /** What a person should know of how the file was read, one sentence each: what a preset asks for and is not done. */
  readonly notes: readonly string[];
}

/**
 * Reads the 38 parameters from a JSON file, or from a preset of Lightroom or Camera Raw (.xmp, .lrtemplate). Throws ParameterFileError, or InputError and PresetError for what the file says.
 */
export async function readParameterFile(file: string): Promise<ParameterFile> {
  const bytes = await readBytes(file);
  const isXml = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().startsWith('<');
  const preset = isXml || /\.(xmp|lrtemplate)$/i.test(file);
  if (!preset) return { parameters: parseJson(file, bytes), notes: [] };
  const { name, parameters, unsupported, notes } = parsePreset(bytes, path.basename(file));
  const left = unsupported.map(({ setting, value, what }) => `Not part of the retouch: ${what} (${setting} ${value}).`);
  return { parameters, notes: [`Preset ${JSON.stringify(name)}.`, ...notes, ...left] };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const info = await stat(file);
    if (info.size > MAX_PRESET_BYTES) {
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

function parseJson(file: string, bytes: Uint8Array): Parameters {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ParameterFileError(
      `The parameter file ${JSON.stringify(file)} is not JSON: ${(cause as Error).message}. Nothing was retouched.`,
      'Write {"Exposure2012": {"value": 20}}, for example (NaN and comments are not allowed in JSON), or give an .xmp or .lrtemplate preset.',
      cause,
    );
  }
  return parseParameters(json);
}
