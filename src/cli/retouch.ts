import { prepareFolder, removeIfEmpty } from '../host/files/fileSet';
import { FilesHost } from '../host/files/filesHost';
import { useThreads } from '../host/files/photo';
import { throwIfCancelled } from '../host/cancel';
import { type Host, type HostDocument, type Proxy } from '../host/host';
import { type CallOptions, type LutError, type Parameters, type RetouchResult } from '../inference';
import { Narrator, type Terminal, printable } from './console';
import { NO_TIME } from './batch/series';
import { bundleName, DEVICE, type Engine, type EngineLoader, PROXY_EDGE } from './engine';
import { EXIT, concernsOnePhoto, isCancellation } from './errors';
import { type RetouchJob } from './options';
import { readParameterFile } from './parameterFile';
import { FAST, type RetouchRecord, makeRecord, storyOf } from './record';

/** What the model said, and the photo as it saw it, where it did. */
interface Asked {
  readonly result: RetouchResult;
  readonly proxy?: Proxy;
}

/** How far the model's files are read, and who wants to know: it is loaded beside the first photo. */
interface Waiting {
  share: number;
  tell?: ((share: number) => void) | undefined;
}

/** Everything that the work on one photo needs and that stays the same for all photos. */
interface Session {
  readonly job: RetouchJob;
  readonly host: Host;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  readonly engine: Promise<Engine>;
  readonly waiting: Waiting;
  readonly ask: (engine: Engine, document: HostDocument) => Promise<Asked>;
}

/**
 * `veraretouch retouch`: every photo of the job, one after another. A photo that cannot be done does not stop the
 * others. Returns the exit code; throws for what concerns the whole job, with nothing half-written.
 */
export async function runRetouch(
  job: RetouchJob,
  terminal: Terminal,
  signal: AbortSignal,
  loadEngine: EngineLoader,
): Promise<number> {
  const narrator = new Narrator(terminal);
  if (job.threads !== undefined) useThreads(job.threads);
  const file = job.task.kind === 'param' ? await readParameterFile(job.task.file) : undefined;
  for (const note of file?.notes ?? []) narrator.note(note);
  if (job.fast) narrator.note(FAST);
  const made = await prepareFolder(job.out);
  // The model is loaded beside the first photo; it is given up when nothing is left to do for it.
  const givenUp = new AbortController();
  const waiting: Waiting = { share: 0 };
  const engine = loadEngine({
    bundle: job.bundle,
    threads: job.threads,
    mode: job.task.kind,
    signal: AbortSignal.any([signal, givenUp.signal]),
    onProgress: (share) => {
      waiting.share = share;
      waiting.tell?.(share);
    },
  });
  engine.catch(() => undefined);
  try {
    const host = new FilesHost(job.out);
    const ask = await prepareTask(job, host, file?.parameters, narrator, signal);
    const session: Session = { job, host, narrator, signal, engine, waiting, ask };
    let failed = 0;
    for (const photo of job.photos) {
      const done = await retouchOne(session, photo);
      if (done) {
        terminal.stdout.write(
          job.json ? `${JSON.stringify(done.record)}\n` : done.results.map((file) => `${file}\n`).join(''),
        );
      } else {
        failed++;
        if (job.json) terminal.stdout.write('null\n');
      }
    }
    if (failed > 0 && job.photos.length > 1) narrator.note(`${failed} of ${job.photos.length} photos failed.`);
    return failed > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    givenUp.abort();
    await removeIfEmpty(job.out, made);
    // On cancellation the process ends at once; waiting for the model to stop would only delay that.
    if (!signal.aborted) await engine.then((loaded) => loaded.dispose()).catch(() => undefined);
  }
}

interface Done {
  readonly results: readonly string[];
  readonly record: RetouchRecord;
}

/** One photo; undefined when it failed, which has then been said. Throws for what concerns the whole job. */
async function retouchOne(session: Session, photo: string): Promise<Done | undefined> {
  const { narrator, signal } = session;
  try {
    narrator.photo(photo);
    return await retouchPhoto(session, photo);
  } catch (thrown) {
    // Whatever broke after Ctrl-C, the cancellation is what happened.
    throwIfCancelled(signal);
    if (isCancellation(thrown) || !concernsOnePhoto(thrown)) throw thrown;
    narrator.error(thrown, photo);
    return undefined;
  }
}

async function retouchPhoto(session: Session, photo: string): Promise<Done> {
  const { job, host, narrator, signal, ask } = session;
  const started = performance.now();
  narrator.stage('reading the photo');
  const document = await host.open(photo, signal);
  for (const note of document.notes) narrator.note(note);
  narrator.stage('loading the model');
  const engine = await loaded(session);
  throwIfCancelled(signal);
  const loadMs = performance.now() - started;

  narrator.stage('thinking');
  const { result, proxy } = await ask(engine, document);
  narrator.stage('rendering');
  const baking = performance.now();
  const baked = await engine.bakeMeasuredLut(result.latents, {
    strength: job.strength,
    monochrome: result.monochrome,
    photo: proxy?.data,
    signal,
  });
  const { lut, error } = baked;
  narrator.note(`LUT of ${lut.size} points; its error: ${describeError(error)}`);
  const bakeMs = performance.now() - baking;

  const bundle = bundleName(engine);
  const applied = await document.applyRetouch(
    {
      lut,
      story: storyOf(result.reasoning),
      provenance: {
        mode: result.mode,
        reasoning: result.reasoning,
        strength: job.strength,
        bundle,
        lut: { size: lut.size, error },
      },
      record: ({ render, write }) =>
        makeRecord({
          result,
          load: loadMs + result.timingsMs.load,
          render: bakeMs + render,
          write,
          device: DEVICE,
          bundle,
        }),
    },
    {
      signal,
      onStage: (stage) => {
        if (stage === 'write') narrator.stage('writing');
      },
    },
  );
  const record = applied.record as RetouchRecord;
  narrator.note(`done in ${((performance.now() - started) / 1000).toFixed(1)} s: ${summary(record)}`);
  if (document.name !== baseName(applied.results[0] ?? '')) {
    narrator.note(`The name was taken, so the results are ${printable(baseName(applied.results[0] ?? ''))}.*`);
  }
  return { results: applied.results, record };
}

async function loaded({ engine, waiting, narrator }: Session): Promise<Engine> {
  waiting.tell = (share) => {
    narrator.progress(share);
  };
  if (waiting.share > 0 && waiting.share < 1) waiting.tell(waiting.share);
  try {
    return await engine;
  } finally {
    waiting.tell = undefined;
  }
}

/**
 * How the model is asked. Parameters and a reference look say the same for every photo, so the model answers once and
 * the times of that answer are counted for the first photo.
 */
async function prepareTask(
  job: RetouchJob,
  host: Host,
  parameters: Parameters | undefined,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<Session['ask']> {
  const { task } = job;
  const options: CallOptions = {
    signal,
    wordless: job.fast,
    onText: (event) => {
      narrator.text(event);
    },
  };
  switch (task.kind) {
    case 'auto':
      return onPhoto((engine, proxy) => engine.auto(proxy, options), signal);
    case 'style':
      return onPhoto((engine, proxy) => engine.style(proxy, task.text, options), signal);
    case 'param':
      // One answer for several photos speaks of none of them.
      if (job.photos.length > 1) return once((engine) => engine.param(parameters!, options));
      return onPhoto((engine, photo) => engine.param(parameters!, { ...options, photo }), signal);
    case 'reference': {
      const before = await readReference(host, task.before, signal);
      const after = await readReference(host, task.after, signal);
      return once((engine) => engine.reference(before, after, options));
    }
  }
}

async function readReference(host: Host, file: string, signal: AbortSignal): Promise<Proxy> {
  return (await host.open(file, signal)).readProxy(PROXY_EDGE, signal);
}

function onPhoto(ask: (engine: Engine, proxy: Proxy) => Promise<RetouchResult>, signal: AbortSignal): Session['ask'] {
  return async (engine, document) => {
    const proxy = await document.readProxy(PROXY_EDGE, signal);
    return { result: await ask(engine, proxy), proxy };
  };
}

function once(askOnce: (engine: Engine) => Promise<RetouchResult>): Session['ask'] {
  let answer: RetouchResult | undefined;
  return async (engine) => {
    if (answer) return { result: { ...answer, timingsMs: NO_TIME } };
    answer = await askOnce(engine);
    return { result: answer };
  };
}

function describeError({ mean, p99, max }: LutError): string {
  return `dE2000 ${mean.toFixed(3)} on average, ${p99.toFixed(2)} for 99 of 100 colours, ${max.toFixed(2)} at most`;
}

function summary({ timingsMs, tokens }: RetouchRecord): string {
  const stages = Object.entries(timingsMs).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)}`);
  return `${stages.join(', ')} s; ${tokens} tokens`;
}

function baseName(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
}
