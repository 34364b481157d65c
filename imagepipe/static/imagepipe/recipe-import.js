(function () {
  'use strict';

  const { Controller } = window.StimulusModule;

  /** Takes a dropped or chosen file and sends the form at once; without it, the button does. */
  class DropController extends Controller {
    static targets = ['zone', 'input', 'hint', 'submit'];

    connect() {
      this.hintTarget.hidden = false;
    }

    over(event) {
      if (!Array.from(event.dataTransfer.types).includes('Files')) return;
      event.preventDefault();
      this.zoneTarget.dataset.over = '';
    }

    leave(event) {
      if (!this.element.contains(event.relatedTarget)) delete this.zoneTarget.dataset.over;
    }

    drop(event) {
      delete this.zoneTarget.dataset.over;
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      const one = new DataTransfer();
      one.items.add(event.dataTransfer.files[0]);
      this.inputTarget.files = one.files;
      this.chosen();
    }

    chosen() {
      if (this.inputTarget.files.length) this.submitTarget.click();
    }
  }

  window.wagtail.app.register('imagepipe-drop', DropController);
})();
