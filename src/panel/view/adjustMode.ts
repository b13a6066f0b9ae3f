import { h, icon, setAttribute, show } from '../dom';
import { exportPreset, importPreset } from '../fileActions';
import { PARAMETERS, type ParameterWord } from '../strings';
import { choice } from './choice';
import { type Slider, slider } from './slider';
import { type Context, type View } from './view';

const GROUPS = [
  {
    id: 'light',
    title: 'groupLight',
    names: ['Exposure2012', 'Contrast2012', 'Highlights2012', 'Shadows2012', 'Whites2012', 'Blacks2012'],
  },
  { id: 'color', title: 'groupColor', names: ['IncrementalTemperature', 'IncrementalTint', 'Vibrance', 'Saturation'] },
  {
    id: 'curve',
    title: 'groupCurve',
    names: ['ParametricHighlights', 'ParametricLights', 'ParametricDarks', 'ParametricShadows'],
  },
] as const;
const HUES = ['Red', 'Orange', 'Yellow', 'Green', 'Aqua', 'Blue', 'Purple', 'Magenta'] as const;
const KINDS = ['HueAdjustment', 'SaturationAdjustment', 'LuminanceAdjustment'] as const;
const TINTS: Partial<Record<string, string>> = { IncrementalTemperature: 'temperature', IncrementalTint: 'tint' };

/** The 38 sliders, grouped as Lightroom groups them. */
export function adjustMode({ controller, strings, language }: Context): View {
  const { store } = controller;
  const words = PARAMETERS[language];
  const sliders = new Map<string, Slider>();
  const bodies = new Map<string, { body: HTMLElement; button: HTMLElement }>();

  const move = (name: string, value: number): void => {
    controller.setSliders({ ...store.get().sliders, [name]: value });
  };
  const make = (name: string, word: ParameterWord, spoken: string): HTMLElement => {
    const made = slider({
      ...{ label: words[word], name: spoken, min: -100, max: 100, rest: 0, signed: true, tint: TINTS[name] ?? '' },
      onInput: (value) => {
        move(name, value);
      },
    });
    sliders.set(name, made);
    return made.element;
  };
  const group = (id: string, title: string, ...content: HTMLElement[]): HTMLElement => {
    const body = h('div', { class: 'group-body', id: `group-${id}` }, ...content);
    const button = h(
      'button',
      {
        type: 'button',
        class: 'group-title',
        'aria-controls': `group-${id}`,
        onclick: () => {
          const { closed } = store.get();
          store.set({ closed: closed.includes(id) ? closed.filter((item) => item !== id) : [...closed, id] });
        },
      },
      title,
      icon('more'),
    );
    bodies.set(id, { body, button });
    return h('div', { class: 'group' }, h('h2', {}, button), body);
  };

  const swatches = choice({
    role: 'radio',
    label: strings.mixerColours,
    class: 'swatches',
    values: HUES,
    content: () => [],
    name: (hue) => words[hue],
    onChoose: (hue) => {
      store.set({ hue: HUES.indexOf(hue) });
    },
  });
  [...swatches.element.children].forEach((button, i) => {
    button.classList.add(`hue-${HUES[i].toLowerCase()}`);
  });
  const mixers = HUES.map((hue) =>
    h(
      'div',
      { class: `mixer hue-${hue.toLowerCase()}` },
      ...KINDS.map((kind) => make(`${kind}${hue}`, kind, `${words[hue]}: ${words[kind]}`)),
    ),
  );
  const noLive = h('p', { class: 'faint' }, strings.noLive);
  const element = h(
    'div',
    { class: 'mode' },
    noLive,
    h(
      'div',
      { class: 'row wrap' },
      h('button', { type: 'button', onclick: () => void importPreset(controller) }, strings.importPreset),
      h(
        'button',
        { type: 'button', class: 'quiet', onclick: () => void exportPreset(controller) },
        strings.exportPreset,
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          onclick: () => {
            controller.setSliders({});
          },
        },
        strings.resetAll,
      ),
    ),
    ...GROUPS.map(({ id, title, names }) =>
      group(id, strings[title], ...names.map((name) => make(name, name, `${strings[title]}: ${words[name]}`))),
    ),
    group('mixer', strings.groupMixer, swatches.element, ...mixers),
  );
  return {
    element,
    update: (state) => {
      show(noLive, state.model?.capabilities.sliders === false);
      for (const [name, made] of sliders) made.set(state.sliders[name] ?? 0);
      swatches.set(HUES[state.hue] ?? 'Red');
      mixers.forEach((mixer, i) => {
        show(mixer, i === state.hue);
      });
      for (const [id, { body, button }] of bodies) {
        const open = !state.closed.includes(id);
        show(body, open);
        setAttribute(button, 'aria-expanded', String(open));
      }
    },
  };
}
