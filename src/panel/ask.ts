import { type PanelHost } from '../host/panelHost';
import { type RetouchResult, type RgbImage } from '../inference';
import { withLookOf } from './borrow';
import { PanelError } from './errors';
import { type PanelState } from './state';
import { type Strings } from './strings';
import { type Engine, type EngineCallOptions } from './worker/engine';

/** The model is shown no more than this. */
export const PROXY_EDGE = 1024;

interface Page {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly strings: Strings;
}

/** What the controls said when the model was asked: what is moved later is not in the answer. */
export type Wish = Pick<
  PanelState,
  'mode' | 'instruction' | 'sliders' | 'match' | 'pairBefore' | 'pairAfter' | 'target' | 'otherDocument'
>;

/** One answer of the model, of what a mode's controls say. Throws as the engine does, and where there is no picture. */
export async function ask(page: Page, wish: Wish, photo: RgbImage, options: EngineCallOptions): Promise<RetouchResult> {
  const { engine } = page;
  const { mode, instruction, sliders } = wish;
  if (mode === 'auto') return engine.call('auto', { photo: plain(photo) }, options);
  if (mode === 'style') return engine.call('style', { photo: plain(photo), instruction }, options);
  if (mode === 'adjust') return engine.call('param', { sliders, photo: plain(photo) }, options);
  return engine.call('reference', await pair(page, wish, plain(photo), options.signal), options);
}

async function pair(
  { host, strings }: Page,
  { match, pairBefore, pairAfter, target, otherDocument }: Wish,
  photo: RgbImage,
  signal: AbortSignal | undefined,
): Promise<{ before: RgbImage; after: RgbImage }> {
  if (match === 'pair' && pairBefore && pairAfter) return { before: plain(pairBefore), after: plain(pairAfter) };
  const id = match === 'document' ? otherDocument : undefined;
  // Without an id the host would read the document in front.
  const other = id === undefined ? undefined : await host.readProxy({ longEdge: PROXY_EDGE, id, signal });
  const look = match === 'target' ? target : other;
  if (!look) throw new PanelError('PICTURE', strings.matchHelp);
  return { before: photo, after: withLookOf(photo, look) };
}

/** What crosses to the worker: neither the host's own fields nor anything that cannot be cloned. */
function plain({ width, height, data }: RgbImage): RgbImage {
  return { width, height, data };
}
