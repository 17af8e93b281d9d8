import createDomPurify, { type Config } from 'dompurify';

/** HTML in which nothing runs and nothing loads; made by `sanitise` alone, and the only kind that reaches `v-html`. */
export type SafeHtml = string & { readonly __safe: unique symbol };

/** Schemes a link may have; everything else, `javascript:` and `data:` above all, loses its address. */
export const SAFE_ADDRESS = /^(?:https?:|mailto:)/i;

const CONFIG: Config = {
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

const purifier = createDomPurify(window);

purifier.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName === 'A' && node.hasAttribute('href')) {
    node.setAttribute('rel', 'noopener noreferrer nofollow');
    node.setAttribute('target', '_blank');
  }
  // only what marked writes itself: a foreign class could borrow the look of a button
  if (node.hasAttribute('class') && !/^(?:task|language-[\w+#.-]+)$/.test(node.className)) {
    node.removeAttribute('class');
  }
});

/** Returns `html` reduced to text, structure and links to http, https and mailto. */
export function sanitise(html: string): SafeHtml {
  return purifier.sanitize(html, CONFIG) as SafeHtml;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

/** Returns `text` as one paragraph that reads exactly as it is. */
export function plainHtml(text: string): SafeHtml {
  return `<p>${escapeHtml(text).replace(/\n/g, '<br>')}</p>` as SafeHtml;
}
