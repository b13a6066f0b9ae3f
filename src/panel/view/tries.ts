import { h, setAttribute, show } from '../dom';
import { type PanelState } from '../state';
import { fill } from '../strings';
import { type Context, type View } from './view';

const HEIGHT = 40;
/** Pictures that are kept, of all documents. */
const MOST = 120;

export interface TriesView extends View {
  /** Takes the picture of a try from the preview. */
  take(made: number | undefined, picture: HTMLCanvasElement): void;
}

/** The tries so far, to go back to. */
export function triesView({ controller, strings }: Context): TriesView {
  const strip = h('div', { class: 'strip', role: 'group', 'aria-label': strings.tries });
  const thumbs = new Map<number, { button: HTMLButtonElement; canvas: HTMLCanvasElement }>();
  let shown: PanelState['tries'] | undefined;

  function update(state: PanelState): void {
    if (shown !== state.tries) {
      shown = state.tries;
      forget(shown);
      shown.forEach(({ id, mode }, i) => {
        if (!thumbs.has(id)) thumbs.set(id, make(id, fill(strings.tryOf, { n: i + 1, mode: strings[mode] })));
      });
      const wanted = shown.map(({ id }) => thumbs.get(id)!.button);
      // Put in anew only where they differ: a button that is moved loses the focus.
      if (wanted.some((button, i) => strip.children[i] !== button) || strip.children.length !== wanted.length) {
        strip.replaceChildren(...wanted);
      }
    }
    for (const [id, { button }] of thumbs) setAttribute(button, 'aria-pressed', String(id === state.current));
    show(strip, shown.length > 1);
  }

  /** Tries of documents that are not in front come back with them; the oldest go first. */
  function forget(those: PanelState['tries']): void {
    for (const id of [...thumbs.keys()].slice(0, -MOST)) if (!those.some((item) => item.id === id)) thumbs.delete(id);
  }

  function make(id: number, name: string) {
    const canvas = h('canvas', { width: 1, height: HEIGHT, 'aria-hidden': 'true' });
    const button = h(
      'button',
      {
        type: 'button',
        class: 'try',
        'aria-label': name,
        onclick: () => {
          controller.selectTry(id);
        },
      },
      canvas,
    );
    return { button, canvas };
  }

  return {
    element: strip,
    update,
    take: (made, picture) => {
      const thumb = thumbs.get(made ?? -1)?.canvas;
      if (!thumb) return;
      thumb.width = Math.max(1, Math.round((picture.width / picture.height) * HEIGHT));
      thumb.getContext('2d')?.drawImage(picture, 0, 0, thumb.width, HEIGHT);
    },
  };
}
