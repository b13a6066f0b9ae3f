import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { throwIfCancelled } from '../../host/cancel';
import { type Proxy } from '../../host/host';
import { type NameChooser } from '../../host/files/names';
import { type BakedLut, type LutError, type TextEvent } from '../../inference';
import { type Failure, type Finished, type PhotoState } from '../batch/entries';
import { printable } from '../console';
import { DEVICE, type Engine, PROXY_EDGE } from '../engine';
import { isCancellation } from '../errors';
import { type RetouchJob } from '../options';
import { type RetouchRecord, storyOf } from '../record';
import { type JobPhoto } from './jobPhotos';
import { concernsOnePhoto, failureOf } from './ownErrors';
import { type OpenedPhoto, type PhotoWorker } from './photoHandler';
import { type Answered, type Asking } from './task';
import { type Teller } from './teller';

/** Keeps what becomes of photos: a batch in its journal, a list of photos in memory only. */
export interface Ledger {
  begin(state: PhotoState, name: string, id: string): Promise<void>;
  done(state: PhotoState, name: string, record: RetouchRecord): Promise<Finished>;
  failed(state: PhotoState, failure: Failure): Promise<Finished>;
  /** Names that this photo has had in this job. */
  namesOf(state: PhotoState): ReadonlySet<string>;
}

/** The model, which may still be loading. */
export interface ModelToCome {
  readonly engine: () => Promise<Engine>;
  /** Tells how far it is while `work` waits for it. */
  while<T>(work: Promise<T>, tell: (share: number) => void): Promise<T>;
}

/** Everything that the photos of a job share. */
export interface Session {
  readonly job: RetouchJob;
  readonly key: string;
  readonly bundle: string;
  readonly model: ModelToCome;
  readonly asking: Asking;
  readonly ledger: Ledger;
  readonly names: NameChooser;
  /** Folder of the small pictures, where a contact sheet is made. */
  readonly sheet: string | undefined;
  /** Is it one photo in all? */
  readonly alone: boolean;
  readonly signal: AbortSignal;
  /** The LUT of an answer that all photos share. */
  shared?: Promise<BakedLut> | undefined;
}

/**
 * A photo's whole way: read, asked about, baked, written. How it ended is in the ledger, also when it failed, which then
 * has been told. Throws for what concerns the whole job, HostCancelledError before all.
 */
export async function finishPhoto(
  session: Session,
  worker: PhotoWorker,
  photo: JobPhoto,
  tell: Teller,
): Promise<Finished> {
  const started = performance.now();
  tell.begin();
  const end = await unlessItsOwn(session, photo.state, tell, () => retouchPhoto(session, worker, photo, tell));
  tell.end(performance.now() - started);
  return end;
}

/** Does `work` on a photo. A failure of its own is told and kept, and becomes the result. */
export async function unlessItsOwn<T>(
  { signal, ledger }: Session,
  state: PhotoState,
  tell: Teller,
  work: () => Promise<T>,
): Promise<T | Finished> {
  try {
    return await work();
  } catch (thrown) {
    // Whatever broke after Ctrl-C, the cancellation is what happened.
    throwIfCancelled(signal);
    if (isCancellation(thrown) || !concernsOnePhoto(thrown)) throw thrown;
    tell.failed(thrown);
    return ledger.failed(state, failureOf(thrown));
  }
}

export function openPhoto({ job, signal }: Session, worker: PhotoWorker, file: string): Promise<OpenedPhoto> {
  return worker.open({ file, out: job.out, longEdge: PROXY_EDGE }, signal);
}

async function retouchPhoto(
  session: Session,
  worker: PhotoWorker,
  { file, state }: JobPhoto,
  tell: Teller,
): Promise<Finished> {
  const { job, bundle, model, ledger, names, signal } = session;
  const started = performance.now();
  tell.stage('reading the photo');
  const { proxy, notes, name: photoName } = await openPhoto(session, worker, file);
  for (const note of notes) tell.note(note);
  tell.stage('loading the model');
  const engine = await model.while(model.engine(), (share) => {
    tell.loading(share);
  });
  throwIfCancelled(signal);
  const load = performance.now() - started;

  tell.stage('thinking');
  const { alone } = session;
  const onText = (event: TextEvent): void => {
    tell.text(event);
  };
  const answered = await session.asking.answer(engine, { proxy, state, alone, signal, onText });
  tell.stage('rendering');
  const baking = performance.now();
  const { lut, error } = await bakedFor(session, engine, answered, proxy);
  tell.detail(`LUT of ${lut.size} points; its error: ${describeError(error)}`);
  const bakeMs = performance.now() - baking;

  const { mode, reasoning, timingsMs, tokens } = answered.answer;
  const answer = { mode, reasoning, timingsMs, tokens };
  const name = await names.choose(photoName, ledger.namesOf(state));
  const id = `${session.key}-${randomBytes(4).toString('hex')}`;
  await ledger.begin(state, name, id);
  const { match } = job;
  const provenance = { mode, reasoning, strength: job.strength, bundle, lut: { size: lut.size, error } };
  const { record, sheetNote } = await worker.apply(
    {
      lut: { size: lut.size, data: lut.data },
      story: storyOf(reasoning),
      provenance: match ? { ...provenance, match } : provenance,
      name,
      record: { result: answer, load: load + timingsMs.load, device: DEVICE, bundle, notes, job: id },
      bakeMs,
      sheet: session.sheet && path.join(job.out, session.sheet),
    },
    signal,
    (stage) => {
      if (stage === 'write') tell.stage('writing');
    },
  );
  if (sheetNote !== undefined) tell.note(sheetNote);
  tell.detail(`done in ${((performance.now() - started) / 1000).toFixed(1)} s: ${summary(record)}`);
  if (name !== photoName) tell.detail(`The name was taken, so the results are ${printable(name)}.*`);
  return ledger.done(state, name, record);
}

/**
 * The LUT of a photo's own answer is measured on the photo too. An answer for all photos has one LUT for all, measured
 * over the whole cube, whichever photo comes first.
 */
async function bakedFor(
  session: Session,
  engine: Engine,
  { answer, shared }: Answered,
  proxy: Proxy,
): Promise<BakedLut> {
  const { job, signal } = session;
  const bake = (photo: Uint8Array | undefined): Promise<BakedLut> =>
    engine.bakeMeasuredLut(answer.latents, { strength: job.strength, monochrome: answer.monochrome, photo, signal });
  if (!shared) return bake(proxy.data);
  session.shared ??= bake(undefined);
  try {
    return await session.shared;
  } catch (thrown) {
    // The next photo may have more luck.
    session.shared = undefined;
    throw thrown;
  }
}

function describeError({ mean, p99, max }: LutError): string {
  return `dE2000 ${mean.toFixed(3)} on average, ${p99.toFixed(2)} for 99 of 100 colors, ${max.toFixed(2)} at most`;
}

function summary({ timingsMs, tokens }: RetouchRecord): string {
  const stages = Object.entries(timingsMs).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)}`);
  return `${stages.join(', ')} s; ${tokens} tokens`;
}
