import createDomPurify, { type Config, type DOMPurify } from 'dompurify';
import { Marked, type RendererObject, type Token } from 'marked';

/** Schemes a link may have; everything else, `javascript:` and `data:` above all, loses its address. */
const SAFE_ADDRESS = /^(?:https?:|mailto:)/i;

const SANITISER: Config = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
    ...['strong', 'em', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'align', 'start', 'class'],
  ALLOWED_URI_REGEXP: SAFE_ADDRESS,
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** Emphasis in one paragraph costs the parser quadratic time; nobody writes such a line by hand. */
const MAX_LINE_CHARS = 20_000;

let purifier: DOMPurify | undefined;

/** `html` reduced to text, structure and links to http, https and mailto: nothing in it runs or loads. */
export function sanitise(html: string): string {
  purifier ??= createPurifier();
  return purifier.sanitize(html, SANITISER);
}

function createPurifier(): DOMPurify {
  const instance = createDomPurify(window);
  instance.addHook('afterSanitizeAttributes', (node) => {
    if (node.nodeName === 'A' && node.hasAttribute('href')) {
      node.setAttribute('rel', 'noopener noreferrer nofollow');
      node.setAttribute('target', '_blank');
    }
    // only what the renderer below writes: a foreign class could borrow the look of a button
    if (node.hasAttribute('class') && !/^(?:task|language-[\w+#.-]+)$/.test(node.className)) {
      node.removeAttribute('class');
    }
  });
  return instance;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

const RENDERER: RendererObject = {
  /** Markup in an answer is shown as the text it is, never interpreted. */
  html({ text }) {
    return escaped(text);
  },

  /** An image would be fetched at once and tell its server who reads the answer; a link waits for a click. */
  image({ href, title, text }) {
    const label = `[image: ${escaped([text, title, href].find(Boolean) ?? '')}]`;
    return SAFE_ADDRESS.test(href) ? `<a href="${escaped(href)}">${label}</a>` : label;
  },

  /** One level down: the page's own heading is the title of the conversation. */
  heading({ tokens, depth }) {
    const level = Math.min(depth + 1, 6);
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
  },

  listitem({ task, tokens }) {
    return `<li${task ? ' class="task"' : ''}>${this.parser.parse(tokens)}</li>\n`;
  },

  checkbox({ checked }) {
    return checked ? '☑ ' : '☐ ';
  },
};

const marked = new Marked({ gfm: true, breaks: true, renderer: RENDERER });

/** A paragraph, list, table and so on. Blocks with the same `key` look the same, whatever stands around them. */
export interface Block {
  readonly key: string;
  /** Null: shown as it is, because the parser cannot take it. */
  readonly token: Token | null;
  readonly text: string;
}

/** Cut Markdown into its blocks; a growing text changes its last block only, until a link definition comes. */
export function blocksOf(text: string): Block[] {
  if (text.split('\n').some((line) => line.length > MAX_LINE_CHARS)) {
    return [plainBlock(text)];
  }
  try {
    const tokens = marked.lexer(text);
    const definitions = JSON.stringify(tokens.links);
    return tokens
      .filter(({ type }) => type !== 'space' && type !== 'def')
      .map((token) => ({ key: `${token.type}\n${definitions}\n${token.raw}`, token, text: token.raw }));
  } catch (error) {
    return [unparsable(text, error)];
  }
}

/** The safe HTML of a block. */
export function blockHtml({ token, text }: Block): string {
  try {
    return token ? sanitise(marked.parser([token])) : plainHtml(text);
  } catch (error) {
    return blockHtml(unparsable(text, error));
  }
}

function plainBlock(text: string): Block {
  return { key: text, token: null, text };
}

/** Thousands of nested quotes exhaust the parser's stack; any other error is a defect. */
function unparsable(text: string, error: unknown): Block {
  if (error instanceof RangeError) {
    return plainBlock(text);
  }
  throw error;
}

function plainHtml(text: string): string {
  return `<p>${escaped(text).replace(/\n/g, '<br>')}</p>`;
}
