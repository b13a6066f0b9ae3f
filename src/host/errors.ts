import { VeraRetouchError } from '../color/errors';

export type HostErrorCode =
  | 'PHOTO_NOT_FOUND'
  | 'PHOTO_UNREADABLE'
  | 'PHOTO_NOT_A_FILE'
  | 'PHOTO_NOT_AN_IMAGE'
  | 'PHOTO_FORMAT'
  | 'PHOTO_DAMAGED'
  | 'PHOTO_TOO_LARGE'
  | 'PHOTO_ALREADY_USED'
  | 'OUTPUT_FOLDER'
  | 'OUTPUT_EXISTS'
  | 'OUTPUT_WRITE'
  | 'BUNDLE_FOLDER'
  | 'DOCUMENT_NONE'
  | 'DOCUMENT_UNSUITED'
  | 'DOCUMENT_EMPTY'
  | 'DOCUMENT_CLOSED'
  | 'DOCUMENT_SWITCHED'
  | 'DOCUMENT_CHANGED'
  | 'LAYER_LOCKED'
  | 'OUTPUT_UNKNOWN'
  | 'FILE_UNREADABLE'
  | 'FILE_TOO_LARGE'
  | 'FILE_NAME'
  | 'FILE_MISSING'
  | 'FOLDER_GONE'
  | 'HOST_BUSY'
  | 'HOST_FAILED';

/** What the surroundings refused: a photo or document that cannot be read or retouched, a place that cannot be written. */
export class HostError extends VeraRetouchError {
  declare readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { code, hint, cause });
  }
}

/** The work was stopped through its AbortSignal. Nothing was written. */
export class HostCancelledError extends VeraRetouchError {
  /** The code of Node's own AbortError, so that generic handlers recognise this one. */
  declare readonly code: 'ABORT_ERR';

  constructor() {
    super('The work was cancelled. Nothing was written.', { code: 'ABORT_ERR', hint: 'Start it again when you like.' });
  }
}
