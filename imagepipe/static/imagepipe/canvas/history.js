/** Marks that were made, and those that were taken back and may come again. */
export class History {
  constructor() {
    this.marks = [];
    this.undone = [];
  }

  add(mark) {
    this.marks.push(mark);
    this.undone = [];
  }

  undo() {
    if (!this.marks.length) return false;
    this.undone.push(this.marks.pop());
    return true;
  }

  redo() {
    if (!this.undone.length) return false;
    this.marks.push(this.undone.pop());
    return true;
  }
}
