import { h, setAttribute, setText, show } from '../dom';
import { FACTORS, type Factor, type Field } from '../../inference';
import { FULL, type Try, currentTry, isWriting, reasoningOf } from '../state';
import { fill } from '../strings';
import { slider } from './slider';
import { type Context, type View } from './view';

/** What the model says, as it says it, and how much of each factor is applied. */
export function reasoningView({ controller, strings }: Context): View {
  const elements = h('p', { class: 'elements' });
  const cards = FACTORS.map((factor) => card(factor));
  const amount = slider({
    ...{ label: strings.amount, min: 0, max: 100, rest: 100, unit: ' %', tint: 'accent' },
    onInput: (value) => {
      controller.setOverall(value / 100);
    },
  });
  amount.element.classList.add('amount');
  const noWords = h('p', { class: 'faint' }, strings.noWords);
  const cut = h('p', { class: 'faint' }, strings.cutNote);
  const element = h(
    'section',
    { class: 'reasoning', 'aria-label': strings.reasoning },
    elements,
    noWords,
    ...cards.map(({ element: part }) => part),
    cut,
    amount.element,
  );

  function card(factor: Factor) {
    const name = strings[factor];
    const problem = h('p', { class: 'problem', 'aria-label': strings.problem });
    const plan = h('p', { class: 'plan', 'aria-label': strings.plan });
    const use = h(
      'button',
      {
        type: 'button',
        role: 'switch',
        class: 'switch',
        'aria-label': fill(strings.useFactor, { factor: name }),
        onclick: () => {
          const on = use.getAttribute('aria-checked') !== 'true';
          controller.setFactor(factor, { on });
        },
      },
      h('span', { class: 'switch-knob' }),
    );
    const strength = slider({
      ...{ label: '', name: fill(strings.strengthOf, { factor: name }), min: 0, max: 200, rest: 100, unit: ' %' },
      tint: factor,
      onInput: (value) => {
        controller.setFactor(factor, { strength: value / 100 });
      },
    });
    const element = h(
      'article',
      { class: 'card', 'data-factor': factor },
      h('header', {}, h('span', { class: `dot ${factor}` }), h('h2', {}, name), use),
      problem,
      plan,
      strength.element,
    );
    return { factor, element, problem, plan, use, strength };
  }

  return {
    element,
    update: (state) => {
      const made = currentTry(state);
      const writing = isWriting(state);
      const texts = writing ? state.texts : (made?.texts ?? {});
      const { elements: seen, problems, plan } = reasoningOf(texts);
      const growing = !writing && made !== undefined && made.id === state.wording;
      const last = writing || growing ? lastField(texts) : undefined;
      show(element, writing || made !== undefined);
      write(elements, seen, last === 'elements');
      show(noWords, !writing && made?.mode === 'match');
      show(cut, !writing && made?.cut === true);
      for (const { factor, ...part } of cards) {
        write(part.problem, problems[factor], last === `problems.${factor}`);
        write(part.plan, plan[factor], last === `plan.${factor}`);
        const begun = problems[factor] !== '' || plan[factor] !== '';
        show(part.element, begun || (!writing && made !== undefined));
        const { strength, on } = (writing ? undefined : made?.factors[factor]) ?? FULL[factor];
        setAttribute(part.use, 'aria-checked', String(on));
        part.element.classList.toggle('off', !on);
        part.strength.set(Math.round(strength * 100), writing || !on);
        part.use.disabled = writing;
      }
      amount.set(Math.round((made?.overall ?? 1) * 100), writing);
      show(amount.element, !writing && made !== undefined);
    },
  };

  function write(paragraph: HTMLElement, text: string, growing: boolean): void {
    setText(paragraph, text);
    paragraph.classList.toggle('growing', growing);
    show(paragraph, text !== '');
  }
}

/** The field that is being written: the last one begun. */
function lastField(texts: Try['texts']): Field | undefined {
  return (Object.keys(texts) as Field[]).at(-1);
}
