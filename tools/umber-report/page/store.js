// What the user has chosen. Views change it and are told of changes.

import { noChanges } from "umber/costmodel.js";

export class Store {
  constructor(report) {
    this.report = report;
    this.phaseIndex = 0;
    /** Kernels by number. */
    this.selection = new Set();
    this.changes = noChanges();
    this.other = null;
    this.listeners = [];
  }

  get phase() {
    return this.report.phases[this.phaseIndex];
  }

  /** `what`: the kinds of change that `call` wants to hear of. */
  listen(what, call) {
    this.listeners.push({ what: new Set(what), call });
  }

  tell(what) {
    for (const listener of this.listeners) {
      if (listener.what.has(what)) {
        listener.call(what);
      }
    }
  }

  setPhase(index) {
    this.phaseIndex = index;
    this.tell("phase");
  }

  select(kernels, { add = false } = {}) {
    if (!add) {
      this.selection.clear();
    }
    for (const kernel of kernels) {
      this.selection.add(kernel);
    }
    this.tell("selection");
  }

  toggle(kernel) {
    if (!this.selection.delete(kernel)) {
      this.selection.add(kernel);
    }
    this.tell("selection");
  }

  bitsOf(index) {
    return this.changes.bits.get(index) ?? this.report.matrices[index].bits;
  }

  /** Sets the widths of matrices that can have them. */
  setBits(entries) {
    for (const [index, bits] of entries) {
      const matrix = this.report.matrices[index];
      if (bits === matrix.bits) {
        this.changes.bits.delete(index);
      } else if (matrix.choices.some((choice) => choice.bits === bits && choice.stream_bytes > 0)) {
        this.changes.bits.set(index, bits);
      }
    }
    this.tell("changes");
  }

  change(edit) {
    edit(this.changes);
    this.tell("changes");
  }

  reset() {
    this.changes = noChanges();
    this.tell("changes");
  }

  get hasChanges() {
    const { bits, rank, cacheBits, counts, hardware } = this.changes;
    return (
      bits.size > 0 || rank !== null || cacheBits !== null ||
      Object.keys(counts).length > 0 || Object.keys(hardware).length > 0
    );
  }

  setOther(report) {
    this.other = report;
    this.tell("other");
  }
}
