import { type PhotoState, stateOf } from '../batch/entries';

/** One place in the job's list of photos: a photo that is named twice has two. */
export interface JobPhoto {
  /** The path as it was given. */
  readonly file: string;
  readonly state: PhotoState;
}

export async function jobPhotos(files: readonly string[]): Promise<JobPhoto[]> {
  return Promise.all(files.map(async (file) => ({ file, state: await stateOf(file) })));
}
