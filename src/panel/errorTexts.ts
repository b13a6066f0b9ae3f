import { type HostErrorCode } from '../host/errors';
import { hintOf, messageOf } from './errors';
import { type Language } from './strings';

/**
 * What failures are called in Chinese, by their code. Those who throw write English, with names and figures; their message
 * follows in brackets, so that names are not lost and a report can be understood. What to do is said in Chinese only.
 */
interface Said {
  readonly text: string;
  readonly hint: string;
}

const UNTOUCHED = '文档未被更改。';
const AGAIN = '请重试。';
const REINSTALL = '请重新安装面板或模型。';
const OTHER_FILE = '请选择其他文件。';

/** Of the host; none can be forgotten, the compiler sees to that. */
const HOST: Readonly<Record<HostErrorCode, Said>> = {
  PHOTO_NOT_FOUND: { text: '没有打开这张照片。', hint: '请先打开照片。' },
  PHOTO_UNREADABLE: { text: '无法读取照片。', hint: '请检查文件是否存在且未被锁定。' },
  PHOTO_NOT_A_FILE: { text: '所选的不是文件。', hint: OTHER_FILE },
  PHOTO_NOT_AN_IMAGE: { text: '这不是可以读取的图片。', hint: '请另存为 JPEG、PNG、WebP 或 AVIF。' },
  PHOTO_FORMAT: { text: '不支持此图片格式。', hint: OTHER_FILE },
  PHOTO_DAMAGED: { text: '图片已损坏。', hint: OTHER_FILE },
  PHOTO_TOO_LARGE: { text: '图片过大，未打开。', hint: '请使用较小的副本，再把 .cube 文件应用到原图。' },
  PHOTO_ALREADY_USED: { text: '这张照片已经用过。', hint: OTHER_FILE },
  OUTPUT_FOLDER: { text: '无法使用目标文件夹。', hint: '请选择其他位置。' },
  OUTPUT_EXISTS: { text: '同名文件已存在，未覆盖。', hint: '请换一个名称或位置。' },
  OUTPUT_WRITE: { text: `无法写入文件。${UNTOUCHED}`, hint: '请选择其他位置，或清理磁盘空间。' },
  OUTPUT_UNKNOWN: { text: `不支持此输出方式。${UNTOUCHED}`, hint: '请以图层方式应用，再用 Photoshop 存储。' },
  BUNDLE_FOLDER: { text: '这不是模型文件夹。', hint: REINSTALL },
  DOCUMENT_NONE: { text: '没有打开的文档。', hint: '请打开一张照片后重试。' },
  DOCUMENT_UNSUITED: { text: `不支持此文档的模式或位深。${UNTOUCHED}`, hint: '请转换为 RGB、8 位或 16 位后重试。' },
  DOCUMENT_EMPTY: { text: `文档没有可见像素。${UNTOUCHED}`, hint: '请置入照片或显示隐藏的图层后重试。' },
  DOCUMENT_CLOSED: { text: '所修的文档已关闭。未作任何更改。', hint: '请重新打开并再次修图。' },
  DOCUMENT_SWITCHED: { text: '前台已是另一个文档。未作任何更改。', hint: '请切换回原文档后再应用。' },
  DOCUMENT_CHANGED: {
    text: `读取之后文档有了变化，结果不再适用。${UNTOUCHED}`,
    hint: '请重新修图，或在历史记录中返回。',
  },
  LAYER_LOCKED: { text: `之前的修图图层已锁定。${UNTOUCHED}`, hint: '请在图层面板中解锁，或另建一次修图。' },
  FILE_UNREADABLE: { text: '无法读取文件。未作任何更改。', hint: '请检查文件是否存在且未被锁定。' },
  FILE_TOO_LARGE: { text: '文件过大，未读取。', hint: OTHER_FILE },
  FILE_NAME: { text: '文件名不合规，未读取。', hint: '请重新获取模型。' },
  FILE_MISSING: {
    text: '所选文件夹中缺少文件。未作任何更改。',
    hint: '请检查这是否为模型文件夹、是否仍在原处，然后重新选择。',
  },
  FOLDER_GONE: {
    text: '无法再访问上次使用的模型文件夹。未作任何更改，现使用内置模型。',
    hint: '请连接所在磁盘，或通过“使用其他模型…”重新选择文件夹。',
  },
  HOST_BUSY: {
    text: `Photoshop 正忙。${UNTOUCHED}`,
    hint: '请先完成或关闭 Photoshop 中打开的对话框、变换或其他增效工具。',
  },
  HOST_FAILED: { text: `Photoshop 未能完成操作。${UNTOUCHED}`, hint: '请重试；若仍出现，请重新启动 Photoshop。' },
};

/** Of the model, presets, the page and the connection: by the beginning of the code; the first that fits counts. */
const OTHERS: readonly (readonly [string, Said])[] = [
  ['BUNDLE_HASH', { text: '模型文件已损坏或被改动，未使用。', hint: REINSTALL }],
  ['BUNDLE_VERSION', { text: '模型的版本不被支持。', hint: '请更新面板，或使用与此版本相符的模型。' }],
  ['BUNDLE_', { text: '无法使用模型，未加载。', hint: REINSTALL }],
  ['INPUT_INSTRUCTION', { text: '风格描述为空或过长。未作修图。', hint: '请用几个词描述想要的效果。' }],
  ['INPUT_', { text: '输入的内容无法使用。未作修图。', hint: '请检查后重试。' }],
  ['INFERENCE', { text: '模型运行失败，没有结果。', hint: '内存不足时请关闭其他程序，然后重试。' }],
  ['MEMORY', { text: '内存不足，无法运行此模型。', hint: '请关闭其他程序，或使用内置模型。' }],
  ['PRESET_', { text: '无法读取此预设，未导入。', hint: '请从 Lightroom 或 Camera Raw 重新导出，或选择其他文件。' }],
  ['ICC_', { text: `无法处理文档的颜色配置文件。${UNTOUCHED}`, hint: '请转换为 sRGB 后重试。' }],
  ['BRIDGE_', { text: '面板与 Photoshop 的连接中断。未作任何更改。', hint: '请重新加载面板。' }],
  ['ASSET_MISSING', { text: '面板缺少文件。未作修图。', hint: '请重新安装面板。' }],
  ['WORKER_LOST', { text: '模型进程已停止。未作任何更改。', hint: '请重试；内存不足时请关闭其他程序。' }],
];
const UNKNOWN: Said = { text: '出现问题，未作任何更改。', hint: AGAIN };
/** Thrown by the page in the page's language already. */
const OWN = ['PICTURE', 'NO_RETOUCH'];

/** A failure as the person reads it: what happened and what was left untouched; what to do. */
export function failureIn(language: Language, thrown: unknown): Said {
  const own: Said = { text: messageOf(thrown), hint: hintOf(thrown) };
  const { code } = (thrown ?? {}) as { code?: unknown };
  if (language === 'en' || (typeof code === 'string' && OWN.includes(code))) return own;
  const known = typeof code === 'string' ? (byCode(code) ?? UNKNOWN) : UNKNOWN;
  return { text: known.text, hint: `${known.hint}（${own.text}）` };
}

function byCode(code: string): Said | undefined {
  if (Object.hasOwn(HOST, code)) return HOST[code as HostErrorCode];
  return OTHERS.find(([beginning]) => code.startsWith(beginning))?.[1];
}
