import { describe, expect, it } from 'vitest';

import { safeReturnUrl } from './return-url';

describe('safeReturnUrl', () => {
  it.each(['/c/1', '/admin', '/?a=b'])('keeps a path of this application: %s', (url) => {
    expect(safeReturnUrl(url)).toBe(url);
  });

  it.each([null, '', 'https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/sign-in'])(
    'goes home instead of to %s',
    (url) => {
      expect(safeReturnUrl(url)).toBe('/');
    },
  );
});
