import { describe, expect, it } from 'vitest';

import { safeReturnPath } from './return-path';

describe('safeReturnPath', () => {
  it.each(['/c/1', '/admin', '/?a=b'])('keeps a path of this application: %s', (path) => {
    expect(safeReturnPath(path)).toBe(path);
  });

  it.each([
    null,
    undefined,
    ['/a', '/b'],
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/sign-in?next=/',
  ])('goes home instead of to %s', (path) => {
    expect(safeReturnPath(path)).toBe('/');
  });
});
