(function () {
  'use strict';

  const { Controller } = window.StimulusModule;
  const WHOLE = [0, 0, 1, 1];
  const LEAST = 0.02;
  const SLACK = 0.02;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const isWhole = (part) => part.every((share, index) => Math.abs(share - WHOLE[index]) < 1e-6);

  /** Show only a part of the picture in a box: no other picture is fetched. */
  function showPart(box, [left, top, width, height], ratio) {
    const image = box.querySelector('img');
    box.style.aspectRatio = String(ratio);
    Object.assign(image.style, {
      left: `${(-left / width) * 100}%`,
      top: `${(-top / height) * 100}%`,
      width: `${100 / width}%`,
      height: `${100 / height}%`,
    });
  }

  const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);

  /** The rows or columns of the grid whose middle lies in a span; at least one. */
  function cells(begin, end, count) {
    let first = Math.round(begin * count);
    let last = Math.round(end * count);
    if (last <= first) {
      first = Math.min(Math.floor(((begin + end) / 2) * count), count - 1);
      last = first + 1;
    }
    first = Math.max(0, first);
    return Array.from({ length: Math.min(count, last) - first }, (_unused, index) => first + index);
  }

  /** What nearly every cell of the headline's zone offers, as the server counts it. */
  function headlineContrast({ grid, scale }, [left, top, width, height], headline) {
    const [x, y, wide, high] = headline.zone;
    const rows = cells(top + y * height, top + (y + high) * height, grid.length);
    const columns = cells(left + x * width, left + (x + wide) * width, grid[0].length);
    const found = rows.flatMap((row) =>
      columns.map((column) => contrast(headline.luminance, grid[row][column] / scale)),
    );
    found.sort((one, other) => one - other);
    return found[Math.floor(0.05 * (found.length - 1))];
  }

  const overlap = (begin, length, first, extent) =>
    Math.max(0, Math.min(begin + length, first + extent) - Math.max(begin, first)) / length;

  const isCut = ([x, y, wide, high], [left, top, width, height]) => {
    const seen = overlap(x, wide, left, width) * overlap(y, high, top, height);
    return seen > SLACK && seen < 1 - SLACK;
  };

  /**
   * A frame on a picture that is dragged, or moved with the keyboard, or typed as four numbers.
   * On the page of a crop its ratio is locked. In the form of a page, the hidden input carries
   * JSON: shares of 0 to 1, or, with crops by name, a mapping of them with "" for all others.
   */
  class CropController extends Controller {
    static targets = [
      'value', 'which', 'preview', 'image', 'part', 'left', 'top', 'width', 'height', 'shot',
      'headline', 'faceWarning', 'contrastWarning', 'pixels', 'suggestion', 'inherited', 'live',
      'shapes', 'tight', 'extend',
    ];

    static values = { name: String, url: String, said: String };

    connect() {
      this.name = this.nameValue;
      this.details = null;
      const given = this.element.querySelector('#imagepipe-crop-details');
      if (given) this.details = JSON.parse(given.textContent);
      this.stored = this.read();
      if (this.hasValueTarget) this.part = this.stored[this.name] || WHOLE;
      else this.part = this.shares();
      this.first = this.part;
      this.picture = this.hasValueTarget && this.nearestPicture();
      if (this.picture) {
        this.observer = new MutationObserver(() => this.showPicture());
        this.observer.observe(this.picture, { attributes: true, attributeFilter: ['src'] });
        this.showPicture();
      }
      if (this.hasValueTarget) this.fill();
      this.draw();
    }

    disconnect() {
      if (this.observer) this.observer.disconnect();
      clearTimeout(this.speaking);
    }

    // What is known

    /** The chooser's preview: beside this one in a field, in a sibling in a block. */
    nearestPicture() {
      let place = this.element;
      while (place && !place.querySelector('[data-chooser-image]')) place = place.parentElement;
      this.chooser = place && place.querySelector('.imagepipe-choose');
      return place && place.querySelector('[data-chooser-image]');
    }

    get chosen() {
      const input = this.chooser && this.chooser.querySelector('input[type="hidden"]');
      return input ? input.value : '';
    }

    read() {
      let value = null;
      try {
        value = this.hasValueTarget ? JSON.parse(this.valueTarget.value || 'null') : null;
      } catch {
        value = null;
      }
      if (Array.isArray(value)) return { '': value };
      return value && typeof value === 'object' ? { ...value } : {};
    }

    get shape() {
      return (this.details && this.details.shapes[this.name]) || null;
    }

    /** Width by height of the picture, in pixels. */
    get aspect() {
      if (this.details) return this.details.size[0] / this.details.size[1];
      return this.imageTarget.naturalWidth / this.imageTarget.naturalHeight || 1;
    }

    /** Width by height in shares where the ratio is locked; else nothing. */
    get locked() {
      const named = this.hasWhichTarget && this.whichTarget.selectedOptions[0];
      if (this.shape) return this.shape.ratio[0] / this.shape.ratio[1] / this.aspect;
      if (!named || !named.dataset.ratio) return 0;
      const [across, down] = named.dataset.ratio.split(':').map(Number);
      return across / down / this.aspect;
    }

    /** Ask once for each picture what is known of it: faces, light, suggestions. */
    async learn() {
      const id = this.chosen;
      if (!this.urlValue || !id || this.learnt === id) return;
      this.learnt = id;
      this.details = null;
      try {
        const answer = await fetch(this.urlValue.replace('/0/', `/${encodeURIComponent(id)}/`));
        if (answer.ok && this.learnt === id) this.details = await answer.json();
      } catch {
        this.learnt = '';
      }
      if (this.picture) this.showPicture();
      if (this.hasWhichTarget && this.name && !this.stored[this.name]) this.choose();
      else this.draw();
    }

    /** The chooser's thumbnail, until the picture itself is known. */
    showPicture() {
      const known = this.details && this.learnt === this.chosen && this.details.picture;
      const source = known || this.picture.getAttribute('src');
      this.previewTarget.hidden = !source;
      if (!source) return;
      this.imageTarget.src = source;
      this.shotTargets.forEach((shot) => {
        shot.querySelector('img').src = source;
      });
    }

    // What people do

    grab(event) {
      if (event.button || this.readOnly) return;
      const box = this.imageTarget.getBoundingClientRect();
      const corner = event.target.dataset.corner;
      this.held = {
        box,
        corner: corner && corner.split(' ').map(Number),
        from: [event.clientX / box.width, event.clientY / box.height],
        part: this.part,
      };
      this.partTarget.setPointerCapture(event.pointerId);
      this.partTarget.focus({ preventScroll: true });
      event.preventDefault();
    }

    drag(event) {
      if (!this.held) return;
      const { box, corner, from, part } = this.held;
      const x = event.clientX / box.width - from[0];
      const y = event.clientY / box.height - from[1];
      if (corner) this.resize(part, corner, x, y);
      else this.move(part, x, y);
    }

    drop() {
      if (this.held) this.say();
      this.held = null;
    }

    press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || this.readOnly) return;
      const step = event.shiftKey ? 0.05 : 0.01;
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (moves[event.key]) this.move(this.part, ...moves[event.key].map((way) => way * step));
      else if (event.key === '+' || event.key === '=') this.grow(0.02);
      else if (event.key === '-' || event.key === '_') this.grow(-0.02);
      else return;
      event.preventDefault();
      this.say();
    }

    typed(event) {
      const [left, top, width, height] = this.shares();
      const byHeight = event && this.hasHeightTarget && event.target === this.heightTarget;
      let size = [width, height];
      if (this.locked) size = byHeight ? [height * this.locked, height] : [width, width / this.locked];
      this.set(this.inside([left, top, ...size]), event && event.target);
    }

    whole() {
      const [left, top, width, height] = this.part;
      if (!this.locked) this.set(WHOLE);
      else this.set(this.largest(this.locked, left + width / 2, top + height / 2));
    }

    /** The largest part of a shape, round the middle of what is cut out now. */
    async fit({ params: { across, down } }) {
      try {
        await this.imageTarget.decode();
      } catch {
        return; // without the picture its shape is not known
      }
      const [left, top, width, height] = this.part;
      const ratio = across / down / this.aspect;
      const part = this.largest(ratio, left + width / 2, top + height / 2);
      this.set(part.map((share) => Math.floor(share * 10000) / 10000));
    }

    suggest() {
      if (this.shape) this.set(this.shape.suggestion);
      this.say();
    }

    reset() {
      this.set(this.first);
      this.say();
    }

    /** Another crop of this use: what is stored for it, else what the picture has. */
    choose() {
      this.learn();
      this.name = this.whichTarget.value;
      this.part = this.stored[this.name] || this.inheritedPart() || WHOLE;
      this.fill();
      this.draw();
    }

    /** Leave this crop to the picture itself. */
    forget() {
      delete this.stored[this.name];
      this.write();
      this.choose();
    }

    // Geometry, in shares

    inheritedPart() {
      if (!this.shape) return this.locked ? this.largest(this.locked, 0.5, 0.5) : null;
      return this.shape.own || this.shape.suggestion;
    }

    largest(ratio, x, y) {
      const width = Math.min(1, ratio);
      const height = Math.min(1, 1 / ratio);
      return [clamp(x - width / 2, 0, 1 - width), clamp(y - height / 2, 0, 1 - height), width, height];
    }

    inside([left, top, width, height]) {
      let size = [clamp(width, LEAST, 1), clamp(height, LEAST, 1)];
      if (this.locked) {
        const wide = clamp(width, LEAST * Math.max(1, this.locked), Math.min(1, this.locked));
        size = [wide, wide / this.locked];
      }
      return [clamp(left, 0, 1 - size[0]), clamp(top, 0, 1 - size[1]), ...size];
    }

    move([left, top, width, height], x, y) {
      this.set([clamp(left + x, 0, 1 - width), clamp(top + y, 0, 1 - height), width, height]);
    }

    grow(by) {
      const [left, top, width, height] = this.part;
      const wide = clamp(width + by, LEAST, 1);
      const high = this.locked ? wide / this.locked : clamp(height + by, LEAST, 1);
      this.set(this.inside([left - (wide - width) / 2, top - (high - height) / 2, wide, high]));
    }

    /** Pull a corner; the opposite one stays where it is. */
    resize([left, top, width, height], [right, bottom], x, y) {
      const room = [right ? 1 - left : left + width, bottom ? 1 - top : top + height];
      let wide = clamp(width + (right ? x : -x), LEAST, room[0]);
      let high = clamp(height + (bottom ? y : -y), LEAST, room[1]);
      if (this.locked) {
        wide = Math.min(Math.max(wide, high * this.locked), room[0], room[1] * this.locked);
        high = wide / this.locked;
      }
      this.set([right ? left : left + width - wide, bottom ? top : top + height - high, wide, high]);
    }

    // What people see

    get numbers() {
      return [this.leftTarget, this.topTarget, this.widthTarget, this.heightTarget];
    }

    get readOnly() {
      return this.leftTarget.readOnly;
    }

    shares() {
      return this.numbers.map((input, index) => {
        const number = parseFloat(input.value);
        return Number.isNaN(number) ? WHOLE[index] : number / 100;
      });
    }

    fill(typing) {
      this.numbers.forEach((input, index) => {
        if (input !== typing) input.value = String(Math.round(this.part[index] * 10000) / 100);
      });
    }

    set(part, typing) {
      this.part = part;
      this.fill(typing);
      if (this.hasValueTarget) {
        if (!this.name && isWhole(part)) delete this.stored[''];
        else this.stored[this.name] = part.map((share) => Math.round(share * 10000) / 10000);
        this.write();
      } else {
        this.element.dispatchEvent(new Event('change', { bubbles: true }));
      }
      this.draw();
    }

    write() {
      const names = Object.keys(this.stored);
      const plain = names.length === 1 && names[0] === '';
      this.valueTarget.value = names.length
        ? JSON.stringify(plain ? this.stored[''] : this.stored)
        : '';
      this.valueTarget.dispatchEvent(new Event('change', { bubbles: true }));
    }

    draw() {
      if (!this.part) return;
      const [left, top, width, height] = this.part.map((share) => `${share * 100}%`);
      Object.assign(this.partTarget.style, { left, top, width, height });
      const ratio = (this.part[2] / this.part[3]) * this.aspect;
      this.shotTargets.forEach((shot) => showPart(shot, this.part, ratio));
      const pixels = this.details && [0, 1].map((axis) => Math.round(this.part[2 + axis] * this.details.size[axis]));
      this.pixelsTargets.forEach((target) => {
        target.textContent = pixels ? `${pixels[0]} × ${pixels[1]} px.` : '';
      });
      this.suggestionTargets.forEach((button) => {
        button.hidden = !this.shape;
        if (this.shape) button.textContent = button.dataset.text.replace('{percent}', this.shape.percent);
      });
      this.inheritedTargets.forEach((target) => {
        target.hidden = !this.name || Boolean(this.stored[this.name]);
      });
      this.shapesTargets.forEach((target) => {
        target.hidden = Boolean(this.name);
      });
      this.tightTargets.forEach((target) => {
        target.hidden = !this.shape || this.shape.fits;
      });
      this.extendTargets.forEach((link) => {
        link.hidden = !this.shape || !this.shape.extend;
        if (!link.hidden) link.href = this.shape.extend;
      });
      if (this.hasPreviewTarget) this.previewTarget.style.setProperty('--imagepipe-aspect', this.aspect);
      this.warn();
    }

    warn() {
      const cut = this.details ? this.details.faces.filter((face) => isCut(face, this.part)) : [];
      this.faceWarningTargets.forEach((target) => {
        target.hidden = !cut.length;
      });
      const headline = this.shape && this.shape.headline;
      const found = headline && this.details.grid.length ? headlineContrast(this.details, this.part, headline) : null;
      this.contrastWarningTargets.forEach((target) => {
        target.hidden = found === null || found >= headline.contrast;
        if (target.hidden) return;
        const text = target.dataset.text
          .replace('{found}', found.toFixed(1))
          .replace('{needed}', headline.contrast.toFixed(1));
        const place = target.querySelector('span');
        if (place.textContent !== text) place.textContent = text;
      });
      if (headline) {
        const [left, top, width, height] = headline.zone.map((share) => `${share * 100}%`);
        this.headlineTargets.forEach((target) =>
          Object.assign(target.style, { left, top, width, height, color: headline.colour }),
        );
      }
    }

    /** Tell screen readers where the frame is, once it rests. */
    say() {
      if (!this.hasLiveTarget) return;
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => {
        const names = ['left', 'top', 'width', 'height'];
        this.liveTarget.textContent = names.reduce(
          (text, name, index) => text.replace(`{${name}}`, Math.round(this.part[index] * 100)),
          this.saidValue,
        );
      }, 500);
    }
  }

  /** A crop as it is, in a small box. */
  class CropStillController extends Controller {
    static targets = ['shot'];

    static values = { region: Array, size: Array };

    connect() {
      const part = this.regionValue.map((share) => share / 10000);
      const [width, height] = this.sizeValue;
      showPart(this.shotTarget, part, (part[2] * width) / (part[3] * height));
    }
  }

  window.wagtail.app.register('imagepipe-crop', CropController);
  window.wagtail.app.register('imagepipe-crop-still', CropStillController);
})();
