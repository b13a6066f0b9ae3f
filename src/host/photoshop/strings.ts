/** What the host side itself shows: menus, and the shell around a page that is dead. */
export interface Strings {
  readonly auto: string;
  readonly repeat: string;
  readonly reload: string;
  readonly diagnostics: string;
  readonly back: string;
  readonly openPanel: string;
  readonly noPage: string;
  readonly noPageHint: string;
  readonly diagnosticsHint: string;
}

const ENGLISH: Strings = {
  auto: 'Auto-Retouch',
  repeat: 'Repeat Last Retouch on This Document',
  reload: 'Reload Panel',
  diagnostics: 'Show Diagnostics',
  back: 'Back to the Panel',
  openPanel: 'The VeraRetouch panel is closed. Open it by Plugins > VeraRetouch; the command then runs.',
  noPage: 'The panel could not be shown.',
  noPageHint: 'Your documents are as they were. Reload the panel; if it stays, restart Photoshop.',
  diagnosticsHint: 'To report it: select the text below and copy it.',
};

const CHINESE: Strings = {
  auto: '自动修图',
  repeat: '对此文档重复上次修图',
  reload: '重新加载面板',
  diagnostics: '显示诊断信息',
  back: '返回面板',
  openPanel: 'VeraRetouch 面板未打开。请通过“增效工具 > VeraRetouch”打开，命令随后执行。',
  noPage: '无法显示面板。',
  noPageHint: '您的文档未被更改。请重新加载面板；若问题仍在，请重新启动 Photoshop。',
  diagnosticsHint: '如需报告：请选中并复制下面的文字。',
};

/** By a locale of Photoshop's interface, such as "zh_CN". */
export function stringsFor(locale: string): Strings {
  return /^zh[_-](?:cn|hans|sg)/i.test(locale) ? CHINESE : ENGLISH;
}
