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

/** One photo could not be retouched, and it is not the photo that is to blame. Nothing was written for it. */
export class PhotoError extends VeraRetouchError {
  declare readonly code: 'PHOTO_MEMORY' | 'PHOTO_FAILED';

  constructor(code: 'PHOTO_MEMORY' | 'PHOTO_FAILED', message: string, hint: string, cause: unknown) {
    super(message, { code, hint, cause });
  }
}

/** Another run is at work in the folder of the results. This one did nothing. */
export class FolderBusyError extends VeraRetouchError {
  declare readonly code: 'OUTPUT_BUSY';

  constructor(message: string, hint: string) {
    super(message, { code: 'OUTPUT_BUSY', hint });
  }
}

/** stdout takes no more. What was finished is in the output folder. */
export class StdoutError extends VeraRetouchError {
  declare readonly code: 'STDOUT_WRITE';

  constructor(message: string, hint: string, cause: unknown) {
    super(message, { code: 'STDOUT_WRITE', hint, cause });
  }
}

/** What the program's exit codes mean; printed by --help. */
export const EXIT = { ok: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Was the work stopped on request, by whichever part noticed first? */
export function isCancellation(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === 'ABORT_ERR';
}
