(function () {
  'use strict';

  const PAUSE = 500;

  /**
   * Shows pictures and masks of our own that mean what is typed, and puts one of them into the
   * form. With a shape it asks for masks of it, at once: such a form begins with words.
   */
  class SuggestController extends window.StimulusModule.Controller {
    static targets = ['list', 'news', 'status'];

    static values = { url: String, started: String, followed: String, kept: String, styled: String, width: Number, height: Number };

    connect() {
      this.form = this.element.closest('form');
      this.typed = (event) => {
        if (this.isWords(event.target)) this.wait();
      };
      this.form.addEventListener('input', this.typed);
      if (this.hasWidthValue) this.ask();
    }

    disconnect() {
      this.form.removeEventListener('input', this.typed);
      clearTimeout(this.timer);
      if (this.request) this.request.abort();
    }

    isWords(field) {
      return ['title', 'prompt'].includes(field.name) || (field.name || '').startsWith('variable_');
    }

    get words() {
      return Array.from(this.form.elements)
        .filter((field) => this.isWords(field))
        .map((field) => field.value.trim())
        .filter(Boolean)
        .join(' ')
        .slice(0, 400);
    }

    wait() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), PAUSE);
    }

    async ask() {
      const words = this.words;
      if (words === this.asked) return;
      this.asked = words;
      if (this.request) this.request.abort();
      this.request = new AbortController();
      const query = new URLSearchParams({ q: words, title: this.form.elements.title.value });
      if (this.hasWidthValue) {
        query.set('width', this.widthValue);
        query.set('height', this.heightValue);
      }
      this.listTarget.setAttribute('aria-busy', 'true');
      try {
        const response = await fetch(`${this.urlValue}?${query}`, {
          headers: { 'X-Requested-With': 'XMLHttpRequest' },
          credentials: 'same-origin',
          signal: this.request.signal,
        });
        if (response.ok && words === this.asked) this.show(await response.text());
      } catch {
        // Typing goes on; the next words ask again.
      } finally {
        if (words === this.asked) this.listTarget.removeAttribute('aria-busy');
      }
    }

    /** What has the focus is not taken away: the list changes once it has left. */
    show(markup) {
      if (this.listTarget.contains(document.activeElement)) return;
      this.listTarget.innerHTML = markup;
      this.newsTarget.textContent = this.hasStatusTarget ? this.statusTarget.textContent.trim() : '';
      if (this.hasStatusTarget) this.statusTarget.remove();
      this.listTarget.querySelectorAll('[data-needs]').forEach((button) => {
        const field = this.form.elements[button.dataset.needs];
        const known = field && (button.dataset.needs !== 'style'
          || Array.from(field.options).some((option) => option.value === button.dataset.key));
        button.hidden = !known;
      });
    }

    start(event) {
      this.put('start_from', event.currentTarget, this.startedValue);
    }

    follow(event) {
      this.followOne('guide', 'kept', event.currentTarget, this.followedValue);
    }

    keep(event) {
      this.followOne('kept', 'guide', event.currentTarget, this.keptValue);
    }

    /** The last choice counts: what was chosen in the other way is let go. */
    followOne(name, other, button, sentence) {
      const { control } = this.form.elements;
      if (control && !control.value && control.options.length > 1) control.selectedIndex = 1;
      this.form.elements[other].value = '';
      this.put(name, button, sentence);
    }

    style(event) {
      this.put('style', event.currentTarget, this.styledValue);
    }

    put(name, button, sentence) {
      const field = this.form.elements[name];
      if (!field) return;
      field.value = button.dataset.key;
      field.dispatchEvent(new Event('change', { bubbles: true }));
      const expert = this.form.querySelector('.imagepipe-expert');
      if (expert) expert.open = true;
      this.newsTarget.textContent = sentence.replace('TITLE', button.dataset.title);
    }
  }

  window.wagtail.app.register('imagepipe-suggest', SuggestController);
})();
