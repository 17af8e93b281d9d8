import { act, render, screen, waitFor, within } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { BrowserRouter } from 'react-router';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { User } from './api/schema';
import { App } from './App';
import { begun, conversation, event, json, message, openStream, page, stream, TestServer, USER } from './test-server';

const SEND = 'POST /api/conversations/c1/messages';
const STORED = [message('q0', 'user', 'Earlier?'), message('a0', 'assistant', 'Some **bold** answer.')];
const DONE = event('done', { message: message('a', 'assistant', 'Hello') });

let server: TestServer;

/** A server with one conversation and somebody signed in; null for nobody. */
function serve(user: User | null): void {
  server = new TestServer({
    'GET /api/auth/me': () => (user ? json(user) : json({ detail: 'Sign in first.' }, 401)),
    'GET /api/conversations': () => json(page([conversation('c1', 'Holiday plans')])),
    'GET /api/conversations/c1': () => json(conversation('c1', 'Holiday plans')),
    'GET /api/conversations/c1/messages': () => json({ results: STORED }),
    [SEND]: () => stream(begun('Hi', 'Hel', 'lo') + DONE),
  });
}

function open(path = '/') {
  history.replaceState(null, '', path);
  render(
    <BrowserRouter useTransitions={false}>
      <App />
    </BrowserRouter>,
  );
  return userEvent.setup();
}

const button = (name: string) => screen.findByRole('button', { name });
const box = () => screen.findByRole('textbox', { name: 'Message' });
const answers = () => screen.findAllByRole('article', { name: 'Assistant' });

describe('signing in', () => {
  beforeEach(() => serve(null));

  it('leads to the page that was asked for', async () => {
    server.on('POST /api/auth/login', () => json(USER));
    const user = open('/c/c1');
    await user.type(await screen.findByRole('textbox', { name: 'Username' }), ' user0001 ');
    await user.type(screen.getByLabelText('Password'), 'secret');
    await user.click(await button('Sign in'));
    expect(await screen.findByRole('heading', { name: 'Holiday plans' })).toBeVisible();
    expect(location.pathname).toBe('/c/c1');
    const [request] = server.received('POST /api/auth/login');
    expect(await request?.json()).toEqual({ username: 'user0001', password: 'secret' });
  });

  it('says why it failed and keeps what was typed', async () => {
    server.on('POST /api/auth/login', () => json({ detail: 'Wrong name or password.' }, 401));
    const user = open();
    await user.type(await screen.findByRole('textbox', { name: 'Username' }), 'user0001');
    await user.type(screen.getByLabelText('Password'), 'secret{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('Wrong name or password.');
    expect(screen.getByRole('textbox', { name: 'Username' })).toHaveValue('user0001');
  });

  it('cannot begin while the server is out of reach, and says so', async () => {
    server.on('GET /api/auth/me', () => Promise.reject(new TypeError('Failed to fetch')));
    open();
    expect(await screen.findByRole('alert')).toHaveTextContent('connection was lost');
    expect(await button('Retry')).toBeVisible();
  });
});

describe('chatting', () => {
  beforeEach(() => serve(USER));

  it('begins a conversation with the first message', async () => {
    server.on('POST /api/conversations', () => json(conversation('c1', ''), 201));
    const user = open();
    await user.type(await box(), 'Hi{Enter}');
    await waitFor(() => expect(location.pathname).toBe('/c/c1'));
    expect((await answers()).at(-1)).toHaveTextContent('Hello');
    expect(await box()).toHaveValue('');
    expect(await box()).toHaveFocus();
  });

  it('gives the text back when no conversation could be created', async () => {
    server.on('POST /api/conversations', () => json({ detail: 'The database is away.' }, 503));
    const user = open();
    await user.type(await box(), 'Hi{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('The database is away.');
    expect(await box()).toHaveValue('Hi');
  });

  it('shows the history, the answers as Markdown', async () => {
    open('/c/c1');
    const [answer] = await answers();
    expect(answer && within(answer).getByText('bold').tagName).toBe('STRONG');
    expect(await screen.findByRole('link', { name: 'Holiday plans' })).toHaveAttribute('aria-current', 'page');
    expect(document.title).toBe('Holiday plans');
  });

  it('shows an answer while it grows, and stops it', async () => {
    let reply!: ReturnType<typeof openStream>;
    server.on(SEND, (request) => (reply = openStream(request)).response);
    const user = open('/c/c1');
    await answers();
    await user.type(await box(), 'Hi{Enter}');
    expect(await screen.findByLabelText('Waiting for the answer')).toBeVisible();
    await waitFor(() => expect(server.received(SEND)).toHaveLength(1));
    act(() => reply.write(begun('Hi', 'Once ', 'upon')));
    await waitFor(async () => expect((await answers()).at(-1)).toHaveTextContent('Once upon'));
    expect((await answers()).at(-1)).toHaveAttribute('aria-busy', 'true');
    await user.click(await button('Stop'));
    expect(await screen.findByText('Stopped')).toBeVisible();
    expect((await answers()).at(-1)).toHaveAttribute('aria-busy', 'false');
    expect(await box()).toHaveFocus();
  });

  it('offers to try again after a lost connection', async () => {
    server.on(SEND, () => stream(begun('Hi', 'Hel')));
    const user = open('/c/c1');
    await answers();
    await user.type(await box(), 'Hi{Enter}');
    expect(await screen.findByRole('alert')).toHaveTextContent('connection was lost');
    expect((await answers()).at(-1)).toHaveTextContent('Hel');
    server.on(SEND, () => stream(begun('Hi', 'Hel', 'lo') + DONE));
    await user.click(await button('Retry'));
    await waitFor(async () => expect((await answers()).at(-1)).toHaveTextContent('Hello'));
    expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('sends with Enter, not with Shift + Enter or an input method’s Enter', async () => {
    const user = open('/c/c1');
    await answers();
    await user.type(await box(), 'one{Shift>}{Enter}{/Shift}two');
    const composing = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true });
    act(() => void screen.getByRole('textbox', { name: 'Message' }).dispatchEvent(composing));
    expect(await box()).toHaveValue('one\ntwo');
    expect(server.received(SEND)).toHaveLength(0);
  });

  it('keeps a half-written message for its conversation', async () => {
    const user = open('/c/c1');
    await user.type(await box(), 'half');
    await user.click(await button('New conversation'));
    expect(await box()).toHaveValue('');
    await user.click(await screen.findByRole('link', { name: 'Holiday plans' }));
    expect(await box()).toHaveValue('half');
  });

  it('takes the thumb back when it is chosen again', async () => {
    const rated: unknown[] = [];
    server.on('PUT /api/messages/a0/feedback', async (request) => {
      const { value } = (await request.json()) as { value: 'up' | null };
      rated.push(value);
      return json({ ...message('a0', 'assistant', 'Some answer.'), feedback: value });
    });
    const user = open('/c/c1');
    await user.click(await button('Good answer'));
    await waitFor(async () => expect(await button('Good answer')).toHaveAttribute('aria-pressed', 'true'));
    await user.click(await button('Good answer'));
    await waitFor(async () => expect(await button('Good answer')).toHaveAttribute('aria-pressed', 'false'));
    expect(rated).toEqual(['up', null]);
  });

  it('folds a long question', async () => {
    const long = 'x'.repeat(1_999) + '👋' + 'y'.repeat(100);
    server.on('GET /api/conversations/c1/messages', () => json({ results: [message('q', 'user', long)] }));
    const user = open('/c/c1');
    const question = await screen.findByRole('article', { name: 'You' });
    expect(question).toHaveTextContent(/x…/);
    await user.click(within(question).getByRole('button', { name: 'Show all 2,100 characters' }));
    expect(question).toHaveTextContent('👋yy');
  });

  it('refuses a message that is too long before it is sent', async () => {
    const user = open('/c/c1');
    await user.click(await box());
    await user.paste('x'.repeat(100_001));
    expect(await screen.findByRole('alert')).toHaveTextContent('100,001 of 100,000 characters');
    expect(await button('Send')).toBeDisabled();
  });

  it('says that a conversation does not exist', async () => {
    server.on('GET /api/conversations/c9', () => json({ detail: 'There is no such conversation.' }, 404));
    server.on('GET /api/conversations/c9/messages', () => json({ detail: 'There is no such conversation.' }, 404));
    open('/c/c9');
    expect(await screen.findByRole('alert')).toHaveTextContent('There is no such conversation.');
    expect(screen.queryByRole('button', { name: 'Retry' })).not.toBeInTheDocument();
  });

  it('comes back to the page after a session that ended', async () => {
    open('/c/c1');
    await answers();
    server.on(SEND, () => json({}, 401));
    await userEvent.type(await box(), 'Hi{Enter}');
    expect(await screen.findByText(/Your session has ended/)).toBeVisible();
    expect(new URLSearchParams(location.search).get('next')).toBe('/c/c1');
  });

  it('leaves nothing behind when somebody signs out', async () => {
    server.on('POST /api/auth/logout', () => new Response(null, { status: 204 }));
    const user = open('/c/c1');
    await user.click(await button('Sign out'));
    expect(await button('Sign in')).toBeVisible();
    expect(location.pathname + location.search).toBe('/sign-in');
    expect(screen.queryByText('Holiday plans')).not.toBeInTheDocument();
  });
});

describe('conversations', () => {
  beforeEach(() => serve(USER));

  it('are searched once typing pauses', async () => {
    const user = open();
    await screen.findByRole('link', { name: 'Holiday plans' });
    server.on('GET /api/conversations', () => json(page([])));
    await user.type(screen.getByRole('searchbox', { name: 'Search conversations' }), 'none');
    expect(await screen.findByText('No conversation has this in its title.')).toBeVisible();
    const asked = server.received('GET /api/conversations').map(({ url }) => new URL(url).searchParams.get('search'));
    expect(asked).toEqual([null, 'none']);
  });

  it('are listed again on retry', async () => {
    server.on('GET /api/conversations', () => json({}, 503));
    const user = open();
    expect(await screen.findByRole('alert')).toHaveTextContent('The server answered with an error (503).');
    server.on('GET /api/conversations', () => json(page([conversation('c1', 'Holiday plans')])));
    await user.click(await button('Retry'));
    expect(await screen.findByRole('link', { name: 'Holiday plans' })).toBeVisible();
  });

  it('are renamed', async () => {
    server.on('PATCH /api/conversations/c1', async (request) =>
      json(conversation('c1', ((await request.json()) as { title: string }).title)),
    );
    const user = open('/c/c1');
    await user.click(await screen.findByText('Rename'));
    const title = screen.getByRole('textbox', { name: 'Title' });
    await user.clear(title);
    await user.type(title, ' Beach {Enter}');
    expect(await screen.findByRole('heading', { level: 1, name: 'Beach' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'Beach' })).toBeVisible();
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  });

  it('keep their name when renaming fails, and say why', async () => {
    server.on('PATCH /api/conversations/c1', () => json({ errors: { title: ['Too long.'] } }, 400));
    const user = open('/c/c1');
    await user.click(await screen.findByText('Rename'));
    await user.click(await button('Save'));
    expect(await screen.findByRole('alert')).toHaveTextContent('Too long.');
    expect(screen.getByRole('dialog')).toBeVisible();
  });

  it('are deleted after a question', async () => {
    server.on('DELETE /api/conversations/c1', () => new Response(null, { status: 204 }));
    const user = open('/c/c1');
    await user.click(await screen.findByText('Delete'));
    const dialog = screen.getByRole('alertdialog');
    expect(dialog).toHaveTextContent('Holiday plans and its messages will be gone for good.');
    expect(server.received('DELETE /api/conversations/c1')).toHaveLength(0);
    await user.click(within(dialog).getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(location.pathname).toBe('/'));
    expect(screen.queryByRole('link', { name: 'Holiday plans' })).not.toBeInTheDocument();
  });

  it('can be exported', async () => {
    open('/c/c1');
    expect(await screen.findByText('Export as JSON')).toHaveAttribute(
      'href',
      '/api/conversations/c1/export?format=json',
    );
    expect(screen.getByText('Export as Markdown')).toHaveAttribute(
      'href',
      '/api/conversations/c1/export?format=markdown',
    );
  });
});

describe('roles', () => {
  it('let nobody but moderators hide answers', async () => {
    serve(USER);
    open('/c/c1');
    await answers();
    expect(screen.queryByRole('button', { name: 'Hide answer' })).not.toBeInTheDocument();
  });

  it('let moderators open any conversation by its id, and hide an answer', async () => {
    serve({ ...USER, role: 'moderator' });
    server.on('POST /api/messages/a0/hide', () =>
      json({ ...message('a0', 'assistant', 'Some **bold** answer.'), hidden: true }),
    );
    const user = open();
    const id = '6a3f0a86-0b4e-4d7a-9c1f-2f4f8f0a7c11';
    await user.type(await screen.findByRole('searchbox', { name: 'Search conversations' }), id);
    expect(await screen.findByRole('link', { name: `Open conversation ${id}` })).toHaveAttribute('href', `/c/${id}`);
    await user.click(screen.getByRole('link', { name: 'Holiday plans' }));
    await user.click(await button('Hide answer'));
    expect(await screen.findByText('Hidden: only moderators and admins can read this answer.')).toBeVisible();
    expect(await button('Show answer again')).toBeVisible();
  });

  it('show people that an answer is hidden, not its text', async () => {
    serve(USER);
    const hidden = { ...message('a0', 'assistant', ''), hidden: true };
    server.on('GET /api/conversations/c1/messages', () => json({ results: [hidden] }));
    open('/c/c1');
    expect(await screen.findByText('This answer was hidden by a moderator.')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Copy' })).not.toBeInTheDocument();
  });

  it('lead others than admins away from the users', async () => {
    serve(USER);
    open('/admin');
    expect(await screen.findByText('What would you like to talk about?')).toBeVisible();
    expect(screen.queryByRole('link', { name: 'Users' })).not.toBeInTheDocument();
  });

  it('let admins change users, but not themselves', async () => {
    const admin: User = { id: 9, username: 'admin', role: 'admin', is_active: true };
    serve(admin);
    server.on('GET /api/admin/users', () => json(page([admin, USER])));
    server.on('PATCH /api/admin/users/1', async (request) => json({ ...USER, ...((await request.json()) as object) }));
    const user = open('/admin');
    const role = await screen.findByRole('combobox', { name: 'Role of user0001' });
    await user.selectOptions(role, 'moderator');
    await waitFor(() => expect(role).toHaveValue('moderator'));
    await user.click(await button('Deactivate user0001'));
    expect(await button('Activate user0001')).toBeEnabled();
    expect(screen.getByRole('combobox', { name: 'Role of admin' })).toBeDisabled();
    expect(await button('Deactivate admin')).toBeDisabled();
  });

  it('go back to what is stored when a change of a user fails', async () => {
    serve({ ...USER, id: 9, role: 'admin' });
    server.on('GET /api/admin/users', () => json(page([USER])));
    server.on('PATCH /api/admin/users/1', () => json({ detail: 'Not now.' }, 503));
    const user = open('/admin');
    const role = await screen.findByRole('combobox', { name: 'Role of user0001' });
    await user.selectOptions(role, 'admin');
    expect(await screen.findByRole('alert')).toHaveTextContent('Not now.');
    expect(role).toHaveValue('user');
    expect(role).toBeEnabled();
  });
});

describe('the page', () => {
  it('changes its colours and remembers them', async () => {
    serve(USER);
    const user = open();
    await user.click(await button('Colours: system'));
    await user.click(await button('Colours: light'));
    expect(document.documentElement.dataset.theme).toBe('dark');
    expect(localStorage.getItem('theme')).toBe('dark');
  });

  it('says so when it breaks, instead of staying empty', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    serve(USER);
    server.on('GET /api/conversations', () => json({ count: 1, next: null, results: [null] }));
    server.on('GET /api/conversations/c1/messages', () =>
      json({ results: [{ role: 'assistant', id: 'a', content: 1 }] }),
    );
    open('/c/c1');
    expect(await screen.findByText(/could not be shown/)).toBeVisible();
    expect(await button('Retry')).toBeVisible();
  });
});
