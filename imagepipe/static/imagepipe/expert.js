(function () {
  'use strict';

  /** Greys out what the chosen model cannot do, and says why. */
  class ExpertController extends window.StimulusModule.Controller {
    static targets = ['part'];

    static values = { url: String };

    connect() {
      this.form = this.element.closest('form');
      this.follow = (event) => {
        if (['model', 'template'].includes(event.target.name)) this.ask();
      };
      this.form.addEventListener('change', this.follow);
      this.ask();
    }

    disconnect() {
      this.form.removeEventListener('change', this.follow);
    }

    async ask() {
      const query = new URLSearchParams();
      ['model', 'template'].forEach((name) => {
        const field = this.form.elements[name];
        if (field && field.value) query.set(name, field.value);
      });
      this.asked = query.toString();
      try {
        const response = await fetch(`${this.urlValue}?${query}`, { credentials: 'same-origin' });
        const limits = response.ok ? await response.json() : null;
        if (limits && this.asked === query.toString()) this.show(limits);
      } catch {
        // The server says what is not possible once the form is sent.
      }
    }

    show(limits) {
      this.partTargets.forEach((part) => {
        const reason = limits[part.dataset.part] || '';
        const words = part.querySelector('[data-reason]');
        words.textContent = reason;
        words.hidden = !reason;
        part.disabled = Boolean(reason);
      });
      if (!limits.schedulers) return;
      Array.from(this.form.elements.scheduler.options).forEach((option) => {
        option.disabled = Boolean(option.value) && !limits.schedulers.includes(option.value);
      });
    }
  }

  window.wagtail.app.register('imagepipe-expert', ExpertController);
})();
