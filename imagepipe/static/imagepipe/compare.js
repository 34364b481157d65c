(function () {
  'use strict';

  const BLINK = 700;
  const PICTURES = '.imagepipe-card a.imagepipe-card__picture img, img[data-compare]';

  /** A listing shows small pictures and says where the whole ones are. */
  const addressOf = (image) => image.dataset.whole || image.getAttribute('src');
  const nameOf = (image) => image.dataset.compare
    || image.closest('.imagepipe-card').querySelector('h3').textContent;

  /** Two pictures of a page on top of each other behind a slider, side by side, or in turn. */
  class CompareController extends window.StimulusModule.Controller {
    static targets = ['first', 'second', 'stage', 'before', 'after', 'slider', 'way', 'sliderRow'];

    connect() {
      this.show = () => this.fill();
      this.element.addEventListener('toggle', this.show);
      this.way = 'slider';
    }

    disconnect() {
      this.element.removeEventListener('toggle', this.show);
      clearInterval(this.timer);
    }

    /** The pictures that are there by now; others come as they are finished. */
    fill() {
      if (!this.element.open) {
        clearInterval(this.timer);
        return;
      }
      const images = Array.from(document.querySelectorAll(PICTURES));
      [this.firstTarget, this.secondTarget].forEach((select, index) => {
        const chosen = select.value;
        select.replaceChildren(...images.map((image) => new Option(nameOf(image), addressOf(image))));
        select.value = chosen || (images[index] ? addressOf(images[index]) : '');
      });
      this.choose();
      this.use(this.way);
    }

    choose() {
      this.put(this.beforeTarget, this.firstTarget);
      this.put(this.afterTarget, this.secondTarget);
    }

    put(image, select) {
      const [option] = select.selectedOptions;
      if (!option) return;
      image.src = option.value;
      image.alt = option.textContent;
    }

    pick({ params: { way } }) {
      this.use(way);
    }

    use(way) {
      clearInterval(this.timer);
      this.way = way;
      this.stageTarget.dataset.way = way;
      this.sliderRowTarget.hidden = way !== 'slider';
      this.wayTargets.forEach((button) => {
        button.setAttribute('aria-pressed', String(button.dataset.imagepipeCompareWayParam === way));
      });
      this.afterTarget.style.opacity = '';
      this.slide();
      if (way === 'blink') this.timer = setInterval(() => this.turn(), BLINK);
    }

    turn() {
      this.afterTarget.style.opacity = this.afterTarget.style.opacity === '0' ? '' : '0';
    }

    slide() {
      const share = this.way === 'slider' ? this.sliderTarget.value : 0;
      this.afterTarget.style.clipPath = `inset(0 0 0 ${share}%)`;
    }
  }

  window.wagtail.app.register('imagepipe-compare', CompareController);
})();
