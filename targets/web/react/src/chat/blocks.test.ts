import { describe, expect, it } from 'vitest';

import { blockHtml, blocksOf, sanitise } from './blocks';
import { FORBIDDEN, HOSTILE } from './hostile.fixture';

const render = (text: string): string => blocksOf(text).map(blockHtml).join('');

function expectHarmless(html: string): void {
  const page = document.implementation.createHTMLDocument();
  page.body.innerHTML = html;
  expect(Array.from(page.body.querySelectorAll(FORBIDDEN), (element) => element.outerHTML)).toEqual([]);
  for (const element of page.body.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name).toMatch(/^(href|title|align|start|class|rel|target)$/);
      if (name === 'href') {
        expect(value).toMatch(/^(https?:|mailto:)/i);
      }
    }
  }
}

describe('hostile text', () => {
  it.each(HOSTILE)('is harmless as Markdown: %s', (payload) => expectHarmless(render(payload)));

  it.each(HOSTILE)('is harmless when markup reaches the sanitiser: %s', (payload) => expectHarmless(sanitise(payload)));

  it.each(HOSTILE)('is harmless in the middle of an answer, cut anywhere: %s', (payload) => {
    for (let end = 1; end <= payload.length; end += 3) {
      expectHarmless(render(`One *two*\n\n- ${payload.slice(0, end)}`));
    }
  });

  it.each([
    ['quotes in quotes', '> '.repeat(50_000) + 'a'],
    ['one endless line of emphasis', '**a'.repeat(33_000)],
    ['brackets', '['.repeat(100_000)],
    ['lists in lists', Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth * 2)}- a`).join('\n')],
  ])('is shown whatever its shape: %s', (_name, text) => {
    const html = render(text);
    expectHarmless(html);
    expect(html).toContain(text.slice(-1));
  });

  it('keeps markup readable as text', () => {
    const element = document.createElement('div');
    element.innerHTML = render('before <script>alert(1)</script> after');
    expect(element).toHaveTextContent('before <script>alert(1)</script> after');
  });
});

describe('Markdown', () => {
  it('opens links apart from this page', () => {
    const html = render('[docs](https://example.org/a?b=1&c=2) and [mail](mailto:a@example.org)');
    expect(html.match(/rel="noopener noreferrer nofollow"/g)).toHaveLength(2);
    expect(html.match(/target="_blank"/g)).toHaveLength(2);
  });

  it('turns a remote image into a link', () => {
    expect(render('![a cat](https://example.org/cat.png)')).toContain('href="https://example.org/cat.png"');
  });

  it('writes lists, tables, code and task lists', () => {
    expect(render('1. a\n2. b')).toContain('<ol>');
    expect(render('| a | b |\n| - | -: |\n| 1 | 2 |')).toContain('<td align="right">2</td>');
    expect(render('```python\nprint(1 < 2)\n```')).toContain('<code class="language-python">print(1 &lt; 2)');
    expect(render('- [x] done\n- [ ] open')).toMatch(/<li class="task">☑ done[^]*<li class="task">☐ open/);
  });

  it('puts headings below the heading of the page', () => {
    expect(render('# One\n\n###### Six *x*')).toBe('<h2>One</h2>\n<h6>Six <em>x</em></h6>\n');
  });

  it('drops classes that it did not write', () => {
    expect(sanitise('<p class="button primary">x</p>')).toBe('<p>x</p>');
  });

  it('takes time in proportion to a long line, not to its square', () => {
    const line = 'word '.repeat(3_900);
    const started = performance.now();
    for (let round = 0; round < 50; round++) {
      blocksOf(line);
    }
    // linear: a tenth of a second; a search that starts anew at each character: ten seconds
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe('blocks', () => {
  it('keep their keys while the last one grows', () => {
    const [before] = blocksOf('One.\n\nTw');
    const [after] = blocksOf('One.\n\nTwo');
    expect(after?.key).toBe(before?.key);
  });

  it('change when a link definition further down gives their links an address', () => {
    const [before] = blocksOf('[a][1]\n\nmore');
    const [after] = blocksOf('[a][1]\n\nmore\n\n[1]: https://example.org\n');
    expect(after?.key).not.toBe(before?.key);
    expect(after && blockHtml(after)).toContain('href="https://example.org"');
  });
});
