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
