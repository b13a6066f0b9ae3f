import { RAW_ENDINGS, endingOf } from '../endings';

/** What cameras write beside a raw file. */
const BESIDE: ReadonlySet<string> = new Set(['jpg', 'jpeg', 'jpe', 'heic', 'heif', 'hif']);

/**
 * The raw files among the names of one folder that have the camera's own picture beside them: the same name but for the
 * ending, in whatever case. Such a pair is one photo, as in Lightroom; the picture is the one to take, because the
 * camera has corrected lens and noise in it, which the developing here does not. Whoever wants the raw names it.
 */
export function rawsBesidePictures(names: readonly string[]): string[] {
  const stem = (name: string): string => name.slice(0, name.length - endingOf(name).length).toLowerCase();
  const pictures = new Set(names.filter((name) => BESIDE.has(endingOf(name))).map(stem));
  return names.filter((name) => RAW_ENDINGS.has(endingOf(name)) && pictures.has(stem(name)));
}
