// Which widths reach a goal at the least predicted loss.

import { predict } from "umber/costmodel.js";
import { bodyBits, joules } from "umber/report.js";

/** Where nothing was measured: each bit fewer makes errors four times as large. */
function assumedLoss(matrix, bits) {
  return matrix.rows * matrix.columns * 4 ** -bits;
}

/** What widths a matrix may have, with their losses, ascending in bits. */
function getOptions(report, allowed) {
  const isMeasured = report.matrices.some((matrix) => matrix.choices.some((choice) => choice.loss != null));
  return report.matrices.map((matrix) => {
    const own = matrix.choices.filter((choice) => choice.stream_bytes > 0);
    const measured = own.filter((choice) => choice.loss != null);
    const usable = !matrix.is_body
      ? own.filter((choice) => choice.bits === matrix.bits)
      : (isMeasured ? measured : own).filter((choice) => allowed.has(choice.bits));
    // A matrix that nothing is known of stays as it is.
    const kept = usable.length > 0 ? usable : own.filter((choice) => choice.bits === matrix.bits);
    return kept.map((choice) => ({
      bits: choice.bits,
      bytes: choice.bytes,
      stream: choice.stream_bytes,
      loss: choice.loss ?? (isMeasured ? 0 : assumedLoss(matrix, choice.bits)),
    }));
  });
}

/** The choices that cost least, where a unit of `key` costs `price`. */
function chooseAt(options, key, price) {
  return options.map((choices) =>
    choices.reduce((best, choice, at) => {
      const cost = (option) => option.loss + price * option[key];
      return best < 0 || cost(choice) < cost(choices[best]) ? at : best;
    }, -1));
}

/**
 * The widths with the least loss among those that `isReached` accepts, which is
 * given widths by matrix; a price on `key` is found by bisection, and what is
 * left is spent on matrices one by one. Null if not even the smallest reach it.
 */
function searchPrice(options, key, isReached) {
  const widths = (chosen) => chosen.map((at, index) => options[index][at]?.bits);
  let low = 0;
  let high = 1e-12;
  let best = chooseAt(options, key, 0);
  if (isReached(widths(best))) {
    return widths(best);
  }
  const smallest = options.map((choices) =>
    choices.reduce((least, choice, at) => (least < 0 || choice[key] < choices[least][key] ? at : least), -1));
  if (!isReached(widths(smallest))) {
    return null;
  }
  best = smallest;
  for (let step = 0; step < 100 && !isReached(widths(chooseAt(options, key, high))); ++step) {
    high *= 4;
  }
  for (let step = 0; step < 40; ++step) {
    const middle = low === 0 ? high / 1024 : Math.sqrt(low * high);
    const chosen = chooseAt(options, key, middle);
    if (isReached(widths(chosen))) {
      best = chosen;
      high = middle;
    } else {
      low = middle;
    }
  }
  return widths(spendRest(options, key, best, (chosen) => isReached(widths(chosen))));
}

/** Takes the steps that gain most per unit of `key`, while they still fit. */
function spendRest(options, key, chosen, isReached) {
  const steps = [];
  options.forEach((choices, index) => {
    choices.forEach((choice, at) => {
      const now = choices[chosen[index]];
      if (now && choice.loss < now.loss && choice[key] > now[key]) {
        steps.push({ index, at, gain: (now.loss - choice.loss) / (choice[key] - now[key]) });
      }
    });
  });
  steps.sort((a, b) => b.gain - a.gain);
  let result = [...chosen];
  const taken = new Set();
  for (const step of steps.slice(0, 200)) {
    if (taken.has(step.index)) {
      continue;
    }
    const tried = [...result];
    tried[step.index] = step.at;
    if (isReached(tried)) {
      result = tried;
      taken.add(step.index);
    }
  }
  return result;
}

function changesWith(report, changes, widths) {
  const bits = new Map();
  widths.forEach((width, index) => {
    if (width !== undefined && width !== report.matrices[index].bits) {
      bits.set(index, width);
    }
  });
  return { ...changes, bits };
}

/** The least loss with the body at no more than `bits` per weight. */
export function solveBits(report, bits, allowed) {
  const options = getOptions(report, allowed);
  return searchPrice(options, "bytes", (widths) =>
    bodyBits(report, (index) => widths[index] ?? report.matrices[index].bits) <= bits + 1e-9);
}

/** The least loss at `speed` tokens a second of decode within `watts`. */
export function solveSpeed(report, speed, watts, allowed, changes) {
  const phase = report.phases.find((at) => at.kind === "decode");
  if (!phase) {
    return null;
  }
  const options = getOptions(report, allowed);
  return searchPrice(options, "stream", (widths) => {
    const after = predict(report, phase, changesWith(report, changes, widths));
    return after.tokens / after.seconds >= speed && joules(after.energy) / after.seconds <= watts;
  });
}

/** Whether losses come from the compiler's measurements. */
export function isMeasured(report) {
  return report.matrices.some((matrix) => matrix.choices.some((choice) => choice.loss != null));
}
