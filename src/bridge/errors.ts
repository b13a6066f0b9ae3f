/** The parts of the project do not know each other's classes across a bridge: errors travel as these four texts. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export type BridgeErrorCode =
  /** The other side is gone, or was loaded anew. */
  | 'BRIDGE_LOST'
  /** The other side did not answer in time. */
  | 'BRIDGE_TIMEOUT'
  /** What came, or was to be sent, does not fit the protocol. */
  | 'BRIDGE_PROTOCOL'
  /** Too much is under way already. */
  | 'BRIDGE_BUSY'
  /** The other side reports an error of its own, whose code is in `remote`. */
  | 'BRIDGE_REMOTE';

/** An error of the connection between page and host. Its message says what happened and what was left untouched. */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';

  constructor(
    readonly code: BridgeErrorCode,
    message: string,
    readonly hint: string,
    /** What the other side said, for BRIDGE_REMOTE. */
    readonly remote?: WireError,
  ) {
    super(message);
  }
}

/** Thrown where a request was cancelled; `code` is that of an aborted fetch. */
export class BridgeCancelled extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';

  constructor() {
    super('The request was cancelled. Nothing was changed by it.');
  }
}
