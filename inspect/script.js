'use strict';
// The page works without this script. The script requests the page again and again, replaces its
// main part, and turns dragging and keys into the links of the page.
(() => {
  const main = document.querySelector('main');
  const live = document.getElementById('live');
  const pause = document.getElementById('pause');
  let paused = false, drag = null, timer = 0, asked = 0, shown = 0;

  async function refresh(search = location.search, push = false) {
    clearTimeout(timer);
    const turn = ++asked;
    const began = performance.now();
    try {
      const q = new URLSearchParams(search);
      q.set('format', 'fragment');
      const answer = await fetch('?' + q, {cache: 'no-store'});
      const text = await answer.text();
      if (turn < asked) return; // a later request is on its way
      if (!answer.ok) throw new Error(text);
      if (!drag) put(text, push);
      live.textContent = paused ? 'paused' : new Date().toLocaleTimeString();
      live.classList.remove('lost');
      document.documentElement.dataset.shown = ++shown;
    } catch (e) {
      if (turn < asked) return;
      live.textContent = e instanceof TypeError ? 'no answer, trying again' : e.message;
      live.classList.add('lost');
    }
    // A map whose answer takes long is asked less often.
    if (!paused) timer = setTimeout(refresh, Math.max(1000, 10 * (performance.now() - began)));
  }

  function put(text, push) {
    const focused = document.activeElement && document.activeElement.id;
    main.innerHTML = text;
    if (focused) document.getElementById(focused)?.focus();
    const state = document.getElementById('state');
    if (!state) return;
    const query = '?' + state.dataset.query;
    if (push && query !== location.search) history.pushState(null, '', query);
    document.title = main.querySelector('h2').textContent + ' · spanlock';
  }

  // cut asks for a part of what is in view.
  function cut(a, b, whole = false) {
    const q = new URLSearchParams(document.getElementById('state').dataset.query);
    if (whole) { q.delete('from'); q.delete('to'); }
    q.set('cut', a + ',' + b);
    refresh('?' + q, true);
  }

  const along = (e, svg) => {
    const box = svg.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
  };

  main.addEventListener('click', e => {
    const a = e.target.closest('a');
    if (e.target.closest('#whole')) {
      const x = along(e, document.getElementById('whole'));
      cut(x - 0.05, x + 0.05, true);
    } else if (a && !e.ctrlKey && !e.metaKey && !e.shiftKey && !a.closest('footer')) {
      e.preventDefault();
      const href = a.getAttribute('href');
      if (a.dataset.cut) cut(...a.dataset.cut.split(','));
      else refresh(href, true);
    }
  });
  main.addEventListener('dragstart', e => e.preventDefault());
  main.addEventListener('pointerdown', e => {
    const svg = e.target.closest('#view');
    if (!svg || e.button !== 0 || e.pointerType === 'touch') return;
    drag = {svg, from: along(e, svg), moved: false};
  });
  addEventListener('pointermove', e => {
    if (!drag) return;
    const x = along(e, drag.svg), a = Math.min(x, drag.from), b = Math.max(x, drag.from);
    drag.moved ||= b - a > 0.01;
    const lasso = document.getElementById('lasso');
    lasso.setAttribute('x', 1000 * a);
    lasso.setAttribute('width', 1000 * (b - a));
    drag.to = x;
  });
  addEventListener('pointerup', () => {
    const d = drag;
    drag = null;
    if (!d || !d.moved) return;
    // The click that follows ends the drag, and must not click on what is below it.
    const swallow = e => { e.preventDefault(); e.stopPropagation(); };
    addEventListener('click', swallow, {capture: true, once: true});
    setTimeout(() => removeEventListener('click', swallow, {capture: true}), 0);
    cut(Math.min(d.from, d.to), Math.max(d.from, d.to));
  });
  addEventListener('pointercancel', () => { drag = null; });

  const keys = {'+': 'z-in', '=': 'z-in', '-': 'z-out', ArrowLeft: 'z-left', ArrowRight: 'z-right', '0': 'z-all'};
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
    e.preventDefault();
    document.getElementById(keys[e.key])?.click();
  });
  addEventListener('popstate', () => refresh());
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else if (!paused) refresh();
  });
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.textContent = paused ? 'Resume' : 'Pause';
    refresh();
  });
  pause.hidden = false;
  refresh();
})();
