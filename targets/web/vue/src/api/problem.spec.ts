import { describe, expect, it } from 'vitest';

import { Problem } from './problem';

function of(status: number, body: unknown, headers: Record<string, string> = {}): Promise<Problem> {
  return Problem.ofResponse(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers }));
}

describe('Problem', () => {
  it.each([
    ['the detail', { title: 'Not Found', detail: 'There is no such conversation' }, 'There is no such conversation.'],
    ['the title where there is no detail', { title: 'Conflict', detail: ' ' }, 'Conflict.'],
    ['the fields before the detail', { detail: 'x', errors: { a: ['Too long.'], b: ['No!'] } }, 'Too long. No!'],
    ['no HTML of a proxy', '<html><h1>504 Gateway Time-out</h1></html>', 'The server answered with an error (504).'],
    ['no JSON that is no document', '"oops"', 'The server answered with an error (504).'],
  ])('says %s', async (_what, body, message) => {
    expect((await of(504, body)).message).toBe(message);
  });

  it.each([401, 403, 404, 413, 429, 502])('has words of its own for an empty %i', async (status) => {
    const { message } = await of(status, '');
    expect(message).not.toContain(String(status));
    expect(message.length).toBeGreaterThan(10);
  });

  it('says how long to wait, and nothing of a date it cannot count', async () => {
    expect((await of(503, { detail: 'Busy.' }, { 'Retry-After': '1.2' })).message).toBe('Busy. Try again in 2 s.');
    const dated = await of(503, { detail: 'Busy.' }, { 'Retry-After': 'Wed, 21 Oct 2026 07:28:00 GMT' });
    expect(dated).toMatchObject({ message: 'Busy.', retryAfterS: null });
  });

  it('takes what fetch throws for a lost network, and keeps other words', () => {
    expect(Problem.of(new TypeError('Failed to fetch'))).toEqual(Problem.unreachable());
    expect(Problem.of(new Error('odd')).message).toBe('odd');
    expect(Problem.of('odd').message).toBe('odd');
  });
});
