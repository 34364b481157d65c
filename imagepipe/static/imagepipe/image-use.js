/** How one use of a chosen picture looks: follows the image chooser it surrounds. */
class ImagepipeUseController extends window.StimulusModule.Controller {
  static targets = ["fields", "alt", "decorative", "vary"];

  connect() {
    this.input = this.element.querySelector('input[type="hidden"]:not([data-imagepipe-crop-target])');
    this.chosen = this.input ? this.input.value : "";
    this.follow = () => this.show();
    this.input.addEventListener("change", this.follow);
    this.show();
    this.decorate();
  }

  disconnect() {
    this.input.removeEventListener("change", this.follow);
  }

  /** Another picture starts without the words and the crop of the last one. */
  show() {
    const chosen = this.input.value;
    this.fieldsTarget.hidden = !chosen;
    if (chosen !== this.chosen) {
      this.chosen = chosen;
      this.altTarget.value = "";
      this.decorativeTarget.checked = false;
      this.decorate();
      const crop = this.element.querySelector('[data-controller~="imagepipe-crop"]');
      const controller =
        crop && this.application.getControllerForElementAndIdentifier(crop, "imagepipe-crop");
      if (controller) controller.whole();
    }
  }

  decorate() {
    this.altTarget.disabled = false;
    this.altTarget.readOnly = this.decorativeTarget.checked;
  }
}

window.wagtail.app.register("imagepipe-use", ImagepipeUseController);
