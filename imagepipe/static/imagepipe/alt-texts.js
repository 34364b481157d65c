(function () {
  'use strict';

  const { Controller } = window.StimulusModule;
  const AJAX = { 'X-Requested-With': 'XMLHttpRequest' };
  const KEYS = {
    a: 'accept', n: 'next', p: 'previous', d: 'decorative', s: 'skip', u: 'undo',
  };
  const REMEMBERED = 'imagepipe-alt-shortcuts';

  /**
   * Alternative texts card by card: sends each decision without leaving the page, moves the
   * focus to the next card, tells screen readers, and listens to keys of one letter, which can
   * be switched off.
   */
  class AltController extends Controller {
    static targets = ['card', 'live', 'news', 'text', 'heading', 'shortcuts'];

    static values = { advice: String, failed: String };

    connect() {
      this.element.querySelectorAll('textarea[data-advice]').forEach((field) => {
        if (document.getElementById(field.dataset.advice)) return;
        const place = document.createElement('div');
        Object.assign(place, { id: field.dataset.advice, className: 'imagepipe-alt__advice' });
        place.setAttribute('role', 'status');
        field.after(place);
        if (field.value.trim()) this.askAdvice(field);
      });
      if (!this.hasShortcutsTarget) return;
      try {
        this.shortcutsTarget.checked = window.localStorage.getItem(REMEMBERED) !== 'off';
      } catch {
        // Without storage they are on until switched off.
      }
      this.mark();
      if (this.hasHeadingTarget) this.headingTarget.focus({ preventScroll: true });
    }

    switch() {
      try {
        window.localStorage.setItem(REMEMBERED, this.shortcutsTarget.checked ? 'on' : 'off');
      } catch {
        // It holds for this page then.
      }
      this.mark();
    }

    mark() {
      const off = !this.shortcutsTarget.checked;
      this.element.classList.toggle('imagepipe-alt__keys-off', off);
      this.element.querySelectorAll('button[name=do]').forEach((button) => {
        const key = Object.keys(KEYS).find((one) => KEYS[one] === button.value);
        if (off) button.removeAttribute('aria-keyshortcuts');
        else if (key) button.setAttribute('aria-keyshortcuts', key);
      });
    }

    key(event) {
      const writes = event.target.matches('textarea, select, input:not([type=radio], [type=checkbox])');
      if (writes) {
        if (event.key === 'Escape' && this.hasHeadingTarget) this.headingTarget.focus();
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.press('accept', event);
        return;
      }
      const plain = !(event.ctrlKey || event.metaKey || event.altKey || event.repeat);
      if (!plain || !this.hasShortcutsTarget || !this.shortcutsTarget.checked) return;
      const letter = event.key.toLowerCase();
      if (letter === 'e' && this.hasTextTarget) {
        event.preventDefault();
        this.textTarget.focus();
        this.textTarget.setSelectionRange(this.textTarget.value.length, this.textTarget.value.length);
      } else if (KEYS[letter]) {
        this.press(KEYS[letter], event);
      }
    }

    press(what, event) {
      const button = this.element.querySelector(`button[name=do][value=${what}]`);
      if (!button) return;
      event.preventDefault();
      button.form.requestSubmit(button);
    }

    submit(event) {
      const { submitter } = event;
      if (!submitter || submitter.name !== 'do') return;
      event.preventDefault();
      const data = new FormData(event.target);
      data.append('do', submitter.value);
      this.send(event.target.action, data);
    }

    async send(url, data) {
      if (this.busy) return;
      this.busy = true;
      this.element.setAttribute('aria-busy', 'true');
      try {
        const response = await fetch(url, {
          method: 'POST', body: data, headers: AJAX, credentials: 'same-origin',
        });
        if (!response.ok || response.redirected) throw new Error(response.statusText);
        const { html, message, refused } = await response.json();
        this.cardTarget.innerHTML = html;
        this.mark();
        const place = refused && this.hasTextTarget ? this.textTarget : this.headingTarget;
        place.focus();
        this.say(message);
      } catch {
        this.say(this.failedValue);
      } finally {
        this.busy = false;
        this.element.removeAttribute('aria-busy');
      }
    }

    say(message) {
      this.liveTarget.textContent = message;
      this.newsTarget.textContent = message;
      this.newsTarget.hidden = !message;
    }

    use({ params }) {
      const field = document.getElementById(params.field);
      if (!field) return;
      field.value = params.text;
      field.focus();
      field.dispatchEvent(new Event('input', { bubbles: true }));
      const from = this.element.querySelector('input[name=suggestion]');
      if (from) from.value = params.suggestion;
    }

    advise(event) {
      const field = event.target;
      if (!field.matches('textarea[data-asset]') || !this.adviceValue) return;
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.askAdvice(field), 500);
    }

    async askAdvice(field) {
      const list = document.getElementById(field.dataset.advice);
      const query = new URLSearchParams({
        asset: field.dataset.asset, language: field.lang, text: field.value,
      });
      try {
        const response = await fetch(`${this.adviceValue}?${query}`, { headers: AJAX, credentials: 'same-origin' });
        if (!response.ok || !list || !list.isConnected) return;
        const { advice } = await response.json();
        list.replaceChildren(...advice.map((sentence) => {
          const item = document.createElement('p');
          item.textContent = sentence;
          return item;
        }));
      } catch {
        // Advice is no condition for saving.
      }
    }
  }

  /** Follows a run that makes suggestions; what it has found shows on the next card. */
  class AltRunController extends Controller {
    static targets = ['bar', 'message'];

    static values = { url: String, interval: { type: Number, default: 2000 } };

    connect() {
      this.timer = setInterval(() => this.look(), this.intervalValue);
    }

    disconnect() {
      clearInterval(this.timer);
    }

    async look() {
      if (document.hidden) return;
      try {
        const response = await fetch(this.urlValue, { headers: AJAX, credentials: 'same-origin' });
        if (!response.ok || response.redirected) return;
        const { finished, percent, message } = await response.json();
        this.barTarget.value = percent;
        if (this.messageTarget.textContent !== message) this.messageTarget.textContent = message;
        if (finished) clearInterval(this.timer);
      } catch {
        // The next look may succeed.
      }
    }
  }

  window.wagtail.app.register('imagepipe-alt', AltController);
  window.wagtail.app.register('imagepipe-alt-run', AltRunController);
})();
