"""A small chat without a server that is branded, has bubbles, and can stop and regenerate."""

CHAT = r"""
<!doctype html><html lang="en"><meta charset="utf-8"><title>Chat</title>
<style>
 :root { color-scheme: light dark; }
 body { margin: 0; font: 16px Georgia, serif; color: light-dark(#23302f, #e9efe9);
   background: light-dark(#fbf7f0, #10191c); }
 h1 { font-family: Palatino, serif; font-size: 20px; }
 nav { position: fixed; inset: 0 auto 0 0; width: 240px; background: light-dark(#efe6d8, #182529); }
 main { margin: 0 40px 140px 280px; }
 button, textarea, input { font: inherit; color: inherit; }
 .first { background: #0b5a6b; color: #fff; }
 article { display: flex; margin: 8px 0; }
 article.user { justify-content: flex-end; }
 .user p { background: light-dark(#efe6d8, #182529); padding: 8px; margin: 0; max-width: 60%; }
 form.say { position: fixed; bottom: 10px; left: 280px; right: 40px; display: flex; }
 form.say textarea { flex: 1; }
</style>
<body><script>
const seed = 42, words = ['able ', 'away ', 'back ', 'bird ', 'blue '];
const kept = JSON.parse(localStorage.getItem('kept') || '[]');
const hex = bytes => [...new Uint8Array(bytes)].map(b => b.toString(16).padStart(2, '0')).join('');
let timer = 0, tries = 0;
const keep = () => localStorage.setItem('kept', JSON.stringify(kept));
async function answer() {
  const question = kept.findLast(one => one.role === 'user').text;
  const [, tag, query] = question.match(/tag-([0-9a-f]{16})(?:\?(\S+))?/);
  const options = new URLSearchParams(query || '');
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${seed}:${tag}`));
  const one = {role: 'assistant', text: hex(sum).slice(0, 12) + ' '};
  kept.push(one);
  let left = Number(options.get('tokens') || 20) - 2;
  tries += 1;
  timer = setInterval(() => {
    one.text += left-- > 0 ? words[(left + tries) % 5] : '[end]';
    if (left < -0.5) halt();
    draw();
  }, 1000 * Number(options.get('itl_s') || 0.02));
  draw();
}
function halt() { clearInterval(timer); timer = 0; keep(); draw(); }
function anew() { kept.pop(); answer(); }
function say(box) { kept.push({role: 'user', text: box.value}); box.value = ''; answer(); }
function draw() {
  const title = kept.length ? kept[0].text : 'New';
  document.querySelector('h1').textContent = title;
  document.querySelector('#log').replaceChildren(...kept.map(one => {
    const article = document.createElement('article'), p = document.createElement('p');
    article.className = one.role; p.textContent = one.text; article.append(p); return article;
  }));
  document.querySelector('#stop').hidden = !timer;
  document.querySelector('#again').hidden = Boolean(timer) || !kept.length;
}
const signedIn = /sessionid|chat_session/.test(document.cookie);
document.body.innerHTML = signedIn ? `
 <nav><img alt="Acme" width="96" height="32" src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>">
  <button onclick="kept.length = 0; keep(); draw()">New conversation</button>
  <input type="search" aria-label="Search conversations"></nav>
 <main><h1></h1><div id="log"></div></main>
 <form class="say"><textarea aria-label="Message"
  onkeydown="if (event.key === 'Enter') { event.preventDefault(); say(this); }"></textarea>
  <button type="button" id="stop" onclick="halt()">Stop</button>
  <button type="button" id="again" onclick="anew()">Regenerate</button></form>` : `
 <label>Username <input></label><label>Password <input type="password"></label>
 <button class="first">Sign in</button>`;
if (signedIn) draw();
</script></body></html>
"""
