import { printable } from '../console';

/** Photos whose pace the estimate is made from: recent ones, because sizes differ. */
const RECENT = 30;

/** Lines of progress with the time that is left, from the pace of the last photos. */
export class Progress {
  private count = 0;
  private readonly times: number[];

  constructor(
    private readonly total: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.times = [now()];
  }

  /** A photo has ended after `ms` milliseconds. */
  line(name: string, ms: number): string {
    this.count++;
    this.times.push(this.now());
    if (this.times.length > RECENT + 1) this.times.shift();
    const pace = (this.times.at(-1)! - this.times[0]) / (this.times.length - 1);
    const left = pace * (this.total - this.count);
    const width = String(this.total).length;
    const end = this.count === this.total ? '' : `, about ${duration(left)} left`;
    return `[${String(this.count).padStart(width)}/${this.total}] ${printable(name)}: ${(ms / 1000).toFixed(1)} s${end}`;
  }
}

/** Milliseconds as a person says them. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
