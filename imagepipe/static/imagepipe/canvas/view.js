const CLOSEST = 8;

/** Which part of a picture a stage shows: magnification and place, never beside the picture. */
export class View {
  constructor(stage, element) {
    this.stage = stage;
    this.element = element;
    this.reset();
  }

  reset() {
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.apply();
  }

  /** Magnifies so that the point (pixels of the stage) stays where it is. */
  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.min(CLOSEST, Math.max(1, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  pan(across, down) {
    this.left += across;
    this.top += down;
    this.apply();
  }

  /** Moves just so far that a point of the picture, as shares, is seen. */
  reveal(x, y) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const at = [x * width * this.scale + this.left, y * height * this.scale + this.top];
    const margin = 0.1;
    const across = Math.max(width * margin - at[0], 0) + Math.min(width * (1 - margin) - at[0], 0);
    const down = Math.max(height * margin - at[1], 0) + Math.min(height * (1 - margin) - at[1], 0);
    if (across || down) this.pan(across, down);
  }

  apply() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    this.left = Math.min(0, Math.max(width - width * this.scale, this.left));
    this.top = Math.min(0, Math.max(height - height * this.scale, this.top));
    this.element.style.transform = `translate(${this.left}px, ${this.top}px) scale(${this.scale})`;
  }
}
