(function () {
  'use strict';

  const { Controller } = window.StimulusModule;
  const app = window.wagtail.app;
  const AJAX = { 'X-Requested-With': 'XMLHttpRequest' };

  /**
   * Follows a run until its end. Listens where the server sends events; otherwise asks at most
   * once a second, seldom while nobody looks, ever less often while the server does not answer.
   */
  class RunController extends Controller {
    static targets = ['bar', 'message', 'state', 'card', 'live', 'failure', 'whileRunning', 'repeat', 'policy', 'step', 'tally'];

    static values = {
      url: String,
      stream: String,
      finished: Boolean,
      interval: { type: Number, default: 1000 },
      hidden: { type: Number, default: 15000 },
      announced: { type: String, default: '' },
      lost: String,
      reload: Boolean,
    };

    connect() {
      this.connected = true;
      this.failures = 0;
      this.wake = () => {
        if (!document.hidden) {
          this.follow(0);
        } else if (this.source) {
          this.silence();
          this.schedule(this.delay);
        }
      };
      document.addEventListener('visibilitychange', this.wake);
      if (!this.finishedValue) this.follow(this.intervalValue);
    }

    disconnect() {
      this.connected = false;
      clearTimeout(this.timer);
      document.removeEventListener('visibilitychange', this.wake);
      this.silence();
      if (this.request) this.request.abort();
    }

    follow(delay) {
      if (this.streamValue && window.EventSource && !document.hidden) this.listen();
      else this.schedule(delay);
    }

    /** The browser comes back by itself; after three failures in a row the page asks instead. */
    listen() {
      if (this.source || this.finishedValue || !this.connected) return;
      clearTimeout(this.timer);
      let errors = 0;
      this.source = new EventSource(this.streamValue);
      this.source.addEventListener('progress', (event) => {
        this.show(JSON.parse(event.data));
      });
      this.source.addEventListener('open', () => {
        errors = 0;
        this.element.dataset.follows = 'stream';
      });
      this.source.addEventListener('error', () => {
        errors += 1;
        if (this.source && this.source.readyState !== EventSource.CLOSED && errors < 3) return;
        this.silence();
        this.streamValue = '';
        this.schedule(this.intervalValue);
      });
    }

    /** A hidden page holds no connection: browsers allow few of them to one host. */
    silence() {
      if (this.source) this.source.close();
      this.source = null;
      delete this.element.dataset.follows;
    }

    schedule(delay) {
      clearTimeout(this.timer);
      if (this.finishedValue || !this.connected || this.source) return;
      this.timer = setTimeout(() => this.poll(), delay);
    }

    get delay() {
      const base = document.hidden ? this.hiddenValue : this.intervalValue;
      return Math.min(base * 2 ** this.failures, 30000);
    }

    async poll() {
      if (this.request) return;
      this.request = new AbortController();
      try {
        const response = await fetch(this.urlValue, {
          headers: AJAX,
          credentials: 'same-origin',
          signal: this.request.signal,
        });
        if (!response.ok) throw new Error(response.statusText);
        const run = await response.json();
        this.failures = 0;
        await this.show(run);
      } catch (error) {
        if (error.name === 'AbortError') return;
        this.failures += 1;
        if (this.failures > 2) this.messageTargets.forEach((e) => { e.textContent = this.lostValue; });
      } finally {
        this.request = null;
      }
      this.schedule(this.delay);
    }

    async show(run) {
      this.barTargets.forEach((bar) => { bar.value = run.percent; });
      this.messageTargets.forEach((element) => { element.textContent = run.message; });
      this.stateTargets.forEach((element) => { element.textContent = run.state_label; });
      this.showSteps(run);
      await Promise.all(run.candidates.map((candidate) => this.showCandidate(candidate)));
      this.announce(run);
      this.dispatch('progress', { detail: run });
      if (run.finished) this.finish(run);
    }

    showSteps(run) {
      this.tallyTargets.forEach((element) => {
        element.hidden = !run.tally;
        element.textContent = run.tally || '';
      });
      const begun = new Map((run.steps || []).map((step) => [step.node, step]));
      this.stepTargets.forEach((element) => {
        const step = begun.get(element.dataset.node) || run.rest;
        const summary = element.querySelector('[data-summary]');
        if (!step || element.dataset.state === step.state && summary.textContent === step.summary) return;
        element.dataset.state = step.state;
        summary.textContent = step.summary;
      });
    }

    async showCandidate(candidate) {
      const card = this.cardTargets.find((c) => Number(c.dataset.index) === candidate.index);
      if (!card) return;
      if (card.dataset.key !== candidate.key && (candidate.uid || candidate.state === 'missing')) {
        await this.redraw(card, candidate);
        return;
      }
      const label = card.querySelector('[data-label]');
      const percent = card.querySelector('[data-percent]');
      const preview = card.querySelector('[data-preview]');
      if (label) label.textContent = candidate.state_label;
      if (percent) percent.value = candidate.percent;
      if (preview && candidate.preview_url && preview.getAttribute('src') !== candidate.preview_url) {
        preview.src = candidate.preview_url;
        preview.hidden = false;
        const empty = card.querySelector('[data-empty]');
        if (empty) empty.hidden = true;
      }
    }

    async redraw(card, candidate) {
      const response = await fetch(candidate.card_url, { headers: AJAX, credentials: 'same-origin' });
      if (!response.ok) return;
      const template = document.createElement('template');
      template.innerHTML = await response.text();
      const fresh = template.content.firstElementChild;
      if (fresh) card.replaceWith(fresh);
    }

    /** Tells screen readers what matters: a picture is there, the run has ended. */
    announce(run) {
      if (!this.hasLiveTarget) return;
      const ready = run.candidates.filter((candidate) => candidate.uid).length;
      const news = run.finished ? run.message : `${run.state_label} ${ready}/${run.candidates.length}`;
      if (news === this.announcedValue) return;
      this.announcedValue = news;
      this.liveTarget.textContent = news;
    }

    finish(run) {
      this.finishedValue = true;
      this.silence();
      if (this.reloadValue && run.state === 'succeeded') {
        window.location.reload(); // the verdict is drawn by the server
        return;
      }
      const failed = run.state === 'failed';
      this.whileRunningTargets.forEach((element) => { element.hidden = true; });
      this.repeatTargets.forEach((element) => { element.hidden = run.state === 'succeeded'; });
      this.failureTargets.forEach((element) => {
        element.hidden = !failed;
        const text = element.querySelector('[data-text]');
        if (text) text.textContent = run.message;
      });
      this.policyTargets.forEach((element) => { element.hidden = run.error_code !== 'prompt-refused'; });
    }
  }

  /** Shows the variables of the template that was chosen; what was typed before is kept. */
  class TemplateController extends Controller {
    static targets = ['select', 'fields', 'details'];

    static values = { url: String, prefix: String };

    connect() {
      const options = Array.from(this.selectTarget.options);
      const drawn = options.find((option) => option.defaultSelected) || options[0];
      this.shown = drawn ? drawn.value : '';
      this.change(); // somebody may have chosen before this script was there
    }

    async change() {
      if (this.selectTarget.value === this.shown) return;
      this.remember();
      const query = new URLSearchParams({ template: this.selectTarget.value });
      if (this.prefixValue) query.set('prefix', this.prefixValue);
      const fields = await this.load(query);
      if (fields === null || query.get('template') !== this.selectTarget.value) return;
      this.shown = this.selectTarget.value;
      const typed = this.remember();
      const focused = this.inputs().find((input) => input === document.activeElement);
      this.fieldsTarget.innerHTML = fields;
      this.inputs().forEach((input) => {
        if (input.name in typed) {
          const possible = input.tagName !== 'SELECT'
            || Array.from(input.options).some((option) => option.value === typed[input.name]);
          if (possible) input.value = typed[input.name];
        }
        if (focused && input.name === focused.name) input.focus();
      });
      if (this.hasDetailsTarget && !this.selectTarget.value) this.detailsTarget.open = true;
    }

    /** Null when the server cannot be reached; it asks for what is missing once it can. */
    async load(query) {
      try {
        const response = await fetch(`${this.urlValue}?${query}`, {
          headers: AJAX,
          credentials: 'same-origin',
        });
        return response.ok ? await response.text() : null;
      } catch {
        return null;
      }
    }

    inputs() {
      return Array.from(this.fieldsTarget.querySelectorAll('input, textarea, select'));
    }

    remember() {
      this.kept = this.kept || {};
      this.inputs().forEach((input) => {
        const untouched = input.tagName === 'SELECT'
          ? input.selectedIndex < 0 || input.options[input.selectedIndex].defaultSelected
          : input.value === input.defaultValue;
        if (!untouched) this.kept[input.name] = input.value;
      });
      return this.kept;
    }
  }

  app.register('imagepipe-run', RunController);
  app.register('imagepipe-template', TemplateController);
})();
