/**
 * Four percentages for the part of a picture that is shown, with a live preview.
 * The hidden input carries them as JSON shares of 0 to 1; empty means the whole picture.
 */
class ImagepipeCropController extends window.StimulusModule.Controller {
  static targets = ["value", "preview", "image", "part", "left", "top", "width", "height"];

  connect() {
    this.read();
    this.picture = this.nearestPicture();
    if (this.picture) {
      this.observer = new MutationObserver(() => this.showPicture());
      this.observer.observe(this.picture, { attributes: true, attributeFilter: ["src"] });
    }
    this.showPicture();
  }

  disconnect() {
    if (this.observer) this.observer.disconnect();
  }

  /** The chooser's preview: beside this one in a field, in a sibling in a block. */
  nearestPicture() {
    let place = this.element;
    while (place && !place.querySelector("[data-chooser-image]")) place = place.parentElement;
    return place && place.querySelector("[data-chooser-image]");
  }

  get numbers() {
    return [this.leftTarget, this.topTarget, this.widthTarget, this.heightTarget];
  }

  read() {
    let shares = null;
    try {
      shares = JSON.parse(this.valueTarget.value || "null");
    } catch {
      shares = null;
    }
    if (Array.isArray(shares) && shares.length === 4) this.fill(shares);
    this.draw();
  }

  fill(shares) {
    this.numbers.forEach((input, index) => {
      input.value = String(Math.round(shares[index] * 10000) / 100);
    });
  }

  shares() {
    return this.numbers.map((input, index) => {
      const number = parseFloat(input.value);
      return Number.isNaN(number) ? [0, 0, 1, 1][index] : number / 100;
    });
  }

  update() {
    const shares = this.shares();
    const whole = shares.every((share, index) => share === [0, 0, 1, 1][index]);
    this.valueTarget.value = whole ? "" : JSON.stringify(shares);
    this.valueTarget.dispatchEvent(new Event("change", { bubbles: true }));
    this.draw();
  }

  whole() {
    this.fill([0, 0, 1, 1]);
    this.update();
  }

  /** The largest part of the given shape, round the middle of what is cut out now. */
  async shape({ params: { across, down } }) {
    try {
      await this.imageTarget.decode();
    } catch {
      return; // without the picture its shape is not known
    }
    const width = this.imageTarget.naturalWidth;
    const height = this.imageTarget.naturalHeight;
    const [left, top, wide, high] = this.shares();
    const part = [0, 0, 1, 1];
    const ratio = (across * height) / (down * width);
    if (ratio < 1) {
      part[2] = ratio;
      part[0] = Math.min(Math.max(left + wide / 2 - ratio / 2, 0), 1 - ratio);
    } else {
      part[3] = 1 / ratio;
      part[1] = Math.min(Math.max(top + high / 2 - part[3] / 2, 0), 1 - part[3]);
    }
    this.fill(part.map((share) => Math.floor(share * 10000) / 10000));
    this.update();
  }

  showPicture() {
    const source = this.picture && this.picture.getAttribute("src");
    this.previewTarget.hidden = !source;
    if (source) this.imageTarget.src = source;
  }

  draw() {
    const [left, top, width, height] = this.shares().map((share) => `${share * 100}%`);
    Object.assign(this.partTarget.style, { left, top, width, height });
  }
}

window.wagtail.app.register("imagepipe-crop", ImagepipeCropController);

/** Opens the Generate tab of the image chooser that it surrounds. */
class ImagepipeChooseController extends window.StimulusModule.Controller {
  static targets = ["vary"];

  static values = { candidate: String, profile: String };

  connect() {
    this.input = this.element.querySelector('input[type="hidden"]');
    this.follow = (event) => {
      this.candidateValue = event.detail.candidate || "";
    };
    this.clear = () => {
      if (!this.input.value) this.candidateValue = "";
    };
    // Wagtail makes the widget in an inline script that runs after this element exists.
    this.ready = setTimeout(() => this.watch(), 0);
    this.input.addEventListener("change", this.clear);
  }

  watch() {
    this.watched = this.widget;
    if (!this.watched) return;
    this.watched.addEventListener("chosen", this.follow);
    const state = this.watched.getState();
    if (state && state.candidate) this.candidateValue = state.candidate;
  }

  disconnect() {
    clearTimeout(this.ready);
    this.input.removeEventListener("change", this.clear);
    if (this.watched) this.watched.removeEventListener("chosen", this.follow);
  }

  get widget() {
    const chooser = this.element.querySelector(".chooser");
    return chooser && chooser.widget;
  }

  candidateValueChanged(candidate) {
    this.varyTargets.forEach((button) => {
      button.hidden = !candidate;
    });
  }

  generate() {
    this.open({});
  }

  vary() {
    this.open({ vary: this.candidateValue });
  }

  open(parameters) {
    const { widget } = this;
    if (!widget) return;
    const address = new URL(widget.opts.modalUrl, window.location.href);
    address.searchParams.set("generate", "1");
    if (this.profileValue) address.searchParams.set("profile", this.profileValue);
    Object.entries(parameters).forEach(([name, value]) => {
      address.searchParams.set(name, value);
    });
    const Modal = widget.chooserModalClass;
    new Modal(address.pathname + address.search).open(widget.getModalOptions() || {}, (chosen) =>
      widget.setStateFromModalData(chosen),
    );
  }
}

/** How one use of a chosen picture looks: follows the image chooser it surrounds. */
class ImagepipeUseController extends window.StimulusModule.Controller {
  static targets = ["fields", "alt", "decorative"];

  connect() {
    this.input = this.element.querySelector('input[type="hidden"]');
    this.chosen = this.input.value;
    this.follow = () => this.show();
    this.input.addEventListener("change", this.follow);
    this.fieldsTarget.hidden = !this.chosen;
    this.decorate();
  }

  disconnect() {
    this.input.removeEventListener("change", this.follow);
  }

  /** Another picture starts without the words and the crop of the last one. */
  show() {
    const chosen = this.input.value;
    this.fieldsTarget.hidden = !chosen;
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.altTarget.value = "";
    this.decorativeTarget.checked = false;
    this.decorate();
    const crop = this.element.querySelector('[data-controller~="imagepipe-crop"]');
    const controller =
      crop && this.application.getControllerForElementAndIdentifier(crop, "imagepipe-crop");
    if (controller) controller.whole();
  }

  decorate() {
    this.altTarget.readOnly = this.decorativeTarget.checked;
  }
}

window.wagtail.app.register("imagepipe-choose", ImagepipeChooseController);
window.wagtail.app.register("imagepipe-use", ImagepipeUseController);
