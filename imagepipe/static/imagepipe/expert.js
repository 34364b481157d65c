(function () {
  'use strict';

  const NAMES = ['model', 'template', 'purpose'];

  /** Greys out what the chosen model cannot do, and says why. */
  class ExpertController extends window.StimulusModule.Controller {
    static targets = ['part'];

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
      this.showFields(limits.fields || {});
      if (!limits.schedulers) return;
      Array.from(this.field('scheduler').options).forEach((option) => {
        option.disabled = Boolean(option.value) && !limits.schedulers.includes(option.value);
      });
    }

    /** What this script disabled it enables again; what the server disabled stays so. */
    showFields(reasons) {
      this.form.querySelectorAll('[data-imagepipe-unsupported]').forEach((words) => {
        const field = document.getElementById(words.dataset.imagepipeUnsupported);
        if (field) field.disabled = false;
        words.remove();
      });
      Object.entries(reasons).forEach(([name, reason]) => {
        const field = this.field(name);
        if (!field || field.disabled) return;
        field.disabled = true;
        const words = document.createElement('p');
        words.className = 'imagepipe-hint';
        words.dataset.imagepipeUnsupported = field.id;
        words.textContent = reason;
        field.closest('.w-field__wrapper, .w-field, div').append(words);
      });
    }
  }

  window.wagtail.app.register('imagepipe-expert', ExpertController);
})();
