import { FilesHost } from '../../host/files/filesHost';
import { type Proxy } from '../../host/host';
import { type Narrator } from '../console';
import { type Engine, PROXY_EDGE } from '../engine';
import { type RetouchJob } from '../options';
import { readParameterFile } from '../parameterFile';
import { type PhotoState, type Seen, stateOf } from './journal';
import { again, type Answer, type Match, meanLatents } from './series';

/** How the model is asked about the photos of a batch. */
export interface Ask {
  /** The answer for one photo. */
  answer(engine: Engine, proxy: Proxy, state: PhotoState, signal: AbortSignal): Promise<Answer>;
  /** Present when photos have to be looked at before the first is retouched. */
  readonly series?: Series;
}

export interface Series {
  readonly match: Match;
  look(engine: Engine, proxy: Proxy, signal: AbortSignal): Promise<Answer>;
  /** Takes what was seen, in the order of the photos: of the first that could be read, or of all. */
  settle(seen: readonly Seen[]): void;
}

export interface PreparedAsk {
  readonly ask: Ask;
  /** Everything that decides what the answers are, for telling this batch from others. */
  readonly settings: unknown;
}

/** Reads what the task needs. Throws ParameterFileError, InputError, PresetError, HostError. */
export async function prepareAsk(job: RetouchJob, narrator: Narrator, signal: AbortSignal): Promise<PreparedAsk> {
  const { task, match, fast: wordless } = job;
  switch (task.kind) {
    case 'auto':
    case 'style': {
      const text = task.kind === 'style' ? task.text : undefined;
      const look = (engine: Engine, proxy: Proxy, stop: AbortSignal): Promise<Answer> =>
        text === undefined
          ? engine.auto(proxy, { signal: stop, wordless })
          : engine.style(proxy, text, { signal: stop, wordless });
      const settings = text ?? null;
      if (match) return { settings, ask: seriesOf(task.kind, match, look) };
      return { settings, ask: { answer: (engine, proxy, _state, stop) => look(engine, proxy, stop) } };
    }
    case 'param': {
      const { parameters, notes } = await readParameterFile(task.file);
      for (const note of notes) narrator.note(note);
      const answer = onceOf((engine, _proxy, stop) => engine.param(parameters, { signal: stop, wordless }));
      return { settings: [...parameters.values], ask: { answer } };
    }
    case 'reference': {
      const host = new FilesHost(job.out);
      const read = async (file: string): Promise<Proxy> =>
        (await host.open(file, signal)).readProxy(PROXY_EDGE, signal);
      const [before, after] = [await read(task.before), await read(task.after)];
      const answer = onceOf((engine, _proxy, stop) => engine.reference(before, after, { signal: stop }));
      return { settings: [await stateOf(task.before), await stateOf(task.after)], ask: { answer } };
    }
  }
}

/** The first photo that comes is asked about; its answer is that of all others, and costs them nothing. */
function onceOf(look: Series['look']): Ask['answer'] {
  let first: Promise<Answer> | undefined;
  return async (engine, proxy, _state, signal) => {
    if (first) {
      const { mode, latents, reasoning, monochrome } = await first;
      return again(mode, latents, reasoning, monochrome);
    }
    first = look(engine, proxy, signal);
    return first;
  };
}

function seriesOf(mode: Answer['mode'], match: Match, look: Series['look']): Ask {
  let latents: Float32Array = new Float32Array();
  let first: Seen | undefined;
  const seen = new Map<string, Seen>();
  const settle = (all: readonly Seen[]): void => {
    first = all[0];
    for (const entry of all) seen.set(entry.photo, entry);
    latents = meanLatents(all.map((entry) => Float32Array.from(entry.latents)));
  };
  return {
    series: { match, look, settle },
    // With a mean, what is said is what was seen in this photo, and what is done is the look of the series.
    answer: (_engine, _proxy, { photo }) =>
      Promise.resolve(again(mode, latents, (seen.get(photo) ?? first)!.reasoning)),
  };
}
