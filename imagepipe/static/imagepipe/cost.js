(function () {
  'use strict';

  const NAMES = ['model', 'template', 'purpose', 'candidates'];

  /** Says what the pictures of the form around it will cost. */
  class CostController extends window.StimulusModule.Controller {
    static values = { url: String, prefix: String };

    connect() {
      this.form = this.element.closest('form');
      this.follow = (event) => {
        if (NAMES.some((name) => event.target === this.field(name))) this.ask();
      };
      this.form.addEventListener('change', this.follow);
      this.ask();
    }

    disconnect() {
      this.form.removeEventListener('change', this.follow);
    }

    field(name) {
      return this.form.elements[this.prefixValue ? `${this.prefixValue}-${name}` : name];
    }

    async ask() {
      const query = new URLSearchParams();
      NAMES.forEach((name) => {
        const field = this.field(name);
        if (field && field.value) query.set(name, field.value);
      });
      this.asked = query.toString();
      try {
        const response = await fetch(`${this.urlValue}?${query}`, { credentials: 'same-origin' });
        const told = response.ok ? await response.json() : null;
        if (told && this.asked === query.toString()) this.show(told.cost);
      } catch {
        // The server looks at the quotas once the form is sent.
      }
    }

    show(words) {
      if (this.element.textContent !== words) this.element.textContent = words;
    }
  }

  window.wagtail.app.register('imagepipe-cost', CostController);
})();
