import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { FORBIDDEN, HOSTILE } from './hostile.fixture';
import { Markdown } from './Markdown';

describe('Markdown', () => {
  it.each(HOSTILE)('puts nothing onto the page that runs or loads: %s', (payload) => {
    const { container } = render(<Markdown text={payload} />);
    expect(container.querySelectorAll(FORBIDDEN)).toHaveLength(0);
    for (const link of container.querySelectorAll('a[href]')) {
      expect(link.getAttribute('href')).toMatch(/^(https?:|mailto:)/i);
    }
  });

  it('leaves the elements of finished blocks alone while the answer grows', () => {
    const text = '# Title\n\nSome *words*.\n\n- one\n- two\n\n```js\nlet a = 1;\n```\n\nThe end, of [this][1].\n';
    const { container, rerender } = render(<Markdown text="" />);
    const finished = new Map<number, Node>();
    for (let end = 1; end <= text.length; end++) {
      rerender(<Markdown text={text.slice(0, end)} />);
      const blocks = Array.from(container.querySelectorAll('.block'));
      blocks.slice(0, -1).forEach((block, index) => {
        const { firstChild } = block;
        expect(firstChild).toBe(finished.get(index) ?? firstChild);
        if (firstChild) {
          finished.set(index, firstChild);
        }
      });
    }
    expect(finished.size).toBe(4);
  });

  it('shows the same after growing as a text that was there at once', () => {
    const text = '# Title\n\n[a link][1] and\n===\n\n| a |\n| - |\n| b |\n\n> quote\n\n[1]: https://example.org\n';
    const growing = render(<Markdown text="" />);
    for (let end = 1; end <= text.length; end += 5) {
      growing.rerender(<Markdown text={text.slice(0, end)} />);
    }
    growing.rerender(<Markdown text={text} />);
    const whole = render(<Markdown text={text} />);
    expect(growing.container.innerHTML).toBe(whole.container.innerHTML);
    expect(whole.container.querySelector('a')).toHaveAttribute('href', 'https://example.org');
  });
});
