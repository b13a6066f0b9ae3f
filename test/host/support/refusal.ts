import { readPhoto } from '../../../src/host/files/photo';
import { VeraRetouchError } from '../../../src/color';

/** How reading a photo is refused: with an error of our own that says that nothing was written. */
export async function refusal(file: string): Promise<VeraRetouchError> {
  const thrown: unknown = await readPhoto(file).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(VeraRetouchError);
  const error = thrown as VeraRetouchError;
  expect(error.message).toContain('Nothing was written for it.');
  return error;
}
