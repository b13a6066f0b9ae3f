import { HostError } from '../../src/host/errors';
import { BundleError, InferenceError } from '../../src/inference/errors';
import { PanelError } from '../../src/panel/errors';
import { failureIn } from '../../src/panel/errorTexts';

const LOCKED = new HostError('LAYER_LOCKED', 'The layer "Look" is locked. Nothing was changed.', 'Unlock it.');

describe('failures as a person reads them', () => {
  test('in English they are what was thrown', () => {
    expect(failureIn('en', LOCKED)).toEqual({ text: LOCKED.message, hint: 'Unlock it.' });
    expect(failureIn('en', 'odd')).toEqual({ text: 'odd', hint: '' });
  });

  test('in Chinese they are Chinese, and the thrown text follows', () => {
    const { text, hint } = failureIn('zh', LOCKED);
    expect(text).toBe('之前的修图图层已锁定。文档未被更改。');
    expect(hint).toMatch(/^请在图层面板中解锁.*（The layer "Look" is locked\. Nothing was changed\.）$/);
  });

  test.each([
    [new BundleError('BUNDLE_HASH', 'x', 'y'), '模型文件已损坏'],
    [new BundleError('BUNDLE_JSON', 'x', 'y'), '无法使用模型'],
    [new InferenceError('x', 'y'), '模型运行失败'],
    [new PanelError('WORKER_LOST', 'x'), '模型进程已停止'],
    [new Error('x'), '出现问题'],
    [undefined, '出现问题'],
  ])('%s has a sentence of its own', (thrown, begins) => {
    expect(failureIn('zh', thrown).text.startsWith(begins)).toBe(true);
  });

  test('what the page says in its own language stays', () => {
    expect(failureIn('zh', new PanelError('PICTURE', '请选择图片。'))).toEqual({ text: '请选择图片。', hint: '' });
  });
});
