import { type DocumentProxy, type PanelHost } from '../host/panelHost';
import { ask } from './ask';
import { isCancellation } from './errors';
import { type PanelState, type Try } from './state';
import { type Store } from './store';
import { type Strings, fill } from './strings';
import { type Engine, type EngineCallOptions } from './worker/engine';

/** What an answer of the model needs of the page around it. */
export interface AnsweringPage {
  readonly host: PanelHost;
  readonly engine: Engine;
  readonly store: Store<PanelState>;
  readonly strings: Strings;
  readProxy(signal: AbortSignal): Promise<DocumentProxy>;
  /** Keeps a new try, shows it, and returns its number. */
  add(made: Omit<Try, 'id' | 'factors' | 'overall'>): number;
  change(id: number, patch: Partial<Try>): void;
  /** Renders the current try. */
  show(): void;
  /** Keeps a style for the list of those that were used. */
  remember(instruction: string): Promise<void>;
}

/**
 * Runs the model as the mode says. A model that gives the picture first has its try as soon as that is there; the words then
 * grow in the try, and what stops them leaves picture and words as they are, marked as cut short.
 */
export async function answer(page: AnsweringPage, signal: AbortSignal): Promise<void> {
  const { engine, store, strings } = page;
  const { mode, instruction, sliders } = store.get();
  const started = performance.now();
  const proxy = await page.readProxy(signal);
  store.set({ work: store.get().model ? 'thinking' : 'starting', texts: {} });
  let early: number | undefined;

  const keep = (latents: Float32Array, texts: Try['texts']): number => {
    const seconds = (performance.now() - started) / 1000;
    const id = page.add({ mode, latents, texts, instruction, sliders, seconds, document: proxy.state });
    store.set({ seconds, said: fill(strings.done, { seconds: seconds.toFixed(1) }) });
    return id;
  };
  const options: EngineCallOptions = {
    signal,
    onLatents: (latents) => {
      // What comes with its last word, or without words, is kept when the call ends.
      if (signal.aborted || mode === 'match' || !store.get().model?.capabilities.pictureFirst) return;
      if (early === undefined) early = keep(latents, {});
      else {
        // Another device began anew.
        page.change(early, { latents, texts: {} });
        page.show();
      }
      store.set({ work: 'wording', wording: early });
    },
    onText: ({ field, text }) => {
      const texts = early === undefined ? store.get().texts : textsOf(store.get(), early);
      const grown = { ...texts, [field]: (texts[field] ?? '') + text };
      if (early === undefined) store.set({ work: 'writing', texts: grown });
      else page.change(early, { texts: grown });
    },
    onRestart: () => {
      store.set({ texts: {}, work: 'thinking' });
    },
    onProgress: ({ file, bytes, totalBytes }) => {
      if (store.get().model || !file.endsWith('.onnx')) return;
      // Another model's files come from its folder again when it has slept.
      if (totalBytes && bytes !== undefined && bytes < totalBytes) {
        const { chosen = '' } = store.get();
        store.set({ work: 'loading', loading: chosen, progress: bytes / totalBytes });
      } else {
        // Graphs are loaded for the comparison with the bundle's numbers when the model starts.
        store.set({ work: 'checking', loading: '', progress: undefined });
      }
    },
  };
  await engine.open(options);
  store.set({ work: 'thinking', loading: '', progress: undefined });
  try {
    const { latents } = await ask(page, mode, proxy, options);
    if (early === undefined) {
      store.set({ work: 'rendering' });
      keep(latents, store.get().texts);
    }
  } catch (thrown) {
    if (early === undefined) throw thrown;
    page.change(early, { cut: true });
    if (!isCancellation(thrown)) throw thrown;
    store.set({ said: strings.cutShort });
  } finally {
    store.set({ wording: undefined });
  }
  if (mode === 'style') await page.remember(instruction);
}

function textsOf({ tries }: PanelState, id: number): Try['texts'] {
  return tries.find((made) => made.id === id)?.texts ?? {};
}
