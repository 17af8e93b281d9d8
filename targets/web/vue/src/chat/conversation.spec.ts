import { describe, expect, it } from 'vitest';

import { articles, click, HISTORY, ID, open, page, router, settled, signedIn } from '../test/app';
import { conversationOf, event, messageOf, pageOf, problemResponse, serve, streamResponse, USER } from '../test/server';

describe('a conversation', () => {
  const answer =
    event('message', {
      message: messageOf('m3', 'user', 'Hello'),
      answer_id: 'm4',
      conversation: conversationOf(ID, 'Holiday plans'),
    }) +
    event('token', { text: 'Good ' }) +
    event('done', { message: messageOf('m4', 'assistant', 'Good day') });

  async function say(text: string): Promise<void> {
    await page.get('textarea').setValue(text);
    await page.get('form:has(textarea)').trigger('submit');
    await settled();
  }

  it('begins with the first message and gets an address', async () => {
    const routes = signedIn();
    serve({
      ...routes,
      'GET /api/conversations': () => pageOf([]),
      [`GET /api/conversations/${ID}/messages`]: () => ({ results: [] }),
      'POST /api/conversations': () => conversationOf(ID, ''),
      [`POST /api/conversations/${ID}/messages`]: () => streamResponse(answer),
    });
    await open('/');
    expect(page.text()).toContain('What would you like to talk about?');
    const box = page.get('textarea').element;
    await say('Hello');
    expect(router.currentRoute.value.path).toBe(`/c/${ID}`);
    expect(articles()).toEqual(['You: Hello', 'Assistant: Good day']);
    expect(page.get('nav').text()).toContain('Holiday plans');
    expect(page.get('textarea').element).toBe(box);
    expect(box.value).toBe('');
  });

  it('gives the words back when it could not be created', async () => {
    serve({ ...signedIn(), 'POST /api/conversations': () => problemResponse(503, 'Busy.') });
    await open('/');
    await say('Hello');
    expect(page.get('[role=log] [role=alert]').text()).toBe('Busy.');
    expect(page.get('textarea').element.value).toBe('Hello');
  });

  it('offers to retry after a lost connection', async () => {
    const answers = [streamResponse(answer.slice(0, answer.indexOf('event: done'))), streamResponse(answer)];
    serve({ ...signedIn(), [`POST /api/conversations/${ID}/messages`]: () => answers.shift() });
    await open(`/c/${ID}`);
    await say('Hello');
    expect(articles().at(-1)).toContain('The connection was lost.');
    await click('article [role=alert] button');
    expect(articles().slice(-2)).toEqual(['You: Hello', 'Assistant: Good day']);
    expect(page.find('article [role=alert]').exists()).toBe(false);
  });

  it('offers to retry when it cannot be loaded', async () => {
    let failures = 1;
    serve({
      ...signedIn(),
      [`GET /api/conversations/${ID}/messages`]: () =>
        failures-- > 0 ? problemResponse(503, 'The database is out of reach.') : { results: HISTORY },
    });
    await open(`/c/${ID}`);
    expect(page.get('[role=alert]').text()).toContain('The database is out of reach.');
    await click('[role=alert] button');
    expect(articles()).toHaveLength(2);
  });

  it('has nothing to retry when it does not exist', async () => {
    serve({
      ...signedIn(),
      'GET /api/conversations/other': () => problemResponse(404, 'There is no such conversation.'),
      'GET /api/conversations/other/messages': () => problemResponse(404, 'There is no such conversation.'),
    });
    await open('/c/other');
    expect(page.get('[role=alert]').text()).toBe('There is no such conversation.');
  });

  it('is renamed and deleted from its menu, and exported by links', async () => {
    const { seen, bodies } = serve({
      ...signedIn(),
      [`PATCH /api/conversations/${ID}`]: () => conversationOf(ID, 'Summer'),
      [`DELETE /api/conversations/${ID}`]: () => undefined,
    });
    await open(`/c/${ID}`);
    const links = page.findAll('[popover] a').map((link) => link.attributes('href'));
    expect(links).toEqual(['json', 'markdown'].map((format) => `/api/conversations/${ID}/export?format=${format}`));
    const [rename, remove] = page.findAll('[popover] button');
    await rename?.trigger('click');
    await page.get('dialog[open] input').setValue(' Summer ');
    await page.get('dialog[open] form').trigger('submit');
    await settled();
    expect(bodies).toContainEqual({ title: 'Summer' });
    expect(page.get('h1').text()).toBe('Summer');
    expect(page.get('nav').text()).toContain('Summer');
    await remove?.trigger('click');
    await click('dialog[open] .danger');
    expect(seen.at(-1)).toBe(`DELETE /api/conversations/${ID}`);
    expect(router.currentRoute.value.path).toBe('/');
    expect(page.get('nav').text()).not.toContain('Summer');
  });

  it('keeps the dialog open and says why when a rename is refused', async () => {
    serve({ ...signedIn(), [`PATCH /api/conversations/${ID}`]: () => problemResponse(400, 'Too long.') });
    await open(`/c/${ID}`);
    await page.get('[popover] button').trigger('click');
    await page.get('dialog[open] form').trigger('submit');
    await settled();
    expect(page.get('dialog[open] [role=alert]').text()).toBe('Too long.');
  });

  it('folds a long question', async () => {
    serve({
      ...signedIn(),
      [`GET /api/conversations/${ID}/messages`]: () => ({ results: [messageOf('m1', 'user', 'long '.repeat(500))] }),
    });
    await open(`/c/${ID}`);
    const text = (): number => page.get('article p').text().length;
    expect(text()).toBeLessThan(2_010);
    await page.get('article button').trigger('click');
    expect(text()).toBe(2_499);
    expect(page.get('article button').text()).toBe('Show less');
  });
});

describe('an answer', () => {
  it('is rated, and the rating taken back', async () => {
    const { bodies } = serve({
      ...signedIn(),
      'PUT /api/messages/m2/feedback': (_request, body) => ({
        ...HISTORY[1],
        feedback: (body as { value: string }).value,
      }),
    });
    await open(`/c/${ID}`);
    const good = page.get('[aria-label="Good answer"]');
    await click('[aria-label="Good answer"]');
    expect(good.attributes('aria-pressed')).toBe('true');
    await click('[aria-label="Good answer"]');
    expect(good.attributes('aria-pressed')).toBe('false');
    expect(bodies.filter(Boolean)).toEqual([{ value: 'up' }, { value: null }]);
    expect(page.find('[aria-label="Hide answer"]').exists()).toBe(false);
  });

  it('says so when a rating was not stored', async () => {
    serve({ ...signedIn(), 'PUT /api/messages/m2/feedback': () => problemResponse(503, 'Busy.') });
    await open(`/c/${ID}`);
    await click('[aria-label="Bad answer"]');
    expect(page.get('article [role=alert]').text()).toBe('Busy.');
    expect(page.get('[aria-label="Bad answer"]').attributes('aria-pressed')).toBe('false');
  });

  it('is hidden by a moderator and shown again', async () => {
    serve({
      ...signedIn({ ...USER, role: 'moderator' }),
      'POST /api/messages/m2/hide': (_request, body) => ({ ...HISTORY[1], ...(body as object) }),
    });
    await open(`/c/${ID}`);
    await click('[aria-label="Hide answer"]');
    expect(articles()[1]).toContain('Hidden: only moderators and admins can read this answer.');
    await click('[aria-label="Show answer again"]');
    expect(articles()[1]).toBe('Assistant: An answer');
  });

  it('that was hidden says so to its person', async () => {
    serve({
      ...signedIn(),
      [`GET /api/conversations/${ID}/messages`]: () => ({
        results: [messageOf('m2', 'assistant', '', { hidden: true })],
      }),
    });
    await open(`/c/${ID}`);
    expect(articles()).toEqual(['Assistant: This answer was hidden by a moderator.']);
    expect(page.find('[aria-label=Copy]').exists()).toBe(false);
  });
});
