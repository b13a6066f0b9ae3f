import { VeraRetouchError } from '../color';

/** The command line itself is wrong. Nothing was read or written. Ends with exit code 2. */
export class UsageError extends VeraRetouchError {
  declare readonly code: 'USAGE';

  constructor(message: string, hint: string) {
    super(message, { code: 'USAGE', hint });
  }
}

/** The parameter file cannot be read. (What it says is checked by the inference part.) Nothing was retouched. */
export class ParameterFileError extends VeraRetouchError {
  declare readonly code: 'PARAMETER_FILE';

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { code: 'PARAMETER_FILE', hint, cause });
  }
}

/** The model's own terms were not accepted, or cannot be shown. Nothing was read or written. */
export class TermsError extends VeraRetouchError {
  declare readonly code: 'MODEL_TERMS';

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { code: 'MODEL_TERMS', hint, cause });
  }
}

/** What the program's exit codes mean; printed by --help. */
export const EXIT = { ok: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Was the work stopped on request, by whichever part noticed first? */
export function isCancellation(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === 'ABORT_ERR';
}

/** Does this failure concern one photo only, so that the others can still be done? */
export function concernsOnePhoto(thrown: unknown): boolean {
  if (!(thrown instanceof VeraRetouchError)) return false;
  return /^(PHOTO_|OUTPUT_EXISTS|INPUT_IMAGE|INFERENCE)/.test(thrown.code);
}
