import { describe, expect, it } from 'vitest';

import { refusal, streamedProblem } from './problem';

describe('refusal', () => {
  it.each([
    ['fields', { detail: 'Some fields are not valid.', errors: { title: ['Too long.', 'Odd'] } }, 'Too long. Odd.'],
    ['the detail', { title: 'Bad Request', detail: ' No such page ' }, 'No such page.'],
    ['the title', { title: 'Conflict', detail: '' }, 'Conflict.'],
    ['the status', null, 'This does not exist, or it is not yours.'],
    ['the status, not markup,', '<h1>Not Found</h1>', 'This does not exist, or it is not yours.'],
    [
      'the status when members have odd types',
      { title: 1, detail: {}, errors: 'x' },
      'This does not exist, or it is not yours.',
    ],
  ])('says what %s says', (_what, body, text) => {
    expect(refusal(404, body, null)).toMatchObject({ message: text, status: 404 });
  });

  it.each(['Wed, 21 Oct 2015 07:28:00 GMT', '', '-1', null])('ignores a Retry-After of %j', (value) => {
    expect(refusal(429, null, value).message).toBe('Too many messages in a short time.');
  });
});

describe('streamedProblem', () => {
  it('takes its status from the document, else it is the model’s fault', () => {
    expect(streamedProblem({ status: 504, detail: 'Silent.' })).toMatchObject({ status: 504, message: 'Silent.' });
    expect(streamedProblem(null)).toMatchObject({ status: 502, message: 'The language model did not answer.' });
  });
});
