import { type Controller } from '../controller';
import { type PanelState } from '../state';
import { type Language, type Strings } from '../strings';

/** What every part of the page is made with. */
export interface Context {
  readonly controller: Controller;
  readonly strings: Strings;
  readonly language: Language;
}

/** A part of the page: made once, then told of every state, so that focus and what is typed stay where they are. */
export interface View {
  readonly element: HTMLElement;
  update(state: PanelState): void;
}
