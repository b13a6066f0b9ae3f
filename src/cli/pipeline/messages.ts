import { type Failure } from '../batch/entries';
import { type AppliedPhoto, type ApplyRequest, type OpenedPhoto, type OpenRequest } from './photoHandler';

/** To a worker thread. It answers every request; "cancel" stops the one under way. */
export type ToWorker =
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'apply'; readonly request: ApplyRequest }
  | { readonly kind: 'cancel' };

/** From a worker thread, one for each request. */
export type FromWorker =
  | { readonly kind: 'opened'; readonly photo: OpenedPhoto }
  | { readonly kind: 'applied'; readonly photo: AppliedPhoto }
  /** `failure` for errors of our own, `stack` for anything else. */
  | { readonly kind: 'failed'; readonly failure?: Failure; readonly stack?: string };
