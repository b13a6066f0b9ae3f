/** Machine-readable reason plus what to do; each part of the project derives its own class from this one. */
export interface ErrorDetails {
  /** Stable identifier in UPPER_SNAKE_CASE, for code that reacts to the error. */
  readonly code: string;
  /** What the person can do now, one sentence; optional. */
  readonly hint?: string;
  /** The lower-level error that led here; optional. */
  readonly cause?: unknown;
}

/**
 * Base of every error this project throws on purpose. `message` says what happened and what was left untouched,
 * `hint` says what to do, `code` is for programs.
 */
export class VeraRetouchError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.hint = details.hint;
  }
}

export type ColorErrorCode = 'BAD_ARGUMENT' | 'CUBE_UNSUPPORTED' | 'CUBE_INVALID' | 'CUBE_TOO_LARGE' | 'GPU_FAILED';

/** Anything `src/color` refuses: wrong sizes or types of arguments, `.cube` text it cannot or will not read, a GPU that failed. */
export class ColorError extends VeraRetouchError {
  declare readonly code: ColorErrorCode;

  constructor(code: ColorErrorCode, message: string, hint?: string) {
    super(message, hint === undefined ? { code } : { code, hint });
  }
}
