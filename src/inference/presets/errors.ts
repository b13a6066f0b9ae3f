import { VeraRetouchError } from '../../color/errors';

/** What is wrong with a preset, for callers that react to it; message and hint are for people. */
export type PresetErrorCode =
  | 'PRESET_TOO_LARGE'
  | 'PRESET_ENCODING'
  | 'PRESET_FORMAT'
  | 'PRESET_FORBIDDEN'
  | 'PRESET_DAMAGED'
  | 'PRESET_TOO_COMPLEX'
  | 'PRESET_EMPTY'
  | 'PRESET_KIND'
  | 'PRESET_VALUE'
  | 'PRESET_APPLIED'
  | 'PRESET_NAME';

/** A preset cannot be read or written. Nothing of it was taken over. */
export class PresetError extends VeraRetouchError {
  declare readonly code: PresetErrorCode;

  constructor(code: PresetErrorCode, message: string, hint: string) {
    super(message, { code, hint });
  }
}

/** The error for a file that is refused. `detail` is one or more whole sentences. */
export function unreadable(
  code: PresetErrorCode,
  detail: string,
  hint = 'Export the preset again from Lightroom or Camera Raw, or choose another file.',
): PresetError {
  return new PresetError(code, `Cannot read this preset. ${detail} Nothing was imported.`, hint);
}

/** Part of hostile text fit for a message: quoted, on one line, short. */
export function quoted(text: string, longest = 40): string {
  return `"${shortened(text, longest).replace(/[\p{Cc}\p{Cs}]/gu, '?')}"`;
}

export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text;
}

/** "Line 12", for the place where reading failed. */
export function lineAt(text: string, offset: number): string {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return `Line ${line}`;
}
