import createDomPurify, { Config, DOMPurify } from 'dompurify';
import { Marked, RendererObject, Token, TokensList } from 'marked';

/** Schemes a link may have; everything else, `javascript:` and `data:` above all, loses its address. */
const SAFE_ADDRESS = /^(?:https?:|mailto:)/i;

const SANITISER: Config = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote', 'pre', 'code', 'ul', 'ol', 'li'],
    ...['strong', 'em', 'del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'align', 'start', 'class'],
  ALLOWED_URI_REGEXP: SAFE_ADDRESS,
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

/** Emphasis in one paragraph costs the parser quadratic time; nobody writes such a line by hand. */
const LONGEST_LINE = 20_000;

let purifier: DOMPurify | undefined;

/** Return `html` reduced to text, structure and links to http, https and mailto; nothing in it runs or loads. */
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
    // only what marked writes itself: a foreign class could borrow the look of a button
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
    const label = escaped(text || title || href);
    return SAFE_ADDRESS.test(href) ? `<a href="${escaped(href)}">[image: ${label}]</a>` : `[image: ${label}]`;
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

/**
 * Renders Markdown to a list of safe HTML blocks, one per paragraph, list, table and so on.
 *
 * A growing text changes only its last block: the others are taken from the previous call, which keeps the cost of
 * each call about constant and leaves their elements on the page untouched.
 */
export class MarkdownBlocks {
  private previous = new Map<string, string>();

  render(text: string): string[] {
    if (text.split('\n').some((line) => line.length > LONGEST_LINE)) {
      return [plain(text)];
    }
    try {
      return this.parse(text);
    } catch (error) {
      if (error instanceof RangeError) {
        return [plain(text)]; // thousands of nested quotes exhaust the parser's stack
      }
      throw error;
    }
  }

  private parse(text: string): string[] {
    const tokens = marked.lexer(text);
    // a link definition further down changes what stands above it
    const definitions = JSON.stringify(tokens.links);
    const current = new Map<string, string>();
    const blocks: string[] = [];
    for (const token of tokens) {
      if (token.type === 'space' || token.type === 'def') {
        continue;
      }
      const key = `${token.type}\n${definitions}\n${token.raw}`;
      const html = this.previous.get(key) ?? current.get(key) ?? sanitise(parsed(token, tokens));
      current.set(key, html);
      blocks.push(html);
    }
    this.previous = current;
    return blocks;
  }
}

function plain(text: string): string {
  return `<p>${escaped(text).replace(/\n/g, '<br>')}</p>`;
}

function parsed(token: Token, { links }: TokensList): string {
  return marked.parser(Object.assign([token], { links }));
}
