// What the pages cannot do by themselves: stream an answer, and change it in place. Without this script every form still works.

const composer = document.getElementById('composer');
const messages = document.getElementById('messages');
const scroller = document.getElementById('scroller');

/** Yields [event name, data] of a stream of server-sent events as they come. */
async function* eventsOf(body) {
  let rest = '';
  for await (const chunk of chunksOf(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (rest + chunk).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const name = lines.find((line) => line.startsWith('event:'))?.slice(6).trim() ?? 'message';
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
      if (data.length) yield [name, JSON.parse(data.join('\n'))];
    }
  }
}

async function* chunksOf(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Adds an article and keeps the page at its end if it was there. */
function add(kind) {
  messages.querySelector('.welcome')?.remove();
  const article = document.createElement('article');
  article.className = `message ${kind}`;
  messages.append(article);
  return article;
}

function following() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
}

/** Does something to the page, and stays at its end if the user was there. */
function keepingTheEnd(change) {
  const follow = following();
  change();
  if (follow) scroller.scrollTop = scroller.scrollHeight;
}

function problem(text, retry) {
  const box = document.createElement('div');
  box.className = 'alert';
  box.setAttribute('role', 'alert');
  const words = document.createElement('p');
  words.textContent = text;
  box.append(words);
  if (retry) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button';
    button.textContent = 'Retry';
    button.addEventListener('click', retry);
    box.append(button);
  }
  return box;
}

/** Returns what a refusal says; an ended session leads to the sign-in page. */
async function refusal(response) {
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function bubble(text) {
  const article = add('user');
  const box = document.createElement('div');
  box.className = 'bubble';
  const words = document.createElement('p');
  words.className = 'plain';
  words.dir = 'auto';
  words.textContent = text;
  box.append(words);
  article.append(box);
  return article;
}

/** Draws what has come at most once a frame. */
function painter(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      keepingTheEnd(draw);
    });
  };
}

class Answer {
  constructor() {
    this.article = add('assistant');
    this.article.append(document.getElementById('pending').content.cloneNode(true));
    this.body = this.article.querySelector('.answer');
    this.tail = this.article.querySelector('.plain');
    this.text = '';
    this.over = false;
    this.paint = painter(() => {
      if (this.over) return;
      this.article.querySelector('.typing')?.remove();
      this.tail.textContent = this.text;
    });
  }

  /** Shows the answer while it comes; true if it came to its end. */
  async read(response) {
    for await (const [name, data] of eventsOf(response.body)) {
      if (name === 'message') {
        if (composer.hasAttribute('data-new')) begun(data.url);
        else retitle(data.title);
      } else if (name === 'token') {
        this.text += data.text;
        this.paint();
      } else if (name === 'rendered') {
        this.text = data.rest;
        keepingTheEnd(() => {
          this.article.querySelector('.typing')?.remove();
          this.article.querySelector('.markdown').innerHTML = data.html; // from the server's sanitiser
          this.tail.textContent = data.rest;
        });
      } else if (name === 'done') {
        this.over = true;
        keepingTheEnd(() => (this.article.innerHTML = data.html));
        return true;
      } else if (name === 'error') {
        throw new Error(data.detail);
      }
    }
    return false;
  }

  fail(text, retry) {
    this.article.querySelector('.typing')?.remove();
    keepingTheEnd(() => this.body.append(problem(text, retry)));
  }

  stopped() {
    this.article.querySelector('.typing')?.remove();
    const hint = document.createElement('p');
    hint.className = 'hint';
    hint.textContent = 'Stopped';
    this.body.append(hint);
  }
}

function retitle(title) {
  document.title = document.getElementById('title').textContent = title;
  const link = document.querySelector('.conversation[aria-current]');
  if (link) link.textContent = link.title = title;
}

/** Makes the page that of the conversation which its first message has begun: address, list, title and menu. */
async function begun(url) {
  composer.removeAttribute('data-new');
  composer.action = `${url}/messages`;
  history.replaceState(null, '', url);
  try {
    const page = new DOMParser().parseFromString(await (await fetch(url)).text(), 'text/html');
    document.title = page.title;
    for (const part of ['.page-head', '.conversations']) document.querySelector(part).replaceWith(page.querySelector(part));
  } catch {
    // the answer streams on; list and menu come with the next page
  }
}

let leaving = null;

function answering(controller) {
  leaving = controller;
  document.getElementById('send').hidden = controller !== null;
  document.getElementById('stop').hidden = controller === null;
  document.getElementById('announcement').textContent = controller ? '' : 'The answer is complete.';
}

async function send(text, form) {
  const [asked, answer] = [bubble(text), new Answer()];
  scroller.scrollTop = scroller.scrollHeight;
  const controller = new AbortController();
  answering(controller);
  const again = () => {
    asked.remove();
    answer.article.remove();
    form.set('content', text);
    if (leaving === null) send(text, form);
  };
  try {
    const response = await fetch(composer.action, {
      method: 'POST',
      headers: { Accept: 'text/event-stream' },
      body: new URLSearchParams(form),
      signal: controller.signal,
    });
    if (!response.ok) {
      const why = await refusal(response);
      if (response.status === 400) {
        // for the user to change: back into the box
        composer.content.value = text;
        asked.remove();
        answer.fail(why, null);
      } else {
        answer.fail(why, again);
      }
    } else if (!(await answer.read(response))) {
      answer.fail('The connection was lost before the answer was complete.', again);
    }
  } catch (error) {
    if (controller.signal.aborted) answer.stopped();
    else if (error instanceof TypeError) answer.fail('The server cannot be reached, or the connection was lost.', again);
    else answer.fail(error.message, again);
  } finally {
    answering(null);
  }
}

composer?.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = composer.content.value;
  if (leaving !== null || text.trim() === '') return;
  const form = new FormData(composer);
  composer.content.value = '';
  send(text, form);
});

composer?.content.addEventListener('keydown', (event) => {
  // an input method's Enter accepts a candidate; it does not end the message
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  }
});

document.getElementById('stop')?.addEventListener('click', () => leaving?.abort());

// thumbs and hiding change an answer where it stands
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.id !== 'act') return;
  event.preventDefault();
  const article = event.submitter.closest('article');
  article.querySelector('.actions ~ .alert')?.remove();
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const response = await fetch(event.submitter.formAction, { method: 'POST', headers: { 'X-Fragment': '1' }, body });
    if (!response.ok) throw new Error(await refusal(response));
    article.innerHTML = await response.text();
  } catch (error) {
    const text = error instanceof TypeError ? 'The server cannot be reached.' : error.message;
    article.querySelector('.answer').append(problem(text, null));
  }
});

document.addEventListener('change', (event) => event.target.closest('form[data-submit-on-change]')?.requestSubmit());

if (scroller && messages) scroller.scrollTop = scroller.scrollHeight;
