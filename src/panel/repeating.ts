import { apply } from './applying';
import { type Controller } from './controller';
import { type Try } from './state';
import { type Sheet } from './sheets/sheets';

/** The retouch that was made last, and the document that it was made for. */
export interface Last {
  readonly made: Try;
  readonly sheet: string;
}

/** The last retouch, also one of another document, on this one. */
export async function repeat(controller: Controller, sheet: Sheet, { made, sheet: of }: Last): Promise<void> {
  const added: number[] = [];
  await controller.runFor(sheet, 'reading', async ({ signal }) => {
    const { state } = await controller.readProxy(sheet, signal);
    // Words about another photo are not true of this one.
    const words = of === sheet.id ? {} : { texts: {}, cut: undefined };
    added.push(controller.add(sheet, { ...made, ...words, document: state, layer: undefined }));
    controller.selectTry(added[0], sheet);
  });
  if (added.length > 0) await apply(controller, sheet, controller.host.abilities.outputs[0]);
}
