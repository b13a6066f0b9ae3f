import { HostError } from '../errors';
import { type DocumentInfo } from '../panelHost';
import { type Photoshop, type PsDocument, type PsLayer } from './ports';

export const UNTOUCHED = 'The document was left as it was.';

/** What a retouch was made for: while this stays the same, so does the picture. */
export interface DocumentState {
  readonly document: number;
  readonly width: number;
  readonly height: number;
  readonly mode: string;
  readonly depth: string;
  /** Empty where the document has none. */
  readonly profile: string;
  readonly history: number;
  /** The layer of an earlier retouch that was left out of the picture. */
  readonly without?: number | undefined;
}

/** The same with what was seen: a checksum of the picture, and how large it was asked for. */
export interface ReadState extends DocumentState {
  readonly look: number;
  readonly longEdge: number;
}

export function documentById(ps: Photoshop, id: number): PsDocument | undefined {
  return Array.from(ps.app.documents).find((document) => document.id === id);
}

export function profileOf(ps: Photoshop, document: PsDocument): string {
  return document.colorProfileType === ps.constants.ColorProfileType.NONE ? '' : document.colorProfileName;
}

export function stateOf(ps: Photoshop, document: PsDocument): DocumentState {
  return {
    document: document.id,
    width: document.width,
    height: document.height,
    mode: document.mode,
    depth: document.bitsPerChannel,
    profile: profileOf(ps, document),
    history: document.activeHistoryState.id,
  };
}

export function writeState(state: ReadState): string {
  return JSON.stringify(state);
}

/** Throws HostError for a text that `writeState` has not written. */
export function readState(text: string): ReadState {
  try {
    const state = JSON.parse(text) as Partial<Record<keyof ReadState, unknown>>;
    const { document, width, height, history, look, longEdge } = state;
    const numbers = [document, width, height, history, look, longEdge].every(Number.isSafeInteger);
    const texts = [state.mode, state.depth, state.profile].every((value) => typeof value === 'string');
    const { without } = state;
    if (numbers && texts && (without === undefined || Number.isSafeInteger(without))) return state as ReadState;
  } catch {
    // The same as a text that is something else.
  }
  throw new HostError(
    'DOCUMENT_CHANGED',
    `It cannot be told which document the retouch was made for. ${UNTOUCHED}`,
    'Retouch the document again.',
  );
}

export function describe(ps: Photoshop, document: PsDocument): DocumentInfo {
  const [mode] = modeOf(ps, document);
  const bits = bitsOf(ps, document);
  const profile = profileOf(ps, document);
  const refusal = refusalOf(ps, document);
  return {
    id: String(document.id),
    name: document.name,
    width: document.width,
    height: document.height,
    description: `${mode}, ${bits} ${bits === 1 ? 'bit' : 'bits'}, ${profile === '' ? 'no profile' : profile}`,
    ...(refusal ? { refusal: `${refusal.why}: ${refusal.remedy}.` } : {}),
  };
}

/** Throws HostError DOCUMENT_UNSUITED. */
export function checkSuited(ps: Photoshop, document: PsDocument): void {
  const refusal = refusalOf(ps, document);
  if (!refusal) return;
  const remedy = `${refusal.remedy[0].toUpperCase()}${refusal.remedy.slice(1)}.`;
  throw new HostError('DOCUMENT_UNSUITED', `${refusal.why}. ${UNTOUCHED}`, remedy);
}

export function bitsOf({ constants }: Photoshop, { bitsPerChannel }: PsDocument): number {
  const { ONE, EIGHT, SIXTEEN, THIRTYTWO } = constants.BitsPerChannelType;
  const bits = new Map([
    [ONE, 1],
    [EIGHT, 8],
    [SIXTEEN, 16],
    [THIRTYTWO, 32],
  ]);
  return bits.get(bitsPerChannel) ?? 0;
}

/** Is any layer shown that has pixels? */
export function hasVisiblePixels(layers: ArrayLike<PsLayer>): boolean {
  return Array.from(layers).some(({ visible, layers: inner, bounds }) => {
    if (!visible) return false;
    return inner ? hasVisiblePixels(inner) : bounds.right > bounds.left && bounds.bottom > bounds.top;
  });
}

export function emptyDocument(): HostError {
  return new HostError(
    'DOCUMENT_EMPTY',
    `The document shows no pixels: there is nothing to retouch. ${UNTOUCHED}`,
    'Place or paste a photo, or show a hidden layer, and try again.',
  );
}

interface Refusal {
  /** The first half of a sentence; `remedy` is the other one. */
  readonly why: string;
  readonly remedy: string;
}

/** Modes have a name and, where they cannot be retouched, a way out. */
function modeOf({ constants }: Photoshop, { mode }: PsDocument): [name: string, remedy?: string] {
  const { RGB, GRAYSCALE, LAB, CMYK, INDEXEDCOLOR, BITMAP, MULTICHANNEL, DUOTONE } = constants.DocumentMode;
  const convert = 'convert it, or a copy of it, by Image > Mode > RGB Color';
  const first = 'choose Image > Mode > Grayscale, then Image > Mode > RGB Color, in a copy of it';
  const modes = new Map<string, [string, string?]>([
    [RGB, ['RGB']],
    [GRAYSCALE, ['Grayscale', convert]],
    [LAB, ['Lab', convert]],
    [CMYK, ['CMYK', 'convert a copy of it by Image > Mode > RGB Color; its inks would be lost in the original']],
    [INDEXEDCOLOR, ['Indexed Color', convert]],
    [BITMAP, ['Bitmap', first]],
    [MULTICHANNEL, ['Multichannel', convert]],
    [DUOTONE, ['Duotone', convert]],
  ]);
  return modes.get(mode) ?? ['an unknown mode', convert];
}

function refusalOf(ps: Photoshop, document: PsDocument): Refusal | undefined {
  const [mode, remedy] = modeOf(ps, document);
  if (remedy) return { why: `The document is in ${mode}, and only RGB can be retouched`, remedy };
  const bits = bitsOf(ps, document);
  if (bits !== 8 && bits !== 16)
    return {
      why: `The document has ${bits} bits per channel, and only 8 and 16 can be retouched`,
      remedy: 'convert a copy of it by Image > Mode > 16 Bits/Channel',
    };
  if (document.artboards.length > 0)
    return {
      why: 'The document has artboards, over which one retouch cannot be laid',
      remedy: 'duplicate the artboard into a document of its own by Layer > Duplicate Artboard, and retouch that',
    };
  if (document.quickMaskMode)
    return { why: 'The document is in Quick Mask mode', remedy: 'press Q to leave it, and try again' };
  return undefined;
}
