import { readFile, stat } from 'node:fs/promises';
import { type Parameters, parseParameters } from '../inference';
import { ParameterFileError } from './errors';

/** Far more than 38 parameters take. */
const MAX_BYTES = 1e6;

/** Reads the 38 parameters from a JSON file. Throws ParameterFileError, or InputError for what the file says. */
export async function readParameterFile(file: string): Promise<Parameters> {
  let text: string;
  try {
    const info = await stat(file);
    if (info.size > MAX_BYTES) {
      throw new ParameterFileError(
        `The parameter file ${JSON.stringify(file)} has ${info.size} bytes; no such file is that long. Nothing was retouched.`,
        'Check that it is the right file.',
      );
    }
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof ParameterFileError) throw cause;
    throw new ParameterFileError(
      `The parameter file ${JSON.stringify(file)} cannot be read: ${(cause as Error).message}. Nothing was retouched.`,
      'Check the path given with --params.',
      cause,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new ParameterFileError(
      `The parameter file ${JSON.stringify(file)} is not JSON: ${(cause as Error).message}. Nothing was retouched.`,
      'Write {"Exposure2012": {"value": 20}}, for example; NaN and comments are not allowed in JSON.',
      cause,
    );
  }
  return parseParameters(json);
}
