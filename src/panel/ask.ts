import { type PanelHost } from '../host/panelHost';
import { type RetouchResult, type RgbImage } from '../inference';
import { withLookOf } from './borrow';
import { PanelError } from './errors';
import { type PanelMode, type PanelState } from './state';
import { type Store } from './store';
import { type Strings } from './strings';
import { type Engine, type EngineCallOptions } from './worker/engine';

/** The model is shown no more than this. */
export const PROXY_EDGE = 1024;

interface Page {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly store: Store<PanelState>;
  readonly strings: Strings;
}

/** One answer of the model, of what a mode's controls say. Throws as the engine does, and where there is no picture. */
export async function ask(
  page: Page,
  mode: PanelMode,
  photo: RgbImage,
  options: EngineCallOptions,
): Promise<RetouchResult> {
  const { engine, store } = page;
  const { instruction, sliders } = store.get();
  if (mode === 'auto') return engine.call('auto', { photo: plain(photo) }, options);
  if (mode === 'style') return engine.call('style', { photo: plain(photo), instruction }, options);
  if (mode === 'adjust') return engine.call('param', { sliders, photo: plain(photo) }, options);
  return engine.call('reference', await pair(page, plain(photo), options.signal), options);
}

async function pair(
  { host, store, strings }: Page,
  photo: RgbImage,
  signal: AbortSignal | undefined,
): Promise<{ before: RgbImage; after: RgbImage }> {
  const { match, pairBefore, pairAfter, target, otherDocument } = store.get();
  if (match === 'pair' && pairBefore && pairAfter) return { before: plain(pairBefore), after: plain(pairAfter) };
  const other =
    match === 'document' ? await host.readProxy({ longEdge: PROXY_EDGE, id: otherDocument, signal }) : target;
  if (!other) throw new PanelError('PICTURE', strings.matchHelp);
  return { before: photo, after: withLookOf(photo, other) };
}

/** What crosses to the worker: neither the host's own fields nor anything that cannot be cloned. */
function plain({ width, height, data }: RgbImage): RgbImage {
  return { width, height, data };
}
