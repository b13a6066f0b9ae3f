import { Tokenizer } from '@huggingface/tokenizers';
import { BundleError, messageOf } from './errors';

/** Added tokens, and characters of one: they are looked for at every place of a template. */
const MOST_ADDED = 16384;
const LONGEST_ADDED = 1000;

interface AddedToken {
  readonly id: number;
  readonly content: string;
}

/**
 * The bundle's tokenizer. Text is always cut by a tokenizer that knows no added token at all; added tokens are
 * recognised here, and only in templates. So whatever a user types, no special token comes out of it.
 */
export class BundleTokenizer {
  private readonly added: ReadonlyMap<string, number>;
  private readonly addedIds: ReadonlySet<number>;
  private readonly anyAdded: RegExp | undefined;

  private constructor(
    private readonly plain: Tokenizer,
    added: readonly AddedToken[],
    private readonly fileName: string,
  ) {
    this.added = new Map(added.map((token) => [token.content, token.id]));
    this.addedIds = new Set(this.added.values());
    // Longest first: where one token's text begins another's, the longer one is meant.
    const contents = [...this.added.keys()].sort((a, b) => b.length - a.length).map(escapeForRegExp);
    this.anyAdded = contents.length > 0 ? new RegExp(`(${contents.join('|')})`) : undefined;
  }

  /**
   * From the parsed tokenizer.json and tokenizer_config.json of Hugging Face's tokenizers.
   * Throws BundleError BUNDLE_TOKENIZER when they are none, or use what this product does not reproduce.
   */
  static create(json: unknown, config: unknown, fileName = 'tokenizer.json'): BundleTokenizer {
    const added = readAddedTokens(json, fileName);
    try {
      const plain = new Tokenizer({ ...(json as object), added_tokens: [] }, config as object);
      return new BundleTokenizer(plain, added, fileName);
    } catch (cause) {
      throw new BundleError(
        'BUNDLE_TOKENIZER',
        `${fileName} cannot be used: ${messageOf(cause)}. Nothing was loaded.`,
        'Save the tokenizer again with Hugging Face tokenizers or transformers.',
        cause,
      );
    }
  }

  /** Ids of text written by the bundle's maker, in which the text of an added token means that token. */
  encodeTemplate(text: string): number[] {
    return this.splitTemplate(text).flatMap((piece) => (typeof piece === 'number' ? [piece] : this.encodeText(piece)));
  }

  /** The same cut at the added tokens: their ids, and the runs of ordinary text between them. */
  splitTemplate(text: string): (number | string)[] {
    const pieces = this.anyAdded ? text.split(this.anyAdded) : [text];
    return pieces.filter((piece) => piece !== '').map((piece) => this.added.get(piece) ?? piece);
  }

  /**
   * Ids of text written by a user: never the id of an added token. Halves of surrogate pairs, which are no
   * characters, become U+FFFD.
   */
  encodeText(text: string): number[] {
    if (text === '') return [];
    const ids = this.plain.encode(text, { add_special_tokens: false }).ids;
    // A merge rule could in theory spell an added token's text out. One character at a time cannot.
    if (!ids.some((id) => this.addedIds.has(id))) return ids;
    return Array.from(text).flatMap((character) => this.plain.encode(character, { add_special_tokens: false }).ids);
  }

  /** The text of ids, exactly as written: no clean-up of spaces. Bytes that form no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string {
    if (ids.length === 0) return '';
    return this.plain.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  /** Id of one added token. Throws BundleError BUNDLE_TOKENIZER when the tokenizer has none of that text. */
  addedTokenId(content: string): number {
    const id = this.added.get(content);
    if (id !== undefined) return id;
    throw new BundleError(
      'BUNDLE_TOKENIZER',
      `bundle.json uses the token ${JSON.stringify(content)}, which ${this.fileName} does not list among its added tokens. ` +
        'Nothing was loaded.',
      'Export the bundle again, with the tokenizer that the model was trained with.',
    );
  }

  /** The texts of all added tokens. */
  get addedTokens(): readonly string[] {
    return [...this.added.keys()];
  }

  /** May the model write this id inside a section, as part of a text? */
  isText(id: number): boolean {
    return !this.addedIds.has(id) && this.plain.id_to_token(id) !== undefined;
  }
}

/**
 * The text of a section as it comes in, token by token. A token may end in the middle of a character: what could
 * still become a whole one is held back. White space at both ends of the section is never given out.
 */
export class TextStream {
  private readonly ids: number[] = [];
  private given = '';

  constructor(private readonly tokenizer: BundleTokenizer) {}

  /** Takes the next token and returns the text that is certain now and was not given out before. */
  push(id: number): string {
    this.ids.push(id);
    // Pieces of a character decode to U+FFFD. At the end of the text the next token may complete them; inside it they
    // are a slip of the model that would only show as a black diamond.
    const certain = this.tokenizer.decode(this.ids).replaceAll('\uFFFD', '').trim();
    if (!certain.startsWith(this.given)) return '';
    const fresh = certain.slice(this.given.length);
    this.given = certain;
    return fresh;
  }

  /** Everything given out, which is the section's text: a character that was never completed is left out. */
  get text(): string {
    return this.given;
  }
}

function readAddedTokens(json: unknown, fileName: string): AddedToken[] {
  const list = (json as { added_tokens?: unknown } | null)?.added_tokens;
  const unusable = (what: string): BundleError =>
    new BundleError(
      'BUNDLE_TOKENIZER',
      `${fileName} cannot be used: ${what}. Nothing was loaded.`,
      'Save the tokenizer again with Hugging Face tokenizers or transformers, with plain added tokens.',
    );
  if (!Array.isArray(list)) throw unusable('it has no list "added_tokens"');
  if (list.length > MOST_ADDED) throw unusable(`it has ${list.length} added tokens, at most ${MOST_ADDED} are taken`);
  return list.map((item: unknown) => {
    const token = item as Record<string, unknown> | null;
    const id = token?.['id'];
    const content = token?.['content'];
    if (typeof id !== 'number' || !Number.isInteger(id) || typeof content !== 'string' || content === '') {
      throw unusable(`the added token ${JSON.stringify(item).slice(0, 80)} has no id or no content`);
    }
    if (content.length > LONGEST_ADDED) {
      throw unusable(`an added token of ${content.length} characters is none; at most ${LONGEST_ADDED} are taken`);
    }
    // These would move white space in and out of tokens, which the split into template and user text does not do.
    for (const flag of ['lstrip', 'rstrip', 'single_word']) {
      if (token?.[flag] === true) throw unusable(`its added token ${JSON.stringify(content)} has "${flag}" set`);
    }
    return { id, content };
  });
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
