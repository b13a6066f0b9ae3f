import path from 'node:path';
import { filesOf } from '../../host/files/names';
import { type Finished } from '../batch/entries';
import { type TextSink } from '../console';
import { type JobPhoto } from './jobPhotos';

/** Results on stdout in the order of the photos, each as soon as all before it have ended. */
export class InOrder {
  private next = 0;

  constructor(
    private readonly photos: readonly JobPhoto[],
    private readonly ends: ReadonlyMap<JobPhoto, Finished>,
    private readonly json: boolean,
    private readonly out: string,
    private readonly stdout: TextSink,
  ) {}

  print(): void {
    for (; this.next < this.photos.length; this.next++) {
      const end = this.ends.get(this.photos[this.next]);
      if (!end) return;
      const done = end.kind === 'done' ? end : undefined;
      if (this.json) this.stdout.write(`${JSON.stringify(done?.record ?? null)}\n`);
      else if (done) {
        this.stdout.write(
          filesOf(done.name)
            .map((file) => `${path.join(this.out, file)}\n`)
            .join(''),
        );
      }
    }
  }
}
