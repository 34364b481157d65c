(function () {
  'use strict';

  const AJAX = { 'X-Requested-With': 'XMLHttpRequest' };
  const KEYS = { s: '[data-mark=star]', p: '[data-mark=pin]', v: '[data-key-name=seed]', m: '[data-key-name=alike]', f: '[data-key-name=refine]' };

  /**
   * Stars and pins without leaving the page, and keys for the card that has the focus. The
   * keys do nothing elsewhere, so that they cannot be pressed by accident.
   */
  class MarksController extends window.StimulusModule.Controller {
    static targets = ['said'];

    async send(event) {
      const form = event.target;
      event.preventDefault();
      if (form.dataset.busy) return;
      form.dataset.busy = 'true';
      try {
        const response = await fetch(form.action, {
          method: 'POST',
          body: new FormData(form),
          headers: AJAX,
          credentials: 'same-origin',
        });
        if (!response.ok) throw new Error(response.statusText);
        const { on, said } = await response.json();
        form.querySelector('[data-mark]').setAttribute('aria-pressed', String(on));
        form.elements.on.value = on ? '0' : '1';
        if (this.hasSaidTarget) this.saidTarget.textContent = said;
      } catch {
        form.submit(); // the server says on a page of its own what is wrong
      } finally {
        delete form.dataset.busy;
      }
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest('input, select, textarea, [contenteditable]')) return;
      const card = event.target.closest('.imagepipe-card');
      if (!card) return;
      if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
        const cards = Array.from(this.element.querySelectorAll('.imagepipe-card'));
        const next = cards[cards.indexOf(card) + (event.key === 'ArrowRight' ? 1 : -1)];
        const link = next && next.querySelector('a, button, summary');
        if (!link) return;
        link.focus();
      } else {
        const target = KEYS[event.key] && card.querySelector(KEYS[event.key]);
        if (!target) return;
        target.click();
      }
      event.preventDefault();
    }
  }

  window.wagtail.app.register('imagepipe-marks', MarksController);
})();
