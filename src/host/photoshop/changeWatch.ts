import { HostError } from '../errors';
import { checkSuited, documentById, type DocumentState, stateOf, UNTOUCHED } from './documents';
import { layerById } from './layers';
import { type Photoshop, type PsDocument } from './ports';

/** A state of history that this product has made. */
interface Step {
  /** The picture that its retouch was made for. */
  readonly picture: string;
  readonly layer: number;
}

export interface Unchanged {
  readonly document: PsDocument;
  /** The layer of an earlier retouch. */
  readonly replaces: number | undefined;
  /**
   * False where the history has gone on: a selection was made, a layer renamed, a stroke painted. Then the picture has to
   * be looked at, without the layer that is replaced.
   */
  readonly sure: boolean;
}

/** Tells whether a document is still the one that a retouch was made for. */
export class ChangeWatch {
  private readonly steps = new Map<string, Step>();
  private readonly layers = new Set<string>();
  /** The retouch that was made last for a picture. */
  private readonly latest = new Map<string, number>();

  constructor(private readonly ps: Photoshop) {}

  /** A retouch made for `state` became `layer`: the document is the same but for that. */
  remember(document: PsDocument, state: DocumentState, layer: number): void {
    const step = { picture: this.pictureOf(state), layer };
    this.steps.set(key(document.id, document.activeHistoryState.id), step);
    this.latest.set(step.picture, layer);
    this.layers.add(key(document.id, layer));
  }

  /** Was the layer made here, since the plugin was loaded? */
  made(document: PsDocument, layer: number): boolean {
    return this.layers.has(key(document.id, layer));
  }

  /**
   * The document if it is as it was read, or has nothing more than another retouch for the same picture, which is then the one
   * to be replaced: one on top of the other would be neither. Throws HostError DOCUMENT_CLOSED, DOCUMENT_SWITCHED,
   * DOCUMENT_CHANGED, DOCUMENT_UNSUITED.
   */
  unchanged(state: DocumentState, wished: number | undefined): Unchanged {
    const document = documentById(this.ps, state.document);
    if (!document) throw closed();
    checkTarget(this.ps, document, state);
    checkSuited(this.ps, document);
    const now = stateOf(this.ps, document);
    if (now.history === state.history) return { document, replaces: wished, sure: true };
    const picture = this.pictureOf(state);
    const step = this.steps.get(key(document.id, now.history));
    if (step?.picture === picture) return { document, replaces: step.layer, sure: true };
    // Every retouch of this picture may have been undone, back to before it was read.
    if (picture === key(document.id, now.history)) return { document, replaces: undefined, sure: true };
    const there = [this.latest.get(picture), wished].find((id) => id !== undefined && layerById(document.layers, id));
    return { document, replaces: there, sure: false };
  }

  /** A name for what was read: a state of history, or what lies below a retouch in it. */
  private pictureOf({ document, history, without }: DocumentState): string {
    const own = key(document, history);
    if (without === undefined) return own;
    const step = this.steps.get(own);
    return step?.layer === without ? step.picture : `${own} without ${without}`;
  }
}

/**
 * Is this document still in front, and of the size, mode, depth and profile that were read? Asked at once before each command
 * that goes to whatever is in front, for between two commands everything may have changed. Throws HostError
 * DOCUMENT_CLOSED, DOCUMENT_SWITCHED or DOCUMENT_CHANGED.
 */
export function checkTarget(
  ps: Photoshop,
  document: PsDocument,
  state: Omit<DocumentState, 'document' | 'history'>,
): void {
  if (!documentById(ps, document.id)) throw closed();
  if (ps.app.activeDocument?.id !== document.id)
    throw new HostError(
      'DOCUMENT_SWITCHED',
      `Another document is in front now; the retouch was made for "${document.name}". Nothing was changed.`,
      `Bring "${document.name}" to the front, and apply again.`,
    );
  const now = stateOf(ps, document);
  if (now.width !== state.width || now.height !== state.height) throw changed('size');
  if (now.mode !== state.mode) throw changed('colour mode');
  if (now.depth !== state.depth) throw changed('number of bits per channel');
  if (now.profile !== state.profile) throw changed('colour profile');
}

function closed(): HostError {
  return new HostError(
    'DOCUMENT_CLOSED',
    'The document that the retouch was made for has been closed. Nothing was changed.',
    'Open it again, and retouch it anew.',
  );
}

const key = (document: number, id: number): string => `${document} ${id}`;

export function changed(what: string): HostError {
  return new HostError(
    'DOCUMENT_CHANGED',
    `The document's ${what} changed after it was read, so the retouch does not fit it any more. ${UNTOUCHED}`,
    'Retouch it again as it is now, or go back in its history to where it was read.',
  );
}
