import { History } from './history.js';
import { draw, fromPng, share, toPng } from './strokes.js';
import { View } from './view.js';

const LONGEST_SIDE = 1024;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOL_KEYS = { b: 'brush', e: 'eraser', l: 'lasso' };

/**
 * Marks the region of a picture that shall be made anew, by pointer, touch or keys. The hidden
 * input always holds the mask as a PNG, so that the form needs nothing else to be sent.
 */
class MaskController extends window.StimulusModule.Controller {
  static targets = [
    'add', 'box', 'cursor', 'editor', 'marks', 'numbers', 'redo', 'size', 'stage', 'state',
    'strength', 'tool', 'tools', 'undo', 'value', 'view', 'what',
  ];

  static values = {
    width: Number,
    height: Number,
    down: String,
    up: String,
    marked: String,
    nothing: String,
    place: String,
    missing: String,
    gone: String,
  };

  connect() {
    this.pen = this.marksTarget.getContext('2d');
    this.size();
    this.colour = getComputedStyle(this.stageTarget).color;
    this.history = new History();
    this.view = new View(this.stageTarget, this.viewTarget);
    this.pointers = new Map();
    this.tool = 'brush';
    this.stroke = null;
    this.toolsTarget.hidden = false;
    if (this.hasAddTarget) this.addTarget.hidden = false;
    this.stageTarget.classList.add('imagepipe-mask__stage--ready');
    this.refit = () => this.view.apply();
    window.addEventListener('resize', this.refit);
    this.choose();
    this.refresh();
    this.restore();
  }

  disconnect() {
    window.removeEventListener('resize', this.refit);
  }

  size() {
    const factor = Math.min(1, LONGEST_SIDE / Math.max(this.widthValue, this.heightValue));
    this.marksTarget.width = Math.max(1, Math.round(this.widthValue * factor));
    this.marksTarget.height = Math.max(1, Math.round(this.heightValue * factor));
    this.at = [this.marksTarget.width / 2, this.marksTarget.height / 2];
  }

  /** An empty sheet takes the shape that the form asks for when it is opened. */
  shape() {
    const { form } = this.valueTarget;
    const [width, height] = ['width', 'height'].map((name) => {
      const field = form && form.querySelector(`input[name$="${name}"][type=number]`);
      return Number(field && field.value) || 512;
    });
    if (this.element.open && !this.history.marks.length && !this.valueTarget.value) {
      this.widthValue = width;
      this.heightValue = height;
      this.size();
      this.stageTarget.style.aspectRatio = `${width} / ${height}`;
    }
    this.view.reset();
  }

  /** A form that is shown again brings the mask that was drawn before. */
  async restore() {
    if (!this.valueTarget.value) return;
    try {
      const image = await fromPng(this.valueTarget.value, this.colour);
      this.commit({ tool: 'image', image });
    } catch {
      this.valueTarget.value = '';
    }
  }

  /* Tools */

  pick({ params: { tool } }) {
    this.use(tool);
  }

  use(tool) {
    this.finish();
    this.tool = tool;
    this.toolTargets.forEach((button) => {
      button.setAttribute('aria-pressed', String(button.dataset.imagepipeMaskToolParam === tool));
    });
    this.stageTarget.classList.toggle('imagepipe-mask__stage--hand', tool === 'hand');
    this.showCursor();
  }

  get brushSize() {
    const side = Math.min(this.marksTarget.width, this.marksTarget.height);
    return Math.max(2, (side * Number(this.sizeTarget.value)) / 100);
  }

  resize() {
    this.showCursor();
  }

  /** The whole picture needs no mask, and usually changes less. */
  choose(event) {
    const chosen = this.whatTargets.find((input) => input.checked);
    const whole = Boolean(chosen && chosen.value === 'whole');
    this.editorTarget.classList.toggle('imagepipe-mask--off', whole);
    this.toolsTarget.inert = whole;
    this.off = whole;
    if (event && this.hasStrengthTarget) this.strengthTarget.value = whole ? '60' : '100';
  }

  undo() {
    this.stroke = null;
    if (this.history.undo()) this.redraw();
  }

  redo() {
    if (this.history.redo()) this.redraw();
  }

  clear() {
    if (this.history.marks.length) this.commit({ tool: 'clear' });
  }

  invert() {
    this.commit({ tool: 'invert' });
  }

  zoomIn() {
    this.view.zoom(1.5);
  }

  zoomOut() {
    this.view.zoom(1 / 1.5);
  }

  zoomReset() {
    this.view.reset();
  }

  /** The rectangle that the numbers say; they are emptied, for it is in the mask now. */
  rectangle() {
    const [left, top, width, height] = this.boxTargets.map((input) => Number(input.value) / 100);
    if (!(width > 0 && height > 0)) {
      this.say(this.missingValue);
      return;
    }
    const { width: across, height: down } = this.marksTarget;
    const right = Math.min(1, left + width);
    const bottom = Math.min(1, top + height);
    this.commit({
      tool: 'rectangle',
      box: [left * across, top * down, (right - left) * across, (bottom - top) * down],
    });
    this.boxTargets.forEach((input) => { input.value = ''; });
  }

  /** A mask that was drawn before comes on top of what is marked; undo takes it away again. */
  async reuse({ params: { address } }) {
    const region = this.whatTargets.find((input) => input.value === 'region');
    if (region && !region.checked) {
      region.checked = true;
      this.choose(region);
    }
    this.finish();
    try {
      this.commit({ tool: 'image', image: await fromPng(address, this.colour) });
    } catch {
      this.say(this.goneValue);
    }
  }

  /* Pointer and touch */

  position(event) {
    const box = this.marksTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.marksTarget.width;
    const y = ((event.clientY - box.top) / box.height) * this.marksTarget.height;
    return [x, y];
  }

  press(event) {
    if (this.off || event.button > 0) return;
    event.preventDefault();
    this.stageTarget.focus({ preventScroll: true });
    this.stageTarget.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) {
      this.stroke = null; // two fingers move the picture
      this.redraw();
    } else if (this.tool !== 'hand') {
      this.at = this.position(event);
      this.begin();
    }
    this.showCursor();
  }

  move(event) {
    if (!this.pointers.has(event.pointerId)) {
      if (!this.off && event.pointerType === 'mouse') {
        this.at = this.position(event);
        this.showCursor();
      }
      return;
    }
    const before = this.spread();
    const [x, y] = this.pointers.get(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) {
      this.pinch(before, this.spread());
    } else if (this.tool === 'hand') {
      this.view.pan(event.clientX - x, event.clientY - y);
    } else if (this.stroke) {
      const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      (events.length ? events : [event]).forEach((one) => this.extend(this.position(one)));
    }
  }

  /** Middle and distance of the first two fingers. */
  spread() {
    const [first, second = first] = [...this.pointers.values()];
    return {
      x: (first[0] + second[0]) / 2,
      y: (first[1] + second[1]) / 2,
      distance: Math.max(1, Math.hypot(first[0] - second[0], first[1] - second[1])),
    };
  }

  pinch(before, after) {
    const box = this.stageTarget.getBoundingClientRect();
    this.view.pan(after.x - before.x, after.y - before.y);
    this.view.zoom(after.distance / before.distance, after.x - box.left, after.y - box.top);
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (!this.pointers.size) this.finish();
  }

  abandon(event) {
    this.pointers.delete(event.pointerId);
    this.stroke = null;
    this.redraw();
  }

  wheel(event) {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    const box = this.stageTarget.getBoundingClientRect();
    this.view.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX - box.left, event.clientY - box.top);
  }

  /* Keys */

  key(event) {
    if (this.off) return;
    const letter = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (letter === 'z') this.take(event, () => (event.shiftKey ? this.redo() : this.undo()));
      if (letter === 'y') this.take(event, () => this.redo());
      return;
    }
    if (event.altKey) return;
    if (ARROWS[event.key]) this.take(event, () => this.step(ARROWS[event.key], event.shiftKey));
    else if (event.key === ' ') this.take(event, () => this.toggle());
    else if (event.key === 'Enter') this.take(event, () => this.finish());
    else if (event.key === 'Escape' && this.stroke) this.take(event, () => this.drop());
    else if (TOOL_KEYS[letter]) this.take(event, () => this.use(TOOL_KEYS[letter]));
    else if (event.key === '[' || event.key === ']') this.take(event, () => this.grow(event.key === ']' ? 2 : -2));
    else if (event.key === '+') this.take(event, () => this.zoomIn());
    else if (event.key === '-') this.take(event, () => this.zoomOut());
    else if (event.key === '0') this.take(event, () => this.zoomReset());
  }

  take(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  step([across, down], fine) {
    const length = fine ? 2 : Math.max(4, this.brushSize / 2);
    const { width, height } = this.marksTarget;
    this.at = [
      Math.min(width, Math.max(0, this.at[0] + across * length)),
      Math.min(height, Math.max(0, this.at[1] + down * length)),
    ];
    this.view.reveal(this.at[0] / width, this.at[1] / height);
    if (this.stroke && this.tool !== 'lasso') this.extend(this.at);
    this.showCursor();
    const percent = [this.at[0] / width, this.at[1] / height].map((s) => String(Math.round(s * 100)));
    this.say(this.placeValue.replace('%x', percent[0]).replace('%y', percent[1]));
  }

  toggle() {
    if (this.tool === 'hand') return;
    if (!this.stroke) {
      this.begin();
      this.say(this.downValue);
    } else if (this.tool === 'lasso') {
      this.extend(this.at);
    } else {
      this.finish();
    }
  }

  drop() {
    this.stroke = null;
    this.redraw();
    this.say(this.upValue);
  }

  grow(change) {
    this.sizeTarget.value = String(Number(this.sizeTarget.value) + change);
    this.showCursor();
  }

  /** A stroke does not go on while the keys are elsewhere. */
  leave() {
    if (!this.pointers.size) this.finish();
    this.cursorTarget.hidden = true;
  }

  /* Marks */

  begin() {
    this.stroke = { tool: this.tool, size: this.brushSize, points: [[...this.at]] };
    this.preview();
  }

  extend(point) {
    this.at = point;
    this.stroke.points.push([...point]);
    this.preview();
    this.showCursor();
  }

  preview() {
    if (this.stroke.tool !== 'lasso') {
      const last = this.stroke.points.slice(-2);
      draw(this.pen, { ...this.stroke, points: last }, this.colour);
      return;
    }
    this.paint();
    draw(this.pen, { tool: 'brush', size: 3, points: this.stroke.points }, this.colour);
  }

  finish() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    if (stroke.tool === 'lasso' && stroke.points.length < 3) this.redraw();
    else this.commit(stroke);
  }

  commit(mark) {
    this.history.add(mark);
    this.redraw();
  }

  paint() {
    this.pen.clearRect(0, 0, this.marksTarget.width, this.marksTarget.height);
    this.history.marks.forEach((mark) => draw(this.pen, mark, this.colour));
  }

  redraw() {
    this.paint();
    this.refresh();
  }

  /** Brings the hidden input, the buttons and the words in line with the marks. */
  refresh() {
    const marked = this.history.marks.length ? share(this.marksTarget) : 0;
    if (this.history.marks.length || this.history.undone.length) {
      this.valueTarget.value = marked ? toPng(this.marksTarget) : '';
    }
    this.undoTarget.setAttribute('aria-disabled', String(!this.history.marks.length));
    this.redoTarget.setAttribute('aria-disabled', String(!this.history.undone.length));
    const percent = marked * 100;
    const text = percent < 10 ? percent.toFixed(1) : String(Math.round(percent));
    this.say(marked ? this.markedValue.replace('%s', text) : this.nothingValue);
  }

  showCursor() {
    const { width, height } = this.marksTarget;
    const cursor = this.cursorTarget;
    cursor.hidden = this.off || this.tool === 'hand';
    const side = this.tool === 'lasso' ? width / 100 : this.brushSize;
    Object.assign(cursor.style, {
      left: `${(this.at[0] / width) * 100}%`,
      top: `${(this.at[1] / height) * 100}%`,
      width: `${(side / width) * 100}%`,
      aspectRatio: '1',
    });
  }

  say(words) {
    this.stateTarget.textContent = words;
  }
}

window.wagtail.app.register('imagepipe-mask', MaskController);
