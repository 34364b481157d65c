import { byShape, bySides, parseShape } from './frames.js';

/** Shows the canvases that the form asks for, with the picture where it will lie. */
class ExtendController extends window.StimulusModule.Controller {
  static targets = ['frames', 'original'];

  static values = { width: Number, height: Number, picture: String, same: String, sides: String };

  connect() {
    this.draw();
  }

  draw() {
    this.framesTarget.replaceChildren(this.originalTarget, ...this.frames().map((f) => this.figure(f)));
  }

  frames() {
    const data = new FormData(this.element);
    const size = [this.widthValue, this.heightValue];
    const anchor = ['across', 'down'].map((name) => Number(data.get(name) ?? 50) / 100);
    const shapes = [...data.getAll('shapes'), ...String(data.get('other') || '').split(',')];
    const found = shapes
      .map((text) => parseShape(text))
      .filter(Boolean)
      .map(({ name, ratio }) => ({ name, ...byShape(size, ratio, anchor) }));
    const sides = ['left', 'top', 'right', 'bottom'].map((side) => Number(data.get(`side_${side}`)) / 100);
    if (sides.some((share) => share > 0)) found.push({ name: this.sidesValue, ...bySides(size, sides) });
    return found;
  }

  figure({ name, width, height, left, top }) {
    const item = document.createElement('li');
    item.className = 'imagepipe-frames__item';
    const canvas = document.createElement('div');
    canvas.className = 'imagepipe-frames__canvas imagepipe-frames__canvas--larger';
    canvas.style.aspectRatio = `${width} / ${height}`;
    canvas.style.width = `min(100%, ${(14 * width) / height}rem)`;
    const picture = document.createElement('img');
    picture.src = this.pictureValue;
    picture.alt = '';
    Object.assign(picture.style, {
      left: `${(left / width) * 100}%`,
      top: `${(top / height) * 100}%`,
      width: `${(this.widthValue / width) * 100}%`,
    });
    canvas.append(picture);
    const label = document.createElement('span');
    const same = width === this.widthValue && height === this.heightValue;
    label.textContent = same ? `${name}: ${this.sameValue}` : `${name}: ${width} × ${height}`;
    item.append(canvas, label);
    return item;
  }
}

window.wagtail.app.register('imagepipe-extend', ExtendController);
