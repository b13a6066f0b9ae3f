import { FilesHost } from '../../host/files/filesHost';
import { type Proxy } from '../../host/host';
import { type CallOptions } from '../../inference';
import { type PhotoState, type Seen, stateOf } from '../batch/entries';
import { type Engine, PROXY_EDGE } from '../engine';
import { type RetouchJob } from '../options';
import { readParameterFile } from '../parameterFile';
import { again, type Answer, type Match, meanLatents } from './answers';

/** One photo that the model is asked about. */
export interface Question {
  readonly proxy: Proxy;
  readonly state: PhotoState;
  /** Is it the only photo of the job? */
  readonly alone: boolean;
  readonly signal: AbortSignal;
  /** Takes the reasoning as it is written. */
  readonly onText?: CallOptions['onText'];
}

export interface Answered {
  readonly answer: Answer;
  /** It is the answer for all photos of the job, and speaks of none of them. */
  readonly shared: boolean;
}

/** What the job asks of the model, the same way in for one photo and for a folder. */
export interface Asking {
  /** What a person should know of what the task read, one sentence each. */
  readonly notes: readonly string[];
  /** Everything that decides what the answers are, for telling this job from others. */
  readonly settings: unknown;
  answer(engine: Engine, question: Question): Promise<Answered>;
  /** Present when photos have to be looked at before the first is retouched. */
  readonly series?: Series;
}

export interface Series {
  readonly match: Match;
  look(engine: Engine, question: Question): Promise<Answer>;
  /** Takes what was seen, in the order of the photos: of the first that could be read, or of all. */
  settle(seen: readonly Seen[]): void;
}

type Look = Series['look'];

/**
 * Reads what the task needs. Parameters and a reference look say the same of every photo, so the model answers once for
 * all, and the times of that answer count for the photo that came first. With parameters for a single photo it is shown
 * that photo, so that its words leave out what is not in it.
 * Throws ParameterFileError, InputError, PresetError, HostError, HostCancelledError.
 */
export async function prepareTask(job: RetouchJob, signal: AbortSignal): Promise<Asking> {
  const { task, match, fast: wordless } = job;
  switch (task.kind) {
    case 'auto':
      return byPhoto(null, match, task.kind, (engine, { proxy, ...rest }) =>
        engine.auto(proxy, { ...callOf(rest), wordless }),
      );
    case 'style':
      return byPhoto(task.text, match, task.kind, (engine, { proxy, ...rest }) =>
        engine.style(proxy, task.text, { ...callOf(rest), wordless }),
      );
    case 'param': {
      const { parameters, notes } = await readParameterFile(task.file, signal);
      const look: Look = (engine, { proxy, alone, ...rest }) =>
        engine.param(parameters, { ...callOf(rest), wordless, ...(alone ? { photo: proxy } : {}) });
      return { notes, settings: [...parameters.values], answer: onceFor(look, ({ alone }) => !alone) };
    }
    case 'reference': {
      const host = new FilesHost(job.out);
      const read = async (file: string): Promise<Proxy> =>
        (await host.open(file, signal)).readProxy(PROXY_EDGE, signal);
      const [before, after] = [await read(task.before), await read(task.after)];
      const look: Look = (engine, question) => engine.reference(before, after, callOf(question));
      const settings = [await stateOf(task.before), await stateOf(task.after)];
      return { notes: [], settings, answer: onceFor(look, () => true) };
    }
  }
}

function callOf({ signal, onText }: Pick<Question, 'signal' | 'onText'>): CallOptions {
  return { signal, onText };
}

function byPhoto(settings: unknown, match: Match | undefined, mode: Answer['mode'], look: Look): Asking {
  if (match) return { notes: [], settings, ...seriesOf(mode, match, look) };
  return {
    notes: [],
    settings,
    answer: async (engine, question) => ({ answer: await look(engine, question), shared: false }),
  };
}

/**
 * The first photo that comes is asked about; its answer is that of all others, and costs them nothing. An answer that
 * failed is asked for again: it may have been stopped with the photo that it was asked for.
 */
function onceFor(look: Look, shared: (question: Question) => boolean): Asking['answer'] {
  let first: Promise<Answer> | undefined;
  return async (engine, question) => {
    if (first) {
      const given = await first.catch(() => undefined);
      if (given) {
        const { mode, latents, reasoning, monochrome } = given;
        return { answer: again(mode, latents, reasoning, monochrome), shared: shared(question) };
      }
    }
    const asked = look(engine, question);
    first = asked;
    return { answer: await asked, shared: shared(question) };
  };
}

function seriesOf(mode: Answer['mode'], match: Match, look: Look): Pick<Asking, 'answer' | 'series'> {
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
    answer: (_engine, { state }) =>
      Promise.resolve({
        answer: again(mode, latents, (seen.get(state.photo) ?? first)!.reasoning),
        shared: false,
      }),
  };
}
