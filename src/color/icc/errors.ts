import { VeraRetouchError } from '../errors';

export type IccErrorCode =
  /** The bytes end before what they announce. */
  | 'ICC_TRUNCATED'
  /** Not an ICC profile, or one that contradicts itself. */
  | 'ICC_INVALID'
  | 'ICC_TOO_LARGE'
  /** Neither version 2 nor version 4. */
  | 'ICC_VERSION'
  /** A device link, an abstract profile, a named colour list. */
  | 'ICC_CLASS'
  /** CMYK, Lab and everything else that is neither RGB nor grey. */
  | 'ICC_COLOR_SPACE'
  /** Connected through CIE Lab, which matrices and grey curves of this reader are not. */
  | 'ICC_CONNECTION_SPACE'
  /** RGB through tables instead of a matrix and curves. */
  | 'ICC_LUT_BASED';

const HINT =
  'Convert the document to sRGB, Display P3, Adobe RGB (1998), ProPhoto RGB or a grey gamma profile, then try again.';

/** A colour profile that cannot be read, or that this reader does not do. Nothing was changed. */
export class IccError extends VeraRetouchError {
  declare readonly code: IccErrorCode;

  constructor(code: IccErrorCode, message: string) {
    super(`Cannot use this colour profile. ${message}`, { code, hint: HINT });
  }
}
