(function () {
  'use strict';

  const { Controller } = window.StimulusModule;
  const AJAX = { 'X-Requested-With': 'XMLHttpRequest' };

  /**
   * The queue: sends each change without leaving the page, keeps the focus and what is ticked
   * while the table is drawn anew, moves rows with Alt and the arrow keys or with the mouse.
   */
  class QueueController extends Controller {
    static targets = ['results', 'live', 'news'];

    static values = { url: String, failed: String, interval: { type: Number, default: 5000 } };

    connect() {
      this.timer = setInterval(() => this.refresh(), this.intervalValue);
      ['dragstart', 'dragover', 'drop', 'dragend'].forEach((name) => {
        this.element.addEventListener(name, (event) => this[name](event));
      });
    }

    disconnect() {
      clearInterval(this.timer);
    }

    async refresh() {
      if (document.hidden || this.busy || this.dragged) return;
      try {
        const response = await fetch(this.urlValue, { headers: AJAX, credentials: 'same-origin' });
        if (!response.ok || response.redirected) return;
        const html = await response.text();
        if (!this.busy && !this.dragged) this.draw(html);
      } catch {
        // The next look may succeed.
      }
    }

    submit(event) {
      event.preventDefault();
      const { submitter } = event;
      if (!submitter || submitter.getAttribute('aria-disabled') === 'true') return;
      const data = new FormData(event.target);
      data.append(submitter.name, submitter.value);
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
        const { message, html } = await response.json();
        this.draw(html, data.has('do'));
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

    draw(html, untick = false) {
      if (this.drawn === html && !untick) return;
      this.drawn = html;
      const focus = this.element.contains(document.activeElement) ? document.activeElement : null;
      const row = focus && focus.closest('tr[data-run]');
      const rows = this.rows();
      const index = row ? rows.indexOf(row) : -1;
      const ticked = untick ? [] : Array.from(this.element.querySelectorAll('input[name=run]:checked'));
      const priority = this.element.querySelector('select[name=priority]');
      this.resultsTarget.innerHTML = html;
      ticked.forEach(({ id }) => {
        const box = document.getElementById(id);
        if (box) box.checked = true;
      });
      const select = this.element.querySelector('select[name=priority]');
      if (select && priority) select.value = priority.value;
      if (focus && !document.contains(focus)) this.focusLike(focus, row, index);
    }

    /** The same control in the table drawn anew, else the row's link, else the row in its place. */
    focusLike(focus, row, index) {
      const [what] = (focus.value || '').split(':');
      const twin = { pause: 'resume', resume: 'pause' }[what];
      const rows = this.rows();
      const fresh = row
        ? rows.find((other) => other.dataset.run === row.dataset.run)
        : null;
      const places = [];
      if (focus.id) places.push(document.getElementById(focus.id));
      if (fresh) {
        places.push(fresh.querySelector(`button[value^="${what || '-'}:"]`));
        if (twin) places.push(fresh.querySelector(`button[value^="${twin}:"]`));
        places.push(fresh.querySelector('a'));
      } else if (row) {
        const next = rows[Math.min(index, rows.length - 1)];
        if (next) places.push(next.querySelector('a'));
      }
      if (focus.name === 'do') places.push(this.element.querySelector(`button[name=do][value="${focus.value}"]`));
      places.push(this.element.querySelector('[role=region]'), this.element.querySelector('nav a[aria-current]'));
      const place = places.find(Boolean);
      if (place) place.focus();
    }

    rows() {
      return Array.from(this.element.querySelectorAll('tr[data-run]'));
    }

    key(event) {
      const what = { ArrowUp: 'up', ArrowDown: 'down', Home: 'first' }[event.key];
      if (!event.altKey || !what) return;
      const row = event.target.closest('tr[data-run]');
      const button = row && row.querySelector(`button[value^="${what}:"]`);
      if (!button) return;
      event.preventDefault();
      button.focus();
      button.form.requestSubmit(button);
    }

    dragstart(event) {
      this.dragged = event.target.closest ? event.target.closest('tr[draggable]') : null;
      if (!this.dragged) return;
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', this.dragged.dataset.run);
    }

    /** Rows change places only with those of the same person and priority. */
    dragover(event) {
      if (this.target(event)) event.preventDefault();
    }

    drop(event) {
      const target = this.target(event);
      if (!target) return;
      event.preventDefault();
      const places = Number(target.dataset.place) - Number(this.dragged.dataset.place);
      const form = this.element.querySelector('form');
      const data = new FormData(form);
      data.delete('run');
      data.append('one', `move:${this.dragged.dataset.run}`);
      data.append('move', places);
      this.dragged = null;
      this.send(form.action, data);
    }

    dragend() {
      this.dragged = null;
    }

    target(event) {
      const row = this.dragged && event.target.closest('tr[draggable]');
      const fits = row && row !== this.dragged && row.dataset.group === this.dragged.dataset.group;
      return fits ? row : null;
    }
  }

  window.wagtail.app.register('imagepipe-queue', QueueController);
})();
