import { Marked, type RendererObject, type Token, type TokensList } from 'marked';

import { escapeHtml, plainHtml, SAFE_ADDRESS, sanitise, type SafeHtml } from './sanitise';

/** Emphasis in one paragraph costs the parser quadratic time; nobody writes such a line by hand. */
const LONGEST_LINE_CHARS = 20_000;

/** So many blocks at the end may still change as the text grows: a line can join the block before the last. */
const OPEN_BLOCKS = 2;

const RENDERER: RendererObject = {
  /** Markup in an answer is shown as the text it is, never interpreted. */
  html({ text }) {
    return escapeHtml(text);
  },

  /** An image would be fetched at once and tell its server who reads the answer; a link waits for a click. */
  image({ href, title, text }) {
    const label = escapeHtml(text || (title ?? href));
    return SAFE_ADDRESS.test(href) ? `<a href="${escapeHtml(href)}">[image: ${label}]</a>` : `[image: ${label}]`;
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

interface Block {
  /** Its source, with the blank lines before it. */
  raw: string;
  html: SafeHtml;
}

/**
 * Renders a growing Markdown text to safe HTML blocks, one per paragraph, list, table and so on.
 *
 * Once two more blocks have begun behind it, a block is finished: later calls neither parse nor render nor sanitise it
 * again, so that the cost of a call depends on the last blocks and not on the length of the answer.
 */
export class MarkdownBlocks {
  private finishedText = '';
  private finishedBlocks: SafeHtml[] = [];
  private readonly cache = new Map<string, SafeHtml>();

  /** @param complete whether the text grows no more; then it is parsed as a whole once, whatever was finished before */
  render(text: string, complete = false): SafeHtml[] {
    const normal = text.replace(/\r\n?/g, '\n');
    if (complete || !normal.startsWith(this.finishedText)) {
      this.finishedText = '';
      this.finishedBlocks = [];
    }
    try {
      return this.grow(normal);
    } catch (error) {
      if (error instanceof RangeError) {
        return [plainHtml(text)]; // thousands of nested quotes exhaust the parser's stack
      }
      throw error;
    }
  }

  private grow(text: string): SafeHtml[] {
    const open = text.slice(this.finishedText.length);
    if (hasLongLine(open)) {
      return [...this.finishedBlocks, plainHtml(open)];
    }
    const tokens = marked.lexer(open);
    // a link definition changes what stands above it, so a text that has one is always parsed as a whole
    const defines = Object.keys(tokens.links).length > 0;
    if (defines && this.finishedText) {
      this.finishedText = '';
      this.finishedBlocks = [];
      return this.grow(text);
    }
    const blocks = this.blocks(tokens);
    const shown = [...this.finishedBlocks, ...blocks.map(({ html }) => html)];
    if (!defines) {
      this.finish(blocks.slice(0, -OPEN_BLOCKS), open);
    }
    return shown;
  }

  private blocks(tokens: TokensList): Block[] {
    const definitions = JSON.stringify(tokens.links);
    const blocks: Block[] = [];
    let skipped = '';
    for (const token of tokens) {
      if (token.type === 'space' || token.type === 'def') {
        skipped += token.raw;
        continue;
      }
      const key = `${token.type}\n${definitions}\n${token.raw}`;
      const html = this.cache.get(key) ?? sanitise(parsed(token, tokens));
      this.cache.set(key, html);
      blocks.push({ raw: skipped + token.raw, html });
      skipped = '';
    }
    return blocks;
  }

  private finish(blocks: Block[], open: string): void {
    const raw = blocks.map((block) => block.raw).join('');
    if (open.startsWith(raw)) {
      this.finishedText += raw;
      this.finishedBlocks.push(...blocks.map(({ html }) => html));
    }
  }
}

function hasLongLine(text: string): boolean {
  for (let begin = 0; begin < text.length;) {
    const end = text.indexOf('\n', begin);
    const next = end < 0 ? text.length : end;
    if (next - begin > LONGEST_LINE_CHARS) {
      return true;
    }
    begin = next + 1;
  }
  return false;
}

function parsed(token: Token, { links }: TokensList): string {
  return marked.parser(Object.assign([token], { links }));
}
