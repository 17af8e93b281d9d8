"""A REST target with a page that shows titles and messages: with care, as markup, or not at all.

Behind the page is the conformance checks' twin; the page lists conversations, opens, begins and renames them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from harness.probes.security.pages.titles import PEOPLE, SEEDED
from tests.doubles.conformance_twin.operations import Handler
from tests.doubles.conformance_twin.state import Twin
from tests.serving import serving

Way = Literal["careful", "careless", "blind"]
PAGE = """<!doctype html><meta charset="utf-8"><title>Chat</title>
<button id="new">New conversation</button><nav></nav><h1></h1>
<button id="rename">Rename</button><input aria-label="Title" hidden><main></main>
<textarea aria-label="Message"></textarea><script src="/page.js"></script>"""
SCRIPT = """
const find = what => document.querySelector(what);
const show = (element, text) => {
  if (WAY === 'careful') element.textContent = text;
  if (WAY === 'careless') element.innerHTML = text;
  if (WAY === 'blind') element.textContent = text.slice(0, 24);
  return element;
};
let open = null;
const api = async (method, path, body) => {
  const token = document.cookie.replace(/.*csrftoken=/, '').replace(/;.*/, '');
  const headers = {'Content-Type': 'application/json', 'X-CSRFToken': token};
  return (await fetch('/api/' + path, {method, headers, body: body && JSON.stringify(body)})).json();
};
const list = async () => {
  const {results} = await api('GET', 'conversations');
  find('nav').replaceChildren(...results.map(one => {
    const button = show(document.createElement('button'), one.title);
    button.onclick = () => enter(one);
    return button;
  }));
};
const enter = async one => {
  open = one;
  show(find('h1'), one.title);
  const {results} = await api('GET', `conversations/${one.id}/messages`);
  find('main').replaceChildren(...results.map(({content}) => show(document.createElement('article'), content)));
};
find('#new').onclick = () => { open = null; find('h1').textContent = ''; find('main').replaceChildren(); };
find('#rename').onclick = () => { find('input').hidden = false; };
find('input').onkeydown = async event => {
  if (event.key !== 'Enter') return;
  const one = await api('PATCH', `conversations/${open.id}`, {title: find('input').value});
  find('input').hidden = true;
  await enter(one);
  await list();
};
find('textarea').onkeydown = async event => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  const content = find('textarea').value;
  find('textarea').value = '';
  const one = open || await api('POST', 'conversations', {});
  await api('POST', `conversations/${one.id}/messages`, {content});
  await enter(await api('GET', `conversations/${one.id}`));
  await list();
};
api('GET', 'auth/me').then(list);
"""


class Careless(Handler):
    """The API, and the page at every other path."""

    way: Way

    def front_end(self, path: str) -> None:
        if path == "/page.js":
            self.reply(200, SCRIPT.replace("WAY", json.dumps(self.way)).encode(), "text/javascript")
        else:
            self.reply(200, PAGE.encode(), "text/html")


@contextmanager
def running(way: Way) -> Iterator[str]:
    """Serve the page in this way, without a Content-Security-Policy."""
    twin = Twin("no security headers")
    for name in PEOPLE:
        for number in range(SEEDED):
            twin.begin(name, f"Conversation {number + 1}")
    with serving(type("Served", (Careless,), {"twin": twin, "way": way})) as base_url:
        yield base_url
